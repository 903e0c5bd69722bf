/* api_invites: links that let new people in (doc/signin.md). For owners and admins, but for the look at one. */
#include "fcgi/handlers.h"
#include "lib/auth/invite.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/json/jx.h"
#include <string.h>

int handle_invite_create(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"note", "role", "max_uses", "expires_in", NULL};
	struct span note = {.p = "", .n = 0}, role = {.p = "member", .n = 6};
	struct acting who = request_acting(q);
	struct invite_wish w = {0};
	int64_t seconds = 0;

	if (jx_only(q->json, "", names, e) < 0 ||
	    jx_string(q->json, "", "note", JX_OPTIONAL, 0, INVITE_NOTE_MAX, &note, e) < 0 ||
	    jx_string(q->json, "", "role", JX_OPTIONAL, 1, 10, &role, e) < 0 ||
	    jx_int(q->json, "", "max_uses", JX_OPTIONAL, 1, INVITE_USES_MAX, &w.uses, e) < 0 ||
	    jx_int(q->json, "", "expires_in", JX_OPTIONAL, 1, INVITE_TTL_MAX_MS / 1000, &seconds, e) < 0)
		return -1;
	w.note = note.p;
	w.role = role.p;
	w.ttl_ms = seconds * 1000;
	if (invite_create(q->db, q->config, &who, &w, &r->body, e) < 0)
		return -1;
	log_info("invite.created", "by=%lld", (long long)q->session.user);
	r->status = 201;
	return 0;
}

int handle_invite_list(struct request *q, struct response *r, struct err *e)
{
	int64_t before = 0, limit;

	if (request_limit(q, 50, &limit, e) < 0 ||
	    request_query_int(q, "before", 1, REQUEST_NUMBER_MAX, &before, e) < 0)
		return -1;
	return invite_list(q->db, before, limit, &r->body, e);
}

int handle_invite_revoke(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	if (invite_revoke(q->db, &who, q->param[0], e) < 0)
		return -1;
	log_info("invite.revoked", "invite=%lld by=%lld", (long long)q->param[0], (long long)q->session.user);
	r->status = 204;
	return 0;
}

/* Whoever has a link may know whether it is any good before he signs in. */
int handle_invite_look(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"code", NULL};
	struct span code;

	if (jx_only(q->json, "", names, e) < 0 || jx_string(q->json, "", "code", JX_REQUIRED, 1, 100, &code, e) < 0)
		return -1;
	return invite_look(q->db, code.p, &r->body, e);
}
