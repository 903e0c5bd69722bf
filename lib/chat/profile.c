/* profile: checks in C, the rules are in sql/functions/51_profile.sql. */
#include "lib/chat/profile.h"
#include "lib/auth/person.h"
#include "lib/base/utf8.h"
#include "lib/chat/access.h"
#include "lib/chat/picture_file.h"
#include "lib/chat/upload.h"
#include "lib/db/db.h"
#include "lib/json/jx.h"
#include <ctype.h>
#include <string.h>

struct change {
	bool renames, zones;
	char name[PERSON_NAME_MAX]; /* "": null */
	struct span zone;           /* NULL: null */
};

int profile_render(struct db *d, int64_t user, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_user_profile, &r, e, "i", user) < 0)
		return -1;
	if (!r)
		return err_set(e, ERR_NOT_FOUND, NULL, "no such user");
	strbuf_addf(b,
		    "{\"own_name\":%s,\"own_picture\":%s,\"provider_name\":", result_bool(r, 0, 0) ? "true" : "false",
		    result_bool(r, 0, 1) ? "true" : "false");
	if (result_null(r, 0, 2))
		strbuf_adds(b, "null");
	else
		strbuf_add_json(b, result_text(r, 0, 2), result_length(r, 0, 2));
	strbuf_addc(b, '}');
	PQclear(r);
	return 0;
}

/* As names are judged that people give themselves when they come. */
static int read_name(const struct jx *o, struct change *c, struct err *e)
{
	struct span name = {0};

	c->renames = jx_get(o, "name") != NULL;
	if (jx_string(o, "", "name", JX_OPTIONAL, 1, PERSON_NAME_POINTS, &name, e) < 0)
		return -1;
	if (!name.p)
		return 0;
	if (utf8_has_control(name.p, name.n, ""))
		return err_set(e, ERR_BAD_FIELD, "name", "must not have control characters");
	person_clean(name.p, PERSON_NAME_POINTS, c->name, sizeof(c->name));
	if (!c->name[0] || person_misleads(c->name))
		return err_set(e, ERR_BAD_FIELD, "name", "must be a name that others can read");
	return 0;
}

/* What a name of the IANA's looks like; whether there is one of this name the database knows. */
static bool zone_valid(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && (i == 0 || !s[i] || !strchr("/_+-", s[i])))
			return false;
	return n > 0;
}

static int read_zone(const struct jx *o, struct change *c, struct err *e)
{
	c->zones = jx_get(o, "time_zone") != NULL;
	if (jx_string(o, "", "time_zone", JX_OPTIONAL, 1, TIME_ZONE_CHARS, &c->zone, e) < 0)
		return -1;
	return !c->zone.p || zone_valid(c->zone.p, c->zone.n) ? 0 : access_code("no_zone", NULL, e);
}

static int change(struct db *d, const struct acting *who, int64_t person, const struct change *c, struct err *e)
{
	PGresult *r = NULL;
	int rc;

	if (db_one(d, STMT_user_change, &r, e, "ibttibtbt", who->user, who->admin, who->request, who->address, person,
		   (int)c->renames, c->name[0] ? c->name : NULL, (int)c->zones, c->zone.p) < 0)
		return -1;
	rc = access_write_code(r, 0, e);
	PQclear(r);
	return rc;
}

int profile_change(struct db *d, const struct acting *who, const struct jx *o, struct err *e)
{
	static const char *const names[] = {"name", "time_zone", NULL};
	struct change c = {0};

	if (jx_only(o, "", names, e) < 0 || read_name(o, &c, e) < 0 || read_zone(o, &c, e) < 0)
		return -1;
	if (!c.renames && !c.zones)
		return err_set(e, ERR_BAD_FIELD, "time_zone", "is missing, and so is name");
	return change(d, who, who->user, &c, e);
}

int profile_rename(struct db *d, const struct acting *who, int64_t person, const struct jx *o, struct err *e)
{
	static const char *const names[] = {"name", NULL};
	struct change c = {0};

	if (jx_only(o, "", names, e) < 0 || read_name(o, &c, e) < 0)
		return -1;
	return change(d, who, person, &c, e);
}

int profile_picture_set(struct db *d, const struct config *c, const struct store *store, const struct acting *who,
			const struct jx *o, struct err *e)
{
	const struct upload_desk desk = {.db = d, .config = c, .store = store, .user = who->user};
	static const char *const names[] = {"file", NULL};
	PGresult *r = NULL;
	int64_t file;
	int rc;

	if (jx_only(o, "", names, e) < 0 || jx_int(o, "", "file", JX_REQUIRED, 1, INT64_MAX, &file, e) < 0 ||
	    picture_file_check(&desk, file, e) < 0)
		return -1;
	if (db_one(d, STMT_user_picture_set, &r, e, "ibttii", who->user, who->admin, who->request, who->address, file,
		   PICTURE_BYTES) < 0)
		return -1;
	rc = access_write_code(r, 0, e);
	PQclear(r);
	return rc;
}

int profile_picture_remove(struct db *d, const struct acting *who, int64_t person, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_user_picture_remove, &r, e, "ibtti", who->user, who->admin, who->request, who->address,
		   person) < 0)
		return -1;
	return access_outcome(r, NULL, e);
}
