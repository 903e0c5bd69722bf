/* live_private: what the files of live share. */
#pragma once
#include "lib/bus/eventlog.h"
#include "lib/live/live.h"
#include "lib/live/ring.h"

struct state; /* lib/live/state.h */

#define INTAKE_PENDING_MAX 8192 /* events that wait behind a hole; more are read from the log later */
#define INTAKE_PENDING_BYTES ((size_t)16 << 20)
#define LIVE_LOG_READS 4 /* windows for receivers at a time */
#define LIVE_USER_LOADS 8
#define LIVE_HEAD_READS 8
#define LIVE_OWN_READS 8
#define LIVE_STATE_READS 4
#define LIVE_TYPING_SENDS 2
#define LIVE_RETRY_MS 500
#define LIVE_IDLE_MS 60000 /* a user without receivers is remembered for so long */
#define LIVE_IDLE_USERS 10000
#define RESUME_WINDOWS_MAX 400 /* of LOG_WINDOW_IDS: a cursor further behind gets a reset */
#define RESUME_SLICE_LINES 512 /* before it is the next one's turn */

enum read_kind { READ_HOLE, READ_LOG, READ_USER, READ_HEAD, READ_OWN, READ_STATE, READ_TYPING, READ_KINDS };

struct pending {
	struct event event; /* its json lies in line */
	struct line *line;  /* NULL: to be fetched */
	STAILQ_ENTRY(pending) list;
};

struct resume {       /* a receiver's way from its cursor to now */
	int64_t *ids; /* own events in the ring, ascending; NULL: to be collected */
	size_t n, at;
	int64_t upto; /* what they cover */
	size_t given; /* own events so far */
	int windows;  /* of the log so far */
	bool reading; /* a window is asked for */
};

struct live {
	struct live_limits limits;
	struct live_hooks hooks;
	void *arg;
	char mark[CURSOR_MARK_LEN + 1];
	unsigned epoch;
	int64_t opened_head; /* the log's head when this epoch was opened: what is up to it is old */
	int64_t log_head;    /* the highest head that any answer showed */
	bool ready, hears;
	struct ring *ring;
	struct audience *audience;
	/* intake */
	STAILQ_HEAD(, pending) pending;
	size_t pending_n, pending_bytes;
	int64_t target; /* the highest id heard of */
	bool want_head; /* read until the log's head */
	bool hole_asked;
	/* questions */
	struct {
		TAILQ_HEAD(reads, live_read) waiting, running;
		size_t waiting_n, running_n;
		int64_t not_before; /* mono ms; after a failure */
	} reads[READ_KINDS];
	TAILQ_HEAD(, receiver) work;
	bool reload; /* a user with receivers could not be loaded */
	struct state *state;
	struct strbuf scratch;
	struct live_stats stats;
};

/* reads */
void read_ask(struct live *l, enum read_kind kind, struct receiver *r, int64_t user, enum stmt_id stmt, int n,
	      const int64_t *params);
struct id_list {
	const int64_t *ids; /* copied */
	size_t n;
};
/* The same with lists before the parameters. */
void read_ask_lists(struct live *l, enum read_kind kind, struct receiver *r, enum stmt_id stmt, int lists_n,
		    const struct id_list *lists, int n, const int64_t *params, uint64_t stamp);
void read_free(struct live_read **q);
void reads_start(struct live *l, enum read_kind kind);
void reads_forget(struct live *l, const struct receiver *r);

/* intake */
void intake_start(struct live *l, int64_t head);
void intake_next(struct live *l);
void intake_rows(struct live *l, const struct live_read *q, const PGresult *r);
void intake_failed(struct live *l);
void intake_clear(struct live *l);

/* apply: the next event of the log, in its order; takes the line's reference */
void apply_event(struct live *l, const struct event *ev, struct line *line);
void apply_state(struct live *l, const struct event *ev);

/* own: the markers of a receiver's user. False: it wants none */
bool own_ask(struct live *l, struct receiver *r);
void own_doubt(struct receiver *r); /* the sums that it said are of other channels: what it asked for is told */
void own_again(struct live *l);     /* of all: notifications may have been lost */
void own_rows(const struct live_read *q, const PGresult *rows, const struct err *e);
/* resume */
void resume_begin(struct live *l, struct receiver *r);
void resume_advance(struct live *l, struct receiver *r);
void resume_end(struct live *l, struct receiver *r);
void resume_reset(struct live *l, struct receiver *r, const char *reason);
void resume_rows(struct live *l, struct live_read *q, const PGresult *rows);
void resume_head(struct live *l, struct receiver *r, int64_t head);

/* users */
void user_load(struct live *l, struct live_user *u);
void user_rows(struct live *l, struct live_read *q, const PGresult *rows, const struct err *e);
