/* group: lists, one, changes; the rules are in sql/functions/89_groups.sql. */
#include "lib/chat/group.h"
#include "lib/base/config.h"
#include "lib/chat/access.h"
#include "lib/chat/acting.h"
#include "lib/chat/channel.h"
#include "lib/chat/list.h"
#include "lib/chat/user.h"
#include "lib/db/db.h"
#include "lib/json/jx.h"
#include <stdlib.h>
#include <string.h>

static int open_to_members(const struct config *c)
{
	return !strcmp(c->groups.managers, "members");
}

int group_list(struct db *d, const struct config *c, const struct acting *who, const char *after, int64_t limit,
	       struct strbuf *b, struct page *p, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_group_list, &r, e, "ibbti", who->user, who->admin, open_to_members(c), after, limit) < 0)
		return -1;
	if (list_begin(r, 0, "groups", b, p, e) < 0)
		return -1;
	list_next(r, 2, b);
	strbuf_addf(b, ",\"manage\":%s}", result_bool(r, 0, 3) ? "true" : "false");
	PQclear(r);
	return 0;
}

int group_get(struct db *d, int64_t group, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_group_get, &r, e, "i", group) < 0)
		return -1;
	if (!r)
		return access_code("no_group_found", NULL, e);
	strbuf_add(b, result_text(r, 0, 0), result_length(r, 0, 0));
	PQclear(r);
	return 0;
}

/* flags: of both. What is not there stays {NULL, 0}. */
static int read_names(const struct jx *o, int flags, struct span *handle, struct span *name, struct err *e)
{
	if (jx_string(o, "", "handle", flags, 1, USER_HANDLE_MAX, handle, e) < 0 ||
	    jx_string(o, "", "name", flags, 1, GROUP_NAME_CHARS, name, e) < 0)
		return -1;
	if (handle->p && user_handle_check(handle->p, e) < 0)
		return -1;
	return name->p ? channel_check_text("name", name, 1, GROUP_NAME_CHARS, e) : 0;
}

int group_make(struct db *d, const struct config *c, const struct acting *who, const struct jx *o, struct strbuf *b,
	       struct err *e)
{
	static const char *const names[] = {"handle", "name", "members", NULL};
	int64_t people[GROUP_MEMBERS_MAX];
	struct span handle = {0}, name = {0};
	PGresult *r = NULL;
	size_t n = 0;

	if (jx_only(o, "", names, e) < 0 || read_names(o, JX_REQUIRED, &handle, &name, e) < 0 ||
	    jx_ids(o, "", "members", JX_OPTIONAL, people, GROUP_MEMBERS_MAX, &n, e) < 0)
		return -1;
	if (db_one(d, STMT_group_create, &r, e, "ibttbssI", who->user, who->admin, who->request, who->address,
		   open_to_members(c), handle.p, handle.n, name.p, name.n, people, n) < 0)
		return -1;
	return access_outcome_json(r, "members", b, e);
}

int group_change(struct db *d, const struct config *c, const struct acting *who, int64_t group, const struct jx *o,
		 struct strbuf *b, struct err *e)
{
	static const char *const names[] = {"handle", "name", "add", "remove", NULL};
	int64_t adds[GROUP_MEMBERS_MAX], drops[GROUP_MEMBERS_MAX];
	struct span handle = {0}, name = {0};
	size_t adds_n = 0, drops_n = 0;
	PGresult *r = NULL;

	if (jx_only(o, "", names, e) < 0 || read_names(o, JX_OPTIONAL, &handle, &name, e) < 0 ||
	    jx_ids(o, "", "add", JX_OPTIONAL, adds, GROUP_MEMBERS_MAX, &adds_n, e) < 0 ||
	    jx_ids(o, "", "remove", JX_OPTIONAL, drops, GROUP_MEMBERS_MAX, &drops_n, e) < 0)
		return -1;
	if (db_one(d, STMT_group_change, &r, e, "ibttbissIIi", who->user, who->admin, who->request, who->address,
		   open_to_members(c), group, handle.p, handle.n, name.p, name.n, adds, adds_n, drops, drops_n,
		   (int64_t)GROUP_MEMBERS_MAX) < 0)
		return -1;
	return access_outcome_json(r, "add", b, e);
}

int group_delete(struct db *d, const struct config *c, const struct acting *who, int64_t group, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_group_delete, &r, e, "ibttbi", who->user, who->admin, who->request, who->address,
		   open_to_members(c), group) < 0)
		return -1;
	return access_outcome(r, NULL, e);
}
