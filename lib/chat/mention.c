/* mention: reading and writing names; whom they reach is judged in sql/functions/22_mentions.sql. */
#include "lib/chat/mention.h"
#include "lib/base/codec.h"
#include "lib/bus/payload.h"
#include "lib/chat/access.h"
#include "lib/db/db.h"
#include "lib/json/jx.h"
#include <string.h>

#define FIELD "body.mentions"
static const char group_prefix[] = "group:";

static int add(int64_t *list, size_t *n, int64_t id, const struct mentions *m, const char *field, struct err *e)
{
	for (size_t i = 0; i < *n; i++)
		if (list[i] == id)
			return err_set(e, ERR_BAD_FIELD, field, "names one twice");
	if (m->named_n + m->calls_n == MENTIONS_MAX)
		return err_set(e, ERR_BAD_FIELD, field, "at most %d names are allowed", MENTIONS_MAX);
	list[(*n)++] = id;
	return 0;
}

static bool read_call(const char *text, size_t n, int64_t *call)
{
	size_t prefix = sizeof(group_prefix) - 1;

	if (n == 7 && !memcmp(text, "channel", n))
		*call = CALL_CHANNEL;
	else if (n == 4 && !memcmp(text, "here", n))
		*call = CALL_HERE;
	else
		return n > prefix && !memcmp(text, group_prefix, prefix) && text[prefix] != '0' &&
		       int_parse(text + prefix, n - prefix, EVENT_ID_MAX, call);
	return true;
}

static int refuse(const char *field, struct err *e)
{
	return err_set(e, ERR_BAD_FIELD, field, "must hold ids of users, channel, here and group:ID only");
}

int mentions_read(const struct jx *body, struct mentions *m, struct err *e)
{
	const struct jx *list = jx_get(body, "mentions");
	int rc = 0;

	m->named_n = m->calls_n = 0;
	if (!list || jx_is(list, JX_NULL))
		return 0;
	if (!jx_is(list, JX_ARRAY))
		return err_set(e, ERR_BAD_FIELD, FIELD, "must be an array of names");
	for (const struct jx *v = jx_element(list, NULL); v && rc == 0; v = jx_element(list, v)) {
		const char *text = jx_text(v);
		int64_t call;

		if (jx_is(v, JX_INT) && jx_number(v) > 0)
			rc = add(m->named, &m->named_n, jx_number(v), m, FIELD, e);
		else if (text && read_call(text, strlen(text), &call))
			rc = add(m->calls, &m->calls_n, call, m, FIELD, e);
		else
			rc = refuse(FIELD, e);
	}
	return rc;
}

int mentions_parse(const char *text, const char *field, struct mentions *m, struct err *e)
{
	m->named_n = m->calls_n = 0;
	for (;;) {
		size_t n = strcspn(text, ",");
		int64_t id;
		int rc;

		if (read_call(text, n, &id))
			rc = add(m->calls, &m->calls_n, id, m, field, e);
		else if (n && *text != '0' && int_parse(text, n, EVENT_ID_MAX, &id))
			rc = add(m->named, &m->named_n, id, m, field, e);
		else
			rc = refuse(field, e);
		if (rc < 0 || !text[n])
			return rc;
		text += n + 1;
	}
}

void mentions_render(struct strbuf *b, const struct mentions *m)
{
	const char *before = ",\"mentions\":[";

	for (size_t i = 0; i < m->named_n; i++, before = ",") {
		strbuf_adds(b, before);
		strbuf_addi(b, m->named[i]);
	}
	for (size_t i = 0; i < m->calls_n; i++, before = ",") {
		strbuf_adds(b, before);
		if (m->calls[i] > 0)
			strbuf_addf(b, "\"%s%lld\"", group_prefix, (long long)m->calls[i]);
		else
			strbuf_adds(b, m->calls[i] == CALL_HERE ? "\"here\"" : "\"channel\"");
	}
	if (m->named_n + m->calls_n)
		strbuf_addc(b, ']');
}

int mentions_reach(struct db *d, int64_t channel, int64_t reader, const struct mentions *m, struct strbuf *b,
		   struct err *e)
{
	PGresult *r = NULL;
	struct access a;
	int rc;

	if (db_one(d, STMT_reach_count, &r, e, "iiII", channel, reader, m->calls, m->calls_n, m->named, m->named_n) < 0)
		return -1;
	a = access_from_row(r, 0, 0);
	rc = access_read(&a, e);
	if (rc == 0)
		strbuf_addf(b, "{\"people\":%s}", result_text(r, 0, 3));
	PQclear(r);
	return rc;
}
