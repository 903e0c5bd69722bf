/* transport_ws: a WebSocket (RFC 6455) on a switched HTTP connection. A frame is written whole by http_write(), which
 * keeps what the kernel does not take; nothing is written behind that but the close, and the pong of the latest ping.
 */
#include "lib/base/config.h"
#include "lib/base/strbuf.h"
#include "lib/base/utf8.h"
#include "lib/live/frame.h"
#include "ws/ops.h"
#include "ws/stream.h"
#include "ws/transport.h"
#include "ws/ws_frames.h"
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_BYTES ((size_t)64 << 10) /* of joined lines; a longer line is a frame of its own */
#define CLOSE_PROTOCOL_ERROR 1002
#define CLOSE_REASON_MAX (WS_CONTROL_MAX - 2)

struct ws {
	struct stream s; /* first */
	bool close_sent;
	bool in_message; /* of which not all is here */
	struct ws_reader reader;
	struct strbuf rx;      /* what is here of it */
	struct strbuf early;   /* whole ones that came before hello */
	struct strbuf control; /* the payload of a control frame that comes in pieces */
	struct strbuf pong;    /* that waits for room; empty: none */
};

static struct ws *ws_of(struct conn *c)
{
	return (struct ws *)c;
}

/* ---- writing */

static bool may_write(const struct stream *s)
{
	const struct conn *c = &s->c;

	return c->state != CONN_DEAD && !((const struct ws *)s)->close_sent && !http_is_pending(c->http) &&
	       !conn_is_slow(c);
}

/* The connection calls by itself when what is pending is out; else a turn of the loop does. */
static void want_write(struct stream *s)
{
	if (!http_is_pending(s->c.http))
		conn_dirty(&s->c);
}

static int write_frame(struct stream *s, size_t n)
{
	size_t len, head;
	char *p = frame_get(s->c.rt->frames, s->queue, n, &len);

	head = ws_head(p, WS_TEXT, len);
	return http_write(s->c.http, p - head, head + len);
}

static int write_control(struct conn *c, enum ws_opcode opcode, const char *p, size_t n)
{
	char frame[WS_HEAD_MAX + WS_CONTROL_MAX];
	size_t head;

	if (n)
		memcpy(frame + WS_HEAD_MAX, p, n);
	head = ws_head(frame + WS_HEAD_MAX, opcode, n);
	return http_write(c->http, frame + WS_HEAD_MAX - head, head + n);
}

static void ping(struct stream *s, int64_t now)
{
	if (write_control(&s->c, WS_PING, NULL, 0) < 0) {
		transport_kill(&s->c);
	} else if (!s->life_due) { /* else one before it is not answered yet */
		s->life_due = now + s->c.rt->config->realtime.pong_timeout;
		s->doubted = false;
	}
}

/* Says goodbye; what is queued is not written any more. code 0: without one. */
static void send_close(struct conn *c, int code, const char *reason)
{
	uint16_t be = htons((uint16_t)code);
	char payload[WS_CONTROL_MAX];
	size_t n = MIN_OF(strlen(reason), (size_t)CLOSE_REASON_MAX);

	if (ws_of(c)->close_sent)
		return;
	ws_of(c)->close_sent = true;
	memcpy(payload, &be, sizeof(be));
	memcpy(payload + sizeof(be), reason, n);
	if (write_control(c, WS_CLOSE, payload, code ? sizeof(be) + n : 0) < 0)
		transport_kill(c);
}

static void finish(struct stream *s)
{
	send_close(&s->c, (int)s->c.close_code, s->c.close_reason);
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

static void begun(struct stream *s)
{
	struct ws *w = ws_of(&s->c);

	if (w->early.n)
		take_lines(&s->c, w->early.p, w->early.n);
	strbuf_release(&w->early);
}

static void ws_writeable(struct stream *s)
{
	struct ws *w = ws_of(&s->c);

	if (w->pong.n && !w->close_sent && write_control(&s->c, WS_PONG, w->pong.p, w->pong.n) < 0)
		transport_kill(&s->c);
	strbuf_release(&w->pong);
}

static void ws_release(struct conn *c)
{
	struct ws *w = ws_of(c);

	ws_reader_release(&w->reader);
	strbuf_release(&w->rx);
	strbuf_release(&w->early);
	strbuf_release(&w->control);
	strbuf_release(&w->pong);
}

/* ---- reading */

/* The client is at fault: it is told, and hung up on. */
static void fail(struct conn *c, int code, const char *reason)
{
	c->receiver->state = RECEIVER_OUT;
	send_close(c, code, reason);
	if (c->state == CONN_DEAD)
		return;
	c->state = CONN_DEAD;
	http_finish(c->http);
}

/* A whole message. */
static void take_message(struct conn *c, const char *p, size_t n)
{
	struct ws *w = ws_of(c);

	if (!utf8_valid(p, n)) {
		fail(c, CLOSE_BAD_UTF8, "not UTF-8");
	} else if (c->state == CONN_OPEN) {
		take_lines(c, p, n);
	} else if (w->early.n + n + 1 > w->rx.max) {
		fail(c, CLOSE_TOO_LARGE, "too much before hello");
	} else {
		strbuf_add(&w->early, p, n);
		strbuf_addc(&w->early, '\n');
	}
}

static void take_data(struct conn *c, const struct ws_piece *f)
{
	struct ws *w = ws_of(c);

	if (f->first && f->opcode == WS_BINARY) {
		fail(c, CLOSE_UNSUPPORTED, "text only");
		return;
	}
	if (f->first && (f->opcode == WS_CONTINUATION) != w->in_message) {
		fail(c, CLOSE_PROTOCOL_ERROR, "a fragment out of place");
		return;
	}
	if (f->first && f->frame_n > w->rx.max - w->rx.n) {
		fail(c, CLOSE_TOO_LARGE, "the message is too large");
		return;
	}
	if (f->first && f->last && f->fin && !w->in_message) { /* the usual case: all at once */
		take_message(c, f->p, f->n);
		return;
	}
	w->in_message = true;
	strbuf_add(&w->rx, f->p, f->n);
	if (!f->last || !f->fin)
		return;
	w->in_message = false;
	take_message(c, w->rx.p, w->rx.n);
	strbuf_release(&w->rx);
}

/* RFC 6455, 7.4: what may stand on the wire. */
static bool is_close_code(unsigned code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static void take_close(struct conn *c, const char *p, size_t n)
{
	unsigned code = n < 2 ? 0 : (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];

	if (n == 1 || (n >= 2 && !is_close_code(code)))
		fail(c, CLOSE_PROTOCOL_ERROR, "no close code");
	else if (n > 2 && !utf8_valid(p + 2, n - 2))
		fail(c, CLOSE_BAD_UTF8, "not UTF-8");
	else
		fail(c, (int)code, ""); /* the same back; nothing where ours went out before */
}

static void take_ping(struct conn *c, const char *p, size_t n)
{
	struct ws *w = ws_of(c);

	if (w->close_sent)
		return;
	if (!http_is_pending(c->http)) {
		if (write_control(c, WS_PONG, p, n) < 0)
			transport_kill(c);
		return;
	}
	strbuf_release(&w->pong); /* of the latest alone (RFC 6455, 5.5.3) */
	strbuf_add(&w->pong, p, n);
}

static void take_control(struct conn *c, const struct ws_piece *f)
{
	struct ws *w = ws_of(c);

	strbuf_add(&w->control, f->p, f->n);
	if (!f->last)
		return;
	if (f->opcode == WS_CLOSE)
		take_close(c, w->control.p, w->control.n);
	else if (f->opcode == WS_PING)
		take_ping(c, w->control.p, w->control.n);
	strbuf_release(&w->control);
}

static void ws_bytes(struct conn *c, const char *p, size_t n)
{
	struct ws *w = ws_of(c);
	struct ws_piece f;
	int rc = 0;

	stream_of(c)->life_due = 0; /* it lives; the timer finds out by itself */
	ws_reader_feed(&w->reader, p, n);
	while (c->state != CONN_DEAD && (rc = ws_reader_next(&w->reader, &f)) == 1) {
		if (f.opcode >= WS_CLOSE)
			take_control(c, &f);
		else if (c->state != CONN_CLOSING)
			take_data(c, &f);
	}
	if (rc < 0)
		fail(c, CLOSE_PROTOCOL_ERROR, "broken framing");
	if (c->state == CONN_DEAD)
		ws_reader_release(&w->reader);
}

static const struct stream_kind kind = {
	.name = "ws",
	.request = REQUEST_SOCKET,
	.write_bytes = FRAME_BYTES,
	.may_write = may_write,
	.want_write = want_write,
	.write = write_frame,
	.finish = finish,
	.cut = stream_finish,
	.ping = ping,
	.begun = begun,
	.writeable = ws_writeable,
	.bytes = ws_bytes,
	.release = ws_release,
};

/* ---- the handshake */

#define KEY_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, 1.3 */

/* Sec-WebSocket-Accept. */
static void accept_of(const char *key, char out[32])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	AUTO_STRBUF b = {0};
	unsigned n = 0;

	strbuf_addf(&b, "%s" KEY_GUID, key);
	if (EVP_Digest(b.p, b.n, hash, &n, EVP_sha1(), NULL) != 1)
		abort();
	EVP_EncodeBlock((unsigned char *)out, hash, (int)n);
}

void ws_start(struct realtime *rt, struct http_conn *h, const struct http_head *head)
{
	struct request *request = request_take(rt, h, head, REQUEST_SOCKET);
	char key[64], accepted[32];
	AUTO_STRBUF b = {0};
	struct conn *c;

	if (!request)
		return;
	accept_of(http_header(head, "sec-websocket-key", key, sizeof(key)), accepted);
	strbuf_addf(&b,
		    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
		    "sec-websocket-accept: %s\r\nsec-websocket-protocol: pulsechat.v1\r\n\r\n",
		    accepted);
	c = &stream_new(rt, &kind, sizeof(struct ws), request)->c;
	c->http = h;
	ws_of(c)->rx.max = (size_t)rt->config->realtime.frame_bytes;
	if (http_switch(h, c, b.p, b.n) < 0) {
		transport_kill(c);
		return;
	}
	c->state = CONN_AUTHORISING;
	conn_authorise(c);
}
