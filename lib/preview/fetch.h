/* fetch: asks a stranger's server for a page, with care (doc/previews.md). Blocks; any thread. */
#pragma once
#include "lib/base/strbuf.h"
#include "lib/preview/guard.h"

#define FETCH_REDIRECTS_MAX 3
#define FETCH_HOST_MAX 256

struct fetch {
	const struct guard *guard;
	int64_t timeout_ms; /* for all of it */
	size_t max_bytes;   /* of the page, unpacked: what comes behind is not read */
	bool (*go_on)(void *arg);
	void *arg;
};

struct fetched {
	struct strbuf html;
	char charset[64];          /* as its type says; empty: it does not */
	char host[FETCH_HOST_MAX]; /* where it came from in the end, as in DNS */
	const char *why;           /* where there is nothing: what stood in the way, for the log */
};

/* The host of a link as it would be asked, in lower case, or false where it would not be: scheme, port, a user in it,
 * no host. */
bool fetch_host(const struct guard *g, const char *url, char host[FETCH_HOST_MAX]);
/* True with a page of HTML, or its beginning. fetched_release() in any case. */
bool fetch_page(const struct fetch *f, const char *url, struct fetched *out);
void fetched_release(struct fetched *out);
