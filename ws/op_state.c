/* op_state: read markers, input, what the client wants to be told of, that somebody types, and the ping. */
#include "lib/base/clock.h"
#include "lib/live/live.h"
#include "lib/live/presence.h"
#include "ws/marks.h"
#include "ws/ops.h"
#include <stdlib.h>

int ops_mark(struct op *op, const struct op_ask *ask, struct err *e)
{
	(void)e;
	op->channel = ask->channel;
	op->mark = ask->mark;
	marks_add(op->rt->marks, op, ask->seq);
	return 0;
}

static int done(struct op *op)
{
	AUTO_STRBUF b = {0};

	op_done(&b, &op->name);
	ops_answer(op, &b);
	return 0;
}

int ops_active(struct op *op, const struct op_ask *ask, struct err *e)
{
	(void)ask;
	(void)e;
	presence_active(op->rt->presence, op->conn->presence, clock_mono_ms());
	return done(op);
}

int ops_idle(struct op *op, const struct op_ask *ask, struct err *e)
{
	(void)ask;
	(void)e;
	presence_idle(op->rt->presence, op->conn->presence, clock_mono_ms());
	return done(op);
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

int ops_interests(struct op *op, const struct op_ask *ask, struct err *e)
{
	(void)e;
	live_interests(op->rt->live, op->conn->receiver, ask->interests);
	free(ask->interests);
	return done(op);
}

int ops_typing(struct op *op, const struct op_ask *ask, struct err *e)
{
	if (live_type(op->rt->live, op->conn->receiver, ask->channel, ask->thread, ask->seq, e) < 0)
		return -1;
	return done(op);
}
