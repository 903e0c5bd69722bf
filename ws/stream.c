/* stream: see stream.h. */
#include "ws/stream.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/base/strbuf.h"
#include "lib/live/control.h"
#include "lib/live/instances.h"
#include "ws/transport.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WRITES_PER_TURN 4
#define BURST_MS 1000 /* what fills the queue in so short a time says nothing of its reader */
#define DRAIN_MS 3000 /* without progress, for one whom a burst left behind */
#define DRAIN_LOOK_MS 1000
#define TOUCH_MAX_MS 300000
#define CATCH_UP_BYTES ((size_t)256 << 10) /* queued at a time for one who catches up */

static size_t bound(const struct stream *s)
{
	return (size_t)s->c.rt->config->realtime.queue_bytes;
}

/* ---- the queue */

static void unqueue(struct stream *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		s->queue_bytes -= s->queue[i]->n;
		line_unref(&s->queue[i]);
	}
	s->queue_n -= n;
	if (s->queue_n) {
		memmove(s->queue, s->queue + n, s->queue_n * sizeof(*s->queue));
		return;
	}
	if (s->queue != s->few)
		free(s->queue); /* most connections are idle most of the time */
	s->queue = NULL;
	s->queue_cap = 0;
}

/* Most of the time a line or two wait: they need no memory of their own. */
static void grow(struct stream *s)
{
	struct line **own = s->queue == s->few ? NULL : s->queue;

	if (!s->queue_cap) {
		s->queue = s->few;
		s->queue_cap = COUNT_OF(s->few);
		return;
	}
	s->queue_cap = MAX_OF((size_t)8, s->queue_cap * 2);
	s->queue = xrealloc(own, s->queue_cap * sizeof(*s->queue));
	if (!own)
		memcpy(s->queue, s->few, sizeof(s->few));
}

/* The same clock, without a look at it: it stands still during a turn, however long that takes. */
static int64_t turn_ms(const struct stream *s)
{
	return (int64_t)uv_now(&s->c.rt->loop);
}

static bool overflow(struct stream *s, int64_t event);

/* Takes a reference. event: its id, 0 for a line without one. False: it ends, or gets the line later. */
static bool queue(struct stream *s, struct line *l, int64_t event)
{
	struct conn *c = &s->c;
	size_t most = bound(s) - (event ? bound(s) / 16 : 0); /* the rest is for answers to one whom a burst filled */

	if (c->state == CONN_CLOSING || c->state == CONN_DEAD)
		return false;
	if (s->queue_n && s->queue_bytes + l->n > most && !overflow(s, event))
		return false;
	if (!s->queue_n)
		s->waiting_since = turn_ms(s);
	if (s->queue_n == s->queue_cap)
		grow(s);
	s->queue[s->queue_n++] = line_ref(l);
	s->queue_bytes += l->n;
	conn_dirty(c);
	return true;
}

void stream_queue_text(struct stream *s, const char *p, size_t n)
{
	struct line *l = line_new(p, n);

	queue(s, l, 0);
	line_unref(&l);
}

/* ---- time-outs */

static void set_timer(struct stream *s)
{
	int64_t at = INT64_MAX, all[] = {s->beat_at, s->life_due, s->touch_at, s->kill_at, s->drain_due};

	for (size_t i = 0; i < COUNT_OF(all); i++)
		if (all[i])
			at = MIN_OF(at, all[i]);
	if (s->c.expires_us && s->c.state == CONN_OPEN)
		at = MIN_OF(at, clock_mono_ms() + MAX_OF((s->c.expires_us - clock_mono_us()) / 1000 + 1, (int64_t)1));
	wheel_set(s->c.rt->wheel, &s->c.timer, at == INT64_MAX ? 0 : at);
}

static void heartbeat(struct stream *s, int64_t now)
{
	const struct config *config = s->c.rt->config;
	char cursor[CURSOR_TEXT_MAX];
	AUTO_STRBUF b = {0};

	s->beat_at = now + config->realtime.ping_interval;
	strbuf_addf(&b, "{\"type\":\"heartbeat\",\"cursor\":\"%s\",\"sent\":%" PRIu64 "}", conn_cursor(&s->c, cursor),
		    s->sent);
	stream_queue_text(s, b.p, b.n);
	if (s->c.state != CONN_OPEN)
		return;
	http_push(s->c.http);
	if (s->c.state != CONN_OPEN)
		return;
	if (!s->kind->may_write(s)) {
		if (s->progress_at + config->realtime.ping_interval + config->realtime.pong_timeout < now) {
			s->life_due = now; /* nothing has left for so long */
			s->doubted = true;
		}
	} else if (s->kind->ping) {
		s->kind->ping(s, now);
	}
}

static int64_t touch_interval(const struct config *config)
{
	return MIN_OF(MAX_OF(config->session.idle / 4, (int64_t)250), (int64_t)TOUCH_MAX_MS);
}

static void drain_check(struct stream *s, int64_t now);

static void stream_due(struct conn *c, int64_t now)
{
	struct stream *s = stream_of(c);

	if (s->life_due && s->life_due <= now && !s->doubted) {
		/* Where it was us who stood still, the sign lies in the socket: the loop reads before the next tick. */
		s->doubted = true;
		s->life_due = now + 1;
	}
	if ((s->kill_at && s->kill_at <= now) || (s->life_due && s->life_due <= now)) {
		log_info(s->kill_at ? "stream.cut" : "stream.dead", "transport=%s user=%" PRId64 " code=%d", c->name,
			 c->user, (int)c->close_code);
		transport_kill(c);
		return;
	}
	if (c->state == CONN_OPEN) {
		if (s->touch_at && s->touch_at <= now) {
			s->touch_at = now + touch_interval(c->rt->config);
			conn_touch(c);
		}
		if (s->beat_at && s->beat_at <= now)
			heartbeat(s, now);
		if (c->expires_us && c->expires_us <= clock_mono_us()) {
			c->expires_us = 0; /* the answer tells */
			conn_recheck(c);
		}
		if (s->drain_due && s->drain_due <= now)
			drain_check(s, now);
	}
	if (c->state != CONN_DEAD)
		set_timer(s);
}

/* ---- writing */

/* Lines of the queue that make the next write. */
static size_t next_write(const struct stream *s)
{
	size_t n = 1, bytes = s->queue[0]->n + 1;

	while (n < s->queue_n && bytes + s->queue[n]->n + 1 <= s->kind->write_bytes)
		bytes += s->queue[n++]->n + 1;
	return n;
}

/* 1: all is written; 0: the rest when the library calls; -1: it failed. */
static int write_queue(struct stream *s)
{
	struct conn *c = &s->c;

	for (int writes = 0; s->queue_n; writes++) {
		size_t n;

		if (writes == WRITES_PER_TURN || !s->kind->may_write(s)) {
			if (c->state != CONN_DEAD)
				s->kind->want_write(s);
			return 0;
		}
		n = next_write(s);
		if (s->kind->write(s, n) < 0) {
			transport_kill(c);
			return -1;
		}
		unqueue(s, n);
		s->progress_at = turn_ms(s);
	}
	s->drain_due = 0; /* the timer finds out by itself */
	return 1;
}

static void stream_flush(struct conn *c)
{
	struct stream *s = stream_of(c);

	if (write_queue(s) < 1 || c->state == CONN_DEAD)
		return;
	if (s->ending)
		s->kind->finish(s);
	else if (s->receiver.state == RECEIVER_BEHIND)
		live_continue(c->rt->live, &s->receiver);
}

static void stream_writeable(struct conn *c)
{
	if (c->state == CONN_DEAD)
		return;
	stream_of(c)->progress_at = clock_mono_ms();
	if (stream_of(c)->kind->writeable)
		stream_of(c)->kind->writeable(stream_of(c));
	stream_flush(c);
}

/* ---- the end */

void stream_finish(struct stream *s)
{
	s->c.state = CONN_CLOSING;
	s->ending = true;
	s->beat_at = s->touch_at = s->life_due = s->drain_due = 0;
	s->kill_at = clock_mono_ms() + (STREAM_PATIENCE_S + 1) * 1000;
	set_timer(s);
	conn_dirty(&s->c);
}

static void stream_end(struct conn *c, int64_t retry_after_ms)
{
	AUTO_STRBUF b = {0};

	c->receiver->state = RECEIVER_OUT;
	stream_of(c)->retry_after_ms = retry_after_ms;
	strbuf_addf(&b, "{\"type\":\"bye\",\"reason\":\"%s\",\"code\":%d", c->close_reason, (int)c->close_code);
	if (retry_after_ms)
		strbuf_addf(&b, ",\"retry_after\":%g", (double)retry_after_ms / 1000);
	strbuf_addc(&b, '}');
	stream_queue_text(stream_of(c), b.p, b.n);
	if (c->state != CONN_DEAD)
		stream_finish(stream_of(c));
}

static void stream_refuse(struct conn *c, enum close_code code, const struct err *e)
{
	/* a constant, since the detail does not outlive this call */
	const char *reason = code == CLOSE_SIGNED_OUT
				     ? (e->code == ERR_INSUFFICIENT_SCOPE ? "insufficient scope" : "signed out")
			     : code == CLOSE_DEACTIVATED ? "this account is deactivated"
							 : "overload";

	conn_end(c, code, reason, e->retry_after_ms);
}

static void too_slow(struct stream *s)
{
	struct conn *c = &s->c;

	log_info("stream.slow", "transport=%s user=%" PRId64 " queued=%zu", c->name, c->user, s->queue_bytes);
	unqueue(s, s->queue_n);
	c->close_code = CLOSE_TOO_SLOW;
	c->close_reason = "too slow";
	s->receiver.state = RECEIVER_OUT;
	s->drain_due = 0;
	s->kind->cut(s);
}

/* It may be only that much came at once, or that it was us who stood still: who had nothing waiting a moment ago gets
 * the rest when what waits has left. True: there is room. */
static bool overflow(struct stream *s, int64_t event)
{
	struct conn *c = &s->c;
	size_t before;

	do {
		before = s->queue_bytes;
		if (write_queue(s) < 0)
			return false;
		if (s->queue_bytes <= bound(s) / 2)
			return true;
	} while (s->queue_bytes < before); /* as far as its socket takes it */
	if (!event || s->receiver.state != RECEIVER_LIVE || turn_ms(s) - s->waiting_since >= BURST_MS) {
		too_slow(s);
		return false;
	}
	log_debug("stream.behind", "transport=%s user=%" PRId64 " queued=%zu", c->name, c->user, s->queue_bytes);
	live_fall_behind(c->rt->live, &s->receiver, event);
	s->progress_at = turn_ms(s);
	s->drain_due = s->progress_at + DRAIN_LOOK_MS;
	set_timer(s);
	return false;
}

/* Told by the timer that drain_due has passed. The kernel tells late that there is room: so what waits is tried, also
 * where it was us who stood still. */
static void drain_check(struct stream *s, int64_t now)
{
	if (http_push(s->c.http))
		s->progress_at = now;
	if (s->c.state != CONN_OPEN || !s->drain_due)
		return; /* it broke, or all is written */
	if (s->progress_at + DRAIN_MS <= now)
		too_slow(s);
	else
		s->drain_due = MIN_OF(s->progress_at + DRAIN_MS, now + DRAIN_LOOK_MS);
}

/* A request behind one whose answer has no end is never answered. */
static void stream_hurry(struct conn *c)
{
	transport_kill(c);
}

static void stream_bytes(struct conn *c, const char *p, size_t n)
{
	stream_of(c)->kind->bytes(c, p, n);
}

static void stream_kill(struct conn *c)
{
	http_kill(c->http);
}

static void stream_release(struct conn *c)
{
	struct stream *s = stream_of(c);

	if (s->kind->release)
		s->kind->release(c);
	if (s->instance)
		instances_leave(c->rt->streams, s->instance, c, 0);
	unqueue(s, s->queue_n);
}

/* ---- beginning */

static void stream_added(struct conn *c)
{
	struct stream *s = stream_of(c);
	void *older;

	s->instance = instances_enter(c->rt->streams, c->user, c->instance, (unsigned char)s->kind->request, c, &older);
	if (older)
		conn_end(older, CLOSE_REPLACED, "replaced", 0);
}

static struct stream *stream_of_receiver(struct receiver *r)
{
	return (struct stream *)((char *)r - offsetof(struct stream, receiver));
}

static void on_begin(struct receiver *r)
{
	struct stream *s = stream_of_receiver(r);
	struct conn *c = &s->c;
	const struct config *config = c->rt->config;
	char cursor[CURSOR_TEXT_MAX], now[TIME_TEXT_MAX];
	int64_t mono = clock_mono_ms();
	AUTO_STRBUF b = {0};

	if (c->request->interests)
		live_interests(c->rt->live, r, c->request->interests);
	conn_began(c);
	time_text(clock_now_us(), now);
	strbuf_addf(&b,
		    "{\"type\":\"hello\",\"cursor\":\"%s\",\"instance\":\"%s\",\"user\":%" PRId64
		    ",\"heartbeat\":%g,\"server_time\":\"%s\",\"limits\":{\"message_chars\":%" PRId64
		    ",\"frame_bytes\":%" PRId64 ",\"ops\":%d}}",
		    conn_cursor(c, cursor), c->instance, c->user, (double)config->realtime.ping_interval / 1000, now,
		    config->limits.message_chars, config->realtime.frame_bytes, CONN_OPS_MAX);
	stream_queue_text(s, b.p, b.n);
	s->progress_at = mono;
	/* not all that came at once shall be pinged at once */
	s->beat_at =
		mono + config->realtime.ping_interval - rand_below((uint32_t)config->realtime.ping_interval / 4 + 1);
	s->touch_at = mono + touch_interval(config);
	set_timer(s);
	if (s->kind->begun)
		s->kind->begun(s);
}

/* ---- as a receiver */

static void on_line(struct receiver *r, struct line *l, int64_t id)
{
	struct stream *s = stream_of_receiver(r);

	if (!id && s->queue_n && s->queue_bytes + l->n > bound(s) / 2)
		return; /* a slow reader does without state */
	if (s->c.state == CONN_OPEN && queue(s, l, id) && id)
		s->sent++;
}

static size_t on_room(struct receiver *r)
{
	struct stream *s = stream_of_receiver(r);
	size_t most = MIN_OF(CATCH_UP_BYTES, bound(s) / 2);

	return s->c.state == CONN_OPEN && s->queue_bytes < most ? most - s->queue_bytes : 0;
}

static void on_live(struct receiver *r)
{
	(void)r;
}

static void on_reset(struct receiver *r, const char *reason)
{
	struct stream *s = stream_of_receiver(r);
	char cursor[CURSOR_TEXT_MAX];
	AUTO_STRBUF b = {0};

	if (s->c.state != CONN_OPEN)
		return;
	control_reset(&b, conn_cursor(&s->c, cursor), reason);
	stream_queue_text(s, b.p, b.n);
}

static void on_refused(struct receiver *r, const struct err *e)
{
	conn_refuse(&stream_of_receiver(r)->c, CLOSE_OVERLOAD, e);
}

static void on_ended(struct receiver *r, enum live_end why)
{
	conn_ended(&stream_of_receiver(r)->c, why);
}

/* What it is not told now it is told later, as it is then. */
static bool takes_state(const struct receiver *r)
{
	const struct stream *s = (const struct stream *)((const char *)r - offsetof(struct stream, receiver));

	return s->c.state == CONN_OPEN && s->queue_bytes <= bound(s) / 4;
}

struct stream *stream_new(struct realtime *rt, const struct stream_kind *kind, size_t size, struct request *request)
{
	static const struct receiver_hooks hooks = {
		.begin = on_begin,
		.line = on_line,
		.room = on_room,
		.live = on_live,
		.reset = on_reset,
		.refused = on_refused,
		.ended = on_ended,
		.takes_state = takes_state,
	};
	static const struct transport transport = {
		.added = stream_added,
		.flush = stream_flush,
		.writeable = stream_writeable,
		.end = stream_end,
		.refuse = stream_refuse,
		.due = stream_due,
		.hurry = stream_hurry,
		.bytes = stream_bytes,
		.kill = stream_kill,
		.release = stream_release,
	};
	struct stream *s = (struct stream *)conn_new(rt, &transport, kind->name, size, request);

	s->kind = kind;
	s->receiver.hooks = &hooks;
	s->receiver.instance = s->c.instance;
	s->c.receiver = &s->receiver;
	return s;
}
