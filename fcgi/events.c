/* events: the thread, its epoll loop, and the hand-over. */
#include "fcgi/events.h"
#include "fcgi/events_private.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/db/pgconn.h"
#include "lib/live/bus.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FREED_MS 250 /* from the end of a poll's wait until its place is free, on a busy machine */
#define TICK_MS 100
#define WORK_US 4000 /* of one turn, for those who are behind */
#define READY_AT_ONCE 64
/* This process has other work too: of [realtime] ring_events and ring_bytes it takes at most so many. */
#define RING_EVENTS_MAX 20000
#define RING_BYTES_MAX ((int64_t)16 << 20)

void source_watch(struct events *ev, struct source *s, int fd, int events)
{
	struct epoll_event e = {.events = (uint32_t)events, .data.ptr = s};
	int op = EPOLL_CTL_MOD;

	if (s->fd >= 0 && (fd != s->fd || !events))
		epoll_ctl(ev->ep, EPOLL_CTL_DEL, s->fd, NULL); /* fails where it is closed already */
	if (fd != s->fd || !s->events)
		op = EPOLL_CTL_ADD;
	s->fd = fd;
	s->events = events;
	if (fd < 0 || !events)
		return;
	if (epoll_ctl(ev->ep, op, fd, &e) == 0)
		return;
	/* another one under the same number */
	if (epoll_ctl(ev->ep, op == EPOLL_CTL_ADD ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) < 0)
		log_error("events.epoll", "errno=%d", errno);
}

/* ---- the database */

static void watch_database(struct events *ev, struct source *s, int fd, int events)
{
	source_watch(ev, s, fd, (events & PGCONN_READ ? EPOLLIN : 0) | (events & PGCONN_WRITE ? EPOLLOUT : 0));
}

static void on_query_watch(void *arg, int fd, int events)
{
	struct events *ev = arg;

	watch_database(ev, &ev->query_source, fd, events);
}

static void on_bus_watch(void *arg, int fd, int events)
{
	struct events *ev = arg;

	watch_database(ev, &ev->bus_source, fd, events);
}

static struct pgconn *on_pick(void *arg)
{
	return ((struct events *)arg)->query;
}

static void on_silent(void *arg, int64_t now, int64_t ms, bool idle)
{
	pgconn_reset_silent(((struct events *)arg)->query, now, ms, idle);
}

static void on_read(void *arg, struct live_read *q)
{
	struct events *ev = arg;

	live_read_query(q, ev->query, ev->config->database.wait);
}

static void on_ready(void *arg)
{
	struct events *ev = arg;

	log_info("events.ready", "mark=%s head=%lld", live_mark(ev->live), (long long)live_head(ev->live));
}

static void on_doubt(void *arg)
{
	bus_doubt(((struct events *)arg)->bus);
}

static void on_test(void *arg, int64_t number)
{
	bus_test(((struct events *)arg)->bus, number);
}

static void on_signed_out(void *arg, int64_t user, int64_t session)
{
	presence_signed_out(((struct events *)arg)->presence, user, session, clock_mono_ms());
}

static void on_said(void *arg, int64_t user, struct span json)
{
	presence_notice(((struct events *)arg)->presence, user, json, clock_mono_ms());
}

/* ---- the loop */

static void take_handed_in(struct events *ev, int64_t now)
{
	STAILQ_HEAD(, parked) taken = STAILQ_HEAD_INITIALIZER(taken);
	struct parked *p;

	pthread_mutex_lock(&ev->lock);
	STAILQ_CONCAT(&taken, &ev->handed_in);
	pthread_mutex_unlock(&ev->lock);
	while ((p = STAILQ_FIRST(&taken))) {
		STAILQ_REMOVE_HEAD(&taken, handed);
		parked_take(ev, p, now);
	}
}

static void tick(struct events *ev, int64_t now)
{
	struct parked *p, *next;
	int64_t first = INT64_MAX;
	size_t waiting = 0;

	if (now < ev->next_tick)
		return;
	ev->next_tick = now + TICK_MS;
	live_tick(ev->live, now);
	for (p = TAILQ_FIRST(&ev->all); p; p = next) {
		next = TAILQ_NEXT(p, list);
		parked_tick(p, now);
		if (p->state != PARKED_GONE)
			first = MIN_OF(first, p->deadline);
		waiting += p->state == PARKED_WAITING && p->poll.caught_up;
	}
	pthread_mutex_lock(&ev->lock);
	STAILQ_FOREACH(p, &ev->handed_in, handed)
	first = MIN_OF(first, p->deadline);
	ev->next_free = first;
	ev->waiting = waiting;
	pthread_mutex_unlock(&ev->lock);
}

static void flush(struct events *ev, int64_t now)
{
	struct parked *p;

	polls_tick(ev->polls, now);
	while ((p = TAILQ_FIRST(&ev->dirty))) {
		TAILQ_REMOVE(&ev->dirty, p, dirty_link);
		p->dirty = false;
		parked_flush(p, now);
	}
}

/* What other threads ask for. True: it is time to end. */
static bool publish(struct events *ev)
{
	struct parked *p, *next;
	bool stopping, drain;

	pthread_mutex_lock(&ev->lock);
	if (live_is_ready(ev->live))
		ev->here = live_here(ev->live);
	ev->bus_state = bus_hears(ev->bus) ? EVENTS_HEARS : EVENTS_DEAF;
	drain = ev->draining && !ev->drained;
	stopping = ev->stopping && STAILQ_EMPTY(&ev->handed_in);
	pthread_mutex_unlock(&ev->lock);
	if (drain) {
		ev->drained = true;
		presence_stop(ev->presence, clock_mono_ms());
		for (p = TAILQ_FIRST(&ev->all); p; p = next) {
			next = TAILQ_NEXT(p, list);
			parked_stop(p);
		}
	}
	return stopping && TAILQ_EMPTY(&ev->all) && presence_quiet(ev->presence);
}

static void free_gone(struct events *ev)
{
	struct parked *p;

	while ((p = TAILQ_FIRST(&ev->gone))) {
		TAILQ_REMOVE(&ev->gone, p, list);
		parked_free(&p);
	}
}

static int to_pgconn(uint32_t events)
{
	return (events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? PGCONN_READ : 0) |
	       (events & (EPOLLOUT | EPOLLERR) ? PGCONN_WRITE : 0);
}

static void wait_for_work(struct events *ev, int64_t until)
{
	struct epoll_event ready[READY_AT_ONCE];
	int64_t wait = MAX_OF(until - clock_mono_ms(), (int64_t)0);
	int n = epoll_wait(ev->ep, ready, READY_AT_ONCE, (int)MIN_OF(wait, (int64_t)60000));
	uint64_t count;

	for (int i = 0; i < n; i++) {
		struct source *s = ready[i].data.ptr;

		switch (s->kind) {
		case SOURCE_BELL:
			if (read(s->fd, &count, sizeof(count)) < 0)
				count = 0; /* another look does no harm */
			break;
		case SOURCE_BUS:
			bus_ready(ev->bus, to_pgconn(ready[i].events));
			break;
		case SOURCE_QUERY:
			pgconn_ready(ev->query, to_pgconn(ready[i].events));
			break;
		case SOURCE_PARKED:
			parked_ready((struct parked *)((char *)s - offsetof(struct parked, source)),
				     (int)ready[i].events);
			break;
		}
	}
}

static void *run(void *arg)
{
	struct events *ev = arg;

	for (;;) {
		int64_t now = clock_mono_ms(), next;
		bool more;

		take_handed_in(ev, now);
		next = MIN_OF(pgconn_tick(ev->query, now), bus_tick(ev->bus, now));
		next = MIN_OF(next, presence_tick(ev->presence, now));
		tick(ev, now);
		more = live_work(ev->live, WORK_US);
		if (publish(ev))
			break;
		flush(ev, clock_mono_ms());
		free_gone(ev);
		next = MIN_OF(MIN_OF(next, ev->next_tick), MIN_OF(polls_next(ev->polls), live_next(ev->live)));
		wait_for_work(ev, more || !TAILQ_EMPTY(&ev->dirty) ? 0 : next);
	}
	free_gone(ev);
	return NULL;
}

/* ---- from start to end */

struct events *events_new(const struct config *c)
{
	struct events *ev = xcalloc(1, sizeof(*ev));

	ev->config = c;
	pthread_mutex_init(&ev->lock, NULL);
	STAILQ_INIT(&ev->handed_in);
	return ev;
}

static void set_up(struct events *ev)
{
	static const struct live_hooks live_hooks = {.read = on_read,
						     .ready = on_ready,
						     .doubt = on_doubt,
						     .test = on_test,
						     .signed_out = on_signed_out,
						     .said = on_said};
	static const struct presence_hooks presence_hooks = {.pick = on_pick};
	static const struct bus_hooks bus_hooks = {.watch = on_bus_watch, .pick = on_pick, .reset_silent = on_silent};
	static const struct pgconn_hooks query_hooks = {.watch = on_query_watch};
	const struct config *c = ev->config;
	struct live_limits limits = {
		.ring_events = (size_t)MIN_OF(c->realtime.ring_events, (int64_t)RING_EVENTS_MAX),
		.ring_bytes = (size_t)MIN_OF(c->realtime.ring_bytes, RING_BYTES_MAX),
		.resume_events = (size_t)c->events.resume_events,
		.receipts_max = c->reads.receipts_max,
		.typing = {c->typing.last, c->typing.repeat, c->typing.present_max},
	};

	TAILQ_INIT(&ev->all);
	TAILQ_INIT(&ev->gone);
	TAILQ_INIT(&ev->dirty);
	ev->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ev->ep = epoll_create1(EPOLL_CLOEXEC);
	if (ev->bell < 0 || ev->ep < 0) {
		log_error("events.start", "errno=%d", errno);
		abort();
	}
	ev->bell_source = (struct source){.kind = SOURCE_BELL, .fd = -1};
	ev->bus_source = (struct source){.kind = SOURCE_BUS, .fd = -1};
	ev->query_source = (struct source){.kind = SOURCE_QUERY, .fd = -1};
	source_watch(ev, &ev->bell_source, ev->bell, EPOLLIN);
	ev->live = live_new(&limits, &live_hooks, ev);
	ev->polls = polls_new();
	ev->presence = presence_new(c, &presence_hooks, ev);
	ev->query = pgconn_new(c, "pulsechat-api-query", NULL, NULL, &query_hooks, ev);
	ev->bus = bus_new(c, ev->live, "pulsechat-api-listen", &bus_hooks, ev);
}

static void take_down(struct events *ev)
{
	bus_free(&ev->bus);
	pgconn_close(&ev->query);
	live_free(&ev->live);
	polls_free(&ev->polls);
	presence_free(&ev->presence);
	close(ev->ep);
	close(ev->bell);
}

static int start_locked(struct events *ev, struct err *e)
{
	int rc;

	if (ev->started)
		return 0;
	set_up(ev);
	rc = pthread_create(&ev->thread, NULL, run, ev);
	if (rc) {
		take_down(ev);
		log_error("events.start", "errno=%d", rc);
		return err_set(e, ERR_INTERNAL, NULL, "something went wrong on our side");
	}
	ev->started = true;
	ev->bus_state = EVENTS_DEAF;
	ev->next_free = INT64_MAX;
	log_info("events.start", "parked=%lld", (long long)ev->config->api.parked);
	return 0;
}

static void ring(struct events *ev)
{
	uint64_t one = 1;

	while (write(ev->bell, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void events_drain(struct events *ev)
{
	bool started;

	pthread_mutex_lock(&ev->lock);
	ev->draining = true;
	started = ev->started;
	pthread_mutex_unlock(&ev->lock);
	if (started)
		ring(ev);
}

bool events_stop(struct events **evp, int64_t ms)
{
	struct events *ev = *evp;
	bool started;

	pthread_mutex_lock(&ev->lock);
	ev->draining = ev->stopping = true;
	started = ev->started;
	pthread_mutex_unlock(&ev->lock);
	if (started) {
		ring(ev);
		if (!thread_join_within(ev->thread, ms))
			return false;
		take_down(ev);
	}
	pthread_mutex_destroy(&ev->lock);
	free(ev);
	*evp = NULL;
	return true;
}

/* ---- the workers' side */

struct live_place events_here(struct events *ev)
{
	struct live_place here;

	pthread_mutex_lock(&ev->lock);
	here = ev->here;
	pthread_mutex_unlock(&ev->lock);
	return here;
}

enum events_bus events_bus(struct events *ev)
{
	enum events_bus state;

	pthread_mutex_lock(&ev->lock);
	state = ev->bus_state;
	pthread_mutex_unlock(&ev->lock);
	return state;
}

size_t events_waiting(struct events *ev)
{
	size_t n;

	pthread_mutex_lock(&ev->lock);
	n = ev->waiting;
	pthread_mutex_unlock(&ev->lock);
	return n;
}

static int reserve_locked(struct events *ev, int64_t now, struct err *e)
{
	int64_t wait;

	if (ev->draining)
		return err_retry(e, ERR_UNAVAILABLE, 1000, "the server is stopping");
	if (start_locked(ev, e) < 0)
		return -1;
	if (ev->reserved < (size_t)ev->config->api.parked) {
		ev->reserved++;
		return 0;
	}
	wait = MAX_OF(MIN_OF(ev->next_free, now + ev->config->realtime.poll_hold_max) - now + FREED_MS, (int64_t)1000);
	return err_retry(e, ERR_UNAVAILABLE, (int)wait, "too many polls are waiting");
}

int events_reserve(struct events *ev, const struct request *q, const struct poll_request *asked, struct live_place seen,
		   struct parked **out, struct err *e)
{
	int64_t now = clock_mono_ms(), wait = asked->wait_ms;
	struct parked *p;
	int rc;

	pthread_mutex_lock(&ev->lock);
	rc = reserve_locked(ev, now, e);
	pthread_mutex_unlock(&ev->lock);
	if (rc < 0)
		return -1;
	if (q->session.expires_us) /* its end is no event */
		wait = MIN_OF(wait, q->session.left_ms);
	p = xcalloc(1, sizeof(*p));
	p->events = ev;
	p->asked = *asked;
	memcpy(p->id, q->id, sizeof(p->id));
	p->user = q->session.user;
	p->session = q->session.id;
	p->rate = q->rate;
	p->poll.arrived = now;
	p->deadline = now + MAX_OF(wait, (int64_t)1);
	p->seen = seen;
	p->source = (struct source){.kind = SOURCE_PARKED, .fd = -1};
	pthread_mutex_lock(&ev->lock);
	ev->next_free = MIN_OF(ev->next_free, p->deadline);
	pthread_mutex_unlock(&ev->lock);
	*out = p;
	return 0;
}

void events_park(struct parked *p, int fd, int request_id)
{
	struct events *ev = p->events;

	p->source.fd = fd;
	p->request_id = request_id;
	pthread_mutex_lock(&ev->lock);
	STAILQ_INSERT_TAIL(&ev->handed_in, p, handed);
	pthread_mutex_unlock(&ev->lock);
	ring(ev);
}

void events_release(struct parked **p)
{
	struct events *ev = (*p)->events;

	pthread_mutex_lock(&ev->lock);
	ev->reserved--;
	pthread_mutex_unlock(&ev->lock);
	free(*p);
	*p = NULL;
}
