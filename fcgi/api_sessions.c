/* api_sessions: one's own devices and tokens (doc/protocol.md, section 4). */
#include "fcgi/handlers.h"
#include "lib/auth/access_token.h"
#include "lib/base/log.h"

int handle_session_list(struct request *q, struct response *r, struct err *e)
{
	return session_list(q->db, q->session.user, q->session.id, &r->body, e);
}

int handle_session_end(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	if (session_revoke_by(q->db, &who, q->session.user, q->param[0], "session", NULL, e) < 0)
		return -1;
	log_info("session.ended", "user=%lld session=%lld", (long long)q->session.user, (long long)q->param[0]);
	r->status = 204;
	return 0;
}

int handle_session_end_others(struct request *q, struct response *r, struct err *e)
{
	if (session_revoke_others(q->db, q->session.user, q->session.id, e) < 0)
		return -1;
	log_info("session.ended_others", "user=%lld", (long long)q->session.user);
	r->status = 204;
	return 0;
}

int handle_token_list(struct request *q, struct response *r, struct err *e)
{
	return access_token_render(q->db, q->session.user, &r->body, e);
}

int handle_token_make(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	if (access_token_make(q->db, &who, q->session.user, q->json, &r->body, e) < 0)
		return -1;
	log_info("token.made", "user=%lld", (long long)q->session.user);
	r->status = 201;
	return 0;
}

int handle_token_end(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	if (session_revoke_by(q->db, &who, q->session.user, q->param[0], "token", NULL, e) < 0)
		return -1;
	log_info("token.ended", "user=%lld session=%lld", (long long)q->session.user, (long long)q->param[0]);
	r->status = 204;
	return 0;
}
