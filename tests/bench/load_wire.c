/* load_wire: bytes into frames and answers. */
#include "tests/bench/load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { IN_MAX = 4 << 20 };

static unsigned char in_buf[IN_MAX + 64];

static size_t take_frames(struct conn *c, unsigned char *p, size_t n, int64_t now)
{
	static const unsigned char mask[4] = {1, 2, 3, 4};
	unsigned char pong[WS_HEAD_MAX + 125];
	size_t at = 0;

	while (c->state != DEAD && at < n) {
		struct ws_frame f;
		int rc = ws_parse(p + at, n - at, &f);

		if (rc == 0)
			break;
		if (rc < 0 || !f.fin) {
			conn_lost(c, rc < 0 ? "bad frame" : "fragmented frame");
			break;
		}
		at += f.whole;
		if (f.opcode == WS_TEXT) {
			on_lines(c, (char *)f.p, f.n, now);
		} else if (f.opcode == WS_PING && f.n <= 125) {
			size_t head = ws_head(pong, WS_PONG, f.n, mask);

			memcpy(pong + head, f.p, f.n);
			ws_mask(pong + head, f.n, mask);
			conn_put(c, pong, head + f.n);
		} else if (f.opcode == WS_CLOSE) {
			char text[64];

			snprintf(text, sizeof(text), "closed with %d", f.n >= 2 ? f.p[0] << 8 | f.p[1] : 0);
			conn_lost(c, text);
		}
	}
	return at;
}

static const char *header(const char *head, size_t n, const char *name, size_t *len)
{
	size_t name_n = strlen(name);

	for (const char *at = head, *nl; (nl = memchr(at, '\n', n - (size_t)(at - head))); at = nl + 1)
		if ((size_t)(nl - at) > name_n + 1 && at[name_n] == ':' && strncasecmp(at, name, name_n) == 0) {
			const char *v = at + name_n + 1;

			while (*v == ' ')
				v++;
			*len = (size_t)(nl - v) - (nl[-1] == '\r');
			return v;
		}
	return NULL;
}

static void on_answer(struct conn *c, const char *head, size_t head_n, const char *body, size_t body_n, int64_t now)
{
	long status = head_n > 12 ? strtol(head + 9, NULL, 10) : 0;
	size_t n;
	const char *v;
	bool again = !((v = header(head, head_n, "connection", &n)) && n == 5 && strncasecmp(v, "close", 5) == 0);

	c->waits = false;
	m.answers++;
	m.bytes += body_n;
	if (status < 200 || status > 299) {
		m.bad_answers++;
		note("answer", head, head_n + (body_n < 80 ? body_n : 80));
	}
	if (c->kind == KIND_POLL) {
		if (status == 200)
			on_lines(c, body, body_n, now);
		if ((v = header(head, head_n, "pulsechat-cursor", &n)) && n < sizeof(c->cursor)) {
			memcpy(c->cursor, v, n);
			c->cursor[n] = 0;
		}
		if (c->state == GREETING && status == 200)
			conn_opened(c);
	} else if (status >= 200 && status <= 299) {
		count_ack(c->t0, now);
	}
	if (!again) {
		enum state was = c->state;

		conn_dead(c);
		conn_start(c);
		if (was == OPEN && c->state == CONNECTING) { /* goes on as an open one */
			opening--;
			open_n++;
			c->state = OPEN;
			c->waits = false;
		}
		return; /* asks when it is connected */
	}
	if (c->kind == KIND_POLL && status != 503)
		ask_poll(c);
	else if (c->kind == KIND_HTTP && m.rest && now < m.to)
		ask_rest(c);
}

static size_t take_answers(struct conn *c, unsigned char *p, size_t n, int64_t now)
{
	size_t at = 0;

	while (c->state != DEAD && c->fd >= 0 && at < n) {
		char *head = (char *)p + at, *end = memmem(head, n - at, "\r\n\r\n", 4);
		const char *v;
		size_t head_n, len, body;
		unsigned life = c->life;

		if (!end)
			break;
		head_n = (size_t)(end - head) + 4;
		if (STARTS(head, head_n, "HTTP/1.1 101")) {
			at += head_n;
			c->upgraded = true;
			return at + take_frames(c, p + at, n - at, now);
		}
		v = header(head, head_n, "content-length", &len);
		body = v ? strtoul(v, NULL, 10) : 0;
		if (!v && !STARTS(head, head_n, "HTTP/1.1 204")) {
			note("no length", head, head_n);
			conn_lost(c, "answer without a length");
			return n;
		}
		if (n - at - head_n < body)
			break;
		if (c->kind == KIND_WS) {
			note("handshake", head, head_n);
			m.bad_answers++;
			conn_dead(c);
			return n;
		}
		at += head_n + body;
		on_answer(c, head, head_n, head + head_n, body, now);
		if (c->life != life)
			return n;
	}
	return at;
}

void wire_connected(struct conn *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error) {
		note("connect", strerror(error), strlen(strerror(error)));
		conn_dead(c);
		return;
	}
	conn_watch(c, false);
	if (c->state == CONNECTING)
		c->state = GREETING;
	if (c->kind == KIND_WS) {
		ask_handshake(c);
	} else if (c->kind == KIND_POLL) {
		ask_poll(c);
	} else {
		if (c->state == GREETING)
			conn_opened(c);
		if (m.rest && now_us() < m.to)
			ask_rest(c);
	}
}

void wire_readable(struct conn *c, int64_t *now)
{
	size_t used, n;
	unsigned life;
	ssize_t got;

	if (c->part_n)
		memcpy(in_buf, c->part, c->part_n);
	got = recv(c->fd, in_buf + c->part_n, IN_MAX - c->part_n, 0);
	if (got <= 0) {
		bool idle_http = c->kind == KIND_HTTP && !c->waits;

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (idle_http)
			conn_dead(c);
		else
			conn_lost(c, got == 0 ? "connection ended" : strerror(errno));
		return;
	}
	n = c->part_n + (size_t)got;
	if (got > 16384)
		*now = now_us();
	life = c->life;
	used = c->upgraded ? take_frames(c, in_buf, n, *now) : take_answers(c, in_buf, n, *now);
	if (c->life == life)
		conn_keep(c, in_buf + used, n - used);
}
