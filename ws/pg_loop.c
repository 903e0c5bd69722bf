/* pg_loop: uv_poll for libpq. */
#include "ws/pg_loop.h"
#include <stdio.h>
#include <stdlib.h>

struct pg_watch {
	uv_loop_t *loop;
	uv_poll_t *poll; /* NULL: no descriptor. Of the heap, since libuv lets go of it in a later turn */
	int fd, events;
	void (*ready)(void *arg, int events);
	void *arg;
};

struct pg_watch *pg_watch_new(uv_loop_t *loop, void (*ready)(void *arg, int events), void *arg)
{
	struct pg_watch *w = xcalloc(1, sizeof(*w));

	w->loop = loop;
	w->fd = -1;
	w->ready = ready;
	w->arg = arg;
	return w;
}

static void arm(struct pg_watch *w);

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct pg_watch *w = h->data;

	/* an error shows when it is read */
	w->ready(w->arg,
		 status < 0 ? PGCONN_READ | PGCONN_WRITE
			    : (events & UV_READABLE ? PGCONN_READ : 0) | (events & UV_WRITABLE ? PGCONN_WRITE : 0));
	/* libuv stops at POLLERR (a server that died with our question unread), and what was read may have been its
	 * last words only: the end comes behind them */
	if (status < 0 && w->poll == h)
		arm(w);
}

static void arm(struct pg_watch *w)
{
	if (w->events)
		uv_poll_start(w->poll,
			      (w->events & PGCONN_READ ? UV_READABLE : 0) |
				      (w->events & PGCONN_WRITE ? UV_WRITABLE : 0),
			      on_poll);
	else
		uv_poll_stop(w->poll);
}

static void on_closed(uv_handle_t *h)
{
	free(h);
}

static void forget(struct pg_watch *w)
{
	if (w->poll)
		uv_close((uv_handle_t *)w->poll, on_closed);
	w->poll = NULL;
	w->fd = -1;
}

void pg_watch_set(struct pg_watch *w, int fd, int events)
{
	if (fd != w->fd)
		forget(w);
	if (fd < 0)
		return;
	if (!w->poll) {
		w->poll = xcalloc(1, sizeof(*w->poll));
		w->poll->data = w;
		w->fd = fd;
		if (uv_poll_init(w->loop, w->poll, fd) != 0)
			abort();
	}
	w->events = events;
	arm(w);
}

void pg_watch_free(struct pg_watch **w)
{
	if (!*w)
		return;
	forget(*w);
	free(*w);
	*w = NULL;
}

struct member {
	struct pgconn *conn;
	struct pg_watch *watch;
};

struct pg_pool {
	size_t n;
	struct member members[];
};

static void on_watch(void *arg, int fd, int events)
{
	struct member *m = arg;

	pg_watch_set(m->watch, fd, events);
}

static void on_ready(void *arg, int events)
{
	struct member *m = arg;

	pgconn_ready(m->conn, events);
}

struct pg_pool *pg_pool_new(const struct config *c, uv_loop_t *loop, const char *name, size_t n)
{
	static const struct pgconn_hooks hooks = {.watch = on_watch};
	struct pg_pool *p = xcalloc(1, sizeof(*p) + n * sizeof(p->members[0]));

	p->n = n;
	for (size_t i = 0; i < n; i++) {
		char one[80];

		snprintf(one, sizeof(one), "%.50s-%zu", name, i + 1);
		p->members[i].watch = pg_watch_new(loop, on_ready, &p->members[i]);
		p->members[i].conn = pgconn_new(c, one, NULL, NULL, &hooks, &p->members[i]);
	}
	return p;
}

void pg_pool_free(struct pg_pool **p)
{
	if (!*p)
		return;
	for (size_t i = 0; i < (*p)->n; i++) {
		pgconn_close(&(*p)->members[i].conn);
		pg_watch_free(&(*p)->members[i].watch);
	}
	free(*p);
	*p = NULL;
}

struct pgconn *pg_pool_pick(const struct pg_pool *p)
{
	struct pgconn *best = p->members[0].conn;

	for (size_t i = 1; i < p->n; i++) {
		struct pgconn *c = p->members[i].conn;
		bool up = pgconn_is_up(c), best_up = pgconn_is_up(best);

		if (up != best_up ? up : pgconn_pending(c) < pgconn_pending(best))
			best = c;
	}
	return best;
}

bool pg_pool_is_up(const struct pg_pool *p)
{
	return pgconn_is_up(pg_pool_pick(p));
}

void pg_pool_reset_silent(struct pg_pool *p, int64_t now, int64_t ms, bool idle)
{
	for (size_t i = 0; i < p->n; i++)
		pgconn_reset_silent(p->members[i].conn, now, ms, idle);
}

int64_t pg_pool_tick(struct pg_pool *p, int64_t now)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < p->n; i++)
		next = MIN_OF(next, pgconn_tick(p->members[i].conn, now));
	return next;
}
