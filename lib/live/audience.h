/* audience: who of those present in this process may see a channel. Subscriptions belong to the user, so a second tab
 * costs no second set. Loaded from the database once, then changed by the log alone, in its order. One thread. */
#pragma once
#include "lib/bus/payload.h"
#include <uthash.h>

struct receiver; /* lib/live/live.h */

struct membership {
	int64_t channel, since; /* since: the event id of the join; what is above it may be seen */
	int64_t first_seq;      /* of older messages nothing is told (doc/protocol.md, section 9) */
	size_t at;              /* where its user stands among the channel's */
};

struct live_user {
	int64_t id;
	bool loaded;                    /* the memberships are known */
	bool guest;                     /* what is for everyone is not for him (doc/roles.md) */
	bool loading;                   /* they are being read, or wait for it */
	struct membership *memberships; /* by channel, ascending */
	size_t memberships_n, memberships_cap;
	struct receiver *receivers; /* his connections and polls here: lib/live/live.c's list */
	size_t receivers_n;
	int64_t idle_since; /* mono ms, while there are no receivers: he stays known for a while, since polls come and
			       go */
	struct live_user *prev, *next; /* of the idle, oldest first */
	UT_hash_handle hh;
};

struct audience_member {
	struct live_user *user;
	int64_t since, first_seq;
};

struct audience;

struct audience *audience_new(void);
void audience_free(struct audience **a);

struct live_user *audience_find(const struct audience *a, int64_t user); /* NULL: not present */
struct live_user *audience_enter(struct audience *a, int64_t user);      /* found or made, not loaded */
void audience_forget(struct audience *a, struct live_user **u);          /* frees him; he has no receivers */
void audience_unload(struct audience *a, struct live_user *u);           /* forgets his memberships */
/* All present users, in no order: start with NULL; NULL ends it. */
struct live_user *audience_next(const struct audience *a, struct live_user *u);
size_t audience_users(const struct audience *a);

/* A join and a leave as the log tells them. Of users who are not present or not loaded nothing is kept. Again is
 * harmless; a join moves `since` and first_seq. */
void audience_join(struct audience *a, struct live_user *u, int64_t channel, int64_t since, int64_t first_seq);
void audience_leave(struct audience *a, struct live_user *u, int64_t channel);

/* -1: not a member. */
int64_t audience_since(const struct live_user *u, int64_t channel);
/* Of an event about a message that has been there its seq, which is its subject: not for members whose first_seq is
 * above it. Of any other INT64_MAX. */
static inline int64_t audience_about(char kind, int64_t subject)
{
	return kind == EVENT_REDACT || kind == EVENT_ABOUT ? subject : INT64_MAX;
}
/* Whether a member sees an event of the channel, which is not about his coming or going. */
bool audience_sees(const struct live_user *u, int64_t channel, int64_t id, char kind, int64_t subject);
/* The present members of a channel, *n of them; valid until the next change. */
const struct audience_member *audience_of(const struct audience *a, int64_t channel, size_t *n);

/* Those without receivers: oldest first. */
void audience_idle(struct audience *a, struct live_user *u, int64_t now);
void audience_wake(struct audience *a, struct live_user *u);
struct live_user *audience_oldest_idle(const struct audience *a);
size_t audience_idle_count(const struct audience *a);
