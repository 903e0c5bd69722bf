/* origin: may this request act under the cookie it brings (doc/protocol.md, section 1)? Browsers attach cookies to
 * requests that any page makes; a bearer token is attached by its program alone. Any thread. */
#pragma once
#include "lib/base/err.h"
struct config;

#define ORIGIN_MAX 300

enum origin_kind {
	ORIGIN_API,    /* /api/…, the long-poll included */
	ORIGIN_SOCKET, /* a WebSocket handshake */
	ORIGIN_PAGE,   /* /auth/… and pages: a person may also type their address */
	ORIGIN_LOGIN, /* GET /auth/login and /auth/callback: come from other sites by their nature, act on `state` alone
		       */
};

struct origin_request {
	enum origin_kind kind;
	const char *method;
	bool by_cookie;
	/* values of Origin, Sec-Fetch-Site and PulseChat-Client; NULL where absent */
	const char *origin, *sec_fetch_site, *client;
};

/* 0, or -1 with ERR_ORIGIN_REFUSED. */
MUST_CHECK int origin_check(const struct config *c, const struct origin_request *r, struct err *e);
/* The site's origin as browsers write it: lower case, without the scheme's own port. */
void origin_site(const struct config *c, char out[ORIGIN_MAX]);
