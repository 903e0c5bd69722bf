/* pgconn: one non-blocking connection in pipeline mode that knows no event loop. Its owner watches the descriptor it
 * names and calls pgconn_ready() and pgconn_tick(). It connects at once, and again with back-off (50 ms to 2 s, jitter)
 * after a loss; names of servers are looked up by threads (hosts.h); a server that gives no answer for 3 s beyond the
 * statement time-out counts as one. One thread. Callbacks never run inside pgconn_query(), pgconn_new() or
 * pgconn_close(). */
#pragma once
#include "lib/base/err.h"
#include "lib/db/result.h"
#include "gen/stmt_ids.h"
struct config;

enum { PGCONN_READ = 1, PGCONN_WRITE = 2 };

struct pgconn_hooks {
	/* Watch fd for events (a set of the above; 0: nothing). fd is -1 when there is none any more: forget the last
	 * one, which may be closed already. May be called from any pgconn_ function. */
	void (*watch)(void *arg, int fd, int events);
	/* The connection is ready for queries (settings made), or lost; NULL is fine. Queries under way have been
	 * failed before. */
	void (*up)(void *arg);
	void (*down)(void *arg);
	/* A notification; NULL is fine. payload is valid during the call. */
	void (*notify)(void *arg, const char *payload, size_t n);
};

struct pgconn;

/* name: for the log and application_name. listen: a channel to LISTEN on before up() (NULL: none); such a connection is
 * not in pipeline mode for that. settings: "SET …; SET …" run at each connect (NULL: none). */
struct pgconn *pgconn_new(const struct config *c, const char *name, const char *listen, const char *settings,
			  const struct pgconn_hooks *hooks, void *arg);
void pgconn_close(struct pgconn **p); /* forgets queries under way without calling back */
bool pgconn_is_up(const struct pgconn *p);
/* Drops the connection and connects again: for a listener whose round trip has failed. */
void pgconn_reset(struct pgconn *p, const char *why);

/* The same for one that has owed an answer for ms, or, where idle is set, owes none: either may be half-dead. */
void pgconn_reset_silent(struct pgconn *p, int64_t now, int64_t ms, bool idle);

void pgconn_ready(struct pgconn *p, int events);
/* now: clock_mono_ms(). Returns when to call again at the latest (mono ms). */
int64_t pgconn_tick(struct pgconn *p, int64_t now);

/* Called when the statement's transaction has ended. r is valid during the call. Where e is set the statement failed:
 * ERR_UNAVAILABLE (never sent, or lost before an answer came), or as dberr_set() says; r is then the server's error, or
 * NULL. */
typedef void (*pgconn_done)(void *arg, const PGresult *r, const struct err *e);

/* Queues one statement, each with its own Sync; params.h has types. Returns an id for pgconn_forget(), never 0. While
 * the connection is down it waits for it, at most `wait` milliseconds (0: fail at once when down). */
uint64_t pgconn_query(struct pgconn *p, enum stmt_id stmt, int64_t wait, pgconn_done done, void *arg, const char *types,
		      ...);
/* Sends on what the connection did not take of a query at once, as pgconn_ready() does where there is room; for an
 * owner who will be busy for a while. Callbacks never run inside. */
void pgconn_push(struct pgconn *p);
/* The answer of this query is not wanted any more: done will not be called. Unknown ids are fine. */
void pgconn_forget(struct pgconn *p, uint64_t id);
size_t pgconn_pending(const struct pgconn *p);
/* The server process's id as the connection's start told it: a pooler tells one of its own. 0 while down. */
int pgconn_backend(const struct pgconn *p);
