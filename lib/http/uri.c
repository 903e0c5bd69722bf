/* uri: paths and queries, decoded piece by piece so that an encoded separator separates nothing. */
#include "lib/http/uri.h"
#include "lib/base/codec.h"
#include "lib/base/utf8.h"
#include <string.h>

/* Unreserved characters (RFC 3986). */
static const bool plain[256] = {['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true,
				['.'] = true,         ['_'] = true,         ['~'] = true};

/* NULL where the piece is broken. */
static const char *decode(struct arena *a, const char *s, size_t n, bool plus)
{
	char *copy = arena_strndup(a, s, n);
	size_t i = 0;

	while (i < n && plain[(unsigned char)s[i]])
		i++;
	if (i == n)
		return copy;
	if (!percent_decode(copy, &n, plus) || !utf8_valid(copy, n) || utf8_has_control(copy, n, plus ? "\t\r\n" : ""))
		return NULL;
	return copy;
}

int uri_path(struct arena *a, const char *path, size_t n, const char **segments, size_t max, size_t *count,
	     struct err *e)
{
	const char *p = path, *end = path + n;

	*count = 0;
	if (n == 0 || *p != '/')
		return err_set(e, ERR_BAD_REQUEST, NULL, "the request target is not a path");
	while (p < end) {
		const char *from = ++p;
		const char *slash = memchr(from, '/', (size_t)(end - from));

		p = slash ? slash : end;
		if (*count == max)
			return err_set(e, ERR_NOT_FOUND, NULL, "no such path");
		segments[*count] = decode(a, from, (size_t)(p - from), false);
		if (!segments[(*count)++])
			return err_set(e, ERR_BAD_REQUEST, NULL, "the path is not percent-encoded UTF-8");
	}
	return 0;
}

int uri_query(struct arena *a, const char *query, size_t n, struct uri_pair *pairs, size_t max, size_t *count,
	      struct err *e)
{
	const char *p = query, *end = query + n;

	*count = 0;
	while (n && p <= end) {
		const char *and = memchr(p, '&', (size_t)(end - p));
		const char *stop = and? and : end;
		const char *equals = memchr(p, '=', (size_t)(stop - p));
		struct uri_pair pair;

		if (!equals || equals == p)
			return err_set(e, ERR_BAD_REQUEST, NULL, "the query is not name=value&name=value");
		if (*count == max)
			return err_set(e, ERR_BAD_REQUEST, NULL, "the query has over %zu parameters", max);
		pair.name = decode(a, p, (size_t)(equals - p), true);
		pair.value = decode(a, equals + 1, (size_t)(stop - equals - 1), true);
		if (!pair.name || !pair.value)
			return err_set(e, ERR_BAD_REQUEST, pair.name, "the query is not percent-encoded UTF-8");
		for (size_t i = 0; i < *count; i++)
			if (!strcmp(pairs[i].name, pair.name))
				return err_set(e, ERR_BAD_FIELD, pair.name, "given twice");
		pairs[(*count)++] = pair;
		p = stop + 1;
	}
	return 0;
}

void uri_encode(struct strbuf *b, const char *s, size_t n)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (plain[c])
			continue;
		strbuf_add(b, s + from, i - from);
		strbuf_add(b, (const char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
		from = i + 1;
	}
	strbuf_add(b, s + from, n - from);
}
