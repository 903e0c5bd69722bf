/* conn: life of a stream, from its request to its end. */
#include "ws/conn.h"
#include "lib/auth/session.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/base/strbuf.h"
#include "lib/live/control.h"
#include "lib/live/presence.h"
#include "ws/callers.h"
#include "ws/ops.h"
#include "ws/pg_loop.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LOOKUPS_MAX 5
#define RECHECK_RETRY_MS 5000
#define SLOW_MS 2000

static const struct receiver_hooks hooks;

struct conn *conn_new(struct realtime *rt, const struct transport *t, size_t size, struct request *request)
{
	struct conn *c = xcalloc(1, size);

	c->receiver.hooks = &hooks;
	c->transport = t;
	c->rt = rt;
	c->request = request;
	memcpy(c->instance, request->instance, sizeof(c->instance));
	c->caller = callers_enter(rt->callers, request->address);
	LIST_INIT(&c->ops);
	TAILQ_INSERT_TAIL(&rt->conns, c, all);
	rt->conns_n++;
	return c;
}

void conn_free(struct conn *c)
{
	struct realtime *rt = c->rt;

	log_debug("conn.gone", "transport=%s user=%" PRId64 " session=%" PRId64 " sent=%" PRIu64 " code=%d reason=%s",
		  c->transport->name, c->user, c->session, c->sent, (int)c->close_code,
		  log_quote(c->close_reason ? c->close_reason : ""));
	c->state = CONN_DEAD;
	c->transport->release(c);
	live_remove(rt->live, &c->receiver, clock_mono_ms());
	presence_end(rt->presence, &c->presence, clock_mono_ms());
	if (c->asked)
		pgconn_forget(c->asked, c->ask);
	ops_forget(c);
	callers_leave(rt->callers, &c->caller);
	request_free(&c->request);
	wheel_set(rt->wheel, &c->timer, 0);
	conn_unqueue(c, c->queue_n);
	if (c->dirty)
		TAILQ_REMOVE(&rt->dirty, c, dirty_link);
	TAILQ_REMOVE(&rt->conns, c, all);
	rt->conns_n--;
	free(c);
}

bool conn_is_slow(const struct conn *c)
{
	uint64_t share = (uint64_t)FAULT_NUMBER("slow_reader");
	uint64_t window = (uint64_t)clock_mono_ms() / SLOW_MS;

	return share && ((uintptr_t)c / 64 * 2654435761u + window * 40503u) % 1009 % 100 < share;
}

/* ---- the session */

static int64_t session_end(const struct session *s)
{
	return s->left_ms ? clock_mono_us() + s->left_ms * 1000 : 0;
}

static void refuse(struct conn *c, enum close_code code, const struct err *e)
{
	if (c->state == CONN_CLOSING || c->state == CONN_DEAD)
		return;
	c->transport->refuse(c, code, e);
}

static void refuse_session(struct conn *c, const struct session *s)
{
	struct err e = {0};

	if (session_check(s, &e) == 0)
		err_set(&e, ERR_UNAUTHENTICATED, NULL, "this session has ended: sign in again");
	refuse(c, s->state == SESSION_DEACTIVATED ? CLOSE_DEACTIVATED : CLOSE_SIGNED_OUT, &e);
}

static void start(struct conn *c, const struct session *s)
{
	struct err e = {0};
	struct session gone = *s;
	struct live_user *u;

	c->user = s->user;
	c->session = s->id;
	c->scopes = s->scopes;
	c->expires_us = session_end(s);
	c->state = CONN_STARTING;
	if (s->stale)
		conn_touch(c);
	switch (live_add(c->rt->live, &c->receiver, c->user, c->session, c->seen,
			 c->request->has_cursor ? &c->request->cursor : NULL)) {
	case LIVE_ADDED:
		u = c->receiver.user;
		if (u && u->receivers_n > CONN_USER_MAX && c->receiver.state != RECEIVER_OUT) {
			c->receiver.state = RECEIVER_OUT;
			err_retry(&e, ERR_BUSY, 5000, "too many connections of this user");
			refuse(c, CLOSE_OVERLOAD, &e);
		}
		return;
	case LIVE_AGAIN:
		c->state = CONN_AUTHORISING;
		conn_authorise(c);
		return;
	case LIVE_ENDED:
		gone.state = SESSION_ENDED;
		break;
	case LIVE_USER_CLOSED:
		gone.state = SESSION_DEACTIVATED;
		break;
	}
	refuse_session(c, &gone);
}

static void on_session(void *arg, const PGresult *r, const struct err *e)
{
	struct conn *c = arg;
	struct session s;
	struct err refused = {0};

	c->asked = NULL;
	if (c->state != CONN_AUTHORISING)
		return;
	if (e) {
		refuse(c, CLOSE_OVERLOAD, e);
	} else if (session_from_row(r, &s) != SESSION_LIVE) {
		refuse_session(c, &s);
	} else if (!(s.scopes & SCOPE_READ)) {
		err_set(&refused, ERR_INSUFFICIENT_SCOPE, NULL, "the token lacks the scope read");
		refuse(c, CLOSE_SIGNED_OUT, &refused);
	} else {
		start(c, &s);
	}
}

void conn_authorise(struct conn *c)
{
	struct err e = {0};

	if (!c->request->has_credential) {
		err_set(&e, ERR_UNAUTHENTICATED, NULL, "sign in first");
		refuse(c, CLOSE_SIGNED_OUT, &e);
		return;
	}
	if (c->lookups++ == LOOKUPS_MAX) {
		err_retry(&e, ERR_UNAVAILABLE, 1000, "too much is going on, try again");
		refuse(c, CLOSE_OVERLOAD, &e);
		return;
	}
	c->seen = live_here(c->rt->live);
	c->asked = pg_pool_pick(c->rt->pool);
	c->ask = pgconn_query(c->asked, STMT_session_find, c->rt->config->database.wait, on_session, c, "t",
			      c->request->secret_hash);
}

static void on_recheck(void *arg, const PGresult *r, const struct err *e)
{
	struct conn *c = arg;
	struct session s;

	c->asked = NULL;
	if (c->state != CONN_OPEN)
		return;
	if (e) {
		c->expires_us = clock_mono_us() + RECHECK_RETRY_MS * 1000; /* look again then */
		return;
	}
	session_from_row(r, &s);
	if (s.state == SESSION_LIVE && s.user == c->user) {
		c->expires_us = session_end(&s);
		return;
	}
	presence_signed_out(c->rt->presence, c->user, c->session, clock_mono_ms());
	if (s.state == SESSION_DEACTIVATED)
		conn_end(c, CLOSE_DEACTIVATED, "this account is deactivated", 0);
	else
		conn_end(c, CLOSE_SIGNED_OUT, "the session has ended", 0);
}

void conn_recheck(struct conn *c)
{
	if (c->asked || c->state != CONN_OPEN)
		return;
	c->asked = pg_pool_pick(c->rt->pool);
	c->ask =
		pgconn_query(c->asked, STMT_live_session, c->rt->config->database.wait, on_recheck, c, "i", c->session);
}

void conns_recheck(struct realtime *rt)
{
	struct conn *c;

	TAILQ_FOREACH(c, &rt->conns, all)
	conn_recheck(c);
}

static void on_touched(void *arg, const PGresult *r, const struct err *e)
{
	(void)arg;
	(void)r;
	(void)e;
}

void conn_touch(struct conn *c)
{
	pgconn_query(pg_pool_pick(c->rt->pool), STMT_session_touch, 0, on_touched, NULL, "i", c->session);
}

/* ---- the queue */

void conn_dirty(struct conn *c)
{
	if (c->dirty || c->state == CONN_DEAD)
		return;
	c->dirty = true;
	c->dirty_turn = c->rt->turn;
	TAILQ_INSERT_TAIL(&c->rt->dirty, c, dirty_link);
}

/* Most of the time a line or two wait: they need no memory of their own. */
static void queue_grow(struct conn *c)
{
	struct line **own = c->queue == c->few ? NULL : c->queue;

	if (!c->queue_cap) {
		c->queue = c->few;
		c->queue_cap = COUNT_OF(c->few);
		return;
	}
	c->queue_cap = MAX_OF((size_t)8, c->queue_cap * 2);
	c->queue = xrealloc(own, c->queue_cap * sizeof(*c->queue));
	if (!own)
		memcpy(c->queue, c->few, sizeof(c->few));
}

bool conn_queue(struct conn *c, struct line *l)
{
	if (c->state == CONN_CLOSING || c->state == CONN_DEAD)
		return false;
	if (c->queue_n && c->queue_bytes + l->n > (size_t)c->rt->config->realtime.queue_bytes) {
		c->transport->overflow(c);
		if (c->state == CONN_CLOSING || c->state == CONN_DEAD)
			return false;
	}
	if (c->queue_n == c->queue_cap)
		queue_grow(c);
	c->queue[c->queue_n++] = line_ref(l);
	c->queue_bytes += l->n;
	conn_dirty(c);
	return true;
}

void conn_queue_text(struct conn *c, const char *p, size_t n)
{
	struct line *l = line_new(p, n);

	conn_queue(c, l);
	line_unref(&l);
}

void conn_unqueue(struct conn *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		c->queue_bytes -= c->queue[i]->n;
		line_unref(&c->queue[i]);
	}
	c->queue_n -= n;
	if (c->queue_n) {
		memmove(c->queue, c->queue + n, c->queue_n * sizeof(*c->queue));
		return;
	}
	if (c->queue != c->few)
		free(c->queue); /* most connections are idle most of the time */
	c->queue = NULL;
	c->queue_cap = 0;
}

/* ---- the end */

void conn_end(struct conn *c, enum close_code code, const char *reason, int64_t retry_after_ms)
{
	if (c->state == CONN_CLOSING || c->state == CONN_DEAD)
		return;
	c->close_code = code;
	c->close_reason = reason;
	c->receiver.state = RECEIVER_OUT;
	c->transport->end(c, retry_after_ms);
	conn_dirty(c);
}

const char *conn_cursor(const struct conn *c, char out[CURSOR_TEXT_MAX])
{
	return cursor_text(out, live_mark(c->rt->live), live_position(c->rt->live, &c->receiver));
}

/* ---- presence */

static void tell_presence(struct conn *c)
{
	const struct request *q = c->request;
	int64_t now = clock_mono_ms();

	if (c->transport->stream)
		c->presence = presence_begin(c->rt->presence, c->user, c->session, c->instance, now);
	else
		presence_poll(c->rt->presence, c->user, c->session, q->has_instance ? c->instance : NULL,
			      q->has_cursor ? q->wait_ms : 0, q->active, now);
}

/* ---- as a receiver */

static void on_begin(struct receiver *r)
{
	struct conn *c = conn_of(r);

	c->state = CONN_OPEN;
	tell_presence(c);
	c->transport->begin(c);
	request_free(&c->request);
}

static void on_line(struct receiver *r, struct line *l, int64_t id)
{
	struct conn *c = conn_of(r);

	if (!id && c->queue_bytes + l->n > (size_t)c->rt->config->realtime.queue_bytes / 2)
		return; /* a slow reader does without state */
	if (c->state != CONN_OPEN || !conn_queue(c, l) || !id)
		return;
	c->sent++;
	c->queued_id = id;
}

static size_t on_room(struct receiver *r)
{
	struct conn *c = conn_of(r);

	return c->state == CONN_OPEN ? c->transport->room(c) : 0;
}

static void on_live(struct receiver *r)
{
	struct conn *c = conn_of(r);

	if (c->state == CONN_OPEN)
		c->transport->live(c);
}

void conn_queue_reset(struct conn *c, const char *reason)
{
	char cursor[CURSOR_TEXT_MAX];
	AUTO_STRBUF b = {0};

	control_reset(&b, conn_cursor(c, cursor), reason);
	conn_queue_text(c, b.p, b.n);
}

static void on_reset(struct receiver *r, const char *reason)
{
	struct conn *c = conn_of(r);

	if (c->state != CONN_OPEN)
		return;
	conn_queue_reset(c, reason);
	c->transport->live(c);
}

static void on_refused(struct receiver *r, const struct err *e)
{
	refuse(conn_of(r), CLOSE_OVERLOAD, e);
}

static void on_ended(struct receiver *r, enum live_end why)
{
	struct conn *c = conn_of(r);

	if (why == LIVE_DEACTIVATED)
		conn_end(c, CLOSE_DEACTIVATED, "this account is deactivated", 0);
	else
		conn_end(c, CLOSE_SIGNED_OUT, "signed out", 0);
}

static const struct receiver_hooks hooks = {
	.begin = on_begin,
	.line = on_line,
	.room = on_room,
	.live = on_live,
	.reset = on_reset,
	.refused = on_refused,
	.ended = on_ended,
};
