/* op_send: a message, through the writer. */
#include "lib/base/fault.h"
#include "lib/chat/message.h"
#include "lib/db/writer.h"
#include "lib/live/live.h"
#include "ws/ops.h"
#include "ws/transport.h"
#include <stdlib.h>

struct sending {
	struct realtime *rt;
	struct op *op;
};

static void on_written(struct write_item *item, void *arg)
{
	struct sending *s = arg;
	struct conn *c = s->op->conn;
	AUTO_STRBUF b = {0};
	struct err e = {0};

	if (item->ok) {
		live_own(s->rt->live, item);
		op_sent(&b, &s->op->name, item);
		ops_answer(s->op, &b);
		if (c && FAULT("ack_lost"))
			transport_kill(c);
	} else {
		message_item_error(item, &e);
		ops_fail(s->op, &e);
	}
	write_item_free(&item);
	free(s);
}

int ops_send(struct op *op, const struct op_ask *ask, struct err *e)
{
	struct realtime *rt = op->conn->rt;
	struct write_item *item = ask->item;
	struct sending *s = xcalloc(1, sizeof(*s));

	s->rt = rt;
	s->op = op;
	item->done = on_written;
	item->arg = s;
	if (writer_submit(rt->writer, item, e) < 0) {
		write_item_free(&item);
		free(s);
		return -1;
	}
	return 0; /* the loop lets the writer begin before it sleeps: what came in this turn is one batch */
}
