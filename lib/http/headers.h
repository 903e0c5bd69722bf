/* headers: what every answer bears, whichever program makes it, so that it is there behind any web server too. Those of
 * conf/ say the same, in place of these. */
#pragma once
#include "lib/base/strbuf.h"

struct headers {
	const char *cache_control;
	const char *policy;   /* Content-Security-Policy */
	const char *referrer; /* Referrer-Policy */
};

/* Of what is no page: a browser does nothing with it, and nobody keeps it. */
extern const struct headers headers_api;

/* Appends the lines, PulseChat-Request-Id among them. */
void headers_add(struct strbuf *b, const struct headers *h, const char *request_id);
