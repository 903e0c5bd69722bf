/* bus: the order after each connect: LISTEN, then the epoch, then the log from the last id, then on. */
#include "lib/live/bus.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/live/live.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SELF_TEST_MS 3000          /* between two */
#define SELF_TEST_LONGEST_MS 24000 /* between two while they fail: each takes a new connection */
#define SELF_TEST_ANSWER_MS 4000   /* for its transaction */
#define SELF_TEST_PATIENCE_MS 2500 /* for a notification to come, after its transaction */
#define DEAF_READ_MS 1000          /* the log is read so often while nothing is heard */
#define DEAF_SAY_MS 60000          /* it is said so often while it lasts */
#define START_MS 10000             /* after which a listener that never heard counts as deaf */
#define OPEN_RETRY_MS 500
#define OPEN_WAIT_MS 60000

enum hearing {
	HEARING_UNKNOWN, /* at the start; the log is read as while deaf */
	HEARS,           /* the last self-test came in over this connection */
	DEAF,
};

struct bus {
	struct live *live;
	struct bus_hooks hooks;
	void *arg;
	struct pgconn *conn;
	enum hearing hearing;
	bool opening;    /* live_open is under way */
	bool must_open;  /* … and is wanted (again) */
	int64_t seen;    /* our head when it was asked: what came since is no sign of anything */
	int64_t open_at; /* not before */
	int64_t test;    /* the number under way, 0: none */
	uint64_t test_query;
	struct pgconn *test_conn; /* owes the answer to test_query; NULL: has given it */
	int64_t test_sent_at, test_deadline, next_test, next_read;
	int64_t test_head; /* the log's head as of its transaction, 0: not known yet */
	int64_t test_seen; /* our head when it was sent */
	int tests_failed;  /* in a row */
	bool unanswered;   /* the last one failed so: other connections may be as dead */
	bool pooled;       /* a pooler stands between */
	int64_t deaf_since, said_at;
};

/* ---- the epoch */

static void open_epoch(struct bus *b);

static void on_opened(void *arg, const PGresult *r, const struct err *e)
{
	struct bus *b = arg;
	bool other;

	b->opening = false;
	if (e || result_rows(r) != 1) {
		b->must_open = true;
		b->open_at = clock_mono_ms() + OPEN_RETRY_MS;
		return;
	}
	if (result_int(r, 0, 1) < b->seen && live_mark(b->live)[0] && live_is_ready(b->live) &&
	    !strcmp(result_text(r, 0, 0), live_mark(b->live))) {
		/* the log has gone back under the same mark: a restored image */
		log_error("bus.head_went_back", "head=%" PRId64 " seen=%" PRId64, result_int(r, 0, 1), b->seen);
		b->opening = true;
		pgconn_query(b->hooks.pick(b->arg), STMT_live_renew, OPEN_WAIT_MS, on_opened, b, "t",
			     live_mark(b->live));
		return;
	}
	other = live_opened(b->live, result_text(r, 0, 0), result_int(r, 0, 1));
	if (other && b->hooks.renewed)
		b->hooks.renewed(b->arg);
	if (b->must_open)
		open_epoch(b);
}

static void open_epoch(struct bus *b)
{
	if (b->opening) {
		b->must_open = true;
		return;
	}
	b->must_open = false;
	b->opening = true;
	b->open_at = clock_mono_ms() + OPEN_RETRY_MS;
	b->seen = live_head(b->live);
	pgconn_query(b->hooks.pick(b->arg), STMT_live_open, OPEN_WAIT_MS, on_opened, b, "");
}

void bus_doubt(struct bus *b)
{
	b->must_open = true; /* the tick does it, not oftener than OPEN_RETRY_MS */
}

/* ---- the self-test */

static const char not_heard[] = "a notification to ourselves did not arrive";
static const char pooler[] = "a connection pooler that passes no notifications on: let [database] dsn name the server "
			     "itself, or a pool in session mode";

static void set_hearing(struct bus *b, enum hearing hearing, const char *why)
{
	int64_t now = clock_mono_ms();

	if (hearing == HEARS && b->hearing != HEARS)
		log_info("bus.heard", "deaf_ms=%" PRId64, now - b->deaf_since);
	if (hearing == HEARS)
		b->tests_failed = 0;
	if (hearing == DEAF && b->hearing == HEARS)
		b->deaf_since = now;
	if (hearing == DEAF && (b->hearing != DEAF || b->said_at + DEAF_SAY_MS <= now)) {
		b->said_at = now;
		log_error("bus.deaf", "cause=%s deaf_ms=%" PRId64 " reading_log_every_ms=%d", log_quote(why),
			  now - b->deaf_since, DEAF_READ_MS);
	}
	b->hearing = hearing;
	live_listening(b->live, hearing == HEARS);
}

/* What may have died without a word is connected anew. */
static void test_failed(struct bus *b, int64_t now)
{
	bool answered = !b->test_conn;
	const char *why = !answered ? "the database gives no answer to the self-test" : b->pooled ? pooler : not_heard;

	log_warning("bus.reset", "after_ms=%" PRId64 " answered=%d", now - b->test_sent_at, answered);
	if (!answered) {
		pgconn_forget(b->test_conn, b->test_query);
		b->hooks.reset_silent(b->arg, now, SELF_TEST_ANSWER_MS, true);
	}
	b->unanswered = !answered;
	b->test = 0;
	b->test_conn = NULL;
	b->tests_failed++;
	set_hearing(b, DEAF, why);
	pgconn_reset(b->conn, why);
}

static void on_tested(void *arg, const PGresult *r, const struct err *e)
{
	struct bus *b = arg;
	int64_t now = clock_mono_ms();
	int backend = b->test_conn ? pgconn_backend(b->test_conn) : 0;

	b->test_conn = NULL;
	if (e || result_rows(r) != 1) { /* says nothing about the listener */
		b->test = 0;
		b->next_test = now + SELF_TEST_MS;
		return;
	}
	b->pooled = backend && backend != result_int(r, 0, 3);
	if (strcmp(result_text(r, 0, 2), live_mark(b->live)) != 0) {
		bus_doubt(b);
		return;
	}
	b->test_head = result_int(r, 0, 1);
	if (b->test_head < b->test_seen) { /* the log has gone back */
		bus_doubt(b);
		return;
	}
	if (b->test)
		b->test_deadline = now + SELF_TEST_PATIENCE_MS;
	else
		live_saw_head(b->live, b->test_head);
}

static void start_test(struct bus *b, int64_t now)
{
	b->test = 1 + (int64_t)rand_below(1u << 30);
	b->test_sent_at = now;
	b->test_head = 0;
	b->test_seen = live_head(b->live);
	b->test_deadline = now + SELF_TEST_ANSWER_MS; /* anew from its transaction's end */
	b->next_test = now + SELF_TEST_MS;
	b->test_conn = b->hooks.pick(b->arg);
	b->test_query = pgconn_query(b->test_conn, STMT_live_self_test, SELF_TEST_MS, on_tested, b, "i", b->test);
}

void bus_test(struct bus *b, int64_t number)
{
	if (number != b->test || !b->test)
		return; /* another process's */
	b->test = 0;
	if (b->test_head) /* with it all before was heard: what is not here got lost */
		live_saw_head(b->live, b->test_head);
	log_debug("bus.round_trip", "ms=%" PRId64, clock_mono_ms() - b->test_sent_at);
	set_hearing(b, HEARS, NULL);
}

/* ---- the connection */

static void on_watch(void *arg, int fd, int events)
{
	struct bus *b = arg;

	b->hooks.watch(b->arg, fd, events);
}

static void forget_test(struct bus *b)
{
	b->test = 0;
	if (b->test_conn)
		pgconn_forget(b->test_conn, b->test_query);
	b->test_conn = NULL;
}

static void on_up(void *arg)
{
	struct bus *b = arg;

	int64_t pause = b->tests_failed ? (int64_t)SELF_TEST_MS << MIN_OF(b->tests_failed - 1, 10) : 0;

	open_epoch(b);
	forget_test(b);
	b->next_test = clock_mono_ms() + (b->tests_failed > 1 ? MIN_OF(pause, (int64_t)SELF_TEST_LONGEST_MS) : 0);
}

static void on_down(void *arg)
{
	struct bus *b = arg;

	forget_test(b);
	if (b->hearing == HEARS)
		set_hearing(b, DEAF, "the connection is lost");
}

static void on_notify(void *arg, const char *payload, size_t n)
{
	struct bus *b = arg;

	live_payload(b->live, payload, n);
}

struct bus *bus_new(const struct config *c, struct live *live, const char *name, const struct bus_hooks *hooks,
		    void *arg)
{
	static const struct pgconn_hooks own = {.watch = on_watch, .up = on_up, .down = on_down, .notify = on_notify};
	struct bus *b = xcalloc(1, sizeof(*b));

	b->live = live;
	b->hooks = *hooks;
	b->arg = arg;
	b->deaf_since = clock_mono_ms();
	b->conn = pgconn_new(c, name, "pulsechat", NULL, &own, b);
	return b;
}

void bus_free(struct bus **b)
{
	if (!*b)
		return;
	pgconn_close(&(*b)->conn);
	free(*b);
	*b = NULL;
}

bool bus_hears(const struct bus *b)
{
	return b->hearing == HEARS;
}

void bus_ready(struct bus *b, int events)
{
	pgconn_ready(b->conn, events);
}

int64_t bus_tick(struct bus *b, int64_t now)
{
	int64_t next = pgconn_tick(b->conn, now);

	if (b->must_open && !b->opening && b->open_at <= now)
		open_epoch(b);
	if (!pgconn_is_up(b->conn)) {
		/* it comes back by itself; meanwhile the log is read below */
	} else if (b->test && b->test_deadline <= now) {
		test_failed(b, now);
		next = now;
	} else if (!b->test && b->next_test <= now) {
		start_test(b, now);
	}
	if (b->unanswered) {
		b->hooks.reset_silent(b->arg, now, SELF_TEST_ANSWER_MS, false);
		b->unanswered = now - b->test_sent_at < (int64_t)3 * SELF_TEST_ANSWER_MS;
	}
	if (b->hearing == HEARING_UNKNOWN && b->deaf_since + START_MS <= now)
		set_hearing(b, DEAF, pgconn_is_up(b->conn) ? not_heard : "the connection does not come about");
	if (b->hearing != HEARS && b->next_read <= now) {
		b->next_read = now + DEAF_READ_MS;
		live_catch_up(b->live);
	}
	return next; /* all else is well served by the loop's tick */
}
