/* op_state: the read marker and the ping. */
#include "lib/base/config.h"
#include "lib/db/pgconn.h"
#include "lib/json/jx.h"
#include "ws/ops.h"
#include "ws/pg_loop.h"
#include <inttypes.h>
#include <stdio.h>

static void on_marked(void *arg, const PGresult *r, const struct err *e)
{
	struct op *op = arg;
	char fields[96];
	struct err refused = {0};

	if (e) {
		op_failed(op, e);
	} else if (result_rows(r) < 1 || result_null(r, 0, 0)) {
		err_set(&refused, ERR_NOT_A_MEMBER, NULL, "you are not a member of this channel");
		op_failed(op, &refused);
	} else {
		snprintf(fields, sizeof(fields), ",\"channel\":%" PRId64 ",\"seq\":%" PRId64, op->channel,
			 result_int(r, 0, 0));
		op_done(op, "ack", fields);
	}
}

int op_read(struct op *op, const json_t *o, struct err *e)
{
	struct realtime *rt = op->conn->rt;
	int64_t seq;

	if (jx_int(o, "", "channel", JX_REQUIRED, 1, INT64_MAX, &op->channel, e) < 0 ||
	    jx_int(o, "", "seq", JX_REQUIRED, 0, INT64_MAX, &seq, e) < 0)
		return -1;
	pgconn_query(pg_pool_pick(rt->pool), STMT_live_read_mark, rt->config->database.wait, on_marked, op, "iii",
		     op->channel, op->conn->user, seq);
	return 0;
}

int op_ping(struct op *op, const json_t *o, struct err *e)
{
	(void)o;
	(void)e;
	op_done(op, "pong", "");
	return 0;
}
