/* reaction: emoji on messages (doc/protocol.md, sections 3 and 4). Errors as access_code() and db.h say. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
struct db;

#define REACTION_EMOJI_MAX 20 /* different ones on a message */
#define REACTION_USERS_MAX 20 /* of each, that are told without being asked for */

/* Adds one's reaction (on) or takes it away, again is harmless; appends the message's reactions. emoji as the client
 * wrote it, of Unicode or the :name: of a custom one: ERR_BAD_FIELD where it is none. */
MUST_CHECK int reaction_set(struct db *d, int64_t channel, int64_t user, int64_t seq, const char *emoji, bool on,
			    struct strbuf *b, struct err *e);
/* Appends all reactions of a message, with those of the reader. */
MUST_CHECK int reaction_list(struct db *d, int64_t channel, int64_t reader, int64_t seq, struct strbuf *b,
			     struct err *e);
/* Appends a page of those who reacted with one emoji: after 0, or what the page before called next. */
MUST_CHECK int reaction_users(struct db *d, int64_t channel, int64_t reader, int64_t seq, const char *emoji,
			      int64_t after, int64_t limit, struct strbuf *b, struct err *e);
