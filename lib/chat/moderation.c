/* moderation: input checked, then one statement each. */
#include "lib/chat/moderation.h"
#include "lib/base/clock.h"
#include "lib/base/utf8.h"
#include "lib/chat/access.h"
#include "lib/chat/channel.h"
#include "lib/chat/list.h"
#include "lib/db/db.h"
#include <stdio.h>
#include <string.h>

static bool one_of(const char *const *names, const char *s, size_t n)
{
	for (; *names; names++)
		if (strlen(*names) == n && !memcmp(*names, s, n))
			return true;
	return false;
}

bool role_valid(const char *s, size_t n)
{
	static const char *const roles[] = {"owner", "admin", "member", "guest", NULL};

	return one_of(roles, s, n);
}

bool member_role_valid(const char *s, size_t n)
{
	static const char *const roles[] = {"owner", "moderator", "member", NULL};

	return one_of(roles, s, n);
}

static bool history_valid(const char *s, size_t n)
{
	static const char *const policies[] = {"all", "joined", NULL};

	return one_of(policies, s, n);
}

int sanction_until(const struct jx *o, char until[SANCTION_UNTIL_MAX], struct err *e)
{
	const struct jx *v = jx_get(o, "until");
	const char *text = jx_text(v);

	snprintf(until, SANCTION_UNTIL_MAX, "infinity");
	if (!v || jx_is(v, JX_NULL))
		return 0;
	if (!text || strlen(text) >= SANCTION_UNTIL_MAX || !time_valid(text, strlen(text)))
		return err_set(e, ERR_BAD_FIELD, "until", "must be a time as 2026-11-25T10:04:31Z, or null");
	snprintf(until, SANCTION_UNTIL_MAX, "%s", text);
	return 0;
}

int sanction_check_reason(const char *field, struct span reason, struct err *e)
{
	if (!utf8_valid(reason.p, reason.n) || utf8_length(reason.p, reason.n) > SANCTION_REASON_CHARS)
		return err_set(e, ERR_BAD_FIELD, field, "at most %d characters", SANCTION_REASON_CHARS);
	if (utf8_has_control(reason.p, reason.n, "\n"))
		return err_set(e, ERR_BAD_FIELD, field, "contains a control character");
	return 0;
}

int sanction_read(const struct jx *o, struct sanction *s, struct err *e)
{
	static const char *const names[] = {"until", "reason", NULL};

	s->reason = (struct span){"", 0};
	if (jx_only(o, "", names, e) < 0 || sanction_until(o, s->until, e) < 0 ||
	    jx_string(o, "", "reason", JX_OPTIONAL, 0, SANCTION_REASON_CHARS, &s->reason, e) < 0)
		return -1;
	return sanction_check_reason("reason", s->reason, e);
}

/* ---- people */

int user_role_set(struct db *d, const struct acting *who, int64_t person, struct span role, struct err *e)
{
	PGresult *r = NULL;

	if (!role_valid(role.p, role.n))
		return err_set(e, ERR_BAD_FIELD, "role", "expected owner, admin, member or guest");
	if (db_one(d, STMT_user_set_role, &r, e, "ibttis", who->user, who->admin, who->request, who->address, person,
		   role.p, role.n) < 0)
		return -1;
	return access_outcome(r, NULL, e);
}

int user_mute(struct db *d, const struct acting *who, int64_t person, const struct sanction *s, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_user_mute, &r, e, "ibttits", who->user, who->admin, who->request, who->address, person,
		   s ? s->until : NULL, s ? s->reason.p : "", s ? s->reason.n : 0) < 0)
		return -1;
	return access_outcome(r, NULL, e);
}

int user_close(struct db *d, const struct acting *who, int64_t person, struct span reason, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_user_close, &r, e, "ibttis", who->user, who->admin, who->request, who->address, person,
		   reason.p, reason.n) < 0)
		return -1;
	return access_outcome(r, NULL, e);
}

int user_reopen(struct db *d, const struct acting *who, int64_t person, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_user_reopen, &r, e, "ibtti", who->user, who->admin, who->request, who->address, person) < 0)
		return -1;
	return access_outcome(r, NULL, e);
}

int admin_user_list(struct db *d, const char *wish, const char *role, const char *after, int64_t limit,
		    struct strbuf *b, struct page *p, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_admin_user_list, &r, e, "ttti", wish, role, after, limit) < 0)
		return -1;
	return list_render(r, 0, "users", b, p, e);
}

/* ---- channels */

int channel_change(struct db *d, const struct acting *who, int64_t channel, const struct jx *o, struct err *e)
{
	static const char *const names[] = {"name", "topic", "archived", "keep_days", "history", "mention_all", NULL};
	int64_t keep = jx_is(jx_get(o, "keep_days"), JX_NULL) ? 0 : -1;
	struct span name = {0}, topic = {0}, history = {0}, call = {0};
	bool archived = false;
	PGresult *r = NULL;

	if (jx_only(o, "", names, e) < 0 ||
	    jx_string(o, "", "name", JX_OPTIONAL, 1, CHANNEL_NAME_CHARS, &name, e) < 0 ||
	    jx_string(o, "", "topic", JX_OPTIONAL, 0, CHANNEL_TOPIC_CHARS, &topic, e) < 0 ||
	    jx_bool(o, "", "archived", JX_OPTIONAL, &archived, e) < 0 ||
	    jx_int(o, "", "keep_days", JX_OPTIONAL, 1, CHANNEL_KEEP_DAYS_MAX, &keep, e) < 0 ||
	    jx_string(o, "", "history", JX_OPTIONAL, 1, 6, &history, e) < 0 ||
	    jx_string(o, "", "mention_all", JX_OPTIONAL, 1, 10, &call, e) < 0)
		return -1;
	if (history.p && !history_valid(history.p, history.n))
		return err_set(e, ERR_BAD_FIELD, "history", "expected all or joined");
	if (call.p && strcmp(call.p, "everyone") != 0 && strcmp(call.p, "moderators") != 0)
		return err_set(e, ERR_BAD_FIELD, "mention_all", "expected everyone or moderators");
	if (name.p && channel_check_text("name", &name, 1, CHANNEL_NAME_CHARS, e) < 0)
		return -1;
	if (topic.p && channel_check_text("topic", &topic, 0, CHANNEL_TOPIC_CHARS, e) < 0)
		return -1;
	if (jx_is(jx_get(o, "archived"), JX_BOOL)) {
		if (db_one(d, STMT_channel_change, &r, e, "ibttissbiss", who->user, who->admin, who->request,
			   who->address, channel, name.p, name.n, topic.p, topic.n, archived, keep, history.p,
			   history.n, call.p, call.n) < 0)
			return -1;
	} else if (db_one(d, STMT_channel_change, &r, e, "ibttissniss", who->user, who->admin, who->request,
			  who->address, channel, name.p, name.n, topic.p, topic.n, keep, history.p, history.n, call.p,
			  call.n) < 0) {
		return -1;
	}
	return access_outcome(r, NULL, e);
}

int channel_hand_over(struct db *d, const struct acting *who, int64_t channel, int64_t person, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_channel_hand_over, &r, e, "ibttii", who->user, who->admin, who->request, who->address,
		   channel, person) < 0)
		return -1;
	return access_outcome(r, "user", e);
}

int member_role_set(struct db *d, const struct acting *who, int64_t channel, int64_t person, struct span role,
		    struct err *e)
{
	PGresult *r = NULL;

	if (!member_role_valid(role.p, role.n))
		return err_set(e, ERR_BAD_FIELD, "role", "expected owner, moderator or member");
	if (db_one(d, STMT_member_set_role, &r, e, "ibttiis", who->user, who->admin, who->request, who->address,
		   channel, person, role.p, role.n) < 0)
		return -1;
	return access_outcome(r, NULL, e);
}

static int restrict_member(struct db *d, enum stmt_id stmt, const struct acting *who, int64_t channel, int64_t person,
			   const struct sanction *s, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, stmt, &r, e, "ibttiits", who->user, who->admin, who->request, who->address, channel, person,
		   s ? s->until : NULL, s ? s->reason.p : "", s ? s->reason.n : 0) < 0)
		return -1;
	return access_outcome(r, "user", e);
}

int member_mute(struct db *d, const struct acting *who, int64_t channel, int64_t person, const struct sanction *s,
		struct err *e)
{
	return restrict_member(d, STMT_member_mute, who, channel, person, s, e);
}

int member_ban(struct db *d, const struct acting *who, int64_t channel, int64_t person, const struct sanction *s,
	       struct err *e)
{
	return restrict_member(d, STMT_member_ban, who, channel, person, s, e);
}

int restriction_list(struct db *d, const struct acting *who, int64_t channel, int64_t after, int64_t limit,
		     struct strbuf *b, struct page *p, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_restriction_list, &r, e, "ibiii", who->user, who->admin, channel, after, limit) < 0)
		return -1;
	if (access_code(r ? result_text(r, 0, 0) : "", NULL, e) < 0) {
		PQclear(r);
		return -1;
	}
	return list_render(r, 1, "restrictions", b, p, e);
}

int admin_channel_list(struct db *d, const char *wish, int64_t after, int64_t limit, struct strbuf *b, struct page *p,
		       struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_admin_channel_list, &r, e, "tii", wish, after, limit) < 0)
		return -1;
	return list_render(r, 0, "channels", b, p, e);
}
