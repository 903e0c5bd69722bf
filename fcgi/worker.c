/* worker: epoll around FCGX_Accept_r.
 *
 * libfcgi 2.4.2 blocks in accept() until one more request comes, and the two known ways out of it each cost something:
 * a signal cuts into whatever request is just being read, shutdown() of the socket stops all processes that share it
 * and turns away those who have connected. So the socket is non-blocking and each thread waits in epoll for it or for
 * the stop event: FCGX_Accept_r never waits for a connection (it returns -EAGAIN where another thread was quicker), and
 * a stop needs no signal. */
#include "fcgi/worker.h"
#include "fcgi/events.h"
#include "fcgi/serve.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/db/db.h"
#include <errno.h>
#include <fcntl.h>
#include <fcgiapp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEER_TIMEOUT_S 30 /* a web server that stops in the middle of a request or an answer */
#define WASTE_READS 1024  /* of 1 KiB: a body that a poll does not have */
#define RETRY_MS 100      /* after an accept() that failed for want of descriptors, say */

struct worker {
	struct workers *all;
	pthread_t thread;
	bool running;
};

struct workers {
	struct app *app;
	int listen_fd, stop_fd;
	bool own_socket;
	size_t count;
	struct worker worker[];
};

struct carrier {
	FCGX_Request *r;
	struct parked *parked; /* the request is to be answered later */
};

static long read_stream(void *ctx, char *p, size_t n)
{
	FCGX_Request *r = ((struct carrier *)ctx)->r;
	int got = FCGX_GetStr(p, (int)MIN_OF(n, (size_t)1 << 20), r->in);

	return got == 0 && FCGX_GetError(r->in) != 0 ? -1 : got;
}

/* A failure is not looked at: libfcgi reports none that could be relied on, and whether the client got it is not known
 * anyway. */
static void write_stream(void *ctx, const char *p, size_t n)
{
	FCGX_Request *r = ((struct carrier *)ctx)->r;

	while (n) {
		int chunk = (int)MIN_OF(n, (size_t)1 << 20);

		if (FCGX_PutStr(p, chunk, r->out) < chunk)
			return;
		p += chunk;
		n -= (size_t)chunk;
	}
}

static void park(void *ctx, struct parked *p)
{
	((struct carrier *)ctx)->parked = p;
}

/* The connection goes to the events thread, under a number of its own: libfcgi's buffers need not wait with it. */
static void hand_over(struct carrier *c)
{
	char waste[1024];
	int fd;

	/* what is left unread would be taken for the client's going, and reset the connection in the end */
	for (int i = 0; i < WASTE_READS && FCGX_GetStr(waste, sizeof(waste), c->r->in) > 0; i++)
		;
	fd = fcntl(c->r->ipcFd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		log_error("worker.park", "errno=%d", errno);
		events_release(&c->parked);
	} else {
		events_park(c->parked, fd, c->r->requestId);
	}
	FCGX_Detach(c->r); /* close() without shutdown() */
	FCGX_Free(c->r, 1);
	FCGX_Attach(c->r);
}

static void answer(struct workers *all, FCGX_Request *r, struct db *db, struct arena *arena)
{
	struct timeval limit = {.tv_sec = PEER_TIMEOUT_S};
	struct carrier c = {.r = r};
	struct io io = {.read = read_stream, .write = write_stream, .park = park, .ctx = &c};

	setsockopt(r->ipcFd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(r->ipcFd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	serve(all->app, db, arena, r->envp, &io);
	if (c.parked) {
		hand_over(&c);
	} else {
		FCGX_Finish_r(r);
		/* Also where the web server would keep the connection: one that waits for its next request would hold a
		 * thread. */
		FCGX_Free(r, 1);
	}
	arena_reset(arena);
}

static int watch(const struct workers *all)
{
	struct epoll_event stop = {.events = EPOLLIN, .data.fd = all->stop_fd};
	struct epoll_event come = {.events = EPOLLIN | EPOLLEXCLUSIVE,
				   .data.fd = all->listen_fd}; /* wakes one thread, not all */
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, all->stop_fd, &stop) < 0 ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, all->listen_fd, &come) < 0) {
		log_error("worker.epoll", "errno=%d", errno);
		abort();
	}
	return ep;
}

static bool stop_asked(int stop_fd, int wait_ms)
{
	struct pollfd p = {.fd = stop_fd, .events = POLLIN};

	return poll(&p, 1, wait_ms) > 0;
}

static void *run(void *arg)
{
	struct workers *all = ((struct worker *)arg)->all;
	struct db *db = db_new(all->app->config);
	struct arena *arena = arena_new(serve_arena_limit(all->app->config));
	FCGX_Request r;
	int ep = watch(all);

	FCGX_InitRequest(&r, all->listen_fd, FCGI_FAIL_ACCEPT_ON_INTR);
	for (;;) {
		bool stopping = stop_asked(all->stop_fd, 0);
		struct epoll_event ready;
		int rc;

		if (stopping && !all->own_socket)
			break;
		if (!stopping && epoll_wait(ep, &ready, 1, -1) < 0 && errno != EINTR)
			break;
		rc = FCGX_Accept_r(&r);
		if (rc == 0)
			answer(all, &r, db, arena);
		else if (stopping)
			break; /* nobody is left who had connected */
		else if (rc != -EAGAIN && rc != -EINTR) {
			log_error("worker.accept", "rc=%d", rc);
			stop_asked(all->stop_fd, RETRY_MS);
		}
	}
	FCGX_Free(&r, 1);
	close(ep);
	arena_free(&arena);
	db_free(&db);
	return NULL;
}

int workers_start(struct app *app, const struct listener *l, size_t threads, struct workers **out, struct err *e)
{
	struct workers *w = xcalloc(1, sizeof(*w) + threads * sizeof(w->worker[0]));

	w->app = app;
	w->listen_fd = l->fd;
	w->own_socket = l->own;
	w->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	*out = w;
	if (w->stop_fd < 0 || FCGX_Init() != 0)
		return err_set(e, ERR_INTERNAL, NULL, "the workers cannot be started: %s", strerror(errno));
	for (; w->count < threads; w->count++) {
		struct worker *one = &w->worker[w->count];
		int rc;

		one->all = w;
		rc = pthread_create(&one->thread, NULL, run, one);
		if (rc)
			return err_set(e, ERR_INTERNAL, NULL, "a worker cannot be started: %s", strerror(rc));
		one->running = true;
	}
	return 0;
}

void workers_drain(struct workers *w)
{
	uint64_t one = 1;

	if (write(w->stop_fd, &one, sizeof(one)) < 0)
		log_error("worker.stop", "errno=%d", errno);
}

size_t workers_wait(struct workers *w, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;
	size_t left = 0;

	for (size_t i = 0; i < w->count; i++) {
		if (w->worker[i].running &&
		    thread_join_within(w->worker[i].thread, MAX_OF(until - clock_mono_ms(), (int64_t)0)))
			w->worker[i].running = false;
		left += w->worker[i].running;
	}
	return left;
}

void workers_free(struct workers **w)
{
	if (!*w)
		return;
	close((*w)->stop_fd);
	free(*w);
	*w = NULL;
}
