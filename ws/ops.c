/* ops: from a line to its handler, and answers. */
#include "ws/ops.h"
#include "lib/auth/rate.h"
#include "lib/json/jx.h"
#include "ws/stream.h"
#include <stdlib.h>

static op_handler *const handlers[] = {
	[OP_SEND] = ops_send,       [OP_READ] = ops_mark,     [OP_UNREAD] = ops_mark, [OP_DELIVERED] = ops_mark,
	[OP_ACTIVE] = ops_active,   [OP_IDLE] = ops_idle,     [OP_PING] = ops_ping,   [OP_FOCUS] = ops_interests,
	[OP_WATCH] = ops_interests, [OP_TYPING] = ops_typing,
};

static struct op_list all_ops = LIST_HEAD_INITIALIZER(all_ops);

void ops_answer(struct op *op, const struct strbuf *line)
{
	if (op->conn) {
		stream_queue_text(stream_of(op->conn), line->p, line->n);
		LIST_REMOVE(op, list);
		op->conn->ops_n--;
	}
	LIST_REMOVE(op, all);
	free(op);
}

void ops_fail(struct op *op, const struct err *e)
{
	AUTO_STRBUF b = {0};

	op_failed(&b, &op->name, e);
	ops_answer(op, &b);
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

static int handle(struct op *op, const struct jx *o, struct err *e)
{
	const struct conn *c = op->conn;
	struct op_ask ask;

	if (c->ops_n > CONN_OPS_MAX)
		return err_retry(e, ERR_BUSY, 1000, "too many ops of this connection are under way");
	if (rate_session(c->rt->rate, c->session, 1, NULL, e) < 0)
		return -1;
	if (op_read(c->rt->config, o, c->user, c->scopes, &ask, e) < 0)
		return -1;
	return handlers[ask.kind](op, &ask, e);
}

void ops_line(struct conn *c, const char *p, size_t n)
{
	struct op *op = xcalloc(1, sizeof(*op));
	struct err e = {0};
	struct jx *o = NULL;

	op->conn = c;
	op->rt = c->rt;
	LIST_INSERT_HEAD(&c->ops, op, list);
	LIST_INSERT_HEAD(&all_ops, op, all);
	c->ops_n++;
	if (op_parse(p, n, &op->name, &o, &e) < 0 || handle(op, o, &e) < 0)
		ops_fail(op, &e);
	jx_free(&o);
}
