/* api_channel_invites: links into a channel, for people of the site. */
#include "fcgi/app.h"
#include "fcgi/handlers.h"
#include "lib/auth/invite.h"
#include "lib/chat/channel.h"
#include "lib/chat/channel_invite.h"
#include "lib/json/jx.h"

int handle_channel_invite_list(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);
	int64_t before = 0, limit;

	if (request_limit(q, 50, &limit, e) < 0 ||
	    request_query_int(q, "before", 1, REQUEST_NUMBER_MAX, &before, e) < 0)
		return -1;
	return channel_invite_list(q->db, &who, q->param[0], before, limit, &r->body, e);
}

int handle_channel_invite_make(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"max_uses", "expires_in", NULL};
	struct acting who = request_acting(q);
	int64_t uses = 0, seconds = 0;

	if (jx_only(q->json, "", names, e) < 0 ||
	    jx_int(q->json, "", "max_uses", JX_OPTIONAL, 1, INVITE_USES_MAX, &uses, e) < 0 ||
	    jx_int(q->json, "", "expires_in", JX_OPTIONAL, 1, INVITE_TTL_MAX_MS / 1000, &seconds, e) < 0)
		return -1;
	r->status = 201;
	return channel_invite_make(q->db, q->config, &who, q->param[0], uses, seconds * 1000, &r->body, e);
}

int handle_channel_invite_revoke(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	r->status = 204;
	return channel_invite_revoke(q->db, &who, q->param[0], q->param[1], e);
}

static int read_code(const struct request *q, struct span *code, struct err *e)
{
	static const char *const names[] = {"code", NULL};

	if (jx_only(q->json, "", names, e) < 0)
		return -1;
	return jx_string(q->json, "", "code", JX_REQUIRED, 1, 100, code, e);
}

int handle_channel_invite_look(struct request *q, struct response *r, struct err *e)
{
	struct span code;

	if (read_code(q, &code, e) < 0)
		return -1;
	return channel_invite_look(q->db, code.p, &r->body, e);
}

int handle_channel_invite_use(struct request *q, struct response *r, struct err *e)
{
	int64_t channel = 0;
	struct span code;

	if (read_code(q, &code, e) < 0 ||
	    channel_invite_use(q->db, q->config, code.p, q->session.user, &channel, e) < 0)
		return -1;
	return channel_get(q->db, channel, q->session.user, &r->body, e);
}
