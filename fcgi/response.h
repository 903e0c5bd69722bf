/* response: an answer that grows, sent at once at the end. CR and LF never reach a header. */
#pragma once
#include "lib/auth/cookie.h"
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
struct io;
struct parked;
struct request;

#define RESPONSE_BODY_MAX ((size_t)64 << 20)

struct response {
	int status;                                    /* 200 at first */
	const char *type;                              /* Content-Type of a body; application/json at first */
	const char *cache_control, *policy, *referrer; /* as in lib/http/headers.h; those of headers_api at first */
	struct strbuf headers;                         /* further header lines */
	struct strbuf body;
	struct parked *parked; /* instead of all that: it is answered later, by another thread (fcgi/events.h) */
};

void response_init(struct response *r);
void response_release(struct response *r);
/* Forgets what was said so far. */
void response_restart(struct response *r);

/* Adds a header; may be called again for one that may stand twice (Set-Cookie). name and value are not checked beyond
 * CR, LF and NUL: such a header is left out and logged. */
void response_header(struct response *r, const char *name, const char *value);
void response_headerf(struct response *r, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Sets one of the site's cookies; max_age_ms 0 takes it away. */
void response_cookie(struct response *r, const struct config *c, enum cookie which, const char *value,
		     int64_t max_age_ms);
/* A redirect without a body. */
void response_redirect(struct response *r, int status, const char *location);
/* The same for a page that asked by fetch(): {"redirect":"…"}. */
void response_lead(struct response *r, const char *location);
/* application/problem+json in place of what was said so far; headers are forgotten. */
void response_problem(struct response *r, const struct err *e, const char *request_id);

/* Answers If-None-Match for a 200 with a body: sets ETag, and turns the answer into a 304 where it matches. */
void response_etag(struct response *r, const struct request *q);

/* The header lines and the empty line behind them. */
void response_head(const struct response *r, const char *request_id, struct strbuf *b);
/* Writes all of it. A 204 or 304, and an answer to HEAD, have no body. */
void response_send(struct response *r, const struct request *q);
