/* http_head: the head of one HTTP/1.1 request (RFC 9112), read by llhttp as it comes in. Knows no socket. */
#pragma once
#include "lib/base/base.h"

#define HTTP_HEAD_MAX 16384 /* bytes; the web server in front must have the smaller limit */
#define HTTP_HEADERS_MAX 100

struct http_head;

enum http_parsed {
	HTTP_MORE,      /* it is not whole yet */
	HTTP_WHOLE,     /* what comes behind it is http_head_rest() */
	HTTP_TOO_LARGE, /* over one of the bounds */
	HTTP_BROKEN,    /* not HTTP */
};

struct http_head *http_head_new(void);
void http_head_free(struct http_head **h); /* wiped: it holds credentials. NULL is fine */
/* Wiped too, as a new one; it keeps its memory. */
void http_head_reset(struct http_head *h);

/* Room for bytes that come in, at most HTTP_HEAD_MAX in all; then how many came. */
char *http_head_room(struct http_head *h, size_t *n);
void http_head_came(struct http_head *h, size_t n);
bool http_head_full(const struct http_head *h);
bool http_head_large(const struct http_head *h); /* it has more memory than most need */
/* All that came, the head and what is behind it. */
const char *http_head_bytes(const struct http_head *h, size_t *n);

/* Reads what came since. */
enum http_parsed http_head_parse(struct http_head *h);

/* --- of a whole one */

/* What came behind it, as the beginning of the next one; NULL: nothing. */
struct http_head *http_head_rest(const struct http_head *h);
bool http_is_get(const struct http_head *h);
bool http_is_head(const struct http_head *h);
bool http_path_is(const struct http_head *h, const char *path);
const char *http_query(const struct http_head *h, size_t *n); /* what stands behind the `?`, undecoded */
/* The value, NUL-terminated in out; NULL: absent; "": empty, there twice, or too long for out. */
const char *http_header(const struct http_head *h, const char *name, char *out, size_t size);
/* The same, as long as it is, wiped and free()d by the caller; max: the most, with the NUL. */
char *http_header_whole(const struct http_head *h, const char *name, size_t max);
/* The same of the last one with this name, where a list may be spread over several (RFC 9110, 5.3). */
const char *http_header_last(const struct http_head *h, const char *name, char *out, size_t size);
/* "Connection: Upgrade" with an Upgrade header that names what. */
bool http_upgrades_to(const struct http_head *h, const char *what);
/* The connection is not to go on behind the answer: the client says so, or sends a body, which nobody reads. */
bool http_is_last(const struct http_head *h);
