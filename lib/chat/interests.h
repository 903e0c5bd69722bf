/* interests: what an instance wants to be told of beside the log (doc/presence.md): channels that it looks at
 * (`focus`), people whose presence it shows (`watch`). Any thread. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
struct jx;

#define INTEREST_CHANNELS_MAX 8
#define INTEREST_USERS_MAX 200

struct interests {
	bool focus, watch; /* named at all, be it as none */
	size_t channels_n, users_n;
	int64_t channels[INTEREST_CHANNELS_MAX], users[INTEREST_USERS_MAX]; /* ascending, none twice */
};

/* The values of focus= and watch= in a query, ids with commas between; NULL: not there. ERR_BAD_FIELD. */
MUST_CHECK int interests_parse(const char *focus, const char *watch, struct interests *out, struct err *e);
/* The member `channels` or `users` of an op. ERR_BAD_FIELD. */
MUST_CHECK int interests_focus(const struct jx *o, struct interests *out, struct err *e);
MUST_CHECK int interests_watch(const struct jx *o, struct interests *out, struct err *e);

/* What is passed to the process that holds an instance's stream (kind o, doc/events.md): as JSON, and back. */
void interests_notice(struct strbuf *b, const char *instance, const struct interests *i);
MUST_CHECK bool interests_from_notice(struct span json, char instance[37], struct interests *out);
