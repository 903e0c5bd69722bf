/* stream: see stream.h. */
#include "ws/stream.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/base/strbuf.h"
#include "ws/transport.h"
#include <inttypes.h>

#define WRITES_PER_TURN 4
#define TOUCH_MAX_MS 300000

/* ---- time-outs */

void stream_set_timer(struct stream *s)
{
	int64_t at = INT64_MAX, all[] = {s->beat_at, s->life_due, s->touch_at, s->kill_at};

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
		    s->c.sent);
	conn_queue_text(&s->c, b.p, b.n);
	if (s->c.state != CONN_OPEN)
		return;
	if (!s->kind->may_write(s)) {
		if (s->progress_at + config->realtime.ping_interval + config->realtime.pong_timeout < now)
			s->life_due = now; /* nothing has left for so long */
	} else if (s->kind->ping) {
		s->kind->ping(s, now);
	}
}

static int64_t touch_interval(const struct config *config)
{
	return MIN_OF(MAX_OF(config->session.idle / 4, (int64_t)250), (int64_t)TOUCH_MAX_MS);
}

void stream_due(struct conn *c, int64_t now)
{
	struct stream *s = stream_of(c);

	if ((s->kill_at && s->kill_at <= now) || (s->life_due && s->life_due <= now)) {
		log_info(s->kill_at ? "stream.cut" : "stream.dead", "transport=%s user=%" PRId64 " code=%d",
			 c->transport->name, c->user, (int)c->close_code);
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
	}
	if (c->state != CONN_DEAD)
		stream_set_timer(s);
}

/* ---- writing */

/* Lines of the queue that make the next write. */
static size_t next_write(const struct stream *s)
{
	const struct conn *c = &s->c;
	size_t n = 1, bytes = c->queue[0]->n + 1;

	while (n < c->queue_n && bytes + c->queue[n]->n + 1 <= s->kind->write_bytes)
		bytes += c->queue[n++]->n + 1;
	return n;
}

/* 1: all is written; 0: the rest when the library calls; -1: it failed. */
static int write_queue(struct stream *s)
{
	struct conn *c = &s->c;

	for (int writes = 0; c->queue_n; writes++) {
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
		conn_unqueue(c, n);
		s->progress_at = clock_mono_ms();
	}
	return 1;
}

void stream_flush(struct conn *c)
{
	struct stream *s = stream_of(c);

	if (write_queue(s) < 1 || c->state == CONN_DEAD)
		return;
	if (s->ending)
		s->kind->finish(s);
	else if (c->receiver.state == RECEIVER_BEHIND)
		live_continue(c->rt->live, &c->receiver);
}

void stream_writeable(struct conn *c)
{
	if (c->state == CONN_DEAD)
		return;
	stream_of(c)->progress_at = clock_mono_ms();
	stream_flush(c);
}

/* ---- the end */

void stream_finish(struct stream *s)
{
	s->c.state = CONN_CLOSING;
	s->ending = true;
	s->beat_at = s->touch_at = s->life_due = 0;
	s->kill_at = clock_mono_ms() + (STREAM_PATIENCE_S + 1) * 1000;
	stream_set_timer(s);
	conn_dirty(&s->c);
}

void stream_end(struct conn *c, int64_t retry_after_ms)
{
	AUTO_STRBUF b = {0};

	stream_of(c)->retry_after_ms = retry_after_ms;
	strbuf_addf(&b, "{\"type\":\"bye\",\"reason\":\"%s\",\"code\":%d", c->close_reason, (int)c->close_code);
	if (retry_after_ms)
		strbuf_addf(&b, ",\"retry_after\":%g", (double)retry_after_ms / 1000);
	strbuf_addc(&b, '}');
	conn_queue_text(c, b.p, b.n);
	if (c->state != CONN_DEAD)
		stream_finish(stream_of(c));
}

void stream_refuse(struct conn *c, enum close_code code, const struct err *e)
{
	/* a constant, since the detail does not outlive this call */
	const char *reason = code == CLOSE_SIGNED_OUT
				     ? (e->code == ERR_INSUFFICIENT_SCOPE ? "insufficient scope" : "signed out")
			     : code == CLOSE_DEACTIVATED ? "this account is deactivated"
							 : "overload";

	conn_end(c, code, reason, e->retry_after_ms);
}

void stream_overflow(struct conn *c)
{
	struct stream *s = stream_of(c);

	stream_flush(c); /* it may only be that much came in one turn */
	if (c->queue_bytes <= (size_t)c->rt->config->realtime.queue_bytes / 2 || c->state == CONN_DEAD)
		return;
	log_info("stream.slow", "transport=%s user=%" PRId64 " queued=%zu", c->transport->name, c->user,
		 c->queue_bytes);
	conn_unqueue(c, c->queue_n);
	c->close_code = CLOSE_TOO_SLOW;
	c->close_reason = "too slow";
	c->receiver.state = RECEIVER_OUT;
	s->kind->cut(s);
}

/* ---- beginning */

void stream_begin(struct conn *c)
{
	const struct config *config = c->rt->config;
	struct stream *s = stream_of(c);
	char cursor[CURSOR_TEXT_MAX], now[TIME_TEXT_MAX];
	int64_t mono = clock_mono_ms();
	AUTO_STRBUF b = {0};

	time_text(clock_now_us(), now);
	strbuf_addf(&b,
		    "{\"type\":\"hello\",\"cursor\":\"%s\",\"instance\":\"%s\",\"user\":%" PRId64
		    ",\"heartbeat\":%g,\"server_time\":\"%s\",\"limits\":{\"message_chars\":%" PRId64
		    ",\"frame_bytes\":%" PRId64 ",\"ops\":%d}}",
		    conn_cursor(c, cursor), c->instance, c->user, (double)config->realtime.ping_interval / 1000, now,
		    config->limits.message_chars, config->realtime.frame_bytes, CONN_OPS_MAX);
	conn_queue_text(c, b.p, b.n);
	s->progress_at = mono;
	/* not all that came at once shall be pinged at once */
	s->beat_at =
		mono + config->realtime.ping_interval - rand_below((uint32_t)config->realtime.ping_interval / 4 + 1);
	s->touch_at = mono + touch_interval(config);
	stream_set_timer(s);
}

void stream_live(struct conn *c)
{
	(void)c;
}

size_t stream_room(struct conn *c)
{
	size_t most = MIN_OF(CONN_CATCH_UP_BYTES, (size_t)c->rt->config->realtime.queue_bytes / 2);

	return c->queue_bytes < most ? most - c->queue_bytes : 0;
}
