/* ops: parsing, the table, answers. */
#include "ws/ops.h"
#include "lib/auth/session.h"
#include "lib/base/codec.h"
#include "lib/base/strbuf.h"
#include "lib/json/jx.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REF_MAX 64 /* bytes */

static const struct op_kind {
	const char *name;
	unsigned scope;
	const char *const *members;
	op_handler *handle;
} kinds[] = {
	{"send", SCOPE_WRITE, (const char *const[]){"op", "ref", "client_id", "channel", "body", NULL}, op_send},
	{"read", SCOPE_WRITE, (const char *const[]){"op", "ref", "channel", "seq", NULL}, op_read},
	{"ping", SCOPE_READ, (const char *const[]){"op", "ref", NULL}, op_ping},
};

static struct op_list all_ops = LIST_HEAD_INITIALIZER(all_ops);

/* ---- answers */

static void answer(struct op *op, struct strbuf *b)
{
	if (op->conn) {
		conn_queue_text(op->conn, b->p, b->n);
		LIST_REMOVE(op, list);
		op->conn->ops_n--;
	}
	LIST_REMOVE(op, all);
	free(op);
}

static void start(struct strbuf *b, const struct op *op, const char *type)
{
	strbuf_addf(b, "{\"type\":\"%s\"", type);
	if (op->ref[0])
		strbuf_addf(b, ",\"ref\":%s", op->ref);
}

void op_done(struct op *op, const char *type, const char *fields)
{
	AUTO_STRBUF b = {0};

	start(&b, op, type);
	strbuf_adds(&b, fields);
	strbuf_addc(&b, '}');
	answer(op, &b);
}

void op_failed(struct op *op, const struct err *e)
{
	AUTO_STRBUF b = {0};

	start(&b, op, "error");
	if (op->client_id[0])
		strbuf_addf(&b, ",\"client_id\":\"%s\"", op->client_id);
	strbuf_addf(&b, ",\"code\":\"%s\"", err_name(e->code));
	if (e->field[0]) {
		strbuf_adds(&b, ",\"field\":");
		strbuf_add_json(&b, e->field, strlen(e->field));
	}
	strbuf_adds(&b, ",\"detail\":");
	strbuf_add_json(&b, e->detail, strlen(e->detail));
	if (e->retry_after_ms)
		strbuf_addf(&b, ",\"retry_after\":%g", e->retry_after_ms / 1000.0);
	strbuf_addc(&b, '}');
	answer(op, &b);
}

void ops_forget(struct conn *c)
{
	struct op *op;

	while ((op = LIST_FIRST(&c->ops))) {
		LIST_REMOVE(op, list);
		op->conn = NULL;
	}
	c->ops_n = 0;
}

void ops_free(void)
{
	struct op *op;

	while ((op = LIST_FIRST(&all_ops))) {
		LIST_REMOVE(op, all);
		free(op);
	}
}

/* ---- one line */

/* ref and client_id, as far as they can be told: an error shall name them too. */
static int identify(struct op *op, const json_t *o, struct err *e)
{
	const json_t *ref = json_object_get(o, "ref"), *id = json_object_get(o, "client_id");

	if (json_is_string(id) && uuid_parse(json_string_value(id), json_string_length(id), NULL))
		snprintf(op->client_id, sizeof(op->client_id), "%s", json_string_value(id));
	if (!ref)
		return 0;
	if (!json_is_string(ref) || json_string_length(ref) > REF_MAX)
		return err_set(e, ERR_BAD_FIELD, "ref", "must be a string of at most %d bytes", REF_MAX);
	{
		AUTO_STRBUF b = {0};

		strbuf_add_json(&b, json_string_value(ref), json_string_length(ref));
		snprintf(op->ref, sizeof(op->ref), "%s", strbuf_cstr(&b));
	}
	return 0;
}

static int handle(struct op *op, const json_t *o, struct err *e)
{
	struct span name;

	if (identify(op, o, e) < 0 || jx_string(o, "", "op", JX_REQUIRED, 1, 32, &name, e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const struct op_kind *k = &kinds[i];

		if (strlen(k->name) != name.n || memcmp(k->name, name.p, name.n) != 0)
			continue;
		if (!(op->conn->scopes & k->scope))
			return err_set(e, ERR_INSUFFICIENT_SCOPE, NULL, "the token lacks the scope this needs");
		if (jx_only(o, "", k->members, e) < 0)
			return -1;
		return k->handle(op, o, e);
	}
	return err_set(e, ERR_BAD_FIELD, "op", "is not an op of this version");
}

void ops_line(struct conn *c, const char *p, size_t n)
{
	struct op *op = xcalloc(1, sizeof(*op));
	struct err e = {0};
	json_t *o = NULL;
	int rc;

	op->conn = c;
	LIST_INSERT_HEAD(&c->ops, op, list);
	LIST_INSERT_HEAD(&all_ops, op, all);
	c->ops_n++;
	rc = jx_parse(p, n, &o, &e);
	if (rc == 0 && c->ops_n > CONN_OPS_MAX) {
		struct err ignored = {0};

		(void)identify(op, o, &ignored);
		rc = err_retry(&e, ERR_BUSY, 1000, "too many ops of this connection are under way");
	} else if (rc == 0) {
		rc = handle(op, o, &e);
	}
	if (rc < 0)
		op_failed(op, &e);
	json_decref(o);
}
