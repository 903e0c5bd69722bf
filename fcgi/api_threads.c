/* api_threads: a thread's page, one's mark in it, and the threads that one follows. */
#include "fcgi/handlers.h"
#include "fcgi/paging.h"
#include "lib/chat/thread.h"
#include "lib/json/jx.h"
#include <stdio.h>

int handle_thread_get(struct request *q, struct response *r, struct err *e)
{
	enum history_mode mode;
	int64_t seq, limit;
	struct history h;
	char place[96];

	if (paging_read(q, &mode, &seq, e) < 0 || request_limit(q, 50, &limit, e) < 0)
		return -1;
	if (thread_list_replies(q->db, q->param[0], q->session.user, q->param[1], mode, seq, limit, &r->body, &h, e) <
	    0)
		return -1;
	snprintf(place, sizeof(place), "/api/v1/channels/%lld/messages/%lld/thread", (long long)q->param[0],
		 (long long)q->param[1]);
	paging_headers(r, place, &h, seq, limit);
	return 0;
}

int handle_thread_read(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"seq", NULL};
	int64_t seq = 0;

	if (jx_only(q->json, "", names, e) < 0 ||
	    jx_int(q->json, "", "seq", JX_REQUIRED, 1, REQUEST_NUMBER_MAX, &seq, e) < 0)
		return -1;
	return thread_mark(q->db, q->param[0], q->session.user, q->param[1], THREAD_READ, seq, &r->body, e);
}

int handle_thread_follow(struct request *q, struct response *r, struct err *e)
{
	return thread_mark(q->db, q->param[0], q->session.user, q->param[1], THREAD_FOLLOW, 0, &r->body, e);
}

int handle_thread_unfollow(struct request *q, struct response *r, struct err *e)
{
	return thread_mark(q->db, q->param[0], q->session.user, q->param[1], THREAD_LEAVE, 0, &r->body, e);
}

int handle_thread_list(struct request *q, struct response *r, struct err *e)
{
	int64_t unread = 0, before = REQUEST_NUMBER_MAX, limit;
	struct page p;

	if (request_query_int(q, "unread", 0, 1, &unread, e) < 0 ||
	    request_query_int(q, "before", 1, REQUEST_NUMBER_MAX, &before, e) < 0 ||
	    request_limit(q, 50, &limit, e) < 0)
		return -1;
	if (thread_list(q->db, q->session.user, unread != 0, before, limit, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}
