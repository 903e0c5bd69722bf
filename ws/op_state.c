/* op_state: read markers and the ping. */
#include "ws/marks.h"
#include "ws/ops.h"

int ops_mark(struct op *op, const struct op_ask *ask, struct err *e)
{
	(void)e;
	op->channel = ask->channel;
	op->mark = ask->mark;
	marks_add(op->conn->rt->marks, op, ask->seq);
	return 0;
}

int ops_ping(struct op *op, const struct op_ask *ask, struct err *e)
{
	AUTO_STRBUF b = {0};

	(void)ask;
	(void)e;
	op_pong(&b, &op->name);
	ops_answer(op, &b);
	return 0;
}
