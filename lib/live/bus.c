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
#define SELF_TEST_PATIENCE_MS 2500 /* for a notification to come, after its transaction */
#define DEAF_READ_MS 1000          /* the log is read so often while nothing is heard */
#define OPEN_RETRY_MS 500
#define OPEN_WAIT_MS 60000

struct bus {
	struct live *live;
	struct bus_hooks hooks;
	void *arg;
	struct pgconn *conn;
	bool hears;      /* the last self-test came in over this connection */
	bool opening;    /* live_open is under way */
	bool must_open;  /* … and is wanted (again) */
	int64_t seen;    /* our head when it was asked: what came since is no sign of anything */
	int64_t open_at; /* not before */
	int64_t test;    /* the number under way, 0: none */
	int64_t test_sent_at, test_deadline, next_test, next_read;
	int64_t test_head; /* the log's head as of its transaction, 0: not known yet */
	int64_t test_seen; /* our head when it was sent */
	int64_t deaf_since;
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

static void set_hears(struct bus *b, bool hears, const char *why)
{
	if (b->hears == hears)
		return;
	b->hears = hears;
	live_listening(b->live, hears);
	if (hears) {
		log_info("bus.heard", "deaf_ms=%" PRId64, clock_mono_ms() - b->deaf_since);
	} else {
		b->deaf_since = clock_mono_ms();
		log_error("bus.deaf", "cause=%s reading_log_every_ms=%d", log_quote(why), DEAF_READ_MS);
	}
}

static void on_tested(void *arg, const PGresult *r, const struct err *e)
{
	struct bus *b = arg;
	int64_t now = clock_mono_ms();

	if (e || result_rows(r) != 1) { /* says nothing about the listener */
		b->test = 0;
		b->next_test = now + SELF_TEST_MS;
		return;
	}
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
	b->test_deadline = INT64_MAX; /* from its transaction's end */
	b->next_test = now + SELF_TEST_MS;
	pgconn_query(b->hooks.pick(b->arg), STMT_live_self_test, SELF_TEST_MS, on_tested, b, "i", b->test);
}

void bus_test(struct bus *b, int64_t number)
{
	if (number != b->test || !b->test)
		return; /* another process's */
	b->test = 0;
	if (b->test_head) /* with it all before was heard: what is not here got lost */
		live_saw_head(b->live, b->test_head);
	log_debug("bus.round_trip", "ms=%" PRId64, clock_mono_ms() - b->test_sent_at);
	set_hears(b, true, NULL);
}

/* ---- the connection */

static void on_watch(void *arg, int fd, int events)
{
	struct bus *b = arg;

	b->hooks.watch(b->arg, fd, events);
}

static void on_up(void *arg)
{
	struct bus *b = arg;

	open_epoch(b);
	b->test = 0;
	b->next_test = 0;
}

static void on_down(void *arg)
{
	struct bus *b = arg;

	b->test = 0;
	set_hears(b, false, "the connection is lost");
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
	return b->hears;
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
		b->test = 0;
		set_hears(b, false, "a notification to ourselves did not arrive");
		log_warning("bus.reset", "after_ms=%" PRId64, now - b->test_sent_at);
		pgconn_reset(b->conn, "a notification to ourselves did not arrive");
		next = now;
	} else if (!b->test && b->next_test <= now) {
		start_test(b, now);
	}
	if (!b->hears && b->next_read <= now) {
		b->next_read = now + DEAF_READ_MS;
		live_catch_up(b->live);
	}
	return next; /* all else is well served by the loop's tick */
}
