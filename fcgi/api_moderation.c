/* api_moderation: what owners and moderators of a channel do in it. */
#include "fcgi/handlers.h"
#include "lib/chat/channel.h"
#include "lib/chat/member.h"
#include "lib/chat/moderation.h"
#include "lib/json/jx.h"

int handle_channel_change(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	if (channel_change(q->db, &who, q->param[0], q->json, e) < 0)
		return -1;
	return channel_get_changed(q->db, &who, q->param[0], &r->body, e);
}

int handle_channel_hand_over(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"user", NULL};
	struct acting who = request_acting(q);
	int64_t person = 0;

	if (jx_only(q->json, "", names, e) < 0 ||
	    jx_int(q->json, "", "user", JX_REQUIRED, 1, REQUEST_NUMBER_MAX, &person, e) < 0 ||
	    channel_hand_over(q->db, &who, q->param[0], person, e) < 0)
		return -1;
	return member_get(q->db, q->param[0], person, &r->body, e);
}

int handle_member_change(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"role", NULL};
	struct acting who = request_acting(q);
	struct span role = {0};

	if (jx_only(q->json, "", names, e) < 0 || jx_string(q->json, "", "role", JX_REQUIRED, 1, 16, &role, e) < 0 ||
	    member_role_set(q->db, &who, q->param[0], q->param[1], role, e) < 0)
		return -1;
	return member_get(q->db, q->param[0], q->param[1], &r->body, e);
}

typedef int (*restrict_call)(struct db *d, const struct acting *who, int64_t channel, int64_t person,
			     const struct sanction *s, struct err *e);

static int put(struct request *q, struct response *r, restrict_call call, struct err *e)
{
	struct acting who = request_acting(q);
	struct sanction s;

	r->status = 204;
	return sanction_read(q->json, &s, e) < 0 ? -1 : call(q->db, &who, q->param[0], q->param[1], &s, e);
}

static int lift(struct request *q, struct response *r, restrict_call call, struct err *e)
{
	struct acting who = request_acting(q);

	r->status = 204;
	return call(q->db, &who, q->param[0], q->param[1], NULL, e);
}

int handle_member_mute(struct request *q, struct response *r, struct err *e)
{
	return put(q, r, member_mute, e);
}

int handle_member_unmute(struct request *q, struct response *r, struct err *e)
{
	return lift(q, r, member_mute, e);
}

int handle_member_ban(struct request *q, struct response *r, struct err *e)
{
	return put(q, r, member_ban, e);
}

int handle_member_unban(struct request *q, struct response *r, struct err *e)
{
	return lift(q, r, member_ban, e);
}

int handle_restriction_list(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);
	int64_t after = 0, limit;
	struct page p;

	if (request_query_int(q, "after", 0, REQUEST_NUMBER_MAX, &after, e) < 0 || request_limit(q, 100, &limit, e) < 0)
		return -1;
	if (restriction_list(q->db, &who, q->param[0], after, limit, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}
