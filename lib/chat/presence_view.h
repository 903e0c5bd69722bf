/* presence_view: presence by a blocking connection, for those who ask and for processes that hold no receivers
 * (doc/presence.md; lib/live/presence.h is for those that do). */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/chat/page.h"
struct config;
struct db;

#define PRESENCE_IDS_MAX 200

/* Appends {"presence":[…]}: of those of the ids with whom the asker shares a channel, and of himself. */
MUST_CHECK int presence_list(struct db *d, const struct config *c, int64_t asker, const int64_t *ids, size_t n,
			     struct strbuf *b, struct page *p, struct err *e);

/* What an instance says without a stream: input "active" or "idle", or NULL: it has gone. Whoever holds it hears of it.
 */
MUST_CHECK int presence_say(struct db *d, const struct config *c, int64_t user, const char *instance, const char *input,
			    struct err *e);

/* A poll that was answered at once, in a process that keeps nothing; looks for what has run out, too. */
MUST_CHECK int presence_polled(struct db *d, const struct config *c, int64_t user, bool active, struct err *e);

/* Looks for what has run out; whole: at everything. */
MUST_CHECK int presence_sweep(struct db *d, const struct config *c, bool whole, struct err *e);
/* How often that is to be done, and for how long nobody need have done it before all are given time to come back (the
 * database or everyone was away; less, and no process's lease can have run out for that). In ms. */
int64_t presence_sweep_each(const struct config *c);
int64_t presence_sweep_gap(const struct config *c);
