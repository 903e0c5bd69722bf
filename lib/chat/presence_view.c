/* presence_view: a statement each. */
#include "lib/chat/presence_view.h"
#include "lib/base/config.h"
#include "lib/chat/list.h"
#include "lib/db/db.h"

#define SWEEP_MAX 500

int presence_list(struct db *d, const struct config *c, int64_t asker, const int64_t *ids, size_t n, struct strbuf *b,
		  struct page *p, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_presence_list, &r, e, "iIii", asker, ids, n, c->presence.lease, c->presence.away) < 0)
		return -1;
	if (list_begin(r, 0, "presence", b, p, e) < 0)
		return -1;
	strbuf_addc(b, '}');
	PQclear(r);
	return 0;
}

int presence_say(struct db *d, const struct config *c, int64_t user, const char *instance, const char *input,
		 struct err *e)
{
	PGresult *r = NULL;
	int rc = db_query(d, STMT_presence_say, &r, e, "ittiii", user, instance, input, c->presence.grace,
			  c->presence.lease, c->presence.away);

	PQclear(r);
	return rc;
}

int presence_polled(struct db *d, const struct config *c, int64_t user, bool active, struct err *e)
{
	PGresult *r = NULL;
	int rc = db_query(d, STMT_presence_polled, &r, e, "ibiii", user, active,
			  c->presence.poll_slack + c->presence.grace, c->presence.lease, c->presence.away);

	PQclear(r);
	return rc < 0 ? -1 : presence_sweep(d, c, false, e);
}

int64_t presence_sweep_each(const struct config *c)
{
	return MAX_OF(c->presence.renew / 3, (int64_t)1);
}

int64_t presence_sweep_gap(const struct config *c)
{
	return c->presence.lease - c->presence.renew - presence_sweep_each(c);
}

int presence_sweep(struct db *d, const struct config *c, bool whole, struct err *e)
{
	int64_t each = presence_sweep_each(c), n;
	PGresult *r = NULL;

	do {
		if (db_one(d, STMT_presence_sweep, &r, e, "iiiibi", each, presence_sweep_gap(c), c->presence.lease,
			   c->presence.away, whole, (int64_t)SWEEP_MAX) < 0)
			return -1;
		n = r ? result_int(r, 0, 0) : 0;
		PQclear(r);
	} while (n >= SWEEP_MAX);
	if (!whole)
		return 0;
	if (db_query(d, STMT_settings_sweep, &r, e, "ii", c->presence.lease, c->presence.away) < 0)
		return -1;
	PQclear(r);
	return 0;
}
