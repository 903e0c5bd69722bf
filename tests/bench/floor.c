/* floor: the bare broadcaster that pulsechat-realtime is measured against: epoll, the WebSocket handshake and frames,
 * the same lines, and one send() per message and receiver. No database, no log, no cursor, no permissions. floor
 * ADDRESS        clients come with "Authorization: Bearer floor-CHANNEL" and are members of that channel */
#include "tests/bench/net.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN_MAX = 1 << 20, CHANNELS_MAX = 4096, LINE_MAX_BYTES = 70000 };

struct peer {
	int fd;
	bool open, polling_out;
	struct channel *channel;
	unsigned char *in, *out;
	size_t in_n, out_n, out_at;
};

struct channel {
	struct peer **members;
	size_t n, room;
	int64_t seq;
};

static int loop;
static struct channel channels[CHANNELS_MAX];
static int64_t last_id;
static unsigned char in_buf[IN_MAX];

static void watch(struct peer *c, bool out)
{
	struct epoll_event ev = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c};

	epoll_ctl(loop, EPOLL_CTL_MOD, c->fd, &ev);
	c->polling_out = out;
}

static void drop(struct peer *c)
{
	struct channel *ch = c->channel;

	for (size_t k = 0; ch && k < ch->n; k++)
		if (ch->members[k] == c) {
			ch->members[k] = ch->members[--ch->n];
			break;
		}
	close(c->fd);
	free(c->in);
	free(c->out);
	c->fd = -1;
	c->in = c->out = NULL; /* the struct stays: an event of this round may name it */
}

static void put(struct peer *c, const void *p, size_t n)
{
	ssize_t sent = 0;

	if (c->fd < 0)
		return;
	if (!c->out_n)
		sent = send(c->fd, p, n, MSG_NOSIGNAL);
	if (sent < 0)
		sent = 0;
	if ((size_t)sent == n)
		return;
	if (c->out_at) {
		memmove(c->out, c->out + c->out_at, c->out_n - c->out_at);
		c->out_n -= c->out_at;
		c->out_at = 0;
	}
	c->out = realloc(c->out, c->out_n + n - (size_t)sent);
	memcpy(c->out + c->out_n, (const char *)p + sent, n - (size_t)sent);
	c->out_n += n - (size_t)sent;
	if (!c->polling_out)
		watch(c, true);
}

static void flush_out(struct peer *c)
{
	ssize_t sent = send(c->fd, c->out + c->out_at, c->out_n - c->out_at, MSG_NOSIGNAL);

	if (sent > 0)
		c->out_at += (size_t)sent;
	if (c->out_at == c->out_n) {
		free(c->out);
		c->out = NULL;
		c->out_n = c->out_at = 0;
		watch(c, false);
	}
}

static void handshake(struct peer *c)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char *head = (char *)c->in, *key, *bearer, text[128], answer[512];
	unsigned char hash[EVP_MAX_MD_SIZE], frame[256], b64[64];
	size_t id, n;

	if (c->in_n < 4 || memcmp(head + c->in_n - 4, "\r\n\r\n", 4) != 0)
		return;
	head[c->in_n - 1] = 0;
	key = strcasestr(head, "sec-websocket-key: ");
	bearer = strcasestr(head, "bearer floor-");
	if (!key || !bearer || (id = strtoul(bearer + 13, NULL, 10)) >= CHANNELS_MAX) {
		drop(c);
		return;
	}
	snprintf(text, sizeof(text), "%.24s%s", key + 19, guid);
	EVP_Digest(text, strlen(text), hash, NULL, EVP_sha1(), NULL);
	EVP_EncodeBlock(b64, hash, 20);
	n = (size_t)snprintf(answer, sizeof(answer),
			     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			     "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: pulsechat.v1\r\n\r\n",
			     (char *)b64);
	put(c, answer, n);
	n = (size_t)snprintf(text, sizeof(text), "{\"type\":\"hello\",\"cursor\":\"floorfloo.0\",\"heartbeat\":20}\n");
	size_t at = ws_head(frame, WS_TEXT, n, NULL);
	memcpy(frame + at, text, n);
	put(c, frame, at + n);
	c->open = true;
	c->in_n = 0;
	c->channel = &channels[id];
	if (c->channel->n == c->channel->room) {
		c->channel->room = c->channel->room ? c->channel->room * 2 : 16;
		c->channel->members = realloc(c->channel->members, c->channel->room * sizeof(struct peer *));
	}
	c->channel->members[c->channel->n++] = c;
}

/* The text of a JSON string member, as it stands. */
static const char *member(const char *p, size_t n, const char *name, size_t *len)
{
	const char *at = memmem(p, n, name, strlen(name)), *end;

	if (!at)
		return NULL;
	at += strlen(name);
	end = memchr(at, '"', n - (size_t)(at - p));
	if (!end)
		return NULL;
	*len = (size_t)(end - at);
	return at;
}

/* One op: the line that pulsechat-realtime would send, to each member with a send() of its own, and the ack. */
static void publish(struct peer *c, char *op, size_t n)
{
	static unsigned char frame[LINE_MAX_BYTES + WS_HEAD_MAX];
	static char line[LINE_MAX_BYTES];
	struct channel *ch = c->channel;
	size_t text_n, id_n, ref_n, len, at;
	const char *text = member(op, n, "\"text\":\"", &text_n), *id = member(op, n, "\"client_id\":\"", &id_n);
	const char *ref = member(op, n, "\"ref\":\"", &ref_n);
	struct timespec t;

	if (!text || !id || text_n > LINE_MAX_BYTES - 1000 || id_n > 64)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	ch->seq++;
	last_id++;
	len = (size_t)snprintf(
		line, sizeof(line),
		"{\"type\":\"message\",\"cursor\":\"floorflo.%lld\",\"channel\":%d,\"seq\":%lld,\"id\":%lld,"
		"\"created_at\":\"2026-11-25T10:04:31.%03ldZ\",\"sender\":%d,\"client_id\":\"%.*s\",\"version\":1,"
		"\"body\":{\"text\":\"%.*s\"}}\n",
		(long long)last_id, (int)(ch - channels), (long long)ch->seq, (long long)last_id, t.tv_nsec / 1000000,
		100 + c->fd, (int)id_n, id, (int)text_n, text);
	at = ws_head(frame, WS_TEXT, len, NULL);
	memcpy(frame + at, line, len);
	for (size_t k = 0; k < ch->n; k++)
		put(ch->members[k], frame, at + len);
	len = (size_t)snprintf(
		line, sizeof(line),
		"{\"type\":\"ack\",\"ref\":\"%.*s\",\"client_id\":\"%.*s\",\"channel\":%d,\"seq\":%lld,\"id\":%lld}\n",
		ref ? (int)ref_n : 0, ref ? ref : "", (int)id_n, id, (int)(ch - channels), (long long)ch->seq,
		(long long)last_id);
	at = ws_head(frame, WS_TEXT, len, NULL);
	memcpy(frame + at, line, len);
	put(c, frame, at + len);
}

static void take(struct peer *c, unsigned char *p, size_t n)
{
	size_t at = 0;

	while (c->fd >= 0 && at < n) {
		struct ws_frame f;
		int rc = ws_parse(p + at, n - at, &f);

		if (rc < 0 || (rc > 0 && f.opcode == WS_CLOSE)) {
			drop(c);
			return;
		}
		if (rc == 0)
			break;
		at += f.whole;
		if (f.opcode == WS_TEXT)
			publish(c, (char *)f.p, f.n);
	}
	if (c->fd < 0)
		return;
	free(c->in);
	c->in = NULL;
	c->in_n = n - at;
	if (c->in_n) {
		c->in = malloc(c->in_n);
		memcpy(c->in, p + at, c->in_n);
	}
}

static void readable(struct peer *c)
{
	ssize_t got;

	if (!c->open) {
		if (!c->in)
			c->in = malloc(8192);
		got = recv(c->fd, c->in + c->in_n, 8192 - c->in_n, 0);
		if (got <= 0) {
			if (got == 0 || (errno != EAGAIN && errno != EINTR))
				drop(c);
			return;
		}
		c->in_n += (size_t)got;
		handshake(c);
		if (c->fd >= 0 && c->open) {
			free(c->in);
			c->in = NULL;
		}
		return;
	}
	if (c->in_n)
		memcpy(in_buf, c->in, c->in_n);
	got = recv(c->fd, in_buf + c->in_n, sizeof(in_buf) - c->in_n, 0);
	if (got > 0)
		take(c, in_buf, c->in_n + (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		drop(c);
}

int main(int argc, char **argv)
{
	struct epoll_event ev[512];
	int listener;

	if (argc != 2)
		die("floor ADDRESS");
	net_files(20000);
	loop = epoll_create1(EPOLL_CLOEXEC);
	listener = net_listen(argv[1]);
	ev[0] = (struct epoll_event){.events = EPOLLIN, .data.ptr = NULL};
	epoll_ctl(loop, EPOLL_CTL_ADD, listener, &ev[0]);
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(loop, ev, 512, -1);

		for (int k = 0; k < n; k++) {
			struct peer *c = ev[k].data.ptr;
			int fd;

			if (c) {
				if (c->fd >= 0 && ev[k].events & EPOLLOUT)
					flush_out(c);
				if (c->fd >= 0 && ev[k].events & ~(uint32_t)EPOLLOUT)
					readable(c);
				continue;
			}
			while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
				struct epoll_event add = {.events = EPOLLIN};
				int on = 1;

				setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
				c = calloc(1, sizeof(*c));
				c->fd = fd;
				add.data.ptr = c;
				epoll_ctl(loop, EPOLL_CTL_ADD, fd, &add);
			}
		}
	}
}
