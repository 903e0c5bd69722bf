/* channel: lists, one, and making them. */
#include "lib/chat/channel.h"
#include "lib/base/config.h"
#include "lib/base/utf8.h"
#include "lib/chat/access.h"
#include "lib/chat/acting.h"
#include "lib/chat/list.h"
#include "lib/chat/read_marker.h"
#include "lib/db/db.h"
#include <stdio.h>
#include <string.h>

/* Of both lists: the same columns. r NULL: there is no row. */
static int render(struct db *d, PGresult *r, int64_t reader, struct strbuf *b, struct page *p, struct err *e)
{
	bool behind;

	if (list_begin(r, 0, "channels", b, p, e) < 0)
		return -1;
	strbuf_addf(b, ",\"next\":%s}", result_null(r, 0, 2) ? "null" : result_text(r, 0, 2));
	behind = result_bool(r, 0, 3);
	PQclear(r);
	if (behind)
		unread_advance(d, reader);
	return 0;
}

int channel_list(struct db *d, int64_t reader, int64_t after, int64_t limit, struct strbuf *b, struct page *p,
		 struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_channel_list_mine, &r, e, "iii", reader, after, limit) < 0)
		return -1;
	return render(d, r, reader, b, p, e);
}

int channel_browse(struct db *d, int64_t reader, const char *wish, int64_t after, int64_t limit, struct strbuf *b,
		   struct page *p, struct err *e)
{
	PGresult *r = NULL;

	if (utf8_length(wish, strlen(wish)) > CHANNEL_TOPIC_CHARS)
		return err_set(e, ERR_BAD_FIELD, "q", "must have %d characters at most", CHANNEL_TOPIC_CHARS);
	if (db_one(d, STMT_channel_list_public, &r, e, "iiit", reader, after, limit, wish) < 0)
		return -1;
	return render(d, r, reader, b, p, e);
}

static int get(struct db *d, int64_t channel, int64_t reader, bool admin, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;
	struct access a;
	int rc;

	if (db_one(d, STMT_channel_get, &r, e, "ii", channel, reader) < 0)
		return -1;
	a = access_from_row(r, 0, 0);
	rc = admin && a.exists ? 0 : access_see(&a, e);
	if (rc == 0)
		strbuf_add(b, result_text(r, 0, 3), result_length(r, 0, 3));
	PQclear(r);
	return rc;
}

int channel_get(struct db *d, int64_t channel, int64_t reader, struct strbuf *b, struct err *e)
{
	return get(d, channel, reader, false, b, e);
}

int channel_get_changed(struct db *d, const struct acting *who, int64_t channel, struct strbuf *b, struct err *e)
{
	return get(d, channel, who->user, true, b, e);
}

int channel_check_text(const char *field, const struct span *s, size_t min, size_t max, struct err *e)
{
	size_t n;

	if (!utf8_valid(s->p, s->n))
		return err_set(e, ERR_BAD_FIELD, field, "is not UTF-8");
	n = utf8_length(s->p, s->n);
	if (n < min || n > max)
		return err_set(e, ERR_BAD_FIELD, field, "must have %zu to %zu characters", min, max);
	if (utf8_has_control(s->p, s->n, ""))
		return err_set(e, ERR_BAD_FIELD, field, "contains a control character");
	if (min && utf8_blank(s->p, s->n))
		return err_set(e, ERR_BAD_FIELD, field, "must not be empty");
	return 0;
}

int channel_wish(const struct jx *o, int64_t *ids, struct channel_wish *w, struct err *e)
{
	static const char *const names[] = {"name", "kind", "topic", "members", NULL};
	static const char *const direct_names[] = {"kind", "members", NULL};
	struct span kind = {0};

	memset(w, 0, sizeof(*w));
	w->members = ids;
	if (jx_only(o, "", names, e) < 0 || jx_string(o, "", "kind", JX_REQUIRED, 1, 7, &kind, e) < 0)
		return -1;
	snprintf(w->kind, sizeof(w->kind), "%.*s", (int)kind.n, kind.p);
	if (!strcmp(w->kind, "direct")) {
		if (jx_only(o, "", direct_names, e) < 0 ||
		    jx_ids(o, "", "members", JX_REQUIRED, ids, CHANNEL_DIRECT_MAX - 1, &w->member_count, e) < 0)
			return -1;
		return w->member_count > 0
			       ? 0
			       : err_set(e, ERR_BAD_FIELD, "members", "a direct channel has one to %d other members",
					 CHANNEL_DIRECT_MAX - 1);
	}
	if (strcmp(w->kind, "public") != 0 && strcmp(w->kind, "private") != 0)
		return err_set(e, ERR_BAD_FIELD, "kind", "expected public, private or direct");
	w->topic = (struct span){"", 0};
	if (jx_string(o, "", "name", JX_REQUIRED, 1, CHANNEL_NAME_CHARS, &w->name, e) < 0 ||
	    channel_check_text("name", &w->name, 1, CHANNEL_NAME_CHARS, e) < 0 ||
	    jx_string(o, "", "topic", JX_OPTIONAL, 0, CHANNEL_TOPIC_CHARS, &w->topic, e) < 0 ||
	    channel_check_text("topic", &w->topic, 0, CHANNEL_TOPIC_CHARS, e) < 0)
		return -1;
	return jx_ids(o, "", "members", JX_OPTIONAL, ids, CHANNEL_INVITED_MAX, &w->member_count, e);
}

static int make_direct(struct db *d, int64_t maker, const struct channel_wish *w, int64_t *channel, bool *created,
		       struct err *e)
{
	PGresult *r = NULL;
	int rc;

	if (db_one(d, STMT_channel_direct, &r, e, "iI", maker, w->members, w->member_count) < 0)
		return -1;
	rc = access_code(r ? result_text(r, 0, 0) : "", "members", e);
	if (rc == 0) {
		*channel = result_int(r, 0, 1);
		*created = result_bool(r, 0, 2);
	}
	PQclear(r);
	return rc;
}

int channel_make(struct db *d, const struct config *c, int64_t maker, const char *role, const struct channel_wish *w,
		 int64_t *channel, bool *created, struct err *e)
{
	PGresult *r = NULL;
	int rc;

	if (!strcmp(w->kind, "direct"))
		return make_direct(d, maker, w, channel, created, e);
	if (access_make_channel(role, e) < 0)
		return -1;
	if (w->member_count + 1 > (size_t)c->limits.channel_members)
		return err_set(e, ERR_UNPROCESSABLE, "members", "a channel has at most %lld members",
			       (long long)c->limits.channel_members);
	if (db_one(d, STMT_channel_create, &r, e, "itssI", maker, w->kind, w->name.p, w->name.n, w->topic.p, w->topic.n,
		   w->members, w->member_count) < 0)
		return -1;
	rc = access_code(r ? result_text(r, 0, 0) : "", "members", e);
	if (rc == 0) {
		*channel = result_int(r, 0, 1);
		*created = true;
	}
	PQclear(r);
	return rc;
}
