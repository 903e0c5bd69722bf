/* op_state: the read marker, what the client wants to be told of, that somebody types, and the ping. */
#include "lib/base/config.h"
#include "lib/chat/read_marker.h"
#include "lib/db/pgconn.h"
#include "lib/live/live.h"
#include "ws/ops.h"
#include "ws/pg_loop.h"
#include <stdlib.h>

static void on_marked(void *arg, const PGresult *r, const struct err *e)
{
	struct op *op = arg;
	AUTO_STRBUF b = {0};
	struct err refused = {0};
	int64_t seq;

	if (e) {
		ops_fail(op, e);
	} else if (read_marker_moved(r, &seq, &refused) < 0) {
		ops_fail(op, &refused);
	} else {
		op_marked(&b, &op->name, op->channel, seq);
		ops_answer(op, &b);
	}
}

int ops_read(struct op *op, const struct op_ask *ask, struct err *e)
{
	struct realtime *rt = op->conn->rt;

	(void)e;
	op->channel = ask->channel;
	pgconn_query(pg_pool_pick(rt->pool), STMT_live_read_mark, rt->config->database.wait, on_marked, op, "iii",
		     op->channel, op->conn->user, ask->seq);
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

static int done(struct op *op)
{
	AUTO_STRBUF b = {0};

	op_done(&b, &op->name);
	ops_answer(op, &b);
	return 0;
}

int ops_interests(struct op *op, const struct op_ask *ask, struct err *e)
{
	(void)e;
	live_interests(op->conn->rt->live, op->conn->receiver, ask->interests);
	free(ask->interests);
	return done(op);
}

int ops_typing(struct op *op, const struct op_ask *ask, struct err *e)
{
	if (live_type(op->conn->rt->live, op->conn->receiver, ask->channel, ask->seq, e) < 0)
		return -1;
	return done(op);
}
