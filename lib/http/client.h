/* client: one HTTP exchange at a time with a peer that is known by configuration: bounded in time and size, no
 * redirects, https (plain http to a loopback address alone). Any thread; blocks. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"

struct http_header {
	const char *name, *value;
};

struct http_request {
	const char *url;
	const char *method; /* NULL: GET, with a body POST */
	const char *body;   /* NULL: none */
	size_t body_n;
	const char *type;            /* Content-Type of body, NULL: none */
	const char *user, *password; /* Basic authentication; NULL: none */
	int64_t timeout_ms;          /* for all of it; with sink 0 is any time */
	int64_t connect_ms;          /* until there is a connection; 0: timeout_ms */
	int64_t stall_ms;            /* seconds at least; over that without a byte it has failed; 0: any time */
	size_t max_bytes;            /* of the answer's body */
	const struct http_header *headers;
	size_t n_headers;
	bool as_is; /* any type, and no encoding that would be undone */
	/* takes the body of a 2xx in pieces, in place of the answer's; false ends the exchange, which is no failure */
	bool (*sink)(void *arg, const uint8_t *p, size_t n);
	/* each header of the answer, as it was sent; values of over 1 KiB are left out */
	void (*header)(void *arg, const char *name, const char *value);
	void *arg; /* of both */
};

struct http_answer {
	int status;
	struct strbuf body;
	int64_t max_age_ms;     /* Cache-Control max-age; -1: not said, 0: no-store or no-cache too */
	int64_t retry_after_ms; /* Retry-After in seconds; 0: not said */
	int64_t date_s;         /* Date, seconds since 1970; 0: not said */
	char location[2049];    /* Location as sent; empty where it is absent or longer */
	bool unsent; /* where it failed: the request surely did not reach the peer, so that a retry is safe */
};

/* 0 with any status, or -1 with ERR_UNAVAILABLE (no connection, time-out, cut short, over max_bytes). The cause is
 * logged; neither body, password nor query ever is. */
MUST_CHECK int http_fetch(const struct http_request *q, struct http_answer *a, struct err *e);
/* Before libcurl is used in another way than by http_fetch(). */
void http_prepare(void);
/* This process stops: exchanges and pauses under way end within a second or so, and later ones at once, as ones that
 * failed. */
void http_give_up(void);
/* Waits; false: given up. */
bool http_pause(int64_t ms);
/* Wipes and frees. */
void http_answer_release(struct http_answer *a);

#define HTTP_URL_MAX 2048
#define HTTP_URL_SIGNED_MAX ((size_t)16 << 10) /* what http_fetch takes: a signed query may bear a session token */

/* True where the URL is of at most HTTP_URL_MAX bytes, absolute, https or loopback http, without user, fragment, blanks
 * or control characters. */
bool http_url_allowed(const char *url);
/* Appends s in application/x-www-form-urlencoded. */
void http_form_encode(struct strbuf *b, const char *s);
/* Appends "name=value" for a form or query, with an & before it where b is neither empty nor ends in '?'. */
void http_form_add(struct strbuf *b, const char *name, const char *value);
