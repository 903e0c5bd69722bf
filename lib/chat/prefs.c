/* prefs: checks in C, changes in functions of the database (sql/functions/87_prefs.sql). */
#include "lib/chat/prefs.h"
#include "lib/base/clock.h"
#include "lib/chat/access.h"
#include "lib/chat/channel.h"
#include "lib/db/db.h"
#include "lib/json/jx.h"
#include <stdio.h>
#include <string.h>

#define FIELD_MAX 40

/* One that is there and no null. */
static const struct jx *given(const struct jx *o, const char *name)
{
	const struct jx *v = jx_get(o, name);

	return jx_is(v, JX_NULL) ? NULL : v;
}

static bool one_of(const struct jx *v, const char *const *words)
{
	const char *text = jx_text(v);

	for (; text && *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

static int check(const struct jx *patch, struct err *e)
{
	static const char *const names[] = {"notify", "quiet_until", "favourite", "section", NULL};
	static const char *const levels[] = {"all", "mentions", "nothing", NULL};
	static const char *const forever[] = {"forever", NULL};
	const struct jx *quiet = given(patch, "quiet_until");
	unsigned char uuid[16];
	bool on;

	if (jx_only(patch, "", names, e) < 0)
		return -1;
	if (given(patch, "notify") && !one_of(given(patch, "notify"), levels))
		return err_set(e, ERR_BAD_FIELD, "notify", "expected all, mentions, nothing or null");
	if (quiet && !one_of(quiet, forever) && !(jx_text(quiet) && time_valid(jx_text(quiet), strlen(jx_text(quiet)))))
		return err_set(e, ERR_BAD_FIELD, "quiet_until", "must be a time as 2026-11-25T10:04:31Z, or forever");
	if (jx_get(patch, "favourite") && jx_bool(patch, "", "favourite", JX_REQUIRED, &on, e) < 0)
		return -1;
	return given(patch, "section") ? jx_uuid(patch, "", "section", uuid, e) : 0;
}

int prefs_change(struct db *d, int64_t channel, int64_t user, const struct jx *patch, struct strbuf *b, struct err *e)
{
	AUTO_STRBUF text = {0};
	PGresult *r = NULL;

	if (check(patch, e) < 0)
		return -1;
	jx_write(&text, patch);
	if (db_one(d, STMT_prefs_change, &r, e, "iit", channel, user, strbuf_cstr(&text)) < 0)
		return -1;
	return access_outcome_json(r, NULL, b, e);
}

int sidebar_get(struct db *d, int64_t user, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;

	if (db_query(d, STMT_sidebar_get, &r, e, "i", user) < 0)
		return -1;
	strbuf_add(b, result_text(r, 0, 0), result_length(r, 0, 0));
	PQclear(r);
	return 0;
}

/* One of his own: it has an id that his client has made, and a name. */
static int check_own(const struct jx *section, const char *path, struct err *e)
{
	static const char *const names[] = {"kind", "id", "name", "collapsed", NULL};
	char field[FIELD_MAX + 8];
	unsigned char uuid[16];
	struct span name;

	snprintf(field, sizeof(field), "%sname", path);
	if (jx_only(section, path, names, e) < 0 || jx_uuid(section, path, "id", uuid, e) < 0 ||
	    jx_string(section, path, "name", JX_REQUIRED, 1, SIDEBAR_NAME_CHARS, &name, e) < 0)
		return -1;
	return channel_check_text(field, &name, 1, SIDEBAR_NAME_CHARS, e);
}

static int check_section(const struct jx *section, const char *path, unsigned *seen, struct err *e)
{
	static const char *const names[] = {"kind", "collapsed", NULL};
	static const char *const kinds[] = {"favourites", "channels", "direct"};
	const char *kind = jx_text(jx_get(section, "kind"));
	bool collapsed;

	if (!jx_is(section, JX_OBJECT))
		return err_set(e, ERR_BAD_FIELD, "sections", "must be objects");
	if (jx_bool(section, path, "collapsed", JX_REQUIRED, &collapsed, e) < 0)
		return -1;
	if (kind && !strcmp(kind, "own"))
		return check_own(section, path, e);
	for (size_t i = 0; kind && i < COUNT_OF(kinds); i++) {
		if (strcmp(kind, kinds[i]) != 0)
			continue;
		if (*seen & 1U << i)
			return err_set(e, ERR_BAD_FIELD, "sections", "%s is there twice", kind);
		*seen |= 1U << i;
		return jx_only(section, path, names, e);
	}
	return err_set(e, ERR_BAD_FIELD, "sections", "kind must be favourites, channels, direct or own");
}

static int check_sections(const struct jx *sections, struct err *e)
{
	const struct jx *s = NULL, *o;
	unsigned seen = 0;
	size_t i = 0;

	if (!jx_is(sections, JX_ARRAY))
		return err_set(e, ERR_BAD_FIELD, "sections", "must be an array");
	if (jx_length(sections) > SIDEBAR_SECTIONS_MAX)
		return err_set(e, ERR_BAD_FIELD, "sections", "at most %d of them", SIDEBAR_SECTIONS_MAX);
	while ((s = jx_element(sections, s))) {
		char path[FIELD_MAX];

		snprintf(path, sizeof(path), "sections[%zu].", i++);
		if (check_section(s, path, &seen, e) < 0)
			return -1;
		for (o = jx_element(sections, NULL); o != s; o = jx_element(sections, o))
			if (jx_text(jx_get(s, "id")) && jx_text(jx_get(o, "id")) &&
			    !strcmp(jx_text(jx_get(s, "id")), jx_text(jx_get(o, "id"))))
				return err_set(e, ERR_BAD_FIELD, "sections", "two have the same id");
	}
	return seen == 7 ? 0 : err_set(e, ERR_BAD_FIELD, "sections", "favourites, channels and direct must be there");
}

int sidebar_set(struct db *d, int64_t user, const struct jx *o, struct strbuf *b, struct err *e)
{
	static const char *const names[] = {"sections", "version", NULL};
	AUTO_STRBUF text = {0};
	PGresult *r = NULL;
	int64_t version = -1;

	if (jx_only(o, "", names, e) < 0 || check_sections(jx_get(o, "sections"), e) < 0 ||
	    jx_int(o, "", "version", JX_OPTIONAL, 0, INT64_MAX, &version, e) < 0)
		return -1;
	jx_write(&text, jx_get(o, "sections"));
	if (db_one(d, STMT_sidebar_set, &r, e, "iti", user, strbuf_cstr(&text), version) < 0)
		return -1;
	if (r && !strcmp(result_text(r, 0, 0), "changed")) {
		PQclear(r);
		return err_set(e, ERR_CONFLICT, "version", "the side bar has been changed meanwhile");
	}
	return access_outcome_json(r, NULL, b, e);
}
