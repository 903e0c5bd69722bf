/* files_conn: a connection of the web server's: records in, one answer out. */
#include "fcgi/files_private.h"
#include "fcgi/record.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include <errno.h>
#include <fastcgi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PARAMS_MAX ((size_t)64 << 10)
#define TURN_READS 8      /* buffers, before others have their turn */
#define SILENT_MS 300000  /* a web server cuts its own slow clients long before */
#define ANSWERED_MS 30000 /* one that does not take its answer, or sends a body that nobody wants */

struct files_conn {
	struct files *f;
	int fd;
	TAILQ_ENTRY(files_conn) list; /* under the lock */
	_Atomic int64_t last;         /* mono ms: when it moved */
	atomic_bool ending, answered;
	/* Goes from thread to thread by epoll, one at a time. The kernel orders what they do; this says so in C's own
	 * terms. */
	atomic_uint turns;

	struct record_reader reader;
	int request_id;
	bool begun; /* its parameters are there */
	struct strbuf params, out;
	size_t out_at;
	bool shut; /* nothing more is sent */
	struct files_request *q;
};

static void watch(struct files *f, int op, int fd, uint32_t events, void *of)
{
	struct epoll_event e = {.events = events | EPOLLONESHOT, .data.ptr = of};
	int rc;

	/* Before this has returned the next thread may have the connection, and close it: not under our feet. */
	pthread_mutex_lock(&f->lock);
	rc = epoll_ctl(f->ep, op, fd, &e);
	pthread_mutex_unlock(&f->lock);
	if (rc < 0)
		log_error("files.epoll", "errno=%d", errno);
}

void files_listen(struct files *f)
{
	watch(f, EPOLL_CTL_MOD, f->listen_fd, EPOLLIN, NULL);
}

void files_conn_new(struct files *f, int fd)
{
	struct files_conn *c = xcalloc(1, sizeof(*c));

	c->f = f;
	c->fd = fd;
	c->params.max = PARAMS_MAX;
	c->out.max = (size_t)2 << 20;
	c->last = clock_mono_ms();
	pthread_mutex_lock(&f->lock);
	TAILQ_INSERT_TAIL(&f->conns, c, list);
	f->n++;
	pthread_mutex_unlock(&f->lock);
	atomic_fetch_add_explicit(&c->turns, 1, memory_order_release);
	watch(f, EPOLL_CTL_ADD, fd, EPOLLIN, c);
}

static void be_gone(struct files_conn *c)
{
	struct files *f = c->f;
	bool listens;

	if (c->q && c->q->state == FILES_BODY && c->begun)
		log_info("files.cut", "req_id=%s got=%lld of=%lld", c->q->id, (long long)c->q->got,
			 (long long)c->q->size);
	/* What it had begun is gone before anybody can see that the connection is. */
	files_request_free(&c->q);
	pthread_mutex_lock(&f->lock);
	TAILQ_REMOVE(&f->conns, c, list);
	f->n--;
	listens = f->full && !f->draining;
	f->full = f->full && !listens;
	close(c->fd);
	pthread_mutex_unlock(&f->lock);
	strbuf_release(&c->params);
	strbuf_release(&c->out);
	free(c);
	if (listens)
		files_listen(f);
}

/* ---- records */

static bool on_begin(struct files_conn *c, int id, const char *p)
{
	FCGI_BeginRequestBody begin;

	if (c->q)
		return false;
	memcpy(&begin, p, sizeof(begin));
	if ((begin.roleB1 << 8 | begin.roleB0) != FCGI_RESPONDER)
		return false;
	c->request_id = id;
	c->q = files_request_new(c->f);
	return true;
}

static bool on_record(void *arg, enum record_event event, int id, const char *p, size_t n)
{
	struct files_conn *c = arg;

	if (event == RECORD_BEGIN)
		return on_begin(c, id, p);
	if (!c->q || id != c->request_id || event == RECORD_ABORT)
		return false;
	switch (event) {
	case RECORD_PARAMS:
		strbuf_add(&c->params, p, n);
		break;
	case RECORD_PARAMS_END:
		if (c->begun)
			return false;
		c->begun = true;
		if (c->params.failed)
			files_request_fail(c->q, S3_BAD_URI);
		else
			files_request_begin(c->q, strbuf_cstr(&c->params), c->params.n);
		strbuf_release(&c->params);
		break;
	case RECORD_BODY:
		if (!c->begun)
			return false;
		files_request_add(c->q, p, n);
		break;
	default: /* RECORD_BODY_END */
		if (!c->begun)
			return false;
		files_request_end(c->q);
	}
	return true;
}

/* ---- the answer */

static void queue_answer(struct files_conn *c)
{
	struct files_request *q = c->q;

	strbuf_adds(&q->head, "\r\n");
	record_answer(&c->out, c->request_id, (struct span){q->head.p, q->head.n}, (struct span){q->body.p, q->body.n});
	strbuf_release(&q->head);
	strbuf_release(&q->body);
	c->answered = true;
}

/* False: the other side is gone. */
static bool send_on(struct files_conn *c)
{
	while (c->out_at < c->out.n) {
		ssize_t n = send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		c->out_at += (size_t)n;
		c->last = clock_mono_ms();
	}
	return true;
}

enum next { NEXT_GONE, NEXT_MORE, NEXT_WAIT };

/* What there is to be said. */
static enum next answer(struct files_conn *c)
{
	if (!c->answered) {
		if (!c->q || c->q->state != FILES_READY)
			return NEXT_MORE;
		queue_answer(c);
	}
	if (!send_on(c))
		return NEXT_GONE;
	if (c->out_at < c->out.n)
		return NEXT_MORE;
	if (c->ending)
		return NEXT_GONE;
	/* The web server closes when it has the answer. Where it still sends a body, closing now would reset the
	 * connection, and the answer with it. */
	if (!c->shut)
		shutdown(c->fd, SHUT_WR);
	c->shut = true;
	return NEXT_MORE;
}

static enum next receive(struct files_conn *c, char *buf)
{
	ssize_t n = recv(c->fd, buf, FILES_BUFFER, MSG_DONTWAIT);

	if (n < 0 && errno == EINTR)
		return NEXT_MORE;
	if (n < 0)
		return errno == EAGAIN ? NEXT_WAIT : NEXT_GONE;
	if (n == 0)
		return c->ending && c->q && c->q->state == FILES_BODY ? NEXT_MORE : NEXT_GONE;
	c->last = clock_mono_ms();
	if (!record_read(&c->reader, buf, (size_t)n, on_record, c))
		return NEXT_GONE;
	if (c->q)
		files_request_flush(c->q);
	return NEXT_MORE;
}

/* One turn; NEXT_MORE: it has had enough for now. */
static enum next turn(struct files_conn *c, char *buf)
{
	enum next next = NEXT_MORE;

	for (int i = 0; i < TURN_READS && next == NEXT_MORE; i++) {
		if (c->q && c->q->state == FILES_WORK) { /* whatever the other side does */
			files_request_work(c->q);
			c->last = clock_mono_ms();
			if (c->q->state == FILES_WORK)
				return NEXT_MORE;
		}
		if (c->ending) {
			if (!c->q || !c->begun)
				return NEXT_GONE;
			if (c->q->state == FILES_BODY)
				files_request_fail(c->q, S3_STOPPING);
		}
		next = answer(c);
		if (next == NEXT_MORE)
			next = receive(c, buf);
	}
	return next;
}

/* Something is to be done whether or not more comes: also an answer whose request ended with the turn's last read. */
static bool has_to_do(const struct files_conn *c)
{
	return c->out_at < c->out.n ||
	       (c->q && (c->q->state == FILES_WORK || (c->q->state == FILES_READY && !c->answered)));
}

void files_conn_ready(struct files_conn *c, char *buf)
{
	uint32_t events = EPOLLIN;
	struct files *f;
	enum next next;
	int fd;

	(void)atomic_load_explicit(&c->turns, memory_order_acquire);
	next = turn(c, buf);
	if (next == NEXT_GONE) {
		be_gone(c);
		return;
	}
	if (has_to_do(c))
		events |= EPOLLOUT;
	fd = c->fd;
	f = c->f;
	atomic_fetch_add_explicit(&c->turns, 1, memory_order_release);
	watch(f, EPOLL_CTL_MOD, fd, events, c); /* it may be gone now */
}

void files_conns_tick(struct files *f, int64_t now)
{
	struct files_conn *c;

	pthread_mutex_lock(&f->lock);
	TAILQ_FOREACH(c, &f->conns, list)
	{
		bool cut = f->cut_at && f->cut_at <= now;

		if (!c->ending && (cut || now - c->last > (c->answered ? ANSWERED_MS : SILENT_MS))) {
			c->ending = true;
			shutdown(c->fd, SHUT_RD); /* wakes the thread that waits for it */
		}
	}
	pthread_mutex_unlock(&f->lock);
}
