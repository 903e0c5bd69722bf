/* presence: who is there by this process (doc/presence.md). Told of the beginning and end of receivers, it keeps their
 * instances (tabs, programs) and says by leases in the database that their users are there: a row for the process,
 * renewed, and a row for each user, written when it changes. What is due within 50 ms is one statement. It also sweeps
 * what has run out, of whichever process. Knows no loop and no transport. One thread; no call blocks nor calls back. */
#pragma once
#include "lib/base/base.h"
struct config;
struct pgconn;
struct presence;
struct presence_instance; /* one open tab or running program of a user */

#define PRESENCE_MERGE_MS 50

struct presence_hooks {
	struct pgconn *(*pick)(void *arg); /* a connection for a statement */
};

struct presence *presence_new(const struct config *c, const struct presence_hooks *hooks, void *arg);
/* A statement under way is forgotten with its connection, which is closed before. Instances that are held are invalid.
 */
void presence_free(struct presence **p);

/* ---- receivers. now: mono ms. instance: a UUID, or NULL: one for each session */

/* A stream begins, which may be one of several of its instance. Never NULL; presence_end() gives it back. That it
 * begins is no input. */
struct presence_instance *presence_begin(struct presence *p, int64_t user, int64_t session, const char *instance,
					 int64_t now);
/* The stream has ended. The instance goes on for the grace, so that a reload shows nothing to anyone. Sets *i to NULL;
 * NULL is fine. */
void presence_end(struct presence *p, struct presence_instance **i, int64_t now);
/* A poll has arrived, which may wait for wait_ms: its instance lives for so long and [presence] poll_slack. How it ends
 * does not matter, since web servers do not tell. active: it brings input. */
void presence_poll(struct presence *p, int64_t user, int64_t session, const char *instance, int64_t wait_ms,
		   bool active, int64_t now);

/* Input just now; no input any more (a locked screen: away without waiting). */
void presence_active(struct presence *p, struct presence_instance *i, int64_t now);
void presence_idle(struct presence *p, struct presence_instance *i, int64_t now);

/* ---- news from the bus */

/* The session (0: each of the user's) has ended: what was there by it is gone at once. */
void presence_signed_out(struct presence *p, int64_t user, int64_t session, int64_t now);
/* What an instance says by way of another process (kind b): {"instance":"…"} it has gone, or with
 * "input":"active"|"idle". */
void presence_notice(struct presence *p, int64_t user, struct span json, int64_t now);

/* ---- time */

/* Returns when to call again at the latest (mono ms). Call it before the loop sleeps. */
int64_t presence_tick(struct presence *p, int64_t now);
/* A planned stop: all who are here by this process have the grace to come back elsewhere. */
void presence_stop(struct presence *p, int64_t now);
/* After presence_stop(): nothing is under way any more. */
bool presence_quiet(const struct presence *p);
