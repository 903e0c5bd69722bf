/* member: the rules are in sql/functions/40_channels.sql, under the channel's lock. */
#include "lib/chat/member.h"
#include "lib/base/config.h"
#include "lib/chat/access.h"
#include "lib/chat/acting.h"
#include "lib/chat/list.h"
#include "lib/db/db.h"
#include <string.h>

int member_list(struct db *d, int64_t channel, int64_t reader, int64_t after, int64_t limit, struct strbuf *b,
		struct page *p, struct err *e)
{
	PGresult *r = NULL;
	struct access a;
	int rc;

	if (db_one(d, STMT_member_list, &r, e, "iiii", channel, reader, after, limit) < 0)
		return -1;
	a = access_from_row(r, 0, 0);
	rc = access_read(&a, e);
	if (rc == 0)
		return list_render(r, 3, "members", b, p, e);
	PQclear(r);
	return rc;
}

int member_add(struct db *d, const struct config *c, int64_t channel, int64_t actor, int64_t newcomer, bool *again,
	       struct err *e)
{
	PGresult *r = NULL;
	const char *code;
	int rc;

	if (db_one(d, STMT_member_add, &r, e, "iiii", channel, actor, newcomer, c->limits.channel_members) < 0)
		return -1;
	code = r ? result_text(r, 0, 0) : "";
	rc = access_code(code, "user", e);
	*again = !strcmp(code, "again");
	PQclear(r);
	return rc;
}

int member_get(struct db *d, int64_t channel, int64_t user, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_member_get, &r, e, "ii", channel, user) < 0)
		return -1;
	if (!r)
		return err_set(e, ERR_NOT_FOUND, NULL, "no such member");
	strbuf_add(b, result_text(r, 0, 0), result_length(r, 0, 0));
	PQclear(r);
	return 0;
}

int member_remove(struct db *d, const struct acting *who, int64_t channel, int64_t leaver, const char *reason,
		  struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_member_remove, &r, e, "iiibttt", channel, who->user, leaver, who->admin, who->request,
		   who->address, reason) < 0)
		return -1;
	return access_outcome(r, "user", e);
}
