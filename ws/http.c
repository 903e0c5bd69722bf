/* http: uv_poll on each socket, watched for reading as long as it lives, so that a poll costs no epoll_ctl. */
#include "ws/http.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "ws/wheel.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_MS 10000      /* for a request's head */
#define KEEPALIVE_MS 75000 /* between an answer and the next request */
#define WRITE_MS 10000     /* without progress in an answer */
#define LINGER_MS 2000     /* for the client to close, once all is written */
#define TICK_MS 1000
#define ACCEPTS_AT_A_TIME 64
#define READ_BYTES 16384

enum state {
	READING,   /* a request's head, or between two of them */
	SERVING,   /* its answer is being made, or is under way and has no end */
	SWITCHED,  /* another protocol's bytes, both ways */
	WRITING,   /* the answer's rest */
	LINGERING, /* all is written, and our side closed: a reset would destroy what the client has not read */
	CLOSED,
};

struct http_conn {
	uv_poll_t poll; /* first */
	enum state state;
	int fd, events;
	bool close, processing;
	char *rest; /* of what was written */
	size_t rest_n, rest_at;
	struct http *server;
	void *owner;
	struct http_head *head; /* what came and is no request yet */
	struct wheel_timer timer;
	LIST_ENTRY(http_conn) all;
	char peer[INET6_ADDRSTRLEN]; /* "": a Unix socket */
};

struct http {
	uv_loop_t *loop;
	const struct http_hooks *hooks;
	void *arg;
	struct wheel *wheel;
	uv_poll_t listener;
	int listen_fd;
	bool resting;            /* the listener, for want of descriptors */
	struct http_head *spare; /* of the last request: the next one has its memory */
	LIST_HEAD(, http_conn) all;
};

static void on_event(uv_poll_t *poll, int status, int events);

static struct http_conn *conn_of(uv_poll_t *poll)
{
	return (struct http_conn *)poll;
}

static void watch(struct http_conn *h, int events)
{
	if (h->events == events)
		return;
	h->events = events;
	if (events)
		uv_poll_start(&h->poll, events, on_event);
	else
		uv_poll_stop(&h->poll);
}

static void set_time_out(struct http_conn *h, int64_t ms)
{
	wheel_set(h->server->wheel, &h->timer, ms ? clock_mono_ms() + ms : 0);
}

/* ---- the end */

static void on_closed(uv_handle_t *handle)
{
	struct http_conn *h = conn_of((uv_poll_t *)handle);

	close(h->fd);
	if (h->owner)
		h->server->hooks->closed(h->owner);
	http_head_free(&h->head);
	free(h->rest);
	LIST_REMOVE(h, all);
	free(h);
}

void http_kill(struct http_conn *h)
{
	if (h->state == CLOSED)
		return;
	h->state = CLOSED;
	set_time_out(h, 0);
	uv_poll_stop(&h->poll);
	uv_close((uv_handle_t *)&h->poll, on_closed);
}

static void linger(struct http_conn *h)
{
	h->state = LINGERING;
	http_head_free(&h->head);
	shutdown(h->fd, SHUT_WR);
	watch(h, UV_READABLE);
	set_time_out(h, LINGER_MS);
}

void http_finish(struct http_conn *h)
{
	if (h->state == CLOSED)
		return;
	h->close = true;
	if (!http_is_pending(h)) {
		linger(h);
		return;
	}
	h->state = WRITING;
	watch(h, UV_WRITABLE);
	set_time_out(h, WRITE_MS);
}

/* ---- requests */

static struct http_head *take_head(struct http *s)
{
	struct http_head *head = s->spare;

	s->spare = NULL;
	return head ? head : http_head_new();
}

static void drop_head(struct http *s, struct http_head **head)
{
	if (s->spare || http_head_large(*head)) {
		http_head_free(head);
		return;
	}
	http_head_reset(*head);
	s->spare = *head;
	*head = NULL;
}

/* Takes up what has come, one request after the other. */
static void process(struct http_conn *h)
{
	if (h->processing)
		return; /* an answer from inside: the loop below goes on */
	h->processing = true;
	while (h->state == READING && h->head) {
		struct http_head *head = h->head;
		enum http_parsed rc = http_head_parse(head);

		if (rc == HTTP_MORE)
			break;
		set_time_out(h, 0);
		h->state = SERVING;
		if (rc == HTTP_WHOLE) {
			h->head = http_head_rest(head);
			h->server->hooks->request(h->server->arg, h, head);
			drop_head(h->server, &head);
		} else {
			http_head_free(&h->head);
			h->server->hooks->broken(h->server->arg, h, rc);
		}
	}
	h->processing = false;
	if (h->state == SWITCHED && h->head) { /* what came behind the request already */
		struct http_head *rest = h->head;
		size_t n;
		const char *p = http_head_bytes(rest, &n);

		h->head = NULL;
		h->server->hooks->bytes(h->owner, p, n);
		http_head_free(&rest);
	}
}

static void answered(struct http_conn *h)
{
	if (h->close) {
		linger(h);
		return;
	}
	h->state = READING;
	watch(h, UV_READABLE);
	set_time_out(h, h->head ? HEAD_MS : KEEPALIVE_MS);
	process(h);
}

void http_own(struct http_conn *h, void *owner)
{
	h->owner = owner;
}

const char *http_peer(const struct http_conn *h)
{
	return h->peer[0] ? h->peer : NULL;
}

/* ---- writing */

bool http_is_pending(const struct http_conn *h)
{
	return h->rest_n > h->rest_at;
}

/* Bytes that went out; -1: broken. */
static ssize_t put(struct http_conn *h, const char *p, size_t n)
{
	ssize_t done;

	do
		done = send(h->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (done < 0 && errno == EINTR);
	return done < 0 && errno == EAGAIN ? 0 : done;
}

/* Puts what the kernel did not take behind what waits already. */
static void keep(struct http_conn *h, const char *p, size_t n)
{
	h->rest = xrealloc(h->rest, h->rest_n + n);
	memcpy(h->rest + h->rest_n, p, n);
	h->rest_n += n;
}

int http_write(struct http_conn *h, const char *p, size_t n)
{
	ssize_t done;

	if (h->state == CLOSED)
		return -1;
	if (http_is_pending(h)) {
		keep(h, p, n);
		return 0;
	}
	done = put(h, p, n);
	if (done < 0)
		return -1;
	if ((size_t)done == n)
		return 0;
	keep(h, p + done, n - (size_t)done);
	watch(h, h->state == WRITING ? UV_WRITABLE : UV_READABLE | UV_WRITABLE);
	if (h->state == WRITING)
		set_time_out(h, WRITE_MS);
	return 0;
}

int http_switch(struct http_conn *h, void *owner, const char *p, size_t n)
{
	h->owner = owner;
	h->state = SWITCHED;
	return http_write(h, p, n);
}

void http_answer(struct http_conn *h, const char *p, size_t n, bool close)
{
	h->owner = NULL;
	if (h->state == CLOSED)
		return;
	h->close |= close;
	h->state = WRITING;
	if (http_write(h, p, n) < 0)
		http_kill(h);
	else if (!http_is_pending(h))
		answered(h);
}

/* Whether some of it left, or it broke. */
static bool write_rest(struct http_conn *h)
{
	ssize_t done = put(h, h->rest + h->rest_at, h->rest_n - h->rest_at);

	if (done < 0) {
		http_kill(h);
		return true;
	}
	h->rest_at += (size_t)done;
	if (http_is_pending(h)) {
		if (h->state == WRITING && done)
			set_time_out(h, WRITE_MS);
		return done > 0;
	}
	free(h->rest);
	h->rest = NULL;
	h->rest_n = h->rest_at = 0;
	set_time_out(h, 0);
	if (h->state == WRITING) {
		answered(h);
		return true;
	}
	watch(h, UV_READABLE);
	h->server->hooks->writeable(h->owner);
	return true;
}

bool http_push(struct http_conn *h)
{
	return h->state != CLOSED && http_is_pending(h) && write_rest(h);
}

/* ---- reading */

static void read_some(struct http_conn *h)
{
	bool idle = !h->head;
	size_t room;
	ssize_t n;
	char *p;

	if (!h->head)
		h->head = take_head(h->server);
	p = http_head_room(h->head, &room);
	do
		n = room ? recv(h->fd, p, room, MSG_DONTWAIT) : 0;
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN) {
		if (idle)
			drop_head(h->server, &h->head);
		return;
	}
	if (n <= 0) {
		if (h->state == SERVING && h->owner)
			h->server->hooks->gone(h->owner);
		else
			http_kill(h);
		return;
	}
	http_head_came(h->head, (size_t)n);
	if (h->state == READING) {
		process(h);
		if (idle && h->state == READING && h->head) /* the first bytes of a request, which is not whole */
			set_time_out(h, HEAD_MS);
	} else {
		if (http_head_full(h->head))
			watch(h, h->events & ~UV_READABLE);
		h->server->hooks->more(h->owner);
	}
}

static void read_bytes(struct http_conn *h)
{
	char bytes[READ_BYTES];
	ssize_t n;

	do
		n = recv(h->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		h->server->hooks->bytes(h->owner, bytes, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		h->server->hooks->gone(h->owner);
}

static void discard(struct http_conn *h)
{
	char waste[READ_BYTES];
	ssize_t n = recv(h->fd, waste, sizeof(waste), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		http_kill(h);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct http_conn *h = conn_of(poll);

	if (status < 0)
		events |= UV_READABLE; /* reading tells */
	if ((events & UV_WRITABLE) && http_is_pending(h))
		write_rest(h);
	if (!(events & UV_READABLE))
		return;
	if (h->state == SWITCHED)
		read_bytes(h);
	else if (h->state == LINGERING)
		discard(h);
	else if (h->state == READING || h->state == SERVING)
		read_some(h);
	else if (status < 0)
		http_kill(h);
}

/* ---- connections */

static void on_time_out(struct wheel_timer *t, int64_t now)
{
	(void)now;
	http_kill((struct http_conn *)((char *)t - offsetof(struct http_conn, timer)));
}

static void admit(struct http *s, int fd, const struct sockaddr_storage *from)
{
	struct http_conn *h = xcalloc(1, sizeof(*h));
	int on = 1;

	if (from->ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)from)->sin_addr, h->peer, sizeof(h->peer));
	else if (from->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)from)->sin6_addr, h->peer, sizeof(h->peer));

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* fails for a local one */
	h->server = s;
	h->fd = fd;
	if (uv_poll_init(s->loop, &h->poll, fd) != 0) {
		close(fd);
		free(h);
		return;
	}
	LIST_INSERT_HEAD(&s->all, h, all);
	watch(h, UV_READABLE);
	set_time_out(h, HEAD_MS);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct http *s = poll->data;

	(void)status;
	(void)events;
	for (int i = 0; i < ACCEPTS_AT_A_TIME; i++) {
		struct sockaddr_storage from = {0};
		socklen_t n = sizeof(from);
		int fd = accept4(s->listen_fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			admit(s, fd, &from);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN) {
			log_error("accept", "error=%s", log_quote(strerror(errno)));
			s->resting = true; /* it would come again at once */
			uv_poll_stop(poll);
		}
		return;
	}
}

struct http *http_new(uv_loop_t *loop, const struct http_hooks *hooks, void *arg)
{
	struct http *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	s->hooks = hooks;
	s->arg = arg;
	s->listen_fd = -1;
	s->wheel = wheel_new(TICK_MS, clock_mono_ms(), on_time_out);
	LIST_INIT(&s->all);
	return s;
}

void http_listen(struct http *s, int fd)
{
	s->listen_fd = fd;
	if (uv_poll_init(s->loop, &s->listener, fd) != 0)
		abort();
	s->listener.data = s;
	uv_poll_start(&s->listener, UV_READABLE, on_connection);
}

void http_tick(struct http *s, int64_t now)
{
	wheel_run(s->wheel, now);
	if (!s->resting)
		return;
	s->resting = false;
	uv_poll_start(&s->listener, UV_READABLE, on_connection);
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct http *s = handle->data;

	close(s->listen_fd);
	s->listen_fd = -1;
}

void http_close(struct http *s)
{
	struct http_conn *h;

	if (s->listen_fd >= 0)
		uv_close((uv_handle_t *)&s->listener, on_listener_closed);
	LIST_FOREACH(h, &s->all, all)
	{
		void *owner = h->owner;

		h->owner = NULL;
		if (owner)
			s->hooks->closed(owner);
		http_kill(h);
	}
}

void http_free(struct http **s)
{
	wheel_free(&(*s)->wheel);
	http_head_free(&(*s)->spare);
	free(*s);
	*s = NULL;
}
