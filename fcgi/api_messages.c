/* api_messages: sending by the writer, reading by seq. */
#include "fcgi/app.h"
#include "fcgi/files_thread.h"
#include "fcgi/handlers.h"
#include "fcgi/paging.h"
#include "lib/auth/rate.h"
#include "lib/chat/message.h"
#include "lib/json/jx.h"
#include <stdio.h>

static int write_message(struct request *q, struct write_item **item, struct err *e)
{
	static const char *const names[] = {"client_id", "thread", "in_channel", "body", NULL};

	if (jx_only(q->json, "", names, e) < 0)
		return -1;
	if (message_item(q->config, q->json, q->param[0], q->session.user, item, e) < 0)
		return -1;
	if ((*item)->calls_n && rate_call(q->app->rate, q->session.user, e) < 0) {
		write_item_free(item);
		return -1;
	}
	q->app->gate->write(q->app->gate, item, 1, e);
	return *item ? 0 : -1;
}

int handle_message_send(struct request *q, struct response *r, struct err *e)
{
	struct write_item *item = NULL;
	int rc = -1;

	if (write_message(q, &item, e) < 0)
		return -1;
	if (!item->ok) {
		message_item_error(item, e);
	} else {
		if (!item->again) {
			r->status = 201;
			response_headerf(r, "Location", "/api/v1/channels/%lld/messages/%lld", (long long)item->channel,
					 (long long)item->seq);
		}
		if (item->again || !message_renders(item)) {
			/* The first time's answer was lost: the message as it is now. Or its row tells more. */
			rc = history_get(q->db, item->channel, q->session.user, item->seq, &r->body, e);
		} else {
			strbuf_addc(&r->body, '{');
			message_render_item(&r->body, item);
			strbuf_addc(&r->body, '}');
			rc = 0;
		}
	}
	write_item_free(&item);
	return rc;
}

/* One of before, after, around and around_time. */
static int read_place(const struct request *q, enum history_mode *mode, int64_t *seq, struct err *e)
{
	const char *time = request_query(q, "around_time");

	if (!time)
		return paging_read(q, mode, seq, e);
	*mode = HISTORY_AROUND;
	*seq = 0;
	if (request_query(q, "before") || request_query(q, "after") || request_query(q, "around"))
		return err_set(e, ERR_BAD_FIELD, "around_time", "only one of before, after, around and around_time");
	return history_seq_at(q->db, q->param[0], time, seq, e);
}

int handle_message_list(struct request *q, struct response *r, struct err *e)
{
	enum history_mode mode;
	int64_t seq, limit;
	struct history h;
	char place[64];

	if (read_place(q, &mode, &seq, e) < 0 || request_limit(q, 50, &limit, e) < 0)
		return -1;
	if (history_list(q->db, q->param[0], q->session.user, mode, seq, limit, &r->body, &h, e) < 0)
		return -1;
	snprintf(place, sizeof(place), "/api/v1/channels/%lld/messages", (long long)q->param[0]);
	paging_headers(r, place, &h, seq, limit);
	return 0;
}

int handle_message_delete(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	if (message_delete(q->db, &who, q->param[0], q->param[1], &r->body, e) < 0)
		return -1;
	if (q->app->care) /* its files are to go from the store, and from what was forwarded */
		files_thread_wake(q->app->care);
	return 0;
}

int handle_message_get(struct request *q, struct response *r, struct err *e)
{
	return history_get(q->db, q->param[0], q->session.user, q->param[1], &r->body, e);
}
