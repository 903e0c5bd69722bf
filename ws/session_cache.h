/* session_cache: sessions that were found a moment ago, so that a client who polls is not looked up at each poll. What
 * ended one since is in the log: live_add() sees it by the place that is kept with it. One thread. */
#pragma once
#include "lib/auth/session.h"
#include "lib/live/live.h"

#define SESSION_KEPT_MS 1000 /* what nothing tells of (an end set by hand) is seen that much later */

struct session_cache;

struct session_cache *session_cache_new(void);
void session_cache_free(struct session_cache **c);

/* seen: live_here() from before it was looked up. now: mono ms. Only a live one is kept. */
void session_cache_put(struct session_cache *c, const char hash[SESSION_HASH_MAX], const struct session *s,
		       struct live_place seen, int64_t now);
/* False: it is not known, or no more. */
bool session_cache_get(struct session_cache *c, const char hash[SESSION_HASH_MAX], int64_t now, struct session *s,
		       struct live_place *seen);
void session_cache_drop(struct session_cache *c, const char hash[SESSION_HASH_MAX]);
/* The same by the session's id: it was seen to have ended. Walks through all. */
void session_cache_ended(struct session_cache *c, int64_t session);
