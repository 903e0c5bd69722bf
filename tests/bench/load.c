/* load: the load generator. One thread, epoll, thousands of clients (WebSocket, long-poll, plain HTTP) of one server,
 * which may be pulsechat-realtime, a web server in front, or the floor. It takes commands, one a line, and answers each
 * with one line of JSON (tests/bench/run.mjs speaks to it): load --target ADDRESS --clients FILE [--host NAME] [--body
 * BYTES] [--browser] [--wait SECONDS] [--cpu NAME:PID[+]]... FILE: lines "ws|poll|http TOKEN CHANNEL p|-", p for a
 * publisher open                               connect all that are not connected run RATE WARM SECONDS DRAIN RATE
 * messages a second at fixed times, in turn by the publishers closed WARM SECONDS DRAIN          each publisher sends,
 * waits for its ack, sends again rest history|send|get COUNT WARM SECONDS  the first COUNT http clients ask, wait, ask
 * again idle SECONDS                       nothing, only to look at the servers' CPU quit A message's text begins with
 * the time it was due and its publisher's count: latency counts from the time it was due, and each receiver checks that
 * the channel's seq runs without a gap (lost), a repeat or a step back. */
#include "tests/bench/net.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	IN_MAX = 4 << 20,
	ROOMS_MAX = 4096,
	CPU_MAX = 16,
	OPENING_MAX = 100, /* connections under way at once */
	OPEN_SECONDS = 60,
	SERIES_MAX = 600,
	STAMP = 1 + 16 + 1 + 4 + 1 + 8 + 1, /* "@TIME PUBLISHER COUNT " */
};

enum kind { KIND_WS, KIND_POLL, KIND_HTTP };
enum state { DEAD, CONNECTING, GREETING, OPEN };

struct conn {
	int fd;
	enum kind kind;
	enum state state;
	bool publisher, polling_out, witness, waits, upgraded;
	int room, number; /* number: among the publishers */
	unsigned count;   /* messages sent */
	char *token;
	int64_t last; /* seq; -1: none yet */
	int64_t t0;   /* of the request or op under way */
	unsigned char *part, *out;
	size_t part_n, part_room, out_n, out_room;
	unsigned life; /* how many connections it has had */
	char cursor[64], instance[40];
};

struct room {
	int64_t id, top; /* top: the highest seq seen or acknowledged */
	int64_t acked;   /* in this run */
};

/* A histogram with 1/64 of relative error, in microseconds. */
struct hist {
	uint64_t n, at[64 * 40];
	int64_t max;
};

static struct {
	const char *target, *host;
	size_t body;
	bool browser;
	int wait;
} opt = {.host = "127.0.0.1", .body = 300, .wait = 25};

static struct conn *conns;
static struct conn **publishers;
static size_t conns_n, publishers_n, opening, open_n;
static unsigned *seen_of; /* by publisher: the last count its room's witness saw */
static struct room rooms[ROOMS_MAX];
static int rooms_n, loop;
static unsigned char in_buf[IN_MAX + 64];
static uint64_t run_id, op_count;
static struct cpu_watch cpu[CPU_MAX + 1]; /* the last one is ourselves */
static size_t cpu_n;
static char command[512];
static bool have_command, input_ended;

/* what is measured */
static struct {
	int64_t from, to; /* the window: messages due in it count */
	bool closed;
	enum { REST_NONE, REST_HISTORY, REST_SEND, REST_GET } rest;
	uint64_t sent, acked, refused, arrived, delivered, gaps, backward, foreign, unordered, resets, byes, closes,
		answers, bad_answers, bytes;
	int64_t late;
	struct hist delivery, ack;
	unsigned series[SERIES_MAX];
	char trouble[256];
} m;

static void hist_add(struct hist *h, int64_t us)
{
	uint64_t v = us < 0 ? 0 : (uint64_t)us;
	int shift = 0;

	while (v >> shift >= 128)
		shift++;
	h->at[shift ? (size_t)shift * 64 + (v >> shift) : v]++;
	h->n++;
	if (us > h->max)
		h->max = us;
}

static double hist_ms(const struct hist *h, double share)
{
	uint64_t want = (uint64_t)((double)h->n * share), sum = 0;

	for (size_t k = 0; k < sizeof(h->at) / sizeof(h->at[0]); k++) {
		sum += h->at[k];
		if (sum > want && h->at[k]) {
			size_t shift = k < 128 ? 0 : k / 64 - 1;

			return (double)((k - shift * 64) << shift) / 1000;
		}
	}
	return (double)h->max / 1000;
}

static void note(const char *what, const void *p, size_t n)
{
	if (!m.trouble[0]) {
		snprintf(m.trouble, sizeof(m.trouble), "%s: %.*s", what, (int)(n > 150 ? 150 : n), (const char *)p);
		for (char *c = m.trouble; *c; c++)
			if (*c == '"' || *c == '\\' || *c < ' ')
				*c = '\'';
	}
}

/* ---- connections */

static void watch(struct conn *c, bool out)
{
	struct epoll_event ev = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c};

	epoll_ctl(loop, EPOLL_CTL_MOD, c->fd, &ev);
	c->polling_out = out;
}

static void dead(struct conn *c)
{
	if (c->state == CONNECTING || c->state == GREETING)
		opening--;
	if (c->state == OPEN)
		open_n--;
	if (c->fd >= 0)
		close(c->fd);
	free(c->part);
	free(c->out);
	c->part = c->out = NULL;
	c->part_n = c->part_room = c->out_n = c->out_room = 0;
	c->fd = -1;
	c->life++;
	c->state = DEAD;
	c->waits = c->upgraded = false;
}

static void lost_connection(struct conn *c, const char *why)
{
	if (c->state == OPEN && c->kind == KIND_WS)
		m.closes++;
	note(why, c->token, c->token[0] == 'f' ? 12 : 0);
	dead(c);
}

static void put(struct conn *c, const void *p, size_t n)
{
	ssize_t sent = 0;

	if (!c->out_n) {
		sent = send(c->fd, p, n, MSG_NOSIGNAL);
		if (sent < 0)
			sent = 0;
		if ((size_t)sent == n)
			return;
	}
	n -= (size_t)sent;
	if (c->out_n + n > c->out_room) {
		c->out_room = (c->out_n + n) * 2;
		c->out = realloc(c->out, c->out_room);
	}
	memcpy(c->out + c->out_n, (const char *)p + sent, n);
	c->out_n += n;
	if (!c->polling_out)
		watch(c, true);
}

static void start(struct conn *c)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};

	c->fd = net_connect(opt.target);
	if (c->fd < 0)
		return;
	c->state = CONNECTING;
	c->polling_out = true;
	opening++;
	epoll_ctl(loop, EPOLL_CTL_ADD, c->fd, &ev);
}

static void opened(struct conn *c)
{
	opening--;
	open_n++;
	c->state = OPEN;
}

/* ---- HTTP */

static const char browser_headers[] =
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
	"Safari/537.36\r\n"
	"Accept: */*\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
	"Cache-Control: no-cache\r\nPragma: no-cache\r\nPulseChat-Client: web\r\n"
	"Referer: https://chat.example.org/c/12\r\nSec-Ch-Ua: \"Chromium\";v=\"131\", \"Not_A Brand\";v=\"24\"\r\n"
	"Sec-Ch-Ua-Mobile: ?0\r\nSec-Ch-Ua-Platform: \"Linux\"\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\n"
	"Sec-Fetch-Site: same-origin\r\nPriority: u=1, i\r\n";

static void ask(struct conn *c, const char *method, const char *path, const char *body)
{
	char text[4096];
	int n = snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n%s", method,
			 path, opt.host, c->token, opt.browser ? browser_headers : "");

	if (body)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
	else
		n += snprintf(text + n, sizeof(text) - (size_t)n, "\r\n");
	c->waits = true;
	c->t0 = now_us();
	put(c, text, (size_t)n);
}

static void ask_poll(struct conn *c)
{
	char path[256];

	if (c->cursor[0])
		snprintf(path, sizeof(path), "/api/v1/events?cursor=%s&wait=%d&instance=%s", c->cursor, opt.wait,
			 c->instance);
	else
		snprintf(path, sizeof(path), "/api/v1/events?instance=%s", c->instance);
	ask(c, "GET", path, NULL);
}

static void fill_text(char *out, size_t n, int64_t due, const struct conn *c)
{
	snprintf(out, STAMP + 1, "@%016llx %04x %08x ", (unsigned long long)due, (unsigned)c->number & 0xffff,
		 c->count);
	for (size_t k = STAMP; k < n; k++)
		out[k] = (char)('a' + k % 26);
	out[n] = 0;
}

static void next_id(char out[40])
{
	op_count++;
	snprintf(out, 40, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(run_id >> 32), (unsigned)(run_id >> 16) & 0xffff,
		 (unsigned)(run_id >> 4) & 0xfff, (unsigned)(op_count >> 48) & 0xfff,
		 (unsigned long long)op_count & 0xffffffffffff);
}

static void ask_rest(struct conn *c)
{
	char path[256], body[3000], text[2500], id[40];

	if (m.rest == REST_HISTORY) {
		snprintf(path, sizeof(path), "/api/v1/channels/%lld/messages?limit=50", (long long)rooms[c->room].id);
		ask(c, "GET", path, NULL);
	} else if (m.rest == REST_GET) {
		ask(c, "GET", "/api/v1/me", NULL);
	} else if (m.rest == REST_SEND) {
		c->count++;
		fill_text(text, opt.body, now_us(), c);
		next_id(id);
		snprintf(path, sizeof(path), "/api/v1/channels/%lld/messages", (long long)rooms[c->room].id);
		snprintf(body, sizeof(body), "{\"client_id\":\"%s\",\"body\":{\"text\":\"%s\"}}", id, text);
		ask(c, "POST", path, body);
	}
}

/* ---- sending by op */

static void send_op(struct conn *c, int64_t due)
{
	static const unsigned char mask[4] = {0x11, 0x22, 0x33, 0x44};
	unsigned char frame[3000 + WS_HEAD_MAX];
	char op[3000], text[2500], id[40];
	size_t n, at;

	c->count++;
	fill_text(text, opt.body, due, c);
	next_id(id);
	n = (size_t)snprintf(
		op, sizeof(op),
		"{\"op\":\"send\",\"ref\":\"%llx\",\"client_id\":\"%s\",\"channel\":%lld,\"body\":{\"text\":\"%s\"}}",
		(unsigned long long)due, id, (long long)rooms[c->room].id, text);
	at = ws_head(frame, WS_TEXT, n, mask);
	memcpy(frame + at, op, n);
	ws_mask(frame + at, n, mask);
	c->waits = true;
	put(c, frame, at + n);
	m.sent++;
}

/* ---- lines */

static bool starts(const char *p, size_t n, const char *with, size_t with_n)
{
	return n >= with_n && memcmp(p, with, with_n) == 0;
}
#define STARTS(p, n, lit) starts(p, n, lit, sizeof(lit) - 1)

static const char *find(const char *p, size_t n, const char *what)
{
	const char *at = memmem(p, n, what, strlen(what));

	return at ? at + strlen(what) : NULL;
}

static int64_t hex(const char *p, int n)
{
	int64_t v = 0;

	for (int k = 0; k < n; k++)
		v = v << 4 | (p[k] <= '9' ? p[k] - '0' : p[k] - 'a' + 10);
	return v;
}

static int64_t number(const char **p)
{
	int64_t v = 0;

	while (**p >= '0' && **p <= '9')
		v = v * 10 + *(*p)++ - '0';
	return v;
}

static void on_message(struct conn *c, const char *p, size_t n, int64_t now)
{
	/* {"type":"message","cursor":"MARK.ID","channel":C,"seq":S,… and at the end {"text":"…"}} */
	const char *at = p + 37, *text = p + n - 3 - opt.body;
	int64_t channel, seq, due;
	struct room *r = &rooms[c->room];

	while (at < p + n && *at >= '0' && *at <= '9')
		at++;
	if (STARTS(at, (size_t)(p + n - at), "\",\"channel\":"))
		at += 12;
	else if (!(at = find(p, n, "\"channel\":")))
		return;
	channel = number(&at);
	if (STARTS(at, (size_t)(p + n - at), ",\"seq\":"))
		at += 7;
	else if (!(at = find(p, n, "\"seq\":")))
		return;
	seq = number(&at);
	if (channel != r->id) {
		m.foreign++;
		return;
	}
	if (c->last >= 0 && seq <= c->last) {
		m.backward++;
		return;
	}
	if (c->last >= 0)
		m.gaps += (uint64_t)(seq - c->last - 1);
	c->last = seq;
	if (seq > r->top)
		r->top = seq;
	if (n < opt.body + 3 || text < p || *text != '@') {
		text = find(p, n, "\"text\":\"");
		if (!text || *text != '@')
			return;
	}
	due = hex(text + 1, 16);
	if (now >= m.from && now < m.to)
		m.arrived++;
	if (due >= m.from && due < m.to) {
		m.delivered++;
		hist_add(&m.delivery, now - due);
	}
	if (c->witness) {
		size_t pub = (size_t)hex(text + 18, 4);
		unsigned count = (unsigned)hex(text + 23, 8);

		if (pub < publishers_n) {
			if (count <= seen_of[pub])
				m.unordered++;
			seen_of[pub] = count;
		}
	}
}

static void count_ack(int64_t due, int64_t now)
{
	int64_t second = (now - m.from) / 1000000;

	if (now >= m.from && now < m.to) {
		m.acked++;
		hist_add(&m.ack, now - due);
		if (second < SERIES_MAX)
			m.series[second]++;
	}
}

static void on_line(struct conn *c, const char *p, size_t n, int64_t now)
{
	if (STARTS(p, n, "{\"type\":\"message\",\"cursor\":\"")) {
		on_message(c, p, n, now);
	} else if (STARTS(p, n, "{\"type\":\"ack\"")) {
		const char *ref = find(p, n, "\"ref\":\""), *seq = find(p, n, "\"seq\":");
		const char *end = ref ? memchr(ref, '"', n - (size_t)(ref - p)) : NULL;
		int64_t s = seq ? number(&seq) : 0;

		c->waits = false;
		rooms[c->room].acked++;
		if (s > rooms[c->room].top)
			rooms[c->room].top = s;
		count_ack(end ? hex(ref, (int)(end - ref)) : now, now);
		if (m.closed && now < m.to)
			send_op(c, now);
	} else if (STARTS(p, n, "{\"type\":\"error\"")) {
		c->waits = false;
		m.refused++;
		note("error", p, n);
		if (m.closed && now < m.to)
			send_op(c, now);
	} else if (STARTS(p, n, "{\"type\":\"hello\"")) {
		if (c->state == GREETING)
			opened(c);
	} else if (STARTS(p, n, "{\"type\":\"reset\"")) {
		m.resets++;
		note("reset", p, n);
	} else if (STARTS(p, n, "{\"type\":\"bye\"")) {
		m.byes++;
		note("bye", p, n);
	}
}

static void on_lines(struct conn *c, const char *p, size_t n, int64_t now)
{
	const char *end = p + n;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = nl ? (size_t)(nl - p) : (size_t)(end - p);

		on_line(c, p, len, now);
		if (c->state == DEAD)
			return;
		p += len + 1;
	}
}

/* ---- bytes */

static void keep(struct conn *c, const unsigned char *p, size_t n)
{
	if (n > c->part_room) {
		free(c->part);
		c->part_room = n + n / 2 + 512;
		c->part = malloc(c->part_room);
	}
	if (n)
		memmove(c->part, p, n);
	c->part_n = n;
	if (!n && c->part_room > 4096) {
		free(c->part);
		c->part = NULL;
		c->part_room = 0;
	}
}

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
			lost_connection(c, rc < 0 ? "bad frame" : "fragmented frame");
			break;
		}
		at += f.whole;
		if (f.opcode == WS_TEXT) {
			on_lines(c, (char *)f.p, f.n, now);
		} else if (f.opcode == WS_PING && f.n <= 125) {
			size_t head = ws_head(pong, WS_PONG, f.n, mask);

			memcpy(pong + head, f.p, f.n);
			ws_mask(pong + head, f.n, mask);
			put(c, pong, head + f.n);
		} else if (f.opcode == WS_CLOSE) {
			char text[64];

			snprintf(text, sizeof(text), "closed with %d", f.n >= 2 ? f.p[0] << 8 | f.p[1] : 0);
			lost_connection(c, text);
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
			opened(c);
	} else if (status >= 200 && status <= 299) {
		count_ack(c->t0, now);
	}
	if (!again) {
		enum state was = c->state;

		dead(c);
		start(c);
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
			lost_connection(c, "answer without a length");
			return n;
		}
		if (n - at - head_n < body)
			break;
		if (c->kind == KIND_WS) {
			note("handshake", head, head_n);
			m.bad_answers++;
			dead(c);
			return n;
		}
		at += head_n + body;
		on_answer(c, head, head_n, head + head_n, body, now);
		if (c->life != life)
			return n;
	}
	return at;
}

static void greet(struct conn *c)
{
	char text[2048];
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error) {
		note("connect", strerror(error), strlen(strerror(error)));
		dead(c);
		return;
	}
	watch(c, false);
	if (c->state == CONNECTING)
		c->state = GREETING;
	if (c->kind == KIND_WS) {
		int n = snprintf(
			text, sizeof(text),
			"GET /api/v1/ws?instance=%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"
			"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: pulsechat.v1\r\n\r\n",
			c->instance, opt.host, c->token);

		put(c, text, (size_t)n);
	} else if (c->kind == KIND_POLL) {
		ask_poll(c);
	} else {
		if (c->state == GREETING)
			opened(c);
		if (m.rest && now_us() < m.to)
			ask_rest(c);
	}
}

static void readable(struct conn *c, int64_t *now)
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
			dead(c);
		else
			lost_connection(c, got == 0 ? "connection ended" : strerror(errno));
		return;
	}
	n = c->part_n + (size_t)got;
	if (got > 16384)
		*now = now_us();
	life = c->life;
	used = c->upgraded ? take_frames(c, in_buf, n, *now) : take_answers(c, in_buf, n, *now);
	if (c->life == life)
		keep(c, in_buf + used, n - used);
}

static void writable(struct conn *c)
{
	ssize_t sent = send(c->fd, c->out, c->out_n, MSG_NOSIGNAL);

	if (sent > 0) {
		memmove(c->out, c->out + sent, c->out_n - (size_t)sent);
		c->out_n -= (size_t)sent;
	}
	if (!c->out_n)
		watch(c, false);
}

static char input[2048];
static size_t input_n;

static void next_command(void)
{
	char *nl = memchr(input, '\n', input_n);

	if (have_command || !nl)
		return;
	snprintf(command, sizeof(command), "%.*s", (int)(nl - input), input);
	have_command = true;
	input_n -= (size_t)(nl + 1 - input);
	memmove(input, nl + 1, input_n);
}

static void read_command(void)
{
	ssize_t got = read(0, input + input_n, sizeof(input) - input_n);

	if (got <= 0) {
		epoll_ctl(loop, EPOLL_CTL_DEL, 0, NULL);
		input_ended = true;
		return;
	}
	input_n += (size_t)got;
	next_command();
}

/* One turn of the loop; waits at most so long. */
static void turn(int64_t us)
{
	static struct epoll_event ev[1024];
	struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
	int n = epoll_pwait2(loop, ev, 1024, us < 0 ? &(struct timespec){0} : &t, NULL);
	int64_t now = now_us();

	for (int k = 0; k < n; k++) {
		struct conn *c = ev[k].data.ptr;

		if (!c) {
			read_command();
			continue;
		}
		if (c->fd < 0)
			continue;
		if (c->polling_out && ev[k].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
			if (c->out_n)
				writable(c);
			else
				greet(c);
			if (c->fd < 0)
				continue;
		}
		if (ev[k].events & (EPOLLIN | EPOLLERR | EPOLLHUP) && !(c->polling_out && !c->out_n))
			readable(c, &now);
		if ((k & 31) == 31)
			now = now_us();
	}
}

/* ---- commands */

static void open_all(void)
{
	int64_t began = now_us(), end = began + (int64_t)OPEN_SECONDS * 1000000;
	size_t next = 0;

	while (now_us() < end) {
		size_t tried = 0;

		while (opening < OPENING_MAX && tried < conns_n) {
			if (conns[next].state == DEAD) {
				conns[next].last = -1;
				conns[next].cursor[0] = 0;
				start(&conns[next]);
			}
			next = (next + 1) % conns_n;
			tried++;
		}
		if (open_n == conns_n)
			break;
		turn(10000);
	}
	printf("{\"open\":%zu,\"of\":%zu,\"seconds\":%.3f,\"trouble\":\"%s\"}\n", open_n, conns_n,
	       (double)(now_us() - began) / 1e6, m.trouble);
}

static void begin(int64_t warm_us, int64_t seconds_us)
{
	int64_t now = now_us();

	memset(&m, 0, sizeof(m));
	for (int k = 0; k < rooms_n; k++)
		rooms[k].acked = 0;
	m.from = now + warm_us;
	m.to = m.from + seconds_us;
}

static uint64_t missing(void)
{
	uint64_t n = 0;

	for (size_t k = 0; k < conns_n; k++) {
		const struct conn *c = &conns[k];
		const struct room *r = &rooms[c->room];

		if (c->kind != KIND_HTTP)
			n += (uint64_t)(c->last < 0 ? r->acked : r->top - c->last);
	}
	return n;
}

static size_t unanswered(void)
{
	size_t n = 0;

	for (size_t k = 0; k < publishers_n; k++)
		n += publishers[k]->kind == KIND_WS && publishers[k]->waits;
	return n;
}

struct look {
	struct cpu_watch cpu[CPU_MAX + 1];
	int64_t at, busy, stolen;
};

static void look(struct look *l)
{
	memcpy(l->cpu, cpu, sizeof(cpu));
	cpu_look(l->cpu, cpu_n + 1);
	cpu_machine(&l->busy, &l->stolen);
	l->at = now_us();
}

static void report(const struct look *a, const struct look *b, uint64_t left)
{
	double seconds = (double)(b->at - a->at) / 1e6, known = 0;

	printf("{\"seconds\":%.3f,\"sent\":%llu,\"acked\":%llu,\"refused\":%llu,\"arrived\":%llu,\"delivered\":%llu,"
	       "\"lost\":%llu,\"backward\":%llu,\"foreign\":%llu,\"unordered\":%llu,\"resets\":%llu,\"byes\":%llu,"
	       "\"closes\":%llu,"
	       "\"answers\":%llu,\"bad_answers\":%llu,\"body_bytes\":%llu,\"late_ms\":%.1f,",
	       seconds, (unsigned long long)m.sent, (unsigned long long)m.acked, (unsigned long long)m.refused,
	       (unsigned long long)m.arrived, (unsigned long long)m.delivered, (unsigned long long)(m.gaps + left),
	       (unsigned long long)m.backward, (unsigned long long)m.foreign, (unsigned long long)m.unordered,
	       (unsigned long long)m.resets, (unsigned long long)m.byes, (unsigned long long)m.closes,
	       (unsigned long long)m.answers, (unsigned long long)m.bad_answers, (unsigned long long)m.bytes,
	       (double)m.late / 1000);
	printf("\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"max\":%.2f,\"ack_p50\":%.2f,\"ack_p99\":%.2f,\"ack_max\":%."
	       "2f,",
	       hist_ms(&m.delivery, 0.5), hist_ms(&m.delivery, 0.9), hist_ms(&m.delivery, 0.99),
	       (double)m.delivery.max / 1000, hist_ms(&m.ack, 0.5), hist_ms(&m.ack, 0.99), (double)m.ack.max / 1000);
	printf("\"cpu\":{");
	for (size_t k = 0; k <= cpu_n; k++) {
		double s = (double)(b->cpu[k].ns - a->cpu[k].ns) / 1e9;

		known += s;
		printf("%s\"%s\":%.4f", k ? "," : "", b->cpu[k].name, s);
	}
	printf("},\"other_cpu\":%.2f,\"stolen\":%.2f,\"series\":[", (double)(b->busy - a->busy) / 1e9 - known,
	       (double)(b->stolen - a->stolen) / 1e9);
	for (int k = 0; k < SERIES_MAX && (m.to - m.from) / 1000000 > k; k++)
		printf("%s%u", k ? "," : "", m.series[k]);
	printf("],\"trouble\":\"%s\"}\n", m.trouble);
}

/* After the window: until nothing is missing, or so long. */
static uint64_t drain(int64_t us)
{
	int64_t end = now_us() + us, next = 0;
	uint64_t left;

	do {
		turn(20000);
		if (now_us() < next)
			continue;
		left = missing();
		if (left == 0 && unanswered() == 0)
			return 0;
		next = now_us() + 50000;
	} while (now_us() < end);
	return missing();
}

static void run(double rate, double warm, double seconds, double drain_s)
{
	int64_t began, now, due;
	uint64_t k = 0;
	struct look a = {0}, b = {0};
	bool looked = false;

	begin((int64_t)(warm * 1e6), (int64_t)(seconds * 1e6));
	began = now_us();
	while ((now = now_us()) < m.to) {
		int burst = 0;

		if (!looked && now >= m.from) {
			look(&a);
			looked = true;
		}
		for (;;) {
			due = began + (int64_t)((double)k * 1e6 / rate);
			if (rate <= 0 || !publishers_n || due > now || burst++ > 2000)
				break;
			if (now - due > m.late && due >= m.from)
				m.late = now - due;
			struct conn *c = publishers[k % publishers_n];
			if (c->state == OPEN)
				send_op(c, due);
			else
				m.refused++;
			k++;
		}
		due = rate > 0 && publishers_n ? due : m.to;
		turn(due - now_us() > 50000 ? 50000 : due - now_us());
	}
	look(&b);
	report(&a, &b, drain((int64_t)(drain_s * 1e6)));
}

static void run_closed(double warm, double seconds, double drain_s)
{
	struct look a = {0}, b = {0};
	bool looked = false;
	int64_t now;

	begin((int64_t)(warm * 1e6), (int64_t)(seconds * 1e6));
	m.closed = true;
	for (size_t k = 0; k < publishers_n; k++)
		if (publishers[k]->state == OPEN)
			send_op(publishers[k], now_us());
	while ((now = now_us()) < m.to) {
		if (!looked && now >= m.from) {
			look(&a);
			looked = true;
		}
		turn(20000);
	}
	look(&b);
	m.closed = false;
	report(&a, &b, drain((int64_t)(drain_s * 1e6)));
}

static void run_rest(const char *what, size_t count, double warm, double seconds)
{
	struct look a = {0}, b = {0};
	bool looked = false;
	int64_t now;

	begin((int64_t)(warm * 1e6), (int64_t)(seconds * 1e6));
	m.rest = !strcmp(what, "history") ? REST_HISTORY : !strcmp(what, "send") ? REST_SEND : REST_GET;
	for (size_t k = 0; k < conns_n && count; k++) {
		struct conn *c = &conns[k];

		if (c->kind != KIND_HTTP)
			continue;
		count--;
		if (c->state == DEAD)
			start(c);
		else if (c->state == OPEN)
			ask_rest(c);
	}
	while ((now = now_us()) < m.to) {
		if (!looked && now >= m.from) {
			look(&a);
			looked = true;
		}
		turn(20000);
	}
	look(&b);
	for (int k = 0; k < 20; k++)
		turn(20000);
	m.rest = REST_NONE;
	report(&a, &b, 0);
}

static int room_of(int64_t id)
{
	for (int k = rooms_n - 1; k >= 0; k--)
		if (rooms[k].id == id)
			return k;
	if (rooms_n == ROOMS_MAX)
		die("too many channels");
	rooms[rooms_n].id = id;
	return rooms_n++;
}

static void read_clients(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t room = 0;
	char line[512];
	bool *has = calloc(ROOMS_MAX, sizeof(*has));

	if (!f)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		char *save, *kind = strtok_r(line, " \n", &save), *token = strtok_r(NULL, " \n", &save);
		char *channel = strtok_r(NULL, " \n", &save), *flags = strtok_r(NULL, " \n", &save);
		struct conn *c;

		if (!flags)
			die("%s: bad line", path);
		if (conns_n == room) {
			room = room ? room * 2 : 1024;
			conns = realloc(conns, room * sizeof(*conns));
		}
		c = &conns[conns_n++];
		memset(c, 0, sizeof(*c));
		c->fd = -1;
		c->kind = !strcmp(kind, "ws") ? KIND_WS : !strcmp(kind, "poll") ? KIND_POLL : KIND_HTTP;
		c->token = strdup(token);
		c->room = room_of(strtoll(channel, NULL, 10));
		c->publisher = flags[0] == 'p';
		c->last = -1;
		c->witness = c->kind != KIND_HTTP && !has[c->room];
		has[c->room] |= c->witness;
		next_id(c->instance);
	}
	fclose(f);
	free(has);
	publishers = calloc(conns_n, sizeof(*publishers));
	for (size_t k = 0; k < conns_n; k++)
		if (conns[k].publisher) {
			conns[k].number = (int)publishers_n;
			publishers[publishers_n++] = &conns[k];
		}
	seen_of = calloc(publishers_n + 1, sizeof(*seen_of));
}

static void obey(char *line)
{
	char *save, *what = strtok_r(line, " ", &save), *arg[4];
	double v[4] = {0};

	for (int k = 0; k < 4; k++) {
		arg[k] = strtok_r(NULL, " ", &save);
		v[k] = arg[k] ? strtod(arg[k], NULL) : 0;
	}
	if (!what)
		return;
	if (!strcmp(what, "open")) {
		memset(&m, 0, sizeof(m));
		open_all();
	} else if (!strcmp(what, "run")) {
		run(v[0], v[1], v[2], v[3]);
	} else if (!strcmp(what, "closed")) {
		run_closed(v[0], v[1], v[2]);
	} else if (!strcmp(what, "rest") && arg[0]) {
		run_rest(arg[0], (size_t)v[1], v[2], v[3]);
	} else if (!strcmp(what, "idle")) {
		run(0, 0, v[0], 0);
	} else if (!strcmp(what, "quit")) {
		exit(0);
	} else {
		printf("{\"trouble\":\"no command %s\"}\n", what);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
	const char *clients = NULL;

	if (getrandom(&run_id, sizeof(run_id), 0) != sizeof(run_id))
		die("no random bytes");
	for (int k = 1; k < argc; k++) {
		const char *value = k + 1 < argc ? argv[k + 1] : "";

		if (!strcmp(argv[k], "--browser")) {
			opt.browser = true;
			continue;
		}
		if (!strcmp(argv[k], "--target"))
			opt.target = value;
		else if (!strcmp(argv[k], "--host"))
			opt.host = value;
		else if (!strcmp(argv[k], "--clients"))
			clients = value;
		else if (!strcmp(argv[k], "--body"))
			opt.body = strtoul(value, NULL, 10);
		else if (!strcmp(argv[k], "--wait"))
			opt.wait = (int)strtol(value, NULL, 10);
		else if (!strcmp(argv[k], "--cpu") && cpu_n < CPU_MAX && strchr(value, ':')) {
			struct cpu_watch *w = &cpu[cpu_n++];
			const char *colon = strchr(value, ':');

			snprintf(w->name, sizeof(w->name), "%.*s", (int)(colon - value), value);
			w->pid = (int)strtol(colon + 1, NULL, 10);
			w->below = strchr(colon, '+') != NULL;
		} else {
			die("load: %s?", argv[k]);
		}
		k++;
	}
	if (!opt.target || !clients || opt.body < STAMP + 1 || opt.body > 2400)
		die("load --target ADDRESS --clients FILE [--body 60..2400] …");
	cpu[cpu_n] = (struct cpu_watch){.name = "load", .pid = getpid()};
	read_clients(clients);
	net_files(conns_n + 64);
	loop = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ctl(loop, EPOLL_CTL_ADD, 0, &ev) < 0)
		die("commands come through a pipe");
	while (!input_ended || have_command) {
		if (have_command) {
			char line[sizeof(command)];

			memcpy(line, command, sizeof(line));
			have_command = false;
			obey(line);
			next_command();
			continue;
		}
		turn(1000000);
	}
	return 0;
}
