/* op_send: a message, through the writer. */
#include "lib/base/strbuf.h"
#include "lib/chat/message.h"
#include "lib/db/writer.h"
#include "lib/json/jx.h"
#include "lib/live/live.h"
#include "ws/ops.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct sending {
	struct realtime *rt;
	struct op *op;
};

static void on_written(struct write_item *item, void *arg)
{
	struct sending *s = arg;
	struct op *op = s->op;
	char fields[256];
	struct err e = {0};

	if (item->ok) {
		live_own(s->rt->live, item);
		snprintf(fields, sizeof(fields),
			 ",\"client_id\":\"%s\",\"channel\":%" PRId64 ",\"seq\":%" PRId64 ",\"id\":%" PRId64,
			 op->client_id, item->channel, item->seq, item->id);
		op_done(op, "ack", fields);
	} else {
		message_item_error(item, &e);
		op_failed(op, &e);
	}
	write_item_free(&item);
	free(s);
}

int op_send(struct op *op, const json_t *o, struct err *e)
{
	struct realtime *rt = op->conn->rt;
	struct write_item *item;
	struct sending *s;
	int64_t channel;

	if (jx_int(o, "", "channel", JX_REQUIRED, 1, INT64_MAX, &channel, e) < 0 ||
	    message_item(rt->config, o, channel, op->conn->user, &item, e) < 0)
		return -1;
	s = xcalloc(1, sizeof(*s));
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
