/* member: who is in a channel. All errors as access.h and db.h say. */
#pragma once
#include "lib/base/strbuf.h"
#include "lib/chat/page.h"
#include "lib/base/err.h"
struct acting;
struct config;
struct db;

/* Appends {"members":[…],"next":…} for a member. */
MUST_CHECK int member_list(struct db *d, int64_t channel, int64_t reader, int64_t after, int64_t limit,
			   struct strbuf *b, struct page *p, struct err *e);
/* Puts newcomer in: actor himself into a public channel, or another by a member. *again: he is in already. */
MUST_CHECK int member_add(struct db *d, const struct config *c, int64_t channel, int64_t actor, int64_t newcomer,
			  bool *again, struct err *e);
/* Appends a Member. ERR_NOT_FOUND. */
MUST_CHECK int member_get(struct db *d, int64_t channel, int64_t user, struct strbuf *b, struct err *e);
/* Ends a membership; of one who is not in it is harmless. reason: told to him and kept, where it is another's. */
MUST_CHECK int member_remove(struct db *d, const struct acting *who, int64_t channel, int64_t leaver,
			     const char *reason, struct err *e);
