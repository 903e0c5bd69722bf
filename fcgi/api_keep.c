/* api_keep: drafts, pinned messages, saved messages. */
#include "fcgi/handlers.h"
#include "lib/chat/draft.h"
#include "lib/chat/keep.h"

int handle_draft_list(struct request *q, struct response *r, struct err *e)
{
	struct draft_place after = {0, REQUEST_NUMBER_MAX}; /* where no thread is named: behind all of the channel */
	int64_t limit;
	struct page p;

	if (request_query_int(q, "after", 0, REQUEST_NUMBER_MAX, &after.channel, e) < 0 ||
	    request_query_int(q, "after_thread", 0, REQUEST_NUMBER_MAX, &after.thread, e) < 0 ||
	    request_limit(q, 50, &limit, e) < 0 ||
	    draft_list(q->db, q->session.user, &after, limit, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}

/* The channel of the path, and `thread`. */
static int place(struct request *q, struct draft_place *at, struct err *e)
{
	*at = (struct draft_place){.channel = q->param[0]};
	return request_query_int(q, "thread", 1, REQUEST_NUMBER_MAX, &at->thread, e);
}

int handle_draft_get(struct request *q, struct response *r, struct err *e)
{
	struct draft_place at;

	if (place(q, &at, e) < 0)
		return -1;
	return draft_get(q->db, &at, q->session.user, &r->body, e);
}

int handle_draft_put(struct request *q, struct response *r, struct err *e)
{
	struct draft_place at;

	if (place(q, &at, e) < 0)
		return -1;
	return draft_put(q->db, q->config, &at, q->session.user, q->json, &r->body, e);
}

int handle_draft_delete(struct request *q, struct response *r, struct err *e)
{
	int64_t version = DRAFT_ANY;
	struct draft_place at;

	if (place(q, &at, e) < 0 || request_query_int(q, "version", 0, REQUEST_NUMBER_MAX, &version, e) < 0)
		return -1;
	return draft_delete(q->db, &at, q->session.user, version, &r->body, e);
}

int handle_pin_list(struct request *q, struct response *r, struct err *e)
{
	struct page p;

	if (keep_pins(q->db, q->param[0], q->session.user, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}

static int pin(struct request *q, bool on, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	return keep_pin(q->db, &who, q->param[0], q->param[1], on, &r->body, e);
}

int handle_pin_add(struct request *q, struct response *r, struct err *e)
{
	return pin(q, true, r, e);
}

int handle_pin_remove(struct request *q, struct response *r, struct err *e)
{
	return pin(q, false, r, e);
}

int handle_save_list(struct request *q, struct response *r, struct err *e)
{
	struct page p;

	if (keep_saved(q->db, q->session.user, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}

int handle_save_messages(struct request *q, struct response *r, struct err *e)
{
	int64_t before = REQUEST_NUMBER_MAX, limit;

	if (request_query_int(q, "before", 1, REQUEST_NUMBER_MAX, &before, e) < 0 ||
	    request_limit(q, 50, &limit, e) < 0)
		return -1;
	return keep_saved_messages(q->db, q->session.user, before, limit, &r->body, e);
}

int handle_save_add(struct request *q, struct response *r, struct err *e)
{
	return keep_save(q->db, q->param[0], q->session.user, q->param[1], true, &r->body, e);
}

int handle_save_remove(struct request *q, struct response *r, struct err *e)
{
	return keep_save(q->db, q->param[0], q->session.user, q->param[1], false, &r->body, e);
}
