/* api_admin: people, channels and the audit log, for owners and admins of the site. */
#include "fcgi/handlers.h"
#include "lib/base/utf8.h"
#include "lib/chat/audit.h"
#include "lib/chat/moderation.h"
#include "lib/chat/profile.h"
#include "lib/chat/user.h"
#include <string.h>

/* `q`: what a name begins with, "" where absent. */
static int read_wish(const struct request *q, const char **wish, struct err *e)
{
	*wish = request_query(q, "q");
	if (!*wish)
		*wish = "";
	if (utf8_length(*wish, strlen(*wish)) > USER_WISH_CHARS)
		return err_set(e, ERR_BAD_FIELD, "q", "at most %d characters", USER_WISH_CHARS);
	return 0;
}

int handle_admin_user_list(struct request *q, struct response *r, struct err *e)
{
	const char *role = request_query(q, "role"), *after = request_query(q, "after"), *wish;
	int64_t limit;
	struct page p;

	if (read_wish(q, &wish, e) < 0 || request_limit(q, 50, &limit, e) < 0)
		return -1;
	if (role && !role_valid(role, strlen(role)))
		return err_set(e, ERR_BAD_FIELD, "role", "expected owner, admin, member or guest");
	if (after && !user_handle_valid(after, strlen(after)))
		return err_set(e, ERR_BAD_FIELD, "after", "is not a handle");
	if (admin_user_list(q->db, wish, role, after ? after : "", limit, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}

int handle_admin_user_change(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"role", NULL};
	struct acting who = request_acting(q);
	struct span role = {0};

	if (jx_get(q->json, "name")) { /* one at a time: the audit log has a line for each */
		if (profile_rename(q->db, &who, q->param[0], q->json, e) < 0)
			return -1;
		return user_get(q->db, q->param[0], q->param[0], &r->body, e);
	}
	if (jx_only(q->json, "", names, e) < 0 || jx_string(q->json, "", "role", JX_REQUIRED, 1, 16, &role, e) < 0 ||
	    user_role_set(q->db, &who, q->param[0], role, e) < 0)
		return -1;
	return user_get(q->db, q->param[0], q->param[0], &r->body, e);
}

int handle_admin_user_mute(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);
	struct sanction s;

	r->status = 204;
	return sanction_read(q->json, &s, e) < 0 ? -1 : user_mute(q->db, &who, q->param[0], &s, e);
}

int handle_admin_user_unmute(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	r->status = 204;
	return user_mute(q->db, &who, q->param[0], NULL, e);
}

int handle_admin_user_deactivate(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"reason", NULL};
	struct acting who = request_acting(q);
	struct span reason = {"", 0};

	r->status = 204;
	if (jx_only(q->json, "", names, e) < 0 ||
	    jx_string(q->json, "", "reason", JX_OPTIONAL, 0, SANCTION_REASON_CHARS, &reason, e) < 0 ||
	    sanction_check_reason("reason", reason, e) < 0)
		return -1;
	return user_close(q->db, &who, q->param[0], reason, e);
}

int handle_admin_user_reactivate(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	r->status = 204;
	return user_reopen(q->db, &who, q->param[0], e);
}

int handle_admin_channel_list(struct request *q, struct response *r, struct err *e)
{
	int64_t after = 0, limit;
	const char *wish;
	struct page p;

	if (read_wish(q, &wish, e) < 0 || request_query_int(q, "after", 0, REQUEST_NUMBER_MAX, &after, e) < 0 ||
	    request_limit(q, 50, &limit, e) < 0 || admin_channel_list(q->db, wish, after, limit, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}

int handle_audit_list(struct request *q, struct response *r, struct err *e)
{
	const char *actor = request_query(q, "actor");
	struct audit_filter f = {
		.action = request_query(q, "action"), .from = request_query(q, "from"), .to = request_query(q, "to")};
	int64_t before = REQUEST_NUMBER_MAX, limit;
	struct page p;

	if (actor && !strcmp(actor, "command"))
		f.actor = -1;
	else if (request_query_int(q, "actor", 1, REQUEST_NUMBER_MAX, &f.actor, e) < 0)
		return -1;
	if (request_query_int(q, "target", 1, REQUEST_NUMBER_MAX, &f.target, e) < 0 ||
	    request_query_int(q, "channel", 1, REQUEST_NUMBER_MAX, &f.channel, e) < 0 ||
	    request_query_int(q, "before", 1, REQUEST_NUMBER_MAX, &before, e) < 0 ||
	    request_limit(q, 50, &limit, e) < 0)
		return -1;
	if (audit_list(q->db, &f, before, limit, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}
