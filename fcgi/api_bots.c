/* api_bots: programs' accounts and their tokens, for admins (doc/protocol.md, section 4). */
#include "fcgi/handlers.h"
#include "lib/auth/access_token.h"
#include "lib/base/log.h"
#include "lib/chat/bot.h"
#include "lib/chat/user.h"
#include "lib/json/jx.h"
#include <string.h>

/* The bot of the path. */
static int find(struct request *q, struct err *e)
{
	return bot_check(q->db, q->param[0], e);
}

int handle_bot_list(struct request *q, struct response *r, struct err *e)
{
	const char *after = request_query(q, "after");
	int64_t limit;

	if (request_limit(q, 50, &limit, e) < 0)
		return -1;
	if (after && !user_handle_valid(after, strlen(after)))
		return err_set(e, ERR_BAD_FIELD, "after", "is not a handle");
	return bot_list(q->db, after ? after : "", limit, &r->body, e);
}

int handle_bot_make(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"handle", "name", NULL};
	struct acting who = request_acting(q);
	struct span handle, name;
	int64_t id;

	if (jx_only(q->json, "", names, e) < 0 ||
	    jx_string(q->json, "", "handle", JX_REQUIRED, 1, USER_HANDLE_MAX, &handle, e) < 0 ||
	    jx_string(q->json, "", "name", JX_REQUIRED, 1, 80, &name, e) < 0)
		return -1;
	if (bot_add(q->db, &who, handle.p, name.p, &id, e) < 0)
		return -1;
	log_info("bot.made", "by=%lld bot=%lld", (long long)q->session.user, (long long)id);
	r->status = 201;
	return user_get(q->db, q->session.user, id, &r->body, e);
}

int handle_bot_token_list(struct request *q, struct response *r, struct err *e)
{
	return find(q, e) < 0 ? -1 : access_token_render(q->db, q->param[0], &r->body, e);
}

int handle_bot_token_make(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	if (find(q, e) < 0 || access_token_make(q->db, &who, q->param[0], q->json, &r->body, e) < 0)
		return -1;
	log_info("token.made", "by=%lld user=%lld", (long long)q->session.user, (long long)q->param[0]);
	r->status = 201;
	return 0;
}

int handle_bot_token_end(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	if (find(q, e) < 0 || session_revoke_by(q->db, &who, q->param[0], q->param[1], "token", NULL, e) < 0)
		return -1;
	log_info("token.ended", "by=%lld user=%lld session=%lld", (long long)q->session.user, (long long)q->param[0],
		 (long long)q->param[1]);
	r->status = 204;
	return 0;
}
