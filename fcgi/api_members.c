/* api_members: who is in a channel. */
#include "fcgi/app.h"
#include "fcgi/handlers.h"
#include "lib/chat/member.h"
#include "lib/chat/moderation.h"
#include "lib/json/jx.h"
#include <string.h>

int handle_member_list(struct request *q, struct response *r, struct err *e)
{
	int64_t after = 0, limit;
	struct page p;

	if (request_query_int(q, "after", 0, REQUEST_NUMBER_MAX, &after, e) < 0 || request_limit(q, 100, &limit, e) < 0)
		return -1;
	if (member_list(q->db, q->param[0], q->session.user, after, limit, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}

int handle_member_add(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"user", NULL};
	int64_t newcomer = 0;
	bool again = false;

	if (jx_only(q->json, "", names, e) < 0 ||
	    jx_int(q->json, "", "user", JX_REQUIRED, 1, REQUEST_NUMBER_MAX, &newcomer, e) < 0)
		return -1;
	if (member_add(q->db, q->config, q->param[0], q->session.user, newcomer, &again, e) < 0)
		return -1;
	r->status = again ? 200 : 201;
	return member_get(q->db, q->param[0], newcomer, &r->body, e);
}

int handle_member_remove(struct request *q, struct response *r, struct err *e)
{
	const char *reason = request_query(q, "reason");
	struct acting who = request_acting(q);

	if (reason && sanction_check_reason("reason", (struct span){reason, strlen(reason)}, e) < 0)
		return -1;
	r->status = 204;
	return member_remove(q->db, &who, q->param[0], q->param[1], reason ? reason : "", e);
}
