/* api_reads: how far I have read. */
#include "fcgi/handlers.h"
#include "lib/chat/read_marker.h"
#include "lib/json/jx.h"

int handle_read_mark(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"seq", NULL};
	int64_t seq = 0;

	if (jx_only(q->json, "", names, e) < 0 ||
	    jx_int(q->json, "", "seq", JX_REQUIRED, 0, REQUEST_NUMBER_MAX, &seq, e) < 0)
		return -1;
	if (read_marker_move(q->db, q->param[0], q->session.user, seq, &seq, e) < 0)
		return -1;
	strbuf_addf(&r->body, "{\"last_read_seq\":%lld}", (long long)seq);
	return 0;
}
