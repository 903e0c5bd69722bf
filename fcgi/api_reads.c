/* api_reads: how far I have read, what is unread, who has read what. */
#include "fcgi/handlers.h"
#include "lib/base/config.h"
#include "lib/chat/channel.h"
#include "lib/chat/read_marker.h"
#include "lib/json/jx.h"
#include <string.h>

static int move(struct request *q, struct response *r, enum mark_kind kind, struct err *e)
{
	static const char *const names[] = {"seq", NULL};
	int64_t seq = 0;

	if (jx_only(q->json, "", names, e) < 0 ||
	    jx_int(q->json, "", "seq", JX_REQUIRED, kind == MARK_UNREAD ? 1 : 0, REQUEST_NUMBER_MAX, &seq, e) < 0)
		return -1;
	return read_marker_move(q->db, q->config, q->param[0], q->session.user, kind, seq, &r->body, e);
}

int handle_mark_read(struct request *q, struct response *r, struct err *e)
{
	return move(q, r, MARK_READ, e);
}

int handle_mark_unread(struct request *q, struct response *r, struct err *e)
{
	return move(q, r, MARK_UNREAD, e);
}

int handle_mark_delivered(struct request *q, struct response *r, struct err *e)
{
	return move(q, r, MARK_DELIVERED, e);
}

int handle_membership_change(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"read_receipts", NULL};
	bool share = false;

	if (jx_only(q->json, "", names, e) < 0 || jx_bool(q->json, "", "read_receipts", JX_REQUIRED, &share, e) < 0)
		return -1;
	if (read_receipts_set(q->db, q->config, q->param[0], q->session.user, share, e) < 0)
		return -1;
	return channel_get(q->db, q->param[0], q->session.user, &r->body, e);
}

int handle_reader_list(struct request *q, struct response *r, struct err *e)
{
	int64_t after = 0, limit;

	if (request_query_int(q, "after", 0, REQUEST_NUMBER_MAX, &after, e) < 0 || request_limit(q, 100, &limit, e) < 0)
		return -1;
	return reader_list(q->db, q->param[0], q->session.user, q->param[1], after, limit, &r->body, e);
}

int handle_unread(struct request *q, struct response *r, struct err *e)
{
	int64_t verify = 0;
	struct page p;

	if (request_query_int(q, "verify", 0, 1, &verify, e) < 0 ||
	    unread_list(q->db, q->session.user, verify != 0, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}
