/* own_settings: checks in C, changes in one function of the database. */
#include "lib/chat/own_settings.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/utf8.h"
#include "lib/db/db.h"
#include "lib/json/jx.h"
#include <stdlib.h>
#include <string.h>

/* One that is there and no null. */
static const struct jx *given(const struct jx *o, const char *name)
{
	const struct jx *v = jx_get(o, name);

	return jx_is(v, JX_NULL) ? NULL : v;
}

static int check_bool(const struct jx *o, const char *name, struct err *e)
{
	const struct jx *v = jx_get(o, name);

	return !v || jx_is(v, JX_BOOL) ? 0 : err_set(e, ERR_BAD_FIELD, name, "must be true or false");
}

static int check_text(const struct jx *o, const char *name, const char *field, size_t min, size_t max, struct err *e)
{
	struct span text;

	if (!given(o, name))
		return 0;
	if (jx_string(o, "status.", name, JX_REQUIRED, min, max, &text, e) < 0)
		return -1;
	if (utf8_has_control(text.p, text.n, ""))
		return err_set(e, ERR_BAD_FIELD, field, "must not have control characters");
	return 0;
}

static int check_time(const struct jx *v, const char *field, struct err *e)
{
	const char *text = jx_text(v);

	if (!v || (text && time_valid(text, strlen(text))))
		return 0;
	return err_set(e, ERR_BAD_FIELD, field, "must be a time as 2026-11-25T10:04:31Z");
}

static int check_status(const struct jx *status, struct err *e)
{
	static const char *const names[] = {"emoji", "text", "until", NULL};

	if (!jx_is(status, JX_OBJECT))
		return err_set(e, ERR_BAD_FIELD, "status", "must be an object, or null");
	if (jx_only(status, "status.", names, e) < 0 ||
	    check_text(status, "emoji", "status.emoji", 1, STATUS_EMOJI_CHARS, e) < 0 ||
	    check_text(status, "text", "status.text", 0, STATUS_TEXT_CHARS, e) < 0)
		return -1;
	return check_time(given(status, "until"), "status.until", e);
}

static int check(const struct jx *patch, struct err *e)
{
	static const char *const names[] = {"invisible", "dnd_until", "status", "read_receipts", NULL};
	const struct jx *dnd = given(patch, "dnd_until"), *status = given(patch, "status");

	if (jx_only(patch, "", names, e) < 0 || check_bool(patch, "invisible", e) < 0 ||
	    check_bool(patch, "read_receipts", e) < 0)
		return -1;
	if (!(jx_text(dnd) && !strcmp(jx_text(dnd), "forever")) && check_time(dnd, "dnd_until", e) < 0)
		return -1;
	return status ? check_status(status, e) : 0;
}

static int append(PGresult *r, struct strbuf *b)
{
	strbuf_add(b, result_text(r, 0, 0), result_length(r, 0, 0));
	PQclear(r);
	return 0;
}

int own_settings_get(struct db *d, int64_t user, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;

	if (db_query(d, STMT_settings_get, &r, e, "i", user) < 0)
		return -1;
	return append(r, b);
}

/* patch: JSON that was looked at. */
static int change(struct db *d, const struct config *c, int64_t user, struct strbuf *patch, struct strbuf *b,
		  struct err *e)
{
	PGresult *r = NULL;

	if (db_query(d, STMT_settings_change, &r, e, "itiii", user, strbuf_cstr(patch), c->presence.lease,
		     c->presence.away, c->reads.receipts_max) < 0)
		return -1;
	if (result_null(r, 0, 0)) {
		PQclear(r);
		return err_set(e, ERR_BAD_FIELD, "status.emoji", "there is no emoji of this name");
	}
	return append(r, b);
}

int own_settings_change(struct db *d, const struct config *c, int64_t user, const struct jx *patch, struct strbuf *b,
			struct err *e)
{
	AUTO_STRBUF text = {0};

	if (check(patch, e) < 0)
		return -1;
	jx_write(&text, patch);
	return change(d, c, user, &text, b, e);
}

/* Where the body is the status itself. */
static int without_status(struct err *e)
{
	if (!strncmp(e->field, "status.", 7))
		memmove(e->field, e->field + 7, strlen(e->field + 7) + 1);
	return -1;
}

int own_status_set(struct db *d, const struct config *c, int64_t user, const struct jx *status, struct strbuf *b,
		   struct err *e)
{
	AUTO_STRBUF text = {0};

	if (status && check_status(status, e) < 0)
		return without_status(e);
	strbuf_adds(&text, "{\"status\":");
	if (status)
		jx_write(&text, status);
	else
		strbuf_adds(&text, "null");
	strbuf_addc(&text, '}');
	return change(d, c, user, &text, b, e) < 0 ? without_status(e) : 0;
}
