/* jx: strict JSON in. jansson judges; where it refuses, jx_path() works out which member was at fault. */
#include "lib/json/jx.h"
#include "lib/base/codec.h"
#include "lib/base/utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATH_MAX_BYTES 80

/* Walks the text up to byte `at` and names the member there: "body.text", "members". Tolerant: the text is known to be
 * broken. Only where something was refused, so it costs well-formed input nothing. */
static void path_at(const char *p, size_t n, size_t at, char out[PATH_MAX_BYTES])
{
	struct {
		size_t key, key_n;
		bool object;
	} level[JX_DEPTH_MAX + 1] = {0};
	int depth = -1;
	size_t used = 0;

	for (size_t i = 0; i < n && i < at; i++) {
		if (p[i] == '{' || p[i] == '[') {
			if (depth == JX_DEPTH_MAX)
				break;
			level[++depth].object = p[i] == '{';
			level[depth].key_n = 0;
		} else if ((p[i] == '}' || p[i] == ']') && depth >= 0) {
			depth--;
		} else if (p[i] == '"') {
			size_t from = ++i;

			while (i < n && p[i] != '"')
				i += p[i] == '\\' ? 2 : 1;
			if (i >= at || i >= n)
				break; /* the fault is in this string: of a value, its key is known; of a key, the one
					  before is named */
			for (size_t k = i + 1; depth >= 0 && level[depth].object && k < n; k++) {
				if (p[k] == ' ' || p[k] == '\t' || p[k] == '\n' || p[k] == '\r')
					continue;
				if (p[k] == ':') {
					level[depth].key = from;
					level[depth].key_n = i - from;
				}
				break;
			}
		}
	}
	out[0] = 0;
	for (int d = 0; d <= depth; d++) {
		const char *key = p + level[d].key;
		size_t len = level[d].key_n;

		if (!level[d].object || !len)
			continue;
		if (used + len + 2 > PATH_MAX_BYTES || !utf8_valid(key, len) || utf8_has_control(key, len, ""))
			break;
		used += (size_t)snprintf(out + used, PATH_MAX_BYTES - used, "%s%.*s", used ? "." : "", (int)len, key);
	}
}

static size_t depth_of(const char *p, size_t n, size_t *deepest_at)
{
	size_t depth = 0, most = 0;
	bool in_string = false;

	for (size_t i = 0; i < n; i++) {
		if (in_string) {
			if (p[i] == '\\')
				i++;
			else if (p[i] == '"')
				in_string = false;
			continue;
		}
		if (p[i] == '"') {
			in_string = true;
		} else if (p[i] == '{' || p[i] == '[') {
			if (++depth > most) {
				most = depth;
				*deepest_at = i;
			}
			if (most > JX_DEPTH_MAX)
				return most;
		} else if ((p[i] == '}' || p[i] == ']') && depth) {
			depth--;
		}
	}
	return most;
}

static int refuse(const char *p, size_t n, size_t at, const char *why, struct err *e)
{
	char path[PATH_MAX_BYTES];

	path_at(p, n, at, path);
	if (path[0])
		return err_set(e, ERR_BAD_FIELD, path, "%s", why);
	return err_set(e, ERR_BAD_REQUEST, NULL, "not acceptable JSON: %s", why);
}

/* jansson's own words for a few frequent faults are about its inside. */
static const char *reason(const json_error_t *je)
{
	switch (json_error_code(je)) {
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "contains the character U+0000";
	case json_error_invalid_utf8:
		return "is not valid UTF-8";
	case json_error_numeric_overflow:
		return "is a number out of range";
	case json_error_duplicate_key:
		return "is given twice";
	case json_error_premature_end_of_input:
		return "ends too early";
	case json_error_end_of_input_expected:
		return "has text after its end";
	default:
		return strstr(je->text, "Unicode") ? "contains half of a surrogate pair" : "is not well formed";
	}
}

/* A duplicate key is reported behind it; the path must name it and not its forerunner. */
static size_t fault_position(const char *p, size_t n, const json_error_t *je)
{
	size_t at = je->position < 0 ? 0 : (size_t)je->position;

	if (json_error_code(je) == json_error_duplicate_key)
		while (at < n && p[at] != ',' && p[at] != '}')
			at++;
	return MIN_OF(at, n);
}

int jx_parse(const char *p, size_t n, json_t **out, struct err *e)
{
	json_error_t je;
	size_t deepest = 0;
	json_t *root;

	if (memchr(p, 0, n))
		return refuse(p, n, (size_t)((const char *)memchr(p, 0, n) - p), "contains the character U+0000", e);
	if (depth_of(p, n, &deepest) > JX_DEPTH_MAX)
		return err_set(e, ERR_BAD_REQUEST, NULL, "not acceptable JSON: nested deeper than %d", JX_DEPTH_MAX);
	root = json_loadb(p, n, JSON_REJECT_DUPLICATES, &je);
	if (!root)
		return refuse(p, n, fault_position(p, n, &je), reason(&je), e);
	if (!json_is_object(root)) {
		json_decref(root);
		return err_set(e, ERR_BAD_REQUEST, NULL, "expected a JSON object");
	}
	*out = root;
	return 0;
}

static int fault(struct err *e, const char *path, const char *name, const char *fmt, ...) PRINTF_LIKE(4, 5);
static int fault(struct err *e, const char *path, const char *name, const char *fmt, ...)
{
	char field[PATH_MAX_BYTES], detail[128];
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

	return n == 0 || strlen(path) + n >= PATH_MAX_BYTES || utf8_has_control(key, n, "") ? "?" : key;
}

int jx_only(const json_t *o, const char *path, const char *const *names, struct err *e)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)o, key, value)
	{
		const char *const *at = names;

		while (*at && strcmp(*at, key) != 0)
			at++;
		if (!*at)
			return fault(e, path, shown(path, key), "is not known here");
	}
	return 0;
}

/* 1: there, 0: an optional one that is not, -1: missing. */
static int member(const json_t *o, const char *path, const char *name, int flags, json_t **v, struct err *e)
{
	*v = json_object_get(o, name);
	if (*v && !json_is_null(*v))
		return 1;
	if (flags & JX_OPTIONAL)
		return 0;
	return fault(e, path, name, "is missing");
}

int jx_int(const json_t *o, const char *path, const char *name, int flags, int64_t min, int64_t max, int64_t *out,
	   struct err *e)
{
	json_t *v;
	int there = member(o, path, name, flags, &v, e);

	if (there <= 0)
		return there;
	if (!json_is_integer(v))
		return fault(e, path, name, "must be a whole number");
	if (json_integer_value(v) < min || json_integer_value(v) > max)
		return fault(e, path, name, "must be between %lld and %lld", (long long)min, (long long)max);
	*out = json_integer_value(v);
	return 0;
}

int jx_string(const json_t *o, const char *path, const char *name, int flags, size_t min, size_t max, struct span *out,
	      struct err *e)
{
	json_t *v;
	int there = member(o, path, name, flags, &v, e);
	size_t points;

	if (there <= 0)
		return there;
	if (!json_is_string(v))
		return fault(e, path, name, "must be a string");
	points = utf8_length(json_string_value(v), json_string_length(v));
	if (points < min)
		return min == 1 ? fault(e, path, name, "must not be empty")
				: fault(e, path, name, "must have at least %zu characters", min);
	if (points > max)
		return fault(e, path, name, "has %zu characters; at most %zu are allowed", points, max);
	out->p = json_string_value(v);
	out->n = json_string_length(v);
	return 0;
}

int jx_bool(const json_t *o, const char *path, const char *name, int flags, bool *out, struct err *e)
{
	json_t *v;
	int there = member(o, path, name, flags, &v, e);

	if (there <= 0)
		return there;
	if (!json_is_boolean(v))
		return fault(e, path, name, "must be true or false");
	*out = json_is_true(v);
	return 0;
}

int jx_uuid(const json_t *o, const char *path, const char *name, unsigned char out[16], struct err *e)
{
	json_t *v;

	if (member(o, path, name, JX_REQUIRED, &v, e) < 0)
		return -1;
	if (!json_is_string(v) || !uuid_parse(json_string_value(v), json_string_length(v), out))
		return fault(e, path, name, "must be a UUID in its canonical lower-case form");
	return 0;
}

int jx_object(const json_t *o, const char *path, const char *name, int flags, const json_t **out, struct err *e)
{
	json_t *v;
	int there = member(o, path, name, flags, &v, e);

	if (there <= 0)
		return there;
	if (!json_is_object(v))
		return fault(e, path, name, "must be an object");
	*out = v;
	return 0;
}

int jx_ids(const json_t *o, const char *path, const char *name, int flags, int64_t *ids, size_t max, size_t *n,
	   struct err *e)
{
	json_t *v, *item;
	int there = member(o, path, name, flags, &v, e);
	size_t i;

	if (there <= 0) {
		*n = 0;
		return there;
	}
	if (!json_is_array(v))
		return fault(e, path, name, "must be an array of ids");
	if (json_array_size(v) > max)
		return fault(e, path, name, "has %zu ids; at most %zu are allowed", json_array_size(v), max);
	json_array_foreach(v, i, item)
	{
		if (!json_is_integer(item) || json_integer_value(item) < 1)
			return fault(e, path, name, "must hold positive whole numbers only");
		ids[i] = json_integer_value(item);
	}
	*n = json_array_size(v);
	return 0;
}
