/* op_send: a message, through the writer. */
#include "lib/auth/rate.h"
#include "lib/base/fault.h"
#include "lib/chat/message.h"
#include "lib/db/writer.h"
#include "lib/live/live.h"
#include "ws/ops.h"
#include "ws/transport.h"

static void on_written(struct write_item *item, void *arg)
{
	struct op *op = arg;
	struct conn *c = op->conn;
	AUTO_STRBUF b = {0};
	struct err e = {0};

	if (item->ok) {
		live_own(op->rt->live, item);
		op_sent(&b, &op->name, item);
		ops_answer(op, &b);
		if (c && FAULT("ack_lost"))
			transport_kill(c);
	} else {
		message_item_error(item, &e);
		ops_fail(op, &e);
	}
	write_item_free(&item);
}

int ops_send(struct op *op, const struct op_ask *ask, struct err *e)
{
	struct write_item *item = ask->item;

	if (item->calls_n && rate_call(op->rt->rate, item->sender, e) < 0) {
		write_item_free(&item);
		return -1;
	}
	item->done = on_written;
	item->arg = op;
	if (writer_submit(op->rt->writer, item, e) < 0) {
		write_item_free(&item);
		return -1;
	}
	return 0; /* the loop lets the writer begin before it sleeps: what came in this turn is one batch */
}
