/* listen: see listen.h. The order after each connect: LISTEN, then the epoch, then the log from the last id, then on.
 */
#include "ws/listen.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/db/pgconn.h"
#include "lib/live/live.h"
#include "ws/conn.h"
#include "ws/pg_loop.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SELF_TEST_MS 3000          /* between two */
#define SELF_TEST_PATIENCE_MS 2500 /* for a notification to come, after its transaction */
#define DEAF_READ_MS 1000          /* the log is read so often while nothing is heard */
#define OPEN_RETRY_MS 500
#define OPEN_WAIT_MS 60000

struct listener {
	struct realtime *rt;
	struct pgconn *conn;
	struct pg_watch *watch;
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

static void open_epoch(struct listener *l);

static void on_opened(void *arg, const PGresult *r, const struct err *e)
{
	struct listener *l = arg;
	bool other;

	l->opening = false;
	if (e || result_rows(r) != 1) {
		l->must_open = true;
		l->open_at = clock_mono_ms() + OPEN_RETRY_MS;
		return;
	}
	if (result_int(r, 0, 1) < l->seen && live_mark(l->rt->live)[0] && live_is_ready(l->rt->live) &&
	    !strcmp(result_text(r, 0, 0), live_mark(l->rt->live))) {
		/* the log has gone back under the same mark: a restored image */
		log_error("bus.head_went_back", "head=%" PRId64 " seen=%" PRId64, result_int(r, 0, 1), l->seen);
		l->opening = true;
		pgconn_query(pg_pool_pick(l->rt->pool), STMT_live_renew, OPEN_WAIT_MS, on_opened, l, "t",
			     live_mark(l->rt->live));
		return;
	}
	other = live_opened(l->rt->live, result_text(r, 0, 0), result_int(r, 0, 1));
	if (other)
		conns_recheck(l->rt);
	if (l->must_open)
		open_epoch(l);
}

static void open_epoch(struct listener *l)
{
	if (l->opening) {
		l->must_open = true;
		return;
	}
	l->must_open = false;
	l->opening = true;
	l->open_at = clock_mono_ms() + OPEN_RETRY_MS;
	l->seen = live_head(l->rt->live);
	pgconn_query(pg_pool_pick(l->rt->pool), STMT_live_open, OPEN_WAIT_MS, on_opened, l, "");
}

void listener_doubt(struct listener *l)
{
	l->must_open = true; /* the tick does it, not oftener than OPEN_RETRY_MS */
}

/* ---- the self-test */

static void set_hears(struct listener *l, bool hears, const char *why)
{
	if (l->hears == hears)
		return;
	l->hears = hears;
	live_listening(l->rt->live, hears);
	if (hears) {
		log_info("bus.heard", "deaf_ms=%" PRId64, clock_mono_ms() - l->deaf_since);
	} else {
		l->deaf_since = clock_mono_ms();
		log_error("bus.deaf", "cause=%s reading_log_every_ms=%d", log_quote(why), DEAF_READ_MS);
	}
}

static void on_tested(void *arg, const PGresult *r, const struct err *e)
{
	struct listener *l = arg;
	int64_t now = clock_mono_ms();

	if (e || result_rows(r) != 1) { /* says nothing about the listener */
		l->test = 0;
		l->next_test = now + SELF_TEST_MS;
		return;
	}
	if (strcmp(result_text(r, 0, 2), live_mark(l->rt->live)) != 0) {
		listener_doubt(l);
		return;
	}
	l->test_head = result_int(r, 0, 1);
	if (l->test_head < l->test_seen) { /* the log has gone back */
		listener_doubt(l);
		return;
	}
	if (l->test)
		l->test_deadline = now + SELF_TEST_PATIENCE_MS;
	else
		live_saw_head(l->rt->live, l->test_head);
}

static void start_test(struct listener *l, int64_t now)
{
	l->test = 1 + (int64_t)rand_below(1u << 30);
	l->test_sent_at = now;
	l->test_head = 0;
	l->test_seen = live_head(l->rt->live);
	l->test_deadline = INT64_MAX; /* from its transaction's end */
	l->next_test = now + SELF_TEST_MS;
	pgconn_query(pg_pool_pick(l->rt->pool), STMT_live_self_test, SELF_TEST_MS, on_tested, l, "i", l->test);
}

void listener_test(struct listener *l, int64_t number)
{
	if (number != l->test || !l->test)
		return; /* another process's */
	l->test = 0;
	if (l->test_head) /* with it all before was heard: what is not here got lost */
		live_saw_head(l->rt->live, l->test_head);
	log_debug("bus.round_trip", "ms=%" PRId64, clock_mono_ms() - l->test_sent_at);
	set_hears(l, true, NULL);
}

/* ---- the connection */

static void on_watch(void *arg, int fd, int events)
{
	struct listener *l = arg;

	pg_watch_set(l->watch, fd, events);
}

static void on_ready(void *arg, int events)
{
	struct listener *l = arg;

	pgconn_ready(l->conn, events);
}

static void on_up(void *arg)
{
	struct listener *l = arg;

	open_epoch(l);
	l->test = 0;
	l->next_test = 0;
}

static void on_down(void *arg)
{
	struct listener *l = arg;

	l->test = 0;
	set_hears(l, false, "the connection is lost");
}

static void on_notify(void *arg, const char *payload, size_t n)
{
	struct listener *l = arg;

	live_payload(l->rt->live, payload, n);
}

struct listener *listener_new(struct realtime *rt)
{
	static const struct pgconn_hooks hooks = {.watch = on_watch, .up = on_up, .down = on_down, .notify = on_notify};
	struct listener *l = xcalloc(1, sizeof(*l));
	char name[64];

	l->rt = rt;
	l->deaf_since = clock_mono_ms();
	l->watch = pg_watch_new(&rt->loop, on_ready, l);
	snprintf(name, sizeof(name), "%.50s-listen", rt->node);
	l->conn = pgconn_new(rt->config, name, "pulsechat", NULL, &hooks, l);
	return l;
}

void listener_free(struct listener **l)
{
	if (!*l)
		return;
	pgconn_close(&(*l)->conn);
	pg_watch_free(&(*l)->watch);
	free(*l);
	*l = NULL;
}

int64_t listener_tick(struct listener *l, int64_t now)
{
	int64_t next = pgconn_tick(l->conn, now);

	if (l->must_open && !l->opening && l->open_at <= now)
		open_epoch(l);
	if (!pgconn_is_up(l->conn)) {
		/* it comes back by itself; meanwhile the log is read below */
	} else if (l->test && l->test_deadline <= now) {
		l->test = 0;
		set_hears(l, false, "a notification to ourselves did not arrive");
		log_warning("bus.reset", "after_ms=%" PRId64, now - l->test_sent_at);
		pgconn_reset(l->conn, "a notification to ourselves did not arrive");
		next = now;
	} else if (!l->test && l->next_test <= now) {
		start_test(l, now);
	}
	if (!l->hears && l->next_read <= now) {
		l->next_read = now + DEAF_READ_MS;
		live_catch_up(l->rt->live);
	}
	return next; /* all else is well served by the loop's tick */
}
