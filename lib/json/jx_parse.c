/* jx_parse: yajl reads a copy of the text and tells of each value, which is noted down in front of the copy; strings
 * stay where they stand in it. What yajl takes and we do not is looked for here: see fit() and the callbacks. Where a
 * text is refused, path_at() works out which member was at fault. */
#include "lib/base/utf8.h"
#include "lib/json/jx_value.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#define PATH_MAX_BYTES 80
#define FEW_NAMES 16 /* of one object: compared each with each */

struct parse {
	const char *source;
	char *text; /* the copy */
	size_t n;
	yajl_handle yajl;
	bool ended; /* all is read: yajl is asked whether that was all */
	struct jx *root, *next;
	struct jx *open[JX_DEPTH_MAX]; /* containers */
	int depth;
	struct span name; /* of the value that comes next */
	size_t at;        /* where it is at fault: behind the byte, within the string */
	const char *why;
	bool too_deep;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* ---- refusing */

/* Walks the text up to byte `at` and names the member there: "body.text", "members", "sections[3].name". Tolerant: the
 * text is known to be broken. Only where something was refused, so it costs well-formed input nothing. */
static void path_at(const char *p, size_t n, size_t at, char out[PATH_MAX_BYTES])
{
	struct {
		size_t key, key_n, item;
		bool object;
	} level[JX_DEPTH_MAX + 1] = {0};
	int depth = -1;
	size_t used = 0;
	char before = 0; /* what was no blank */

	for (size_t i = 0; i < n && i < at; i++) {
		if (p[i] == '{' || p[i] == '[') {
			if (depth == JX_DEPTH_MAX)
				break;
			level[++depth].object = p[i] == '{';
			level[depth].key_n = level[depth].item = 0;
		} else if ((p[i] == '}' || p[i] == ']') && depth >= 0) {
			if (before == ':')
				break; /* the member has no value */
			depth--;
		} else if (p[i] == ',' && depth >= 0) {
			level[depth].item++;
		} else if (p[i] == '"') {
			size_t from = ++i;

			while (i < n && p[i] != '"')
				i += p[i] == '\\' ? 2 : 1;
			if (i >= at || i >= n)
				break; /* the fault is in this string: of a value, its key is known; of a key, the one
					  before is named */
			for (size_t k = i + 1; depth >= 0 && level[depth].object && k < n; k++) {
				if (is_blank(p[k]))
					continue;
				if (p[k] == ':') {
					level[depth].key = from;
					level[depth].key_n = i - from;
				}
				break;
			}
		}
		if (!is_blank(p[i]))
			before = p[i];
	}
	out[0] = 0;
	for (int d = 0; d <= depth; d++) {
		const char *key = p + level[d].key;
		size_t len = level[d].key_n;
		char item[24] = ""; /* of the array that holds it */

		if (!level[d].object || !len)
			continue;
		if (used && !level[d - 1].object)
			snprintf(item, sizeof(item), "[%zu]", level[d - 1].item);
		if (used + strlen(item) + len + 2 > PATH_MAX_BYTES || !utf8_valid(key, len) ||
		    utf8_has_control(key, len, ""))
			break;
		used += (size_t)snprintf(out + used, PATH_MAX_BYTES - used, "%s%s%.*s", item, used ? "." : "", (int)len,
					 key);
	}
}

static int refuse(const char *p, size_t n, size_t at, const char *why, struct err *e)
{
	char path[PATH_MAX_BYTES];

	path_at(p, n, at, path);
	if (path[0])
		return err_set(e, ERR_BAD_FIELD, path, "%s", why);
	return err_set(e, ERR_BAD_REQUEST, NULL, "not acceptable JSON: %s", why);
}

/* Returns false. */
static bool fault(struct parse *s, size_t at, const char *why)
{
	s->at = at;
	s->why = why;
	return false;
}

/* ---- what yajl would take, or would not tell of */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of an escape at p; -1: they are none. */
static long unit(const char *p, const char *end)
{
	long value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(p[i]);

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* Behind half a pair of surrogates, which yajl would make another character of; NULL: there is none. A backslash that
 * is in no string is none of ours: yajl refuses it. */
static const char *half_pair(const char *p, const char *end)
{
	while ((p = memchr(p, '\\', (size_t)(end - p))) && end - p >= 2) {
		long high = p[1] == 'u' ? unit(p + 2, end) : -1, low;

		p += high < 0 ? 2 : 6;
		if (high < 0xd800 || high > 0xdfff)
			continue;
		if (high > 0xdbff || end - p < 2 || p[0] != '\\' || p[1] != 'u')
			return p;
		low = unit(p + 2, end);
		if (low < 0)
			continue; /* yajl refuses it */
		p += 6;
		if (low < 0xdc00 || low > 0xdfff)
			return p;
	}
	return NULL;
}

/* False, with the reason, where bytes of the text make it unacceptable whatever is around them. */
static bool fit(struct parse *s)
{
	const char *p = s->source, *at;

	if (!s->n)
		return true;
	if ((at = memchr(p, 0, s->n)))
		return fault(s, (size_t)(at - p), "contains the character U+0000");
	if ((at = memchr(p, '\v', s->n)) || (at = memchr(p, '\f', s->n))) /* blanks to yajl */
		return fault(s, (size_t)(at - p), "is not well formed");
	if ((at = half_pair(p, p + s->n)))
		return fault(s, (size_t)(at - p), "contains half of a surrogate pair");
	return true;
}

/* ---- names */

static bool same_name(const struct jx *a, const struct jx *b)
{
	return a->name.n == b->name.n && !memcmp(a->name.p, b->name.p, a->name.n);
}

/* By name, then by place. */
static int by_name(const void *pa, const void *pb)
{
	const struct jx *a = *(const struct jx *const *)pa, *b = *(const struct jx *const *)pb;
	int order = strcmp(a->name.p, b->name.p);

	return order ? order : a < b ? -1 : 1;
}

/* The later one of two members of the same name, NULL: there are none. */
static const struct jx *name_given_twice(const struct jx *o)
{
	const struct jx **all, *twice = NULL;
	size_t n = 0;

	if (o->count <= FEW_NAMES) {
		for (const struct jx *b = jx_first(o); b; b = jx_next(o, b))
			for (const struct jx *a = jx_first(o); a != b; a = jx_next(o, a))
				if (same_name(a, b))
					return b;
		return NULL;
	}
	all = xcalloc(o->count, sizeof(*all));
	for (const struct jx *v = jx_first(o); v; v = jx_next(o, v))
		all[n++] = v;
	qsort(all, n, sizeof(*all), by_name);
	for (size_t i = 1; i < n && !twice; i++)
		if (same_name(all[i - 1], all[i]))
			twice = all[i];
	free(all);
	return twice;
}

/* ---- what yajl tells: each of these returns whether it may go on */

/* Up to where yajl has read: behind what it tells of. */
static size_t read_so_far(const struct parse *s)
{
	return s->ended ? s->n : yajl_get_bytes_consumed(s->yajl);
}

static struct jx *add(struct parse *s, enum jx_kind kind)
{
	struct jx *v = s->next++;

	*v = (struct jx){.kind = kind, .values = 1, .name = s->name};
	s->name = (struct span){NULL, 0};
	if (s->depth)
		s->open[s->depth - 1]->count++;
	return v;
}

/* A string that yajl has read. It stays where it is, its NUL in the place of the closing quote; what escapes stand for
 * is never longer than they are. */
static bool keep(struct parse *s, const unsigned char *p, size_t n, struct span *out)
{
	size_t end = read_so_far(s) - 1;
	char *to = s->text + end - n;
	bool escapes = (const char *)p != to;

	if (escapes)
		memcpy(to, p, n);
	to[n] = 0;
	*out = (struct span){to, n};
	if (!utf8_valid(to, n))
		return fault(s, end, "is not valid UTF-8");
	if (escapes && memchr(to, 0, n))
		return fault(s, end + 1, "contains the character U+0000");
	return true;
}

static int on_null(void *arg)
{
	add(arg, JX_NULL);
	return true;
}

static int on_boolean(void *arg, int truth)
{
	add(arg, JX_BOOL)->truth = truth;
	return true;
}

/* Behind the number is a byte that is not of it. */
static int on_number(void *arg, const char *p, size_t n)
{
	struct parse *s = arg;
	struct jx *v = add(s, JX_INT);
	char *end;
	bool in_range;

	errno = 0;
	v->number = strtoll(p, &end, 10);
	in_range = errno != ERANGE;
	if (end != p + n) {
		v->kind = JX_REAL;
		v->text = (struct span){p, n};
		in_range = !isinf(strtod(p, NULL));
	}
	return in_range || fault(s, read_so_far(s), "is a number out of range");
}

static int on_string(void *arg, const unsigned char *p, size_t n)
{
	return keep(arg, p, n, &add(arg, JX_STRING)->text);
}

static int on_name(void *arg, const unsigned char *p, size_t n)
{
	struct parse *s = arg;

	return keep(s, p, n, &s->name);
}

static bool begin(struct parse *s, enum jx_kind kind)
{
	struct jx *v;

	s->too_deep = s->depth == JX_DEPTH_MAX;
	if (s->too_deep)
		return false;
	v = add(s, kind);
	s->open[s->depth++] = v;
	return true;
}

static int on_object(void *arg)
{
	return begin(arg, JX_OBJECT);
}

static int on_array(void *arg)
{
	return begin(arg, JX_ARRAY);
}

static int on_end(void *arg)
{
	struct parse *s = arg;
	struct jx *v = s->open[--s->depth];
	const struct jx *twice;

	v->values = (uint32_t)(s->next - v);
	twice = v->kind == JX_OBJECT ? name_given_twice(v) : NULL;
	return !twice || fault(s, (size_t)(twice->name.p + twice->name.n + 1 - s->text), "is given twice");
}

/* ---- the document */

/* Values of a text, at most: in front of each but the first is one of these, or a name behind one of these. */
static size_t values_at_most(const char *p, size_t n)
{
	static const unsigned char before[256] = {[','] = 1, ['['] = 1, ['{'] = 1};
	size_t count = 1;

	for (size_t i = 0; i < n; i++)
		count += before[(unsigned char)p[i]];
	return count;
}

/* False: yajl has refused, or a callback has, which has said why. */
static bool told(struct parse *s, yajl_status status, const char *why)
{
	if (status == yajl_status_error)
		return fault(s, read_so_far(s), why);
	return status == yajl_status_ok;
}

static bool whole(struct parse *s)
{
	size_t at;

	if (!told(s, yajl_parse(s->yajl, (const unsigned char *)s->text, s->n), "is not well formed"))
		return false;
	at = read_so_far(s);
	s->ended = true;
	if (!told(s, yajl_complete_parse(s->yajl), "ends too early"))
		return false;
	while (at < s->n && is_blank(s->source[at]))
		at++;
	return at == s->n || fault(s, at + 1, "has text after its end");
}

static void *yajl_malloc(void *arg, size_t n)
{
	(void)arg;
	return xmalloc(n);
}

static void *yajl_realloc(void *arg, void *p, size_t n)
{
	(void)arg;
	return xrealloc(p, n);
}

static void yajl_release(void *arg, void *p)
{
	(void)arg;
	free(p);
}

static bool read_text(struct parse *s)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null,
		.yajl_boolean = on_boolean,
		.yajl_number = on_number,
		.yajl_string = on_string,
		.yajl_start_map = on_object,
		.yajl_map_key = on_name,
		.yajl_end_map = on_end,
		.yajl_start_array = on_array,
		.yajl_end_array = on_end,
	};
	yajl_alloc_funcs memory = {.malloc = yajl_malloc, .realloc = yajl_realloc, .free = yajl_release};
	bool ok;

	s->yajl = yajl_alloc(&callbacks, &memory, s);
	/* It knows no overlong forms: keep() does. It overlooks text behind the end that is cut short: whole() does
	 * not. */
	yajl_config(s->yajl, yajl_dont_validate_strings, 1);
	yajl_config(s->yajl, yajl_allow_trailing_garbage, 1);
	ok = whole(s);
	yajl_free(s->yajl);
	return ok;
}

int jx_parse(const char *p, size_t n, struct jx **out, struct err *e)
{
	size_t values = values_at_most(p, n);
	struct parse s = {.source = p, .n = n};
	int rc;

	*out = NULL;
	if (!fit(&s))
		return refuse(p, n, s.at, s.why, e);
	s.root = s.next = xmalloc(values * sizeof(*s.root) + n + 1);
	s.text = (char *)(s.root + values);
	if (n)
		memcpy(s.text, p, n);
	s.text[n] = 0;
	if (read_text(&s) && s.root->kind == JX_OBJECT) {
		*out = s.root;
		return 0;
	}
	if (s.too_deep)
		rc = err_set(e, ERR_BAD_REQUEST, NULL, "not acceptable JSON: nested deeper than %d", JX_DEPTH_MAX);
	else if (s.why)
		rc = refuse(p, n, s.at, s.why, e);
	else
		rc = err_set(e, ERR_BAD_REQUEST, NULL, "expected a JSON object");
	free(s.root);
	return rc;
}

void jx_free(struct jx **document)
{
	free(*document);
	*document = NULL;
}
