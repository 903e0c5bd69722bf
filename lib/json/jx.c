/* jx: looking into a document. */
#include "lib/json/jx.h"
#include "lib/base/codec.h"
#include "lib/base/strbuf.h"
#include "lib/base/utf8.h"
#include "lib/json/jx_value.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIELD_MAX_BYTES 80

const struct jx *jx_get(const struct jx *o, const char *name)
{
	size_t n = strlen(name);

	if (!jx_is(o, JX_OBJECT))
		return NULL;
	for (const struct jx *v = jx_first(o); v; v = jx_next(o, v))
		if (v->name.n == n && !memcmp(v->name.p, name, n))
			return v;
	return NULL;
}

bool jx_is(const struct jx *v, enum jx_kind kind)
{
	return v && v->kind == kind;
}

const char *jx_text(const struct jx *v)
{
	return jx_is(v, JX_STRING) ? v->text.p : NULL;
}

int64_t jx_number(const struct jx *v)
{
	return jx_is(v, JX_INT) ? v->number : 0;
}

size_t jx_length(const struct jx *v)
{
	return jx_is(v, JX_ARRAY) ? v->count : 0;
}

const struct jx *jx_element(const struct jx *array, const struct jx *before)
{
	return before ? jx_next(array, before) : jx_first(array);
}

void jx_write(struct strbuf *b, const struct jx *v)
{
	bool object = v->kind == JX_OBJECT;
	const char *before = "";

	switch (v->kind) {
	case JX_NULL:
		strbuf_adds(b, "null");
		return;
	case JX_BOOL:
		strbuf_adds(b, v->truth ? "true" : "false");
		return;
	case JX_INT:
		strbuf_addi(b, v->number);
		return;
	case JX_REAL:
		strbuf_add(b, v->text.p, v->text.n);
		return;
	case JX_STRING:
		strbuf_add_json(b, v->text.p, v->text.n);
		return;
	case JX_ARRAY:
	case JX_OBJECT:
		break;
	}
	strbuf_addc(b, object ? '{' : '[');
	for (const struct jx *in = jx_first(v); in; in = jx_next(v, in), before = ",") {
		strbuf_adds(b, before);
		if (object) {
			strbuf_add_json(b, in->name.p, in->name.n);
			strbuf_addc(b, ':');
		}
		jx_write(b, in);
	}
	strbuf_addc(b, object ? '}' : ']');
}

static int fault(struct err *e, const char *path, const char *name, const char *fmt, ...) PRINTF_LIKE(4, 5);
static int fault(struct err *e, const char *path, const char *name, const char *fmt, ...)
{
	char field[FIELD_MAX_BYTES], detail[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	snprintf(field, sizeof(field), "%s%s", path, name);
	return err_set(e, ERR_BAD_FIELD, field, "%s", detail);
}

/* A name that somebody else has chosen: never cut within a character, without control characters, not empty. */
static const char *shown(const char *path, const char *key)
{
	size_t n = strlen(key);

	return n == 0 || strlen(path) + n >= FIELD_MAX_BYTES || utf8_has_control(key, n, "") ? "?" : key;
}

int jx_only(const struct jx *o, const char *path, const char *const *names, struct err *e)
{
	for (const struct jx *v = jx_first(o); v; v = jx_next(o, v)) {
		const char *const *at = names;

		while (*at && strcmp(*at, v->name.p) != 0)
			at++;
		if (!*at)
			return fault(e, path, shown(path, v->name.p), "is not known here");
	}
	return 0;
}

/* 1: there, 0: an optional one that is not, -1: missing. */
static int member(const struct jx *o, const char *path, const char *name, int flags, const struct jx **v, struct err *e)
{
	*v = jx_get(o, name);
	if (*v && (*v)->kind != JX_NULL)
		return 1;
	if (flags & JX_OPTIONAL)
		return 0;
	return fault(e, path, name, "is missing");
}

int jx_int(const struct jx *o, const char *path, const char *name, int flags, int64_t min, int64_t max, int64_t *out,
	   struct err *e)
{
	const struct jx *v;
	int there = member(o, path, name, flags, &v, e);

	if (there <= 0)
		return there;
	if (v->kind != JX_INT)
		return fault(e, path, name, "must be a whole number");
	if (v->number < min || v->number > max)
		return fault(e, path, name, "must be between %lld and %lld", (long long)min, (long long)max);
	*out = v->number;
	return 0;
}

int jx_string(const struct jx *o, const char *path, const char *name, int flags, size_t min, size_t max,
	      struct span *out, struct err *e)
{
	const struct jx *v;
	int there = member(o, path, name, flags, &v, e);
	size_t points;

	if (there <= 0)
		return there;
	if (v->kind != JX_STRING)
		return fault(e, path, name, "must be a string");
	points = utf8_length(v->text.p, v->text.n);
	if (points < min)
		return min == 1 ? fault(e, path, name, "must not be empty")
				: fault(e, path, name, "must have at least %zu characters", min);
	if (points > max)
		return fault(e, path, name, "has %zu characters; at most %zu are allowed", points, max);
	*out = v->text;
	return 0;
}

int jx_bool(const struct jx *o, const char *path, const char *name, int flags, bool *out, struct err *e)
{
	const struct jx *v;
	int there = member(o, path, name, flags, &v, e);

	if (there <= 0)
		return there;
	if (v->kind != JX_BOOL)
		return fault(e, path, name, "must be true or false");
	*out = v->truth;
	return 0;
}

int jx_uuid(const struct jx *o, const char *path, const char *name, unsigned char out[16], struct err *e)
{
	const struct jx *v;

	if (member(o, path, name, JX_REQUIRED, &v, e) < 0)
		return -1;
	if (v->kind != JX_STRING || !uuid_parse(v->text.p, v->text.n, out))
		return fault(e, path, name, "must be a UUID in its canonical lower-case form");
	return 0;
}

int jx_object(const struct jx *o, const char *path, const char *name, int flags, const struct jx **out, struct err *e)
{
	const struct jx *v;
	int there = member(o, path, name, flags, &v, e);

	if (there <= 0)
		return there;
	if (v->kind != JX_OBJECT)
		return fault(e, path, name, "must be an object");
	*out = v;
	return 0;
}

int jx_ids(const struct jx *o, const char *path, const char *name, int flags, int64_t *ids, size_t max, size_t *n,
	   struct err *e)
{
	const struct jx *v;
	int there = member(o, path, name, flags, &v, e);

	*n = 0;
	if (there <= 0)
		return there;
	if (v->kind != JX_ARRAY)
		return fault(e, path, name, "must be an array of ids");
	if (v->count > max)
		return fault(e, path, name, "has %zu ids; at most %zu are allowed", v->count, max);
	for (const struct jx *id = jx_first(v); id; id = jx_next(v, id)) {
		if (id->kind != JX_INT || id->number < 1)
			return fault(e, path, name, "must hold positive whole numbers only");
		ids[(*n)++] = id->number;
	}
	return 0;
}

int jx_texts(const struct jx *o, const char *path, const char *name, const char **texts, size_t max, size_t *n,
	     struct err *e)
{
	const struct jx *v;

	*n = 0;
	if (member(o, path, name, JX_REQUIRED, &v, e) < 0)
		return -1;
	if (v->kind != JX_ARRAY || v->count < 1 || v->count > max)
		return fault(e, path, name, "must be an array of 1 to %zu strings", max);
	for (const struct jx *one = jx_first(v); one; one = jx_next(v, one)) {
		if (one->kind != JX_STRING)
			return fault(e, path, name, "must hold strings only");
		texts[(*n)++] = jx_text(one);
	}
	return 0;
}
