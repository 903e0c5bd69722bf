/* events_parked: from the hand-over to the last byte of the answer. */
#include "fcgi/events_private.h"
#include "fcgi/record.h"
#include "fcgi/response.h"
#include "lib/auth/session.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/db/pgconn.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOKUPS_MAX 5
#define READY_MS 5000    /* for the log to be known, after the start */
#define WRITE_MS 5000    /* for a web server to take an answer */
#define PATIENCE_MS 5000 /* beyond its wait, for one that the log is being read for */

static void changed(struct live_poll *poll)
{
	struct parked *p = (struct parked *)poll;

	if (p->dirty || p->state >= PARKED_WRITING)
		return;
	p->dirty = true;
	TAILQ_INSERT_TAIL(&p->events->dirty, p, dirty_link);
}

/* Out of live and of all lists but `all`. answered: mono ms, or 0. */
static void leave_live(struct parked *p, int64_t answered)
{
	struct events *ev = p->events;

	if (p->dirty)
		TAILQ_REMOVE(&ev->dirty, p, dirty_link);
	p->dirty = false;
	if (p->in)
		pgconn_forget(p->in, p->question);
	p->in = NULL;
	polls_leave(ev->polls, &p->poll, answered);
	live_remove(ev->live, &p->poll.receiver, clock_mono_ms());
	live_poll_release(&p->poll);
}

static void close_connection(struct parked *p)
{
	char waste[512];
	int fd = p->source.fd;

	if (fd < 0)
		return;
	source_watch(p->events, &p->source, fd, 0);
	/* what is unread would make the kernel reset the connection, answer and all */
	while (recv(fd, waste, sizeof(waste), MSG_DONTWAIT) > 0)
		;
	close(fd);
	p->source.fd = -1;
}

static void be_gone(struct parked *p)
{
	struct events *ev = p->events;

	if (p->state == PARKED_GONE)
		return;
	if (p->state != PARKED_WRITING)
		leave_live(p, 0);
	close_connection(p);
	p->state = PARKED_GONE;
	TAILQ_REMOVE(&ev->all, p, list);
	TAILQ_INSERT_TAIL(&ev->gone, p, list);
}

void parked_free(struct parked **p)
{
	strbuf_release(&(*p)->out);
	events_release(p);
}

/* ---- the answer */

static void write_on(struct parked *p)
{
	while (p->out_at < p->out.n) {
		ssize_t n = send(p->source.fd, p->out.p + p->out_at, p->out.n - p->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			source_watch(p->events, &p->source, p->source.fd, EPOLLOUT);
			return;
		}
		if (n <= 0)
			break; /* the web server is gone */
		p->out_at += (size_t)n;
	}
	be_gone(p);
}

static void answer(struct parked *p, int64_t now)
{
	struct response r;
	struct strbuf head = {0};
	char cursor[CURSOR_TEXT_MAX];

	response_init(&r);
	if (p->poll.problem) {
		response_problem(&r, p->poll.problem, p->id);
	} else {
		live_poll_take_state(&p->poll);
		live_poll_render(&p->poll, &r.body, cursor);
		r.type = "application/x-ndjson";
		response_header(&r, "PulseChat-Cursor", cursor);
	}
	rate_headers(&p->rate, &r.headers);
	response_head(&r, p->id, &head);
	p->out.max = RESPONSE_BODY_MAX;
	record_answer(&p->out, p->request_id, (struct span){head.p, head.n},
		      (struct span){strbuf_cstr(&r.body), r.body.n});
	log_debug("poll.answer", "req_id=%s user=%lld status=%d bytes=%zu ms=%lld", p->id, (long long)p->user, r.status,
		  r.body.n, (long long)(now - p->poll.arrived));
	strbuf_release(&head);
	response_release(&r);
	leave_live(p, now);
	p->state = PARKED_WRITING;
	p->deadline = now + WRITE_MS;
	write_on(p);
}

void parked_flush(struct parked *p, int64_t now)
{
	if (p->state < PARKED_WRITING && polls_due(p->events->polls, &p->poll, now))
		answer(p, now);
}

/* ---- its place in live */

static void refuse(struct parked *p, enum err_code code, int retry_ms, const char *why)
{
	struct err e = {0};

	err_retry(&e, code, retry_ms, "%s", why);
	live_poll_refuse(&p->poll, &e);
}

static void enter(struct parked *p);

static void on_session(void *arg, const PGresult *r, const struct err *e)
{
	struct parked *p = arg;
	struct session s;
	struct err refused = {0};

	p->in = NULL;
	p->state = PARKED_NEW;
	if (e) {
		live_poll_refuse(&p->poll, e);
		return;
	}
	session_from_row(r, &s);
	if (session_check(&s, &refused) < 0)
		live_poll_refuse(&p->poll, &refused);
	else
		enter(p);
}

/* Much has happened since the worker looked. */
static void look_again(struct parked *p)
{
	struct events *ev = p->events;

	if (p->lookups++ == LOOKUPS_MAX) {
		refuse(p, ERR_UNAVAILABLE, 1000, "too much is going on, try again");
		return;
	}
	p->state = PARKED_LOOKUP;
	p->seen = live_here(ev->live);
	p->in = ev->query;
	p->question = pgconn_query(p->in, STMT_live_session, ev->config->database.wait, on_session, p, "i", p->session);
}

static void enter(struct parked *p)
{
	struct events *ev = p->events;
	struct err e = {0};

	p->state = PARKED_WAITING;
	receiver_asks(&p->poll.receiver, p->asked.reads, p->asked.drafts);
	switch (live_add(ev->live, &p->poll.receiver, p->user, p->session, p->seen,
			 p->asked.has_cursor ? &p->asked.cursor : NULL)) {
	case LIVE_ADDED:
		break;
	case LIVE_AGAIN:
		look_again(p);
		return;
	case LIVE_ENDED:
	case LIVE_USER_CLOSED:
		err_set(&e, ERR_UNAUTHENTICATED, NULL, "this session has ended: sign in again");
		live_poll_refuse(&p->poll, &e);
		return;
	}
	if (p->poll.receiver.user->receivers_n > EVENTS_USER_MAX) {
		refuse(p, ERR_BUSY, 5000, "too many polls of this user");
		return;
	}
	presence_poll(ev->presence, p->user, p->session, p->asked.has_instance ? p->asked.instance : NULL,
		      p->asked.has_cursor ? p->asked.wait_ms : 0, p->asked.active, p->poll.arrived);
	if (p->asked.has_instance)
		polls_enter(ev->polls, &p->poll, p->user, p->asked.instance);
}

void parked_take(struct events *ev, struct parked *p, int64_t now)
{
	TAILQ_INSERT_TAIL(&ev->all, p, list);
	live_poll_init(&p->poll, ev->live, (size_t)ev->config->realtime.queue_bytes, changed);
	p->poll.has_cursor = p->asked.has_cursor;
	p->poll.waits = p->asked.wait_ms > 0;
	p->poll.interests = &p->asked.interests;
	source_watch(ev, &p->source, p->source.fd, EPOLLIN | EPOLLRDHUP);
	if (ev->drained)
		refuse(p, ERR_UNAVAILABLE, 1000, "the server is stopping");
	else if (live_is_ready(ev->live))
		enter(p);
	else
		parked_tick(p, now);
}

void parked_stop(struct parked *p)
{
	if (p->state < PARKED_WRITING)
		live_poll_end(&p->poll, "the server is stopping",
			      1 + (int64_t)rand_below((uint32_t)p->events->config->realtime.drain_spread + 1));
}

void parked_tick(struct parked *p, int64_t now)
{
	struct events *ev = p->events;

	if (p->state == PARKED_NEW && !p->poll.problem) {
		if (live_is_ready(ev->live))
			enter(p);
		else if (p->poll.arrived + READY_MS <= now)
			refuse(p, ERR_UNAVAILABLE, 1000, "the log is not known yet");
	}
	if (p->deadline > now)
		return;
	if (p->state == PARKED_WRITING) {
		log_warning("poll.stuck", "req_id=%s left=%zu", p->id, p->out.n - p->out_at);
		be_gone(p);
	} else {
		live_poll_expire(&p->poll);
		p->deadline = now + PATIENCE_MS;
	}
}

void parked_ready(struct parked *p, int events)
{
	unsigned char in[2048];
	ssize_t n = 0;

	if (p->state == PARKED_GONE)
		return;
	if (events & EPOLLIN)
		n = recv(p->source.fd, in, sizeof(in), MSG_DONTWAIT);
	if (events & (EPOLLHUP | EPOLLERR) || (events & EPOLLRDHUP) || (events & EPOLLIN && n == 0) ||
	    (n > 0 && record_aborts(in, (size_t)n)))
		be_gone(p); /* nobody wants the answer any more */
	else if (p->state == PARKED_WRITING && events & EPOLLOUT)
		write_on(p);
}
