/* sigv4_private: what making and checking a signature share. */
#pragma once
#include "lib/base/arena.h"
#include "lib/store/sigv4.h"

#define SIGV4_ALGORITHM "AWS4-HMAC-SHA256"
#define SIGV4_PAYLOAD "UNSIGNED-PAYLOAD"
#define SIGV4_DATE_SIZE 17 /* "20260115T120000Z" and a NUL */
#define SIGV4_QUERY_MAX 40
#define SIGV4_HEADERS_MAX 20

/* A request in its canonical form. Query: names and values encoded, without the signature. Headers: lower-case names,
 * host among them. Both are sorted by sigv4_sign. */
struct sigv4_canonical {
	const char *method, *path, *date;
	struct sigv4_pair query[SIGV4_QUERY_MAX];
	size_t n_query;
	struct sigv4_pair headers[SIGV4_HEADERS_MAX];
	size_t n_headers;
};

/* Percent-encodes all but unreserved characters and slashes. */
void sigv4_path_add(struct strbuf *b, const char *s);
/* Without blanks at its ends, and with one in place of several. */
char *sigv4_header_value(struct arena *a, const char *s);
void sigv4_headers_sort(struct sigv4_canonical *c);
/* "content-length;host" of sorted headers. */
void sigv4_signed_names(const struct sigv4_canonical *c, struct strbuf *b);
/* Sorts the query and writes the signature: 64 hex digits and a NUL. False where the whole is larger than any request.
 */
bool sigv4_sign(struct sigv4_canonical *c, const struct sigv4_credentials *k, char signature[65]);
void sigv4_query_add(struct strbuf *b, const struct sigv4_canonical *c);
