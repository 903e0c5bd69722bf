/* writer_thread: a poll() loop around the writer, an eventfd as its bell. A handler hands its items in and waits on a
 * ticket; whoever is last to let go of the ticket frees it, so that a handler may give up. */
#include "fcgi/writer_thread.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/db/writer.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#define GIVE_UP_MS 2000 /* beyond [database] wait: the writer itself answers before that */
#define STOP_MS 1000    /* for what is queued at a stop */

STAILQ_HEAD(ticket_queue, ticket);

struct writer_thread {
	struct write_gate gate; /* first */
	const struct config *config;
	pthread_t thread;
	int bell;
	_Atomic bool up;

	pthread_mutex_t lock;
	struct ticket_queue handed_in;  /* not yet taken by the thread */
	LIST_HEAD(, ticket) waited_for; /* by a handler */
	size_t handed_in_count;
	bool stopping, hurry;

	/* the thread's own */
	struct writer *writer;
	int fd, events;
};

/* One request's items on their way. */
struct ticket {
	struct writer_thread *owner;
	STAILQ_ENTRY(ticket) queue;
	LIST_ENTRY(ticket) waiter;
	pthread_cond_t finished_cond; /* with owner->lock */
	int refs;                     /* handler and thread */
	size_t n, unfinished;
	struct slot {
		struct ticket *ticket;
		struct write_item *item; /* the handler's until handed in, then the thread's until finished */
		bool finished;
	} slots[];
};

static void ticket_unref_locked(struct ticket *t)
{
	if (--t->refs)
		return;
	for (size_t i = 0; i < t->n; i++)
		if (t->slots[i].item)
			write_item_free(&t->slots[i].item);
	pthread_cond_destroy(&t->finished_cond);
	free(t);
}

static void ring(struct writer_thread *w)
{
	uint64_t one = 1;

	while (write(w->bell, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* The writer's answer, in its thread. */
static void on_done(struct write_item *item, void *arg)
{
	struct slot *s = arg;
	struct ticket *t = s->ticket;
	struct writer_thread *w = t->owner;

	pthread_mutex_lock(&w->lock);
	s->item = item;
	s->finished = true;
	if (--t->unfinished == 0) {
		pthread_cond_signal(&t->finished_cond);
		ticket_unref_locked(t);
	}
	pthread_mutex_unlock(&w->lock);
}

static void on_watch(void *arg, int fd, int events)
{
	struct writer_thread *w = arg;

	w->fd = fd;
	w->events = events;
}

static void submit(struct writer_thread *w, struct slot *s)
{
	struct write_item *item = s->item;

	s->item = NULL;
	item->done = on_done;
	item->arg = s;
	if (writer_submit(w->writer, item, &item->err) < 0) {
		item->ok = false;
		on_done(item, s);
	}
}

static void take_tickets(struct writer_thread *w)
{
	struct ticket_queue taken = STAILQ_HEAD_INITIALIZER(taken);
	struct ticket *t;

	pthread_mutex_lock(&w->lock);
	STAILQ_CONCAT(&taken, &w->handed_in);
	w->handed_in_count = 0;
	pthread_mutex_unlock(&w->lock);
	while ((t = STAILQ_FIRST(&taken))) {
		size_t n = t->n; /* t may be gone with the last one */

		STAILQ_REMOVE_HEAD(&taken, queue);
		for (size_t i = 0; i < n; i++)
			submit(w, &t->slots[i]);
	}
}

/* Waits for the bell, the database or the time `due`. */
static void wait_for_work(struct writer_thread *w, int64_t due)
{
	struct pollfd p[2] = {{.fd = w->bell, .events = POLLIN}, {.fd = w->fd}};
	int64_t wait = due - clock_mono_ms();
	uint64_t count;
	int fd = w->fd, events = 0;

	if (w->events & PGCONN_READ)
		p[1].events |= POLLIN;
	if (w->events & PGCONN_WRITE)
		p[1].events |= POLLOUT;
	if (poll(p, 2, wait < 0 ? 0 : (int)MIN_OF(wait, (int64_t)60000)) <= 0)
		return;
	if (p[0].revents & POLLIN && read(w->bell, &count, sizeof(count)) < 0)
		count = 0; /* another look does no harm */
	if (fd < 0 || !p[1].revents)
		return;
	if (p[1].revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL))
		events |= PGCONN_READ;
	if (p[1].revents & (POLLOUT | POLLERR))
		events |= PGCONN_WRITE;
	if (events & w->events)
		writer_ready(w->writer, events & w->events);
}

static void *run(void *arg)
{
	struct writer_thread *w = arg;
	int64_t last_moment = INT64_MAX;

	for (;;) {
		int64_t now = clock_mono_ms(), due;
		bool stopping;

		take_tickets(w);
		due = writer_tick(w->writer, now);
		atomic_store(&w->up, writer_is_up(w->writer));
		pthread_mutex_lock(&w->lock);
		stopping = w->stopping && STAILQ_EMPTY(&w->handed_in);
		pthread_mutex_unlock(&w->lock);
		if (stopping && last_moment == INT64_MAX)
			last_moment = now + STOP_MS;
		if (stopping && (writer_idle(w->writer) || now >= last_moment))
			break;
		wait_for_work(w, MIN_OF(due, last_moment));
	}
	return NULL;
}

/* Waits on the ticket, under the lock. */
static void wait_finished(struct writer_thread *w, struct ticket *t)
{
	int64_t ms = w->config->database.wait + GIVE_UP_MS;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	LIST_INSERT_HEAD(&w->waited_for, t, waiter);
	while (t->unfinished && !w->hurry)
		if (pthread_cond_timedwait(&t->finished_cond, &w->lock, &until) == ETIMEDOUT)
			break;
	LIST_REMOVE(t, waiter);
}

static struct ticket *ticket_new(struct writer_thread *w, struct write_item **items, size_t n)
{
	struct ticket *t = xcalloc(1, sizeof(*t) + n * sizeof(t->slots[0]));
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->finished_cond, &attr);
	pthread_condattr_destroy(&attr);
	t->owner = w;
	t->n = t->unfinished = n;
	t->refs = 2;
	for (size_t i = 0; i < n; i++) {
		t->slots[i] = (struct slot){.ticket = t, .item = items[i]};
		items[i] = NULL;
	}
	return t;
}

static void gate_write(struct write_gate *g, struct write_item **items, size_t n, struct err *errs)
{
	struct writer_thread *w = (struct writer_thread *)g;
	struct ticket *t = ticket_new(w, items, n);
	bool full;

	pthread_mutex_lock(&w->lock);
	full = w->stopping || (w->handed_in_count && w->handed_in_count + n > (size_t)w->config->writer.queue_items);
	if (full) {
		t->refs = 1;
	} else {
		STAILQ_INSERT_TAIL(&w->handed_in, t, queue);
		w->handed_in_count += n;
		ring(w);
		wait_finished(w, t);
	}
	for (size_t i = 0; i < n; i++)
		if (full) {
			err_retry(&errs[i], ERR_BUSY, 1000,
				  "too many messages are on their way: send it again in a moment");
		} else if (t->slots[i].finished) {
			items[i] = t->slots[i].item;
			t->slots[i].item = NULL;
		} else {
			err_retry(&errs[i], ERR_UNAVAILABLE, 1000,
				  "not known whether this was stored: send it again with the same client_id");
		}
	ticket_unref_locked(t);
	pthread_mutex_unlock(&w->lock);
}

static bool gate_is_up(struct write_gate *g)
{
	return atomic_load(&((struct writer_thread *)g)->up);
}

struct writer_thread *writer_thread_start(const struct config *c)
{
	struct writer_thread *w = xcalloc(1, sizeof(*w));
	int rc;

	w->gate = (struct write_gate){gate_write, gate_is_up};
	w->config = c;
	w->fd = -1;
	STAILQ_INIT(&w->handed_in);
	LIST_INIT(&w->waited_for);
	pthread_mutex_init(&w->lock, NULL);
	w->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->writer = writer_new(c, "pulsechat-api", on_watch, w);
	rc = w->bell < 0 ? errno : pthread_create(&w->thread, NULL, run, w);
	if (rc) {
		log_error("writer.start", "errno=%d", rc);
		abort();
	}
	return w;
}

void writer_thread_hurry(struct writer_thread *w)
{
	struct ticket *t;

	pthread_mutex_lock(&w->lock);
	w->hurry = true;
	LIST_FOREACH(t, &w->waited_for, waiter)
	pthread_cond_signal(&t->finished_cond);
	pthread_mutex_unlock(&w->lock);
}

void writer_thread_stop(struct writer_thread **wp)
{
	struct writer_thread *w = *wp;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_mutex_unlock(&w->lock);
	ring(w);
	pthread_join(w->thread, NULL);
	writer_free(&w->writer);
	close(w->bell);
	pthread_mutex_destroy(&w->lock);
	free(w);
	*wp = NULL;
}

struct write_gate *writer_thread_gate(struct writer_thread *w)
{
	return &w->gate;
}
