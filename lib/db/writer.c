/* writer: group commit with natural batching. See doc/events.md for the measurements behind it. */
#include "lib/db/writer.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/db/dberr.h"
#include "lib/db/write_args.h"
#include "lib/db/write_held.h"
#include "lib/db/write_hints.h"
#include "lib/db/write_queue.h"
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 100       /* after a failure that is nobody's fault */
#define LOOK_MS 2000       /* for so long after a retry was seen, others are expected */
#define EXTEND_EACH 500000 /* events after which partitions ahead are looked at: at full speed an hour is too long */
#define FAR_AWAY_MS 60000
#define PUSH_EACH 32 /* items told of */

/* Plans made while tables were empty cost 3 times as much, and switched-off nodes would start JIT (doc/events.md).
 * lock_timeout: WRITE_HELD_MS, for the wait for the sequencer. */
static const char writer_settings[] =
	"SET lock_timeout = 2000; "
	"SET plan_cache_mode = force_generic_plan; SET enable_hashjoin = off; SET enable_mergejoin = off; "
	"SET enable_seqscan = off; SET enable_bitmapscan = off";

struct writer {
	const struct config *config;
	struct pgconn *conn;
	void (*watch)(void *arg, int fd, int events);
	void *arg;
	struct write_queue queue;
	struct write_item **batch; /* under way */
	size_t batch_n;
	bool batch_waits;
	int64_t not_before, look_until;
	struct write_held held;
	struct write_hints hints;
	struct write_args *args;
	int64_t extend_at; /* the event id from which on to look again */
	struct writer_stats stats;
	bool stopping;
};

static void finish(struct write_item *i)
{
	i->next = NULL;
	i->done(i, i->arg);
}

static void fail(struct writer *w, struct write_item *i, const struct err *e)
{
	w->stats.failures++;
	i->ok = false;
	i->err = *e;
	finish(i);
}

/* ---- partitions ahead */

static void on_extended(void *arg, const PGresult *r, const struct err *e)
{
	(void)arg;
	if (!e && result_rows(r) == 1)
		log_debug("writer.partitions", "spare=%lld", (long long)result_int(r, 0, 0));
}

static void see_to_partitions(struct writer *w, int64_t event)
{
	if (event < w->extend_at)
		return;
	/* the maintenance has seen to those of the start */
	if (w->extend_at)
		pgconn_query(w->conn, STMT_events_extend, 0, on_extended, w, "");
	w->extend_at = (event / EXTEND_EACH + 1) * EXTEND_EACH;
}

/* ---- outcomes */

static void settle(struct writer *w, struct write_item *i, const PGresult *r, int row)
{
	int status = (int)result_int(r, row, 0);
	struct err e = {0};

	if (status == WRITE_STORED || status == WRITE_AGAIN) {
		i->ok = true;
		i->again = status == WRITE_AGAIN;
		i->seq = result_int(r, row, 1);
		i->id = result_int(r, row, 2);
		i->event = result_int(r, row, 3);
		i->at_us = result_int(r, row, 4);
		if (!i->again)
			see_to_partitions(w, i->event);
		finish(i);
		return;
	}
	write_refusal(status, result_int(r, row, 4), &e);
	fail(w, i, &e);
}

static void start_batch(struct writer *w, int64_t now);

static bool is_for_the_next_batch(const PGresult *r, size_t row)
{
	int64_t status = result_int(r, (int)row, 0);

	return status == WRITE_DEFERRED || status == WRITE_TWICE_IN_BATCH;
}

/* What the next batch is built with: what of this one was not judged comes first, in its order. */
static void learn(struct writer *w, struct write_item *const *items, size_t n, const PGresult *r)
{
	struct write_item **back = xcalloc(n, sizeof(*back));
	size_t back_n = 0;

	for (size_t k = 0; k < n; k++) {
		int64_t channel = items[k]->channel, status = result_int(r, (int)k, 0);

		if (status == WRITE_AGAIN || status == WRITE_REUSED)
			w->look_until = clock_mono_ms() + LOOK_MS;
		if (status == WRITE_STORED)
			write_hint_learn(&w->hints, channel, result_int(r, (int)k, 1));
		if (status != WRITE_DEFERRED && w->held.n)
			write_held_remove(&w->held, channel);
		if (!is_for_the_next_batch(r, k))
			continue;
		items[k]->deferred |= status == WRITE_DEFERRED;
		w->stats.deferred += status == WRITE_DEFERRED;
		back[back_n++] = items[k];
	}
	write_queue_put_back(&w->queue, back, back_n);
	free(back);
}

/* The database gets the next batch before anyone is told of this one: the telling takes longer than it should wait. A
 * large batch does not fit into the socket's buffer at once. */
static void on_success(struct writer *w, struct write_item **items, size_t n, const PGresult *r)
{
	learn(w, items, n, r);
	start_batch(w, clock_mono_ms());
	for (size_t k = 0; k < n; k++) {
		if (!is_for_the_next_batch(r, k))
			settle(w, items[k], r, (int)k);
		if (k % PUSH_EACH == PUSH_EACH - 1 && w->batch)
			pgconn_push(w->conn);
	}
}

/* The batch failed as a whole and nothing of it was stored, or its connection was lost and perhaps all of it was. */
static void on_failure(struct writer *w, struct write_item **items, size_t n, const PGresult *r, const struct err *e)
{
	int64_t now = clock_mono_ms();

	w->stats.retries++;
	w->look_until = now + LOOK_MS; /* perhaps all of it is stored */
	if (dberr_is(r, "55P03")) {    /* waited too long for a channel someone holds, or for the sequencer */
		if (!w->batch_waits)
			write_held_end_sequencer_holder(w->conn);
		for (size_t k = 0; k < n; k++)
			if (items[k]->deferred)
				write_held_add(&w->held, items[k]->channel, now);
		write_queue_put_back(&w->queue, items, n);
	} else if (e->code == ERR_UNAVAILABLE || dberr_is(r, "57014") || (e->code == ERR_BUSY && n == 1)) {
		w->not_before = now + RETRY_MS;
		write_queue_put_back(&w->queue, items, n);
	} else if (n > 1) { /* a data error or a deadlock: only the bad item shall fail */
		for (size_t k = 0; k < n; k++)
			items[k]->alone = true;
		write_queue_put_back(&w->queue, items, n);
	} else {
		fail(w, items[0], e);
	}
}

static int64_t expire(struct writer *w, int64_t now);

static void on_batch(void *arg, const PGresult *r, const struct err *e)
{
	struct writer *w = arg;
	struct write_item **items = w->batch;
	size_t n = w->batch_n;
	struct err lost = {0};

	w->batch = NULL;
	w->batch_n = 0;
	if (!e && FAULT("commit_no_reply")) { /* stored, but nobody here knows */
		err_retry(&lost, ERR_UNAVAILABLE, RETRY_MS, "the database is not available at the moment");
		e = &lost;
		r = NULL;
		pgconn_reset(w->conn, "commit_no_reply");
	}
	if (e) {
		on_failure(w, items, n, r, e);
	} else if (result_rows(r) != (int)n) {
		struct err wrong = {0};

		log_error("writer.rows", "expected=%zu got=%d", n, result_rows(r));
		err_set(&wrong, ERR_INTERNAL, NULL, "something went wrong on our side");
		for (size_t k = 0; k < n; k++)
			fail(w, items[k], &wrong);
	} else {
		on_success(w, items, n, r);
	}
	free(items);
	if (e) /* else an item that fails again and again would always be under way when it is late */
		expire(w, clock_mono_ms());
	start_batch(w, clock_mono_ms());
}

static void start_batch(struct writer *w, int64_t now)
{
	if (w->batch || !w->queue.first || w->stopping || w->not_before > now || !pgconn_is_up(w->conn))
		return;
	w->batch = xcalloc((size_t)w->config->writer.batch_items, sizeof(*w->batch));
	w->batch_n = write_queue_take(&w->queue, w->batch, (size_t)w->config->writer.batch_items,
				      (size_t)w->config->writer.batch_bytes, &w->held, now);
	if (w->batch_n == 0) {
		free(w->batch);
		w->batch = NULL;
		return;
	}
	w->batch_waits = false;
	for (size_t k = 0; k < w->batch_n; k++)
		w->batch_waits |= w->batch[k]->deferred;
	w->stats.batches++;
	w->stats.items += w->batch_n;
	write_args_send(w->args, w->conn, w->batch, w->batch_n, &w->hints, w->look_until > now, w->batch_waits,
			on_batch, w);
}

/* ---- the owner's side */

static void on_watch(void *arg, int fd, int events)
{
	struct writer *w = arg;

	w->watch(w->arg, fd, events);
}

static void on_opened(void *arg, const PGresult *r, const struct err *e)
{
	(void)arg;
	(void)r;
	if (!e)
		return;
	if (e->code == ERR_UNAVAILABLE ||
	    e->code == ERR_UNCERTAIN) /* the connection has gone again; the next one asks */
		log_info("writer.stream_open", "code=%s", err_name(e->code));
	else
		log_error("writer.stream_open", "code=%s", err_name(e->code));
}

static void on_up(void *arg)
{
	struct writer *w = arg;

	memset(w->hints.all, 0, sizeof(w->hints.all)); /* it may be what an older copy holds */
	/* another database may stand behind the same address now: its mark must be drawn before anything is written */
	pgconn_query(w->conn, STMT_stream_open, 0, on_opened, w, "b", 0);
	start_batch(w, clock_mono_ms());
}

struct writer *writer_new(const struct config *c, const char *name, void (*watch)(void *arg, int fd, int events),
			  void *arg)
{
	static const struct pgconn_hooks hooks = {.watch = on_watch, .up = on_up};
	struct writer *w = xcalloc(1, sizeof(*w));

	w->config = c;
	w->watch = watch;
	w->arg = arg;
	write_queue_init(&w->queue);
	w->args = write_args_new();
	w->conn = pgconn_new(c, name, NULL, writer_settings, &hooks, w);
	return w;
}

void writer_free(struct writer **ww)
{
	struct writer *w = *ww;
	struct err e = {0};
	struct write_item *i;

	if (!w)
		return;
	w->stopping = true;
	pgconn_close(&w->conn);
	err_retry(&e, ERR_UNAVAILABLE, 1000, "the server is stopping");
	for (size_t k = 0; k < w->batch_n; k++)
		fail(w, w->batch[k], &e);
	free(w->batch);
	write_args_free(&w->args);
	while ((i = w->queue.first)) {
		w->queue.first = i->next;
		fail(w, i, &e);
	}
	free(w);
	*ww = NULL;
}

int writer_submit(struct writer *w, struct write_item *item, struct err *e)
{
	if (w->queue.n >= (size_t)w->config->writer.queue_items ||
	    w->queue.bytes + write_queue_weight(item) > (size_t)w->config->writer.queue_bytes)
		return err_retry(e, ERR_BUSY, 1000, "too many messages are waiting to be stored, try again");
	item->deadline = clock_mono_ms() + w->config->database.wait;
	write_queue_add(&w->queue, item);
	return 0;
}

void writer_ready(struct writer *w, int events)
{
	pgconn_ready(w->conn, events);
	start_batch(w, clock_mono_ms());
}

/* Fails the queued items that have waited too long. Returns the next deadline. */
static int64_t expire(struct writer *w, int64_t now)
{
	struct write_item *late = write_queue_take_late(&w->queue, now);
	struct err e = {0};

	err_retry(&e, ERR_UNAVAILABLE, 1000, "the message could not be stored in time; sending it again is safe");
	for (struct write_item *i; (i = late);) {
		late = i->next;
		fail(w, i, &e);
	}
	return MIN_OF(write_queue_next_late(&w->queue), now + FAR_AWAY_MS);
}

/* ---- a fault point (lib/base/fault.h): the promise broken on purpose, to show that the soak would see it */

static void forget(struct write_item *item, void *arg)
{
	(void)arg;
	write_item_free(&item);
}

/* Tells the senders of queued items that they are stored; what is stored then, or not, is a copy. */
static void acknowledge_at_once(struct writer *w)
{
	for (struct write_item **at = &w->queue.first; *at; at = &(*at)->next) {
		struct write_item *early = *at, *copy;

		if (early->done == forget || !FAULT("ack_early"))
			continue;
		copy = write_item_copy(early);
		copy->done = forget;
		copy->next = early->next;
		*at = copy;
		if (w->queue.last == &early->next)
			w->queue.last = &copy->next;
		early->ok = early->again = true;
		finish(early);
	}
}

int64_t writer_tick(struct writer *w, int64_t now)
{
	int64_t next = pgconn_tick(w->conn, now);

	if (FAULTS_BUILT)
		acknowledge_at_once(w);
	next = MIN_OF(next, expire(w, now));
	write_held_end_holders(&w->held, w->conn, now);
	start_batch(w, now);
	if (!w->batch && w->queue.first) {
		if (w->not_before > now)
			next = MIN_OF(next, w->not_before);
		next = MIN_OF(next, write_held_next(&w->held, now));
	}
	return next;
}

bool writer_idle(const struct writer *w)
{
	return !w->batch && !w->queue.first;
}

bool writer_is_up(const struct writer *w)
{
	return pgconn_is_up(w->conn);
}

void writer_stats(const struct writer *w, struct writer_stats *out)
{
	*out = w->stats;
	out->queued = w->queue.n;
	out->queued_bytes = w->queue.bytes;
}
