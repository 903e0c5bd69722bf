/* op: parsing, the table, answers. */
#include "lib/chat/op.h"
#include "lib/auth/session.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/bus/payload.h"
#include "lib/chat/interests.h"
#include "lib/chat/message.h"
#include "lib/json/jx.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	enum op_kind kind;
	unsigned scope;
	const char *const *members;
} ops[] = {
	{"send", OP_SEND, SCOPE_WRITE,
	 (const char *const[]){"op", "ref", "client_id", "channel", "thread", "in_channel", "body", NULL}},
	{"read", OP_READ, SCOPE_WRITE, (const char *const[]){"op", "ref", "channel", "seq", NULL}},
	{"unread", OP_UNREAD, SCOPE_WRITE, (const char *const[]){"op", "ref", "channel", "seq", NULL}},
	{"delivered", OP_DELIVERED, SCOPE_WRITE, (const char *const[]){"op", "ref", "channel", "seq", NULL}},
	{"active", OP_ACTIVE, SCOPE_READ, (const char *const[]){"op", "ref", NULL}},
	{"idle", OP_IDLE, SCOPE_READ, (const char *const[]){"op", "ref", NULL}},
	{"ping", OP_PING, SCOPE_READ, (const char *const[]){"op", "ref", NULL}},
	{"focus", OP_FOCUS, SCOPE_READ, (const char *const[]){"op", "ref", "channels", NULL}},
	{"watch", OP_WATCH, SCOPE_READ, (const char *const[]){"op", "ref", "users", NULL}},
	{"typing", OP_TYPING, SCOPE_WRITE, (const char *const[]){"op", "ref", "channel", "thread", "seq", NULL}},
};

/* ---- one line */

int op_parse(const char *p, size_t n, struct op_name *name, struct jx **o, struct err *e)
{
	AUTO_STRBUF b = {0};
	const struct jx *ref;
	const char *id;

	memset(name, 0, sizeof(*name));
	if (jx_parse(p, n, o, e) < 0)
		return -1;
	ref = jx_get(*o, "ref");
	id = jx_text(jx_get(*o, "client_id"));
	if (id && uuid_parse(id, strlen(id), NULL))
		memcpy(name->client_id, id, sizeof(name->client_id));
	if (!ref)
		return 0;
	if (!jx_is(ref, JX_STRING) || strlen(jx_text(ref)) > OP_REF_MAX) {
		jx_free(o);
		return err_set(e, ERR_BAD_FIELD, "ref", "must be a string of at most %d bytes", OP_REF_MAX);
	}
	jx_write(&b, ref);
	snprintf(name->ref, sizeof(name->ref), "%s", strbuf_cstr(&b));
	return 0;
}

bool op_marks(enum op_kind kind)
{
	return kind == OP_READ || kind == OP_UNREAD || kind == OP_DELIVERED;
}

static int read_mark(const struct jx *o, struct op_ask *ask, struct err *e)
{
	ask->mark = ask->kind == OP_READ ? MARK_READ : ask->kind == OP_UNREAD ? MARK_UNREAD : MARK_DELIVERED;
	if (jx_int(o, "", "channel", JX_REQUIRED, 1, INT64_MAX, &ask->channel, e) < 0)
		return -1;
	return jx_int(o, "", "seq", JX_REQUIRED, ask->mark == MARK_UNREAD ? 1 : 0, INT64_MAX, &ask->seq, e);
}

static int read_interests(const struct jx *o, struct op_ask *ask, struct err *e)
{
	struct interests *i = xcalloc(1, sizeof(*i));

	if ((ask->kind == OP_FOCUS ? interests_focus(o, i, e) : interests_watch(o, i, e)) < 0) {
		free(i);
		return -1;
	}
	ask->interests = i;
	return 0;
}

static int read_fields(const struct config *c, const struct jx *o, int64_t user, struct op_ask *ask, struct err *e)
{
	switch (ask->kind) {
	case OP_SEND:
		if (jx_int(o, "", "channel", JX_REQUIRED, 1, INT64_MAX, &ask->channel, e) < 0)
			return -1;
		return message_item(c, o, ask->channel, user, &ask->item, e);
	case OP_READ:
	case OP_UNREAD:
	case OP_DELIVERED:
		return read_mark(o, ask, e);
	case OP_FOCUS:
	case OP_WATCH:
		return read_interests(o, ask, e);
	case OP_TYPING:
		if (jx_int(o, "", "channel", JX_REQUIRED, 1, EVENT_ID_MAX, &ask->channel, e) < 0 ||
		    jx_int(o, "", "thread", JX_OPTIONAL, 1, EVENT_ID_MAX, &ask->thread, e) < 0)
			return -1;
		return jx_int(o, "", "seq", JX_OPTIONAL, 0, EVENT_ID_MAX, &ask->seq, e);
	case OP_ACTIVE:
	case OP_IDLE:
	case OP_PING:
		break;
	}
	return 0;
}

int op_read(const struct config *c, const struct jx *o, int64_t user, unsigned scopes, struct op_ask *ask,
	    struct err *e)
{
	struct op_ask got = {0};
	struct span name;

	if (jx_string(o, "", "op", JX_REQUIRED, 1, 32, &name, e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(ops); i++) {
		if (strlen(ops[i].name) != name.n || memcmp(ops[i].name, name.p, name.n) != 0)
			continue;
		if (!(scopes & ops[i].scope))
			return err_set(e, ERR_INSUFFICIENT_SCOPE, NULL, "the token lacks the scope this needs");
		got.kind = ops[i].kind;
		if (jx_only(o, "", ops[i].members, e) < 0 || read_fields(c, o, user, &got, e) < 0)
			return -1;
		*ask = got;
		return 0;
	}
	return err_set(e, ERR_BAD_FIELD, "op", "is not an op of this version");
}

/* ---- answers */

#define ACK_FRAME 192 /* room for an ack without its ref */

static void start(struct strbuf *b, const char *type, const struct op_name *name)
{
	strbuf_adds(b, "{\"type\":\"");
	strbuf_adds(b, type);
	strbuf_addc(b, '"');
	if (!name->ref[0])
		return;
	strbuf_adds(b, ",\"ref\":");
	strbuf_adds(b, name->ref);
}

void op_sent(struct strbuf *b, const struct op_name *name, const struct write_item *item)
{
	strbuf_reserve(b, strlen(name->ref) + ACK_FRAME);
	start(b, "ack", name);
	strbuf_adds(b, ",\"client_id\":\"");
	strbuf_adds(b, name->client_id);
	strbuf_adds(b, "\",\"channel\":");
	strbuf_addi(b, item->channel);
	strbuf_adds(b, ",\"seq\":");
	strbuf_addi(b, item->seq);
	strbuf_adds(b, ",\"id\":");
	strbuf_addi(b, item->id);
	strbuf_addc(b, '}');
}

void op_marked(struct strbuf *b, const struct op_name *name, int64_t channel, int64_t seq)
{
	start(b, "ack", name);
	strbuf_addf(b, ",\"channel\":%" PRId64 ",\"seq\":%" PRId64 "}", channel, seq);
}

void op_done(struct strbuf *b, const struct op_name *name)
{
	start(b, "ack", name);
	strbuf_addc(b, '}');
}

void op_pong(struct strbuf *b, const struct op_name *name)
{
	start(b, "pong", name);
	strbuf_addc(b, '}');
}

void op_failed(struct strbuf *b, const struct op_name *name, const struct err *e)
{
	start(b, "error", name);
	if (name->client_id[0])
		strbuf_addf(b, ",\"client_id\":\"%s\"", name->client_id);
	strbuf_addf(b, ",\"code\":\"%s\"", err_name(e->code));
	if (e->field[0]) {
		strbuf_adds(b, ",\"field\":");
		strbuf_add_json(b, e->field, strlen(e->field));
	}
	strbuf_adds(b, ",\"detail\":");
	strbuf_add_json(b, e->detail, strlen(e->detail));
	if (e->retry_after_ms)
		strbuf_addf(b, ",\"retry_after\":%g", e->retry_after_ms / 1000.0);
	if (e->until_us) {
		char until[TIME_TEXT_MAX];

		time_text(e->until_us, until);
		strbuf_addf(b, ",\"until\":\"%s\"", until);
	}
	strbuf_addc(b, '}');
}
