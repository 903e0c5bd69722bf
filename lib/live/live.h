/* live: delivers the log's events to receivers, each exactly once and in order, to those entitled. Feeds on
 * notifications, on what this process wrote itself and, where there is a hole, on the log; keeps the newest events
 * (ring.h) and who may see what (audience.h); lets a receiver catch up from its cursor before it is live. Knows no loop
 * and no transport: questions to the database go out by a hook and come back by live_answer(). One thread. */
#pragma once
#include "lib/base/err.h"
#include "lib/bus/cursor.h"
#include "lib/db/result.h"
#include "lib/live/audience.h"
#include "lib/live/line.h"
#include "gen/stmt_ids.h"
#include <sys/queue.h>
struct interests;
struct pgconn;
struct strbuf;
struct write_item;

#define LIVE_READ_PARAMS 5
#define LIVE_READ_LISTS 5

struct live;

/* A question: run stmt with its lists (int8[], 0, 2 or 5 of them) and then its n int8 parameters, then call
 * live_answer() once. */
struct live_read {
	enum stmt_id stmt;
	int n;
	int64_t params[LIVE_READ_PARAMS];
	int lists_n;
	struct {
		int64_t *ids;
		size_t n;
	} lists[LIVE_READ_LISTS];
	struct live *live;
	/* the rest is private */
	int kind;
	unsigned epoch;
	struct receiver *receiver; /* NULL: gone meanwhile */
	int64_t user;
	uint64_t stamp;
	TAILQ_ENTRY(live_read) list;
};

struct live_hooks {
	void (*read)(void *arg, struct live_read *q); /* does not answer from inside */
	void (*ready)(void *arg);                     /* the ring is loaded: receivers may be added. Once */
	void (*doubt)(void *arg);                /* the epoch may be another one: run live_open, then live_opened() */
	void (*test)(void *arg, int64_t number); /* a self-test's notification came in */
	/* For presence.h; NULL is fine. The session (0: each of the user's) has ended; an instance of the user says
	 * something by way of another process. */
	void (*signed_out)(void *arg, int64_t user, int64_t session);
	void (*said)(void *arg, int64_t user, struct span json);
};

struct live_limits {
	size_t ring_events, ring_bytes;
	size_t resume_events; /* own events a cursor may be behind */
	int64_t receipts_max; /* as [reads] */
	struct {              /* as [typing] */
		int64_t last, repeat, present_max;
	} typing;
};

/* ---- receivers: one open stream or one poll each */

enum live_end { LIVE_SESSION_ENDED, LIVE_DEACTIVATED };

enum receiver_state {
	RECEIVER_OUT,     /* not added, or ended: gets nothing */
	RECEIVER_LOADING, /* its user's memberships are being read */
	RECEIVER_HEAD,    /* its cursor is above all that is known here: the log's head is being read */
	RECEIVER_BEHIND,  /* catches up, from its cursor or from where it could take no more */
	RECEIVER_LIVE,
};

struct receiver;
/* None of them may add or remove receivers, nor feed the log: what must end is marked, and removed when the call has
 * returned. */
struct receiver_hooks {
	/* Its place is known (live_position()); lines follow. Once. */
	void (*begin)(struct receiver *r);
	/* Takes a reference on l. id: the event's, 0 for state. */
	void (*line)(struct receiver *r, struct line *l, int64_t id);
	/* Bytes that it takes while catching up; 0: none now, live_continue() says when. */
	size_t (*room)(struct receiver *r);
	/* It has all up to now. Again after each time it was behind. */
	void (*live)(struct receiver *r);
	/* It cannot follow from where it was: it stands at live_position() now, and is live. */
	void (*reset)(struct receiver *r, const char *reason);
	/* It cannot begin; it is out. */
	void (*refused)(struct receiver *r, const struct err *e);
	/* Its session or user has ended; the event itself was delivered before where it was live. It is out. */
	void (*ended)(struct receiver *r, enum live_end why);
	/* Whether its reader is quick enough for state. NULL: always. */
	bool (*takes_state)(const struct receiver *r);
	/* A poll's alone, which are told no state by line(): what it is interested in is known now (once), or, where it
	 * differs, is another state than its cursor says and worth an answer (live_state()). */
	void (*state)(struct receiver *r, bool differs);
};

#define LIVE_NOT_ASKED ((int64_t)-2)

struct receiver {
	const struct receiver_hooks *hooks;
	enum receiver_state state;
	bool began, has_cursor, in_work;
	/* Own `read` and `draft` lines are not logged. Where the user's read_versions, or the versions of his drafts,
	 * come to another sum than his instance knows of, it gets them all before live(). To be set before live_add().
	 */
	bool asks_own, told_own;           /* told_own: has asked; is told all of them again when notifications may have
						  been lost */
	int64_t reads_known, drafts_known; /* LIVE_NOT_ASKED: does not say */
	int64_t session;
	int64_t position; /* it has, or is not to get, what is up to this id; live_position() knows better while it is
			     live */
	struct cursor cursor;
	struct live_user *user;
	struct receiver *prev, *next; /* of its user */
	struct resume *resume;        /* while behind */
	TAILQ_ENTRY(receiver) work;
	const char *instance;      /* of a stream that can be told by the bus what to be interested in; NULL: none */
	struct interest *interest; /* beside the log; NULL: none */
};

/* The sums that its instance knows of, LIVE_NOT_ASKED where it says none. */
void receiver_asks(struct receiver *r, int64_t reads, int64_t drafts);

/* ---- */

struct live *live_new(const struct live_limits *limits, const struct live_hooks *hooks, void *arg);
/* Questions under way are forgotten: they are not to be answered any more. All receivers have been removed. */
void live_free(struct live **l);

/* The answer of live_open after the listener is up: at the start, after each reconnect, after doubt(). Reads the log up
 * to its head; under another mark than before it starts anew, with a reset for each receiver. True where the mark is
 * another one. */
bool live_opened(struct live *l, const char *mark, int64_t head);
/* A notification's payload. */
void live_payload(struct live *l, const char *payload, size_t n);
/* Where the listener hears, what this process wrote itself is delivered without waiting for its notification. */
void live_listening(struct live *l, bool hears);
/* An item that was stored just now. Items of a batch in their order. One with files waits for the bus: what is told of
 * them the database alone knows. */
void live_own(struct live *l, const struct write_item *item);
/* Looks for what no notification told of. */
void live_catch_up(struct live *l);
/* The log's head as some answer showed it: where it is above ours and nothing is under way to get there, the log is
 * read. */
void live_saw_head(struct live *l, int64_t head);

/* e is set where the question failed (r is then ignored). */
void live_answer(struct live_read *q, const PGresult *r, const struct err *e);

/* Retries, and forgets users who have been idle. now: mono ms. */
void live_tick(struct live *l, int64_t now);
/* Lets receivers catch up, for about budget_us microseconds. True where more is to do. */
bool live_work(struct live *l, int64_t budget_us);
bool live_has_work(const struct live *l); /* there is more to do */

/* Where this process stands, to be taken before a session is looked up. */
struct live_place {
	unsigned epoch;
	int64_t id;
};
struct live_place live_here(const struct live *l);

enum live_added {
	LIVE_ADDED,
	LIVE_AGAIN,       /* too much has passed since `seen`: look the session up again */
	LIVE_ENDED,       /* the session was ended since */
	LIVE_USER_CLOSED, /* the user was deactivated since */
};
/* r->hooks is set, all else zero. cursor NULL: from now. seen: live_here() from before the session was looked up. */
enum live_added live_add(struct live *l, struct receiver *r, int64_t user, int64_t session, struct live_place seen,
			 const struct cursor *cursor);
/* There is room again. */
void live_continue(struct live *l, struct receiver *r);
/* From inside hooks.line, of one that is live: it takes neither this line, of event id, nor what follows it, but gets
 * them from the ring or the log as it has room. */
void live_fall_behind(struct live *l, struct receiver *r, int64_t id);
/* Harmless for one that is not in. now: mono ms. */
void live_remove(struct live *l, struct receiver *r, int64_t now);

/* What r is told of beside the log, in place of what it was before (those of the two that are named). */
void live_interests(struct live *l, struct receiver *r, const struct interests *i);
/* The user of r types in a channel; thread: the root of one in it, 0: in the channel's line; seq: the last one of the
 * channel that his client knows, 0: unknown. That he does so too often is no error, nor a thread that is not there: the
 * statement passes him over. ERR_NOT_A_MEMBER. */
MUST_CHECK int live_type(struct live *l, const struct receiver *r, int64_t channel, int64_t thread, int64_t seq,
			 struct err *e);
/* Of a poll: appends the lines of the state that it is interested in, where that is another one than its cursor says.
 * digest: what the next cursor is to say. */
void live_state(const struct live *l, const struct receiver *r, struct strbuf *b, char digest[CURSOR_DIGEST_LEN + 1]);
/* When live_work() is wanted at the latest (mono ms), INT64_MAX: when something comes. */
int64_t live_next(const struct live *l);

/* Asks q by p, and has it answered. */
void live_read_query(struct live_read *q, struct pgconn *p, int64_t wait);

int64_t live_position(const struct live *l, const struct receiver *r);
const char *live_mark(const struct live *l); /* "" before the first live_opened() */
int64_t live_head(const struct live *l);
bool live_is_ready(const struct live *l);
bool live_reading(const struct live *l); /* a hole is being filled */

struct live_stats {
	uint64_t events, delivered; /* delivered: lines to receivers */
	uint64_t holes, log_reads, user_loads, resumes, resets;
	size_t users, ring_bytes, waiting_reads;
};
void live_stats(const struct live *l, struct live_stats *out);
