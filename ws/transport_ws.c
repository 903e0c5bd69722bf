/* transport_ws: a WebSocket of libwebsockets 4.1.6. Frames are written from the loop's flush, one per turn where it
 * fits, never while the library still holds the rest of an earlier write, never after a close. */
#include "lib/base/config.h"
#include "lib/base/strbuf.h"
#include "lib/base/utf8.h"
#include "lib/live/frame.h"
#include "ws/loop.h"
#include "ws/ops.h"
#include "ws/stream.h"
#include "ws/transport.h"
#include <arpa/inet.h>
#include <libwebsockets.h>
#include <string.h>

#define FRAME_BYTES ((size_t)64 << 10) /* of joined lines; a longer line is a frame of its own */

/* The library's own number of a close frame, for lws_write() from WRITEABLE: a close by reason and -1 loses the frame
 * there (4.1.6 with libuv). Used in write_close() alone. */
#define WRITE_CLOSE ((enum lws_write_protocol)4)

struct ws {
	struct stream s; /* first */
	struct lws *wsi;
	struct strbuf rx;    /* a message of which not all is here */
	struct strbuf early; /* whole ones that came before hello */
	bool close_sent, peer_closes;
};

static struct ws *ws_of(struct conn *c)
{
	return (struct ws *)c;
}

/* ---- writing */

static bool may_write(const struct stream *s)
{
	const struct ws *w = (const struct ws *)s;
	const struct conn *c = &s->c;

	return c->state != CONN_HANDSHAKE && c->state != CONN_DEAD && !w->close_sent && !w->peer_closes &&
	       !conn_is_slow(c) && !lws_partial_buffered(w->wsi) && !lws_get_close_length(w->wsi);
}

static int write_frame(struct stream *s, size_t n)
{
	size_t len;
	char *p = frame_get(s->c.rt->frames, s->c.queue, n, &len);

	return lws_write(ws_of(&s->c)->wsi, (unsigned char *)p, len, LWS_WRITE_TEXT);
}

static void ping(struct stream *s, int64_t now)
{
	/* not empty: libwebsockets 4.1 does not tell of a pong without a payload */
	unsigned char mark[LWS_PRE + 1] = {[LWS_PRE] = 'p'};

	if (lws_write(ws_of(&s->c)->wsi, mark + LWS_PRE, 1, LWS_WRITE_PING) < 0)
		transport_kill(&s->c);
	else
		s->life_due = now + s->c.rt->config->realtime.pong_timeout;
}

static int write_close(struct ws *w)
{
	const struct conn *c = &w->s.c;
	unsigned char frame[LWS_PRE + 2 + 123];
	uint16_t code = htons((uint16_t)c->close_code);
	size_t n = strlen(c->close_reason);

	n = MIN_OF(n, (size_t)123);
	memcpy(frame + LWS_PRE, &code, sizeof(code));
	memcpy(frame + LWS_PRE + 2, c->close_reason, n);
	w->close_sent = true;
	if (lws_write(w->wsi, frame + LWS_PRE, n + 2, WRITE_CLOSE) < 0)
		return -1;
	lws_set_timeout(w->wsi, PENDING_TIMEOUT_USER_OK, STREAM_PATIENCE_S);
	return 0;
}

static void want_write(struct stream *s)
{
	lws_callback_on_writable(ws_of(&s->c)->wsi);
}

static int finish(struct stream *s, bool inside)
{
	struct ws *w = ws_of(&s->c);

	if (inside)
		return write_close(w);
	if (!w->close_sent)
		lws_callback_on_writable(w->wsi); /* the close frame goes out from there */
	return 0;
}

static const struct stream_kind kind = {
	.write_bytes = FRAME_BYTES,
	.may_write = may_write,
	.want_write = want_write,
	.write = write_frame,
	.finish = finish,
	.cut = stream_finish,
	.ping = ping,
};

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

static void ws_begin(struct conn *c)
{
	struct ws *w = ws_of(c);

	stream_begin(c);
	if (w->early.n)
		take_lines(c, w->early.p, w->early.n);
	strbuf_release(&w->early);
}

static void ws_kill(struct conn *c)
{
	lws_set_timeout(ws_of(c)->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
	loop_wake_lws(c->rt);
}

static void ws_release(struct conn *c)
{
	strbuf_release(&ws_of(c)->rx);
	strbuf_release(&ws_of(c)->early);
}

static const struct transport ws_transport = {
	.name = "ws",
	.room = stream_room,
	.begin = ws_begin,
	.live = stream_live,
	.flush = stream_flush,
	.writeable = stream_writeable,
	.end = stream_end,
	.refuse = stream_refuse,
	.overflow = stream_overflow,
	.due = stream_due,
	.kill = ws_kill,
	.release = ws_release,
};

struct conn *ws_new(struct realtime *rt, struct lws *wsi, struct request *request)
{
	struct conn *c = conn_new(rt, &ws_transport, sizeof(struct ws), request);

	ws_of(c)->wsi = wsi;
	stream_of(c)->kind = &kind;
	c->state = CONN_HANDSHAKE;
	ws_of(c)->rx.max = (size_t)rt->config->realtime.frame_bytes;
	return c;
}

int ws_established(struct conn *c)
{
	c->state = CONN_AUTHORISING;
	conn_authorise(c);
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
	lws_close_reason(w->wsi, (enum lws_close_status)code, (unsigned char *)(uintptr_t)reason, strlen(reason));
	return -1;
}

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

/* A piece of one. */
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
	struct lws *wsi = ws_of(c)->wsi;
	bool last = lws_is_final_fragment(wsi) && !lws_remaining_packet_payload(wsi);

	stream_of(c)->life_due = 0; /* it lives */
	if (c->state == CONN_CLOSING || c->state == CONN_DEAD)
		return 0;
	if (lws_frame_is_binary(wsi))
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
	stream_of(c)->life_due = 0; /* the timer finds out by itself */
}
