/* transport_ws: a WebSocket of libwebsockets 4.1.6. Frames are written from the loop's flush, one per turn where it
 * fits, never while the library still holds the rest of an earlier write, never after a close. */
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/base/strbuf.h"
#include "lib/base/utf8.h"
#include "lib/live/frame.h"
#include "ws/loop.h"
#include "ws/ops.h"
#include "ws/transport.h"
#include <arpa/inet.h>
#include <inttypes.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_BYTES ((size_t)64 << 10) /* of joined lines; a longer line is a frame of its own */
#define FRAMES_PER_TURN 4
#define CLOSE_PATIENCE_S 2 /* for a client to answer a close, or to read what is before it */
#define TOUCH_MAX_MS 300000

/* The library's own number of a close frame, for lws_write() from WRITEABLE: a close by reason and -1 loses the frame
 * there (4.1.6 with libuv). Used in write_close() alone. */
#define WRITE_CLOSE ((enum lws_write_protocol)4)

struct ws {
	struct conn c;       /* first */
	struct strbuf rx;    /* a message of which not all is here */
	struct strbuf early; /* whole ones that came before hello */
	bool rx_binary, close_wanted, close_sent, peer_closes;
	int64_t ping_at, pong_due, progress_at, touch_at, kill_at;
};

static struct ws *ws_of(struct conn *c)
{
	return (struct ws *)c;
}

void transport_kill(struct conn *c)
{
	if (!c->wsi)
		return;
	c->state = CONN_DEAD;
	c->receiver.state = RECEIVER_OUT;
	lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
	loop_wake_lws(c->rt);
}

/* ---- time-outs */

static void set_timer(struct ws *w)
{
	int64_t at = INT64_MAX, all[] = {w->ping_at, w->pong_due, w->touch_at, w->kill_at};

	for (size_t i = 0; i < COUNT_OF(all); i++)
		if (all[i])
			at = MIN_OF(at, all[i]);
	if (w->c.expires_us && w->c.state == CONN_OPEN)
		at = MIN_OF(at, clock_mono_ms() + MAX_OF((w->c.expires_us - clock_now_us()) / 1000 + 1, (int64_t)1));
	wheel_set(w->c.rt->wheel, &w->c.timer, at == INT64_MAX ? 0 : at);
}

static bool may_write(const struct ws *w)
{
	return w->c.wsi && w->c.state != CONN_HANDSHAKE && w->c.state != CONN_DEAD && !w->close_sent &&
	       !w->peer_closes && !lws_partial_buffered(w->c.wsi) && !lws_get_close_length(w->c.wsi);
}

static void heartbeat(struct ws *w)
{
	char cursor[CURSOR_TEXT_MAX];
	AUTO_STRBUF b = {0};

	strbuf_addf(&b, "{\"type\":\"heartbeat\",\"cursor\":\"%s\",\"sent\":%" PRIu64 "}", conn_cursor(&w->c, cursor),
		    w->c.sent);
	conn_queue_text(&w->c, b.p, b.n);
}

static void ping(struct ws *w, int64_t now)
{
	const struct config *config = w->c.rt->config;
	/* not empty: libwebsockets 4.1 does not tell of a pong without a payload */
	unsigned char mark[LWS_PRE + 1] = {[LWS_PRE] = 'p'};

	w->ping_at = now + config->realtime.ping_interval;
	heartbeat(w);
	if (may_write(w)) {
		if (lws_write(w->c.wsi, mark + LWS_PRE, 1, LWS_WRITE_PING) < 0) {
			transport_kill(&w->c);
			return;
		}
		w->pong_due = now + config->realtime.pong_timeout;
	} else if (w->progress_at + config->realtime.ping_interval + config->realtime.pong_timeout < now) {
		w->pong_due = now; /* nothing has left for so long */
	}
}

static int64_t touch_interval(const struct config *config)
{
	return MIN_OF(MAX_OF(config->session.idle / 4, (int64_t)250), (int64_t)TOUCH_MAX_MS);
}

static void due(struct conn *c, int64_t now)
{
	struct ws *w = ws_of(c);

	if (w->kill_at && w->kill_at <= now) {
		log_info("ws.cut", "user=%" PRId64 " code=%d", c->user, (int)c->close_code);
		transport_kill(c);
		return;
	}
	if (w->pong_due && w->pong_due <= now) {
		log_info("ws.dead", "user=%" PRId64, c->user);
		transport_kill(c);
		return;
	}
	if (c->state == CONN_OPEN) {
		if (w->touch_at && w->touch_at <= now) {
			w->touch_at = now + touch_interval(c->rt->config);
			conn_touch(c);
		}
		if (w->ping_at && w->ping_at <= now)
			ping(w, now);
		if (c->expires_us && c->expires_us <= clock_now_us()) {
			c->expires_us = 0; /* the answer tells */
			conn_recheck(c);
		}
	}
	if (c->state != CONN_DEAD)
		set_timer(w);
}

/* ---- writing */

/* Lines of the queue that make the next frame. */
static size_t next_frame(const struct conn *c)
{
	size_t n = 1, bytes = c->queue[0]->n + 1;

	while (n < c->queue_n && bytes + c->queue[n]->n + 1 <= FRAME_BYTES)
		bytes += c->queue[n++]->n + 1;
	return n;
}

static void flush(struct conn *c)
{
	struct ws *w = ws_of(c);

	for (int frames = 0; c->queue_n; frames++) {
		size_t n, len;
		char *p;

		if (frames == FRAMES_PER_TURN || !may_write(w)) {
			if (c->wsi && c->state != CONN_DEAD && c->state != CONN_HANDSHAKE)
				lws_callback_on_writable(c->wsi);
			return;
		}
		n = next_frame(c);
		p = frame_get(c->rt->frames, c->queue, n, &len);
		if (lws_write(c->wsi, (unsigned char *)p, len, LWS_WRITE_TEXT) < 0) {
			transport_kill(c);
			return;
		}
		conn_unqueue(c, n);
		w->progress_at = clock_mono_ms();
	}
	if (w->close_wanted && !w->close_sent && c->wsi && c->state != CONN_DEAD)
		lws_callback_on_writable(c->wsi); /* the close frame goes out from there */
	else if (c->receiver.state == RECEIVER_BEHIND)
		live_continue(c->rt->live, &c->receiver);
}

static int write_close(struct ws *w)
{
	unsigned char frame[LWS_PRE + 2 + 123];
	uint16_t code = htons((uint16_t)w->c.close_code);
	size_t n = strlen(w->c.close_reason);

	n = MIN_OF(n, (size_t)123);
	memcpy(frame + LWS_PRE, &code, sizeof(code));
	memcpy(frame + LWS_PRE + 2, w->c.close_reason, n);
	w->close_sent = true;
	if (lws_write(w->c.wsi, frame + LWS_PRE, n + 2, WRITE_CLOSE) < 0)
		return -1;
	lws_set_timeout(w->c.wsi, PENDING_TIMEOUT_USER_OK, CLOSE_PATIENCE_S);
	return 0;
}

int ws_writeable(struct conn *c)
{
	struct ws *w = ws_of(c);

	if (c->state == CONN_DEAD)
		return -1;
	w->progress_at = clock_mono_ms();
	if (!may_write(w))
		return 0;
	flush(c);
	if (w->close_wanted && !c->queue_n && may_write(w))
		return write_close(w);
	return 0;
}

/* ---- the end */

/* All lines for this connection are out or dropped; the close follows them. */
static void want_close(struct ws *w)
{
	w->c.state = CONN_CLOSING;
	w->close_wanted = true;
	w->ping_at = w->touch_at = w->pong_due = 0;
	w->kill_at = clock_mono_ms() + (CLOSE_PATIENCE_S + 1) * 1000;
	set_timer(w);
	conn_dirty(&w->c);
}

static void bye(struct conn *c, const char *reason, int64_t retry_after_ms)
{
	AUTO_STRBUF b = {0};

	strbuf_addf(&b, "{\"type\":\"bye\",\"reason\":\"%s\"", reason);
	if (retry_after_ms)
		strbuf_addf(&b, ",\"retry_after\":%g", (double)retry_after_ms / 1000);
	strbuf_addc(&b, '}');
	conn_queue_text(c, b.p, b.n);
}

static void end(struct conn *c, int64_t retry_after_ms)
{
	if (c->state == CONN_HANDSHAKE) { /* nothing can be said yet */
		transport_kill(c);
		return;
	}
	bye(c, c->close_reason, retry_after_ms);
	if (c->state != CONN_DEAD)
		want_close(ws_of(c));
}

static void refuse(struct conn *c, enum close_code code, const struct err *e)
{
	/* a constant, since the detail does not outlive this call */
	const char *reason = code == CLOSE_SIGNED_OUT
				     ? (e->code == ERR_INSUFFICIENT_SCOPE ? "insufficient scope" : "signed out")
			     : code == CLOSE_DEACTIVATED ? "this account is deactivated"
							 : "overload";

	conn_end(c, code, reason, e->retry_after_ms);
}

static void overflow(struct conn *c)
{
	struct ws *w = ws_of(c);

	flush(c); /* it may only be that much came in one turn */
	if (c->queue_bytes <= (size_t)c->rt->config->realtime.queue_bytes / 2 || c->state == CONN_DEAD)
		return;
	log_info("ws.slow", "user=%" PRId64 " queued=%zu", c->user, c->queue_bytes);
	conn_unqueue(c, c->queue_n);
	c->close_code = CLOSE_TOO_SLOW;
	c->close_reason = "too slow";
	c->receiver.state = RECEIVER_OUT;
	want_close(w);
}

/* ---- beginning */

static void take_lines(struct conn *c, const char *p, size_t n)
{
	while (n && c->state == CONN_OPEN) {
		const char *lf = memchr(p, '\n', n);
		size_t len = lf ? (size_t)(lf - p) : n;
		size_t text = len;

		while (text && strchr(" \t\r", p[text - 1]))
			text--;
		if (text)
			ops_line(c, p, text);
		len += lf ? 1 : 0;
		p += len;
		n -= len;
	}
}

static void begin(struct conn *c)
{
	const struct config *config = c->rt->config;
	struct ws *w = ws_of(c);
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
	w->progress_at = mono;
	/* not all that came at once shall be pinged at once */
	w->ping_at =
		mono + config->realtime.ping_interval - rand_below((uint32_t)config->realtime.ping_interval / 4 + 1);
	w->touch_at = mono + touch_interval(config);
	set_timer(w);
	if (w->early.n)
		take_lines(c, w->early.p, w->early.n);
	strbuf_release(&w->early);
}

static void live(struct conn *c)
{
	(void)c;
}

static size_t room(struct conn *c)
{
	size_t most = MIN_OF(CONN_CATCH_UP_BYTES, (size_t)c->rt->config->realtime.queue_bytes / 2);

	return c->queue_bytes < most ? most - c->queue_bytes : 0;
}

static void release(struct conn *c)
{
	strbuf_release(&ws_of(c)->rx);
	strbuf_release(&ws_of(c)->early);
}

static const struct transport ws_transport = {
	.name = "ws",
	.room = room,
	.begin = begin,
	.live = live,
	.flush = flush,
	.end = end,
	.refuse = refuse,
	.overflow = overflow,
	.due = due,
	.release = release,
};

struct conn *ws_new(struct realtime *rt, struct lws *wsi, struct request *request)
{
	struct conn *c = conn_new(rt, &ws_transport, sizeof(struct ws), wsi, request);

	c->state = CONN_HANDSHAKE;
	ws_of(c)->rx.max = (size_t)rt->config->realtime.frame_bytes;
	return c;
}

int ws_established(struct conn *c)
{
	struct err e = {0};

	c->state = CONN_AUTHORISING;
	if (c->request->has_credential) {
		conn_authorise(c);
		return 0;
	}
	err_set(&e, ERR_UNAUTHENTICATED, NULL, "sign in first");
	refuse(c, CLOSE_SIGNED_OUT, &e);
	return 0;
}

/* ---- reading */

static int close_now(struct conn *c, enum close_code code, const char *reason)
{
	struct ws *w = ws_of(c);

	c->close_code = code;
	c->close_reason = reason;
	c->receiver.state = RECEIVER_OUT;
	c->state = CONN_DEAD;
	w->close_sent = true;
	lws_close_reason(c->wsi, (enum lws_close_status)code, (unsigned char *)(uintptr_t)reason, strlen(reason));
	return -1;
}

/* From the callback RECEIVE, a piece at a time; with wsi's word on whether it is the last. */
/* A whole message. */
static int take_message(struct conn *c, const char *p, size_t n)
{
	struct ws *w = ws_of(c);

	if (!utf8_valid(p, n))
		return close_now(c, CLOSE_BAD_UTF8, "not UTF-8");
	if (c->state == CONN_OPEN) {
		take_lines(c, p, n);
		return 0;
	}
	if (w->early.n + n + 1 > w->rx.max)
		return close_now(c, CLOSE_TOO_LARGE, "too much before hello");
	strbuf_add(&w->early, p, n);
	strbuf_addc(&w->early, '\n');
	return 0;
}

static int take(struct conn *c, const char *p, size_t n, bool last)
{
	struct ws *w = ws_of(c);
	int rc;

	if (w->rx.n + n > w->rx.max)
		return close_now(c, CLOSE_TOO_LARGE, "the message is too large");
	if (last && !w->rx.n) /* the usual case: all at once */
		return take_message(c, p, n);
	strbuf_add(&w->rx, p, n);
	if (!last)
		return 0;
	rc = take_message(c, w->rx.p, w->rx.n);
	strbuf_release(&w->rx);
	return rc;
}

int ws_receive(struct conn *c, const char *p, size_t n)
{
	struct ws *w = ws_of(c);
	bool last = lws_is_final_fragment(c->wsi) && !lws_remaining_packet_payload(c->wsi);

	w->pong_due = 0; /* it lives */
	if (c->state == CONN_CLOSING || c->state == CONN_DEAD)
		return 0;
	if (lws_frame_is_binary(c->wsi))
		return close_now(c, CLOSE_UNSUPPORTED, "text only");
	return take(c, p, n, last);
}

int ws_peer_closes(struct conn *c)
{
	struct ws *w = ws_of(c);
	bool ours = w->close_sent;

	w->peer_closes = true;
	c->receiver.state = RECEIVER_OUT;
	c->state = CONN_DEAD;
	return ours ? -1 : 0; /* the library would send a second close */
}

void ws_pong(struct conn *c)
{
	ws_of(c)->pong_due = 0; /* the timer finds out by itself */
}
