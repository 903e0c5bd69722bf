/* uri: strict reading and writing of request targets (RFC 3986): a path's segments and a query's pairs, each decoded by
 * itself. What is decoded is valid UTF-8 without control characters. Any thread. */
#pragma once
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/strbuf.h"

struct uri_pair {
	const char *name, *value;
};

/* "/a/b%20c" gives "a", "b c"; "/" gives one empty segment. ERR_BAD_REQUEST: no path, broken escapes, over max
 * segments. */
MUST_CHECK int uri_path(struct arena *a, const char *path, size_t n, const char **segments, size_t max, size_t *count,
			struct err *e);

/* "a=1&b=x+y" in its order, names not empty. ERR_BAD_REQUEST; ERR_BAD_FIELD where a name stands twice. */
MUST_CHECK int uri_query(struct arena *a, const char *query, size_t n, struct uri_pair *pairs, size_t max,
			 size_t *count, struct err *e);

/* Percent-encodes all but unreserved characters. */
void uri_encode(struct strbuf *b, const char *s, size_t n);
