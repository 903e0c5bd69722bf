/* api_messages: sending by the writer, reading by seq. */
#include "fcgi/app.h"
#include "fcgi/handlers.h"
#include "lib/chat/history.h"
#include "lib/chat/message.h"
#include "lib/http/link.h"
#include "lib/json/jx.h"

static int write_message(struct request *q, struct write_item **item, struct err *e)
{
	static const char *const names[] = {"client_id", "body", NULL};

	if (jx_only(q->json, "", names, e) < 0)
		return -1;
	if (message_item(q->config, q->json, q->param[0], q->session.user, item, e) < 0)
		return -1;
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
		if (item->again || item->files_n) {
			/* The first time's answer was lost: the message as it is now. What its files are is in its row.
			 */
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

static int read_mode(const struct request *q, enum history_mode *mode, int64_t *seq, struct err *e)
{
	static const struct {
		const char *name;
		enum history_mode mode;
	} modes[] = {{"before", HISTORY_BEFORE}, {"after", HISTORY_AFTER}, {"around", HISTORY_AROUND}};
	const char *time = request_query(q, "around_time");
	bool given = false;

	*mode = HISTORY_BEFORE;
	*seq = REQUEST_NUMBER_MAX;
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		if (!request_query(q, modes[i].name))
			continue;
		if (given)
			return err_set(e, ERR_BAD_FIELD, modes[i].name, "only one of before, after and around");
		if (request_query_int(q, modes[i].name, modes[i].mode == HISTORY_AFTER ? 0 : 1, REQUEST_NUMBER_MAX, seq,
				      e) < 0)
			return -1;
		*mode = modes[i].mode;
		given = true;
	}
	if (!time)
		return 0;
	if (given)
		return err_set(e, ERR_BAD_FIELD, "around_time", "only one of before, after, around and around_time");
	*mode = HISTORY_AROUND;
	return history_seq_at(q->db, q->param[0], time, seq, e);
}

int handle_message_list(struct request *q, struct response *r, struct err *e)
{
	AUTO_STRBUF links = {.max = 1024};
	enum history_mode mode;
	int64_t seq, limit;
	struct history h;
	char target[160];

	if (read_mode(q, &mode, &seq, e) < 0 || request_limit(q, 50, &limit, e) < 0)
		return -1;
	if (history_list(q->db, q->param[0], q->session.user, mode, seq, limit, &r->body, &h, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", h.page.cursor);
	if (h.has_before) {
		snprintf(target, sizeof(target), "/api/v1/channels/%lld/messages?before=%lld&limit=%lld",
			 (long long)q->param[0], (long long)(h.first ? h.first : seq + 1), (long long)limit);
		link_add(&links, target, "prev");
	}
	if (h.has_after) {
		snprintf(target, sizeof(target), "/api/v1/channels/%lld/messages?after=%lld&limit=%lld",
			 (long long)q->param[0], (long long)(h.last ? h.last : seq - 1), (long long)limit);
		link_add(&links, target, "next");
	}
	if (links.n)
		response_header(r, "Link", strbuf_cstr(&links));
	return 0;
}

int handle_message_delete(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	return message_delete(q->db, &who, q->param[0], q->param[1], &r->body, e);
}

int handle_message_get(struct request *q, struct response *r, struct err *e)
{
	return history_get(q->db, q->param[0], q->session.user, q->param[1], &r->body, e);
}
