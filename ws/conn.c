/* conn: life of a stream, from its request to its end. */
#include "ws/conn.h"
#include "lib/auth/rate.h"
#include "lib/auth/session.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/live/bus.h"
#include "lib/live/presence.h"
#include "ws/admission.h"
#include "ws/callers.h"
#include "ws/ops.h"
#include "ws/pg_loop.h"
#include "ws/session_cache.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LOOKUPS_MAX 5
#define RECHECK_RETRY_MS 5000
#define SLOW_MS 2000

struct conn *conn_new(struct realtime *rt, const struct transport *t, const char *name, size_t size,
		      struct request *request)
{
	struct conn *c = xcalloc(1, size);

	c->transport = t;
	c->name = name;
	c->rt = rt;
	c->request = request;
	c->has_instance = request->has_instance;
	memcpy(c->instance, request->instance, sizeof(c->instance));
	c->rate = request->rate;
	c->caller = callers_enter(rt->callers, request->address);
	LIST_INIT(&c->ops);
	TAILQ_INSERT_TAIL(&rt->conns, c, all);
	rt->conns_n++;
	return c;
}

void conn_free(struct conn *c)
{
	struct realtime *rt = c->rt;

	log_debug("conn.gone", "transport=%s user=%" PRId64 " session=%" PRId64 " code=%d reason=%s", c->name, c->user,
		  c->session, (int)c->close_code, log_quote(c->close_reason ? c->close_reason : ""));
	c->state = CONN_DEAD;
	live_remove(rt->live, c->receiver, clock_mono_ms());
	presence_end(rt->presence, &c->presence, clock_mono_ms());
	c->transport->release(c);
	if (c->asked)
		pgconn_forget(c->asked, c->ask);
	admission_forget(&c->admission);
	ops_forget(c);
	callers_leave(rt->callers, &c->caller);
	request_free(&c->request);
	wheel_set(rt->wheel, &c->timer, 0);
	if (c->dirty)
		TAILQ_REMOVE(&rt->dirty, c, dirty_link);
	TAILQ_REMOVE(&rt->conns, c, all);
	rt->conns_n--;
	free(c);
}

bool conn_is_slow(const struct conn *c)
{
	uint64_t share = (uint64_t)FAULT_NUMBER("slow_reader"), window;

	if (!share)
		return false;
	window = (uint64_t)clock_mono_ms() / SLOW_MS;
	return ((uintptr_t)c / 64 * 2654435761u + window * 40503u) % 1009 % 100 < share;
}

/* ---- the session */

static int64_t session_end(const struct session *s)
{
	return s->left_ms ? clock_mono_us() + s->left_ms * 1000 : 0;
}

void conn_refuse(struct conn *c, enum close_code code, const struct err *e)
{
	if (c->state == CONN_CLOSING || c->state == CONN_DEAD)
		return;
	c->receiver->state = RECEIVER_OUT;
	c->transport->refuse(c, code, e);
}

static void refuse_session(struct conn *c, const struct session *s)
{
	struct err e = {0};

	if (session_check(s, &e) == 0)
		err_set(&e, ERR_UNAUTHENTICATED, NULL, "this session has ended: sign in again");
	conn_refuse(c, s->state == SESSION_DEACTIVATED ? CLOSE_DEACTIVATED : CLOSE_SIGNED_OUT, &e);
}

static void start(struct conn *c, const struct session *s)
{
	struct err e = {0};
	struct session gone = *s;

	c->user = s->user;
	c->session = s->id;
	c->scopes = s->scopes;
	c->expires_us = session_end(s);
	c->state = CONN_STARTING;
	if (s->stale)
		conn_touch(c);
	receiver_asks(c->receiver, c->request->reads, c->request->drafts);
	switch (live_add(c->rt->live, c->receiver, c->user, c->session, c->seen,
			 c->request->has_cursor ? &c->request->cursor : NULL)) {
	case LIVE_ADDED:
		if (c->receiver->user->receivers_n > CONN_USER_MAX) {
			err_retry(&e, ERR_BUSY, 5000, "too many connections of this user");
			conn_refuse(c, CLOSE_OVERLOAD, &e);
		} else if (c->has_instance) {
			c->transport->added(c);
		}
		return;
	case LIVE_AGAIN:
		session_cache_drop(c->rt->sessions, c->request->secret_hash);
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

static void judge(struct conn *c, const struct session *s)
{
	struct err refused = {0};

	if (s->state != SESSION_LIVE) {
		refuse_session(c, s);
	} else if (!(s->scopes & SCOPE_READ)) {
		err_set(&refused, ERR_INSUFFICIENT_SCOPE, NULL, "the token lacks the scope read");
		conn_refuse(c, CLOSE_SIGNED_OUT, &refused);
	} else if (rate_session(c->rt->rate, s->id, 1, &c->rate, &refused) < 0) {
		conn_refuse(c, CLOSE_OVERLOAD, &refused);
	} else {
		start(c, s);
	}
}

static void on_session(void *arg, const PGresult *r, const struct err *e)
{
	struct conn *c = arg;
	struct session s;

	c->asked = NULL;
	if (c->state != CONN_AUTHORISING)
		return;
	if (e) {
		conn_refuse(c, CLOSE_OVERLOAD, e);
		return;
	}
	if (session_from_row(r, &s) == SESSION_NONE && c->request->jwt) {
		admission_start(c); /* comes back with conn_authorise() */
		return;
	}
	if (s.state == SESSION_NONE)
		rate_unknown(c->rt->rate, c->request->address);
	else if (s.state == SESSION_LIVE)
		rate_known(c->rt->rate, c->request->secret_hash);
	session_cache_put(c->rt->sessions, c->request->secret_hash, &s, c->seen, clock_mono_ms());
	judge(c, &s);
}

void conn_authorise(struct conn *c)
{
	struct err e = {0};
	struct session s;

	if (!c->request->has_credential) {
		err_set(&e, ERR_UNAUTHENTICATED, NULL, "sign in first");
		conn_refuse(c, CLOSE_SIGNED_OUT, &e);
		return;
	}
	if (c->lookups++ == LOOKUPS_MAX) {
		err_retry(&e, ERR_UNAVAILABLE, 1000, "too much is going on, try again");
		conn_refuse(c, CLOSE_OVERLOAD, &e);
		return;
	}
	/* for polls, which come often; where the bus is deaf, the end of a session may not have come here yet */
	if (c->request->kind == REQUEST_POLL && bus_hears(c->rt->bus) &&
	    session_cache_get(c->rt->sessions, c->request->secret_hash, clock_mono_ms(), &s, &c->seen)) {
		s.left_ms = s.left_ms ? MIN_OF(s.left_ms, (int64_t)SESSION_KEPT_MS)
				      : SESSION_KEPT_MS; /* then it is looked up */
		judge(c, &s);
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
	session_cache_ended(c->rt->sessions, c->session);
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

static void tell_presence(struct conn *c)
{
	const struct request *q = c->request;
	int64_t now = clock_mono_ms();

	if (q->kind != REQUEST_POLL)
		c->presence = presence_begin(c->rt->presence, c->user, c->session, c->instance, now);
	else
		presence_poll(c->rt->presence, c->user, c->session, q->has_instance ? c->instance : NULL,
			      q->has_cursor ? q->wait_ms : 0, q->active, now);
}

void conn_began(struct conn *c)
{
	c->state = CONN_OPEN;
	tell_presence(c);
	request_free(&c->request);
}

void conn_touch(struct conn *c)
{
	pgconn_query(pg_pool_pick(c->rt->pool), STMT_session_touch, 0, on_touched, NULL, "i", c->session);
}

/* ---- the flush */

void conn_dirty(struct conn *c)
{
	if (c->dirty || c->state == CONN_DEAD)
		return;
	c->dirty = true;
	c->dirty_turn = c->rt->turn;
	TAILQ_INSERT_TAIL(&c->rt->dirty, c, dirty_link);
}

/* ---- the end */

void conn_end(struct conn *c, enum close_code code, const char *reason, int64_t retry_after_ms)
{
	if (c->state == CONN_CLOSING || c->state == CONN_DEAD)
		return;
	c->close_code = code;
	c->close_reason = reason;
	c->transport->end(c, retry_after_ms);
	conn_dirty(c);
}

void conn_ended(struct conn *c, enum live_end why)
{
	if (why == LIVE_DEACTIVATED)
		conn_end(c, CLOSE_DEACTIVATED, "this account is deactivated", 0);
	else
		conn_end(c, CLOSE_SIGNED_OUT, "signed out", 0);
}

const char *conn_cursor(const struct conn *c, char out[CURSOR_TEXT_MAX])
{
	return cursor_text(out, live_mark(c->rt->live), live_position(c->rt->live, c->receiver));
}
