/* accept: the listening socket, and which request goes where. */
#include "ws/accept.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "ws/health.h"
#include "ws/loop.h"
#include "ws/transport.h"
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4096

static const char path_socket[] = "/api/v1/ws", path_events[] = "/api/v1/events", path_health[] = "/healthz";

/* ---- requests */

static void on_socket(struct realtime *rt, struct http_conn *h, const struct http_head *head)
{
	struct err e = {0};

	if (http_upgrades_to(head, "websocket")) {
		ws_start(rt, h, head);
		return;
	}
	err_set(&e, ERR_UPGRADE_REQUIRED, NULL,
		"this is a WebSocket: the upgrade got lost on the way, use server-sent events or long-poll");
	request_problem(h, head, &e, false);
}

static void on_request(void *arg, struct http_conn *h, const struct http_head *head)
{
	struct err e = {0};
	bool socket = http_path_is(head, path_socket), events = http_path_is(head, path_events);

	if ((socket || events) && !http_is_get(head)) {
		err_set(&e, ERR_METHOD_NOT_ALLOWED, NULL, "only GET");
		request_problem(h, head, &e, true);
	} else if (socket) {
		on_socket(arg, h, head);
	} else if (http_path_is(head, path_health) && http_is_get(head)) {
		health_answer(arg, h);
	} else if (events) {
		(request_wants_sse(head) ? sse_start : poll_start)(arg, h, head);
	} else {
		err_set(&e, ERR_NOT_FOUND, NULL, "there is nothing here");
		request_problem(h, head, &e, false);
	}
}

static void on_broken(void *arg, struct http_conn *h, enum http_parsed why)
{
	struct err e = {0};

	(void)arg;
	if (why == HTTP_TOO_LARGE)
		err_set(&e, ERR_TOO_LARGE, NULL, "the head of the request is over %d bytes or %d lines", HTTP_HEAD_MAX,
			HTTP_HEADERS_MAX);
	else
		err_set(&e, ERR_BAD_REQUEST, NULL, "this is not HTTP/1.1");
	request_problem(h, NULL, &e, true);
}

static void on_gone(void *owner)
{
	transport_kill(owner);
}

static void on_more(void *owner)
{
	struct conn *c = owner;

	c->transport->hurry(c);
}

static void on_bytes(void *owner, const char *p, size_t n)
{
	struct conn *c = owner;
	struct realtime *rt = c->rt;

	c->transport->bytes(c, p, n);
	loop_look(rt);
}

static void on_writeable(void *owner)
{
	transport_writeable(owner);
}

static void on_closed(void *owner)
{
	conn_free(owner);
}

void accept_init(struct realtime *rt)
{
	static const struct http_hooks hooks = {
		.request = on_request,
		.broken = on_broken,
		.gone = on_gone,
		.more = on_more,
		.bytes = on_bytes,
		.writeable = on_writeable,
		.closed = on_closed,
	};

	rt->http = http_new(&rt->loop, &hooks, rt);
}

void accept_close(struct realtime *rt)
{
	if (rt->unlink_at_end)
		unlink(rt->unlink_at_end);
	http_close(rt->http);
}

/* ---- listening */

struct place {
	union {
		struct sockaddr any;
		struct sockaddr_un local;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to;
	socklen_t n;
	char host[64];
	int port;
};

static int parse(const char *address, struct place *out, struct err *e)
{
	const char *colon = strrchr(address, ':');
	size_t host_n = colon ? (size_t)(colon - address) : 0;
	const char *host = address;
	int64_t port;

	memset(out, 0, sizeof(*out));
	if (address[0] == '/') {
		if (strlen(address) >= sizeof(out->to.local.sun_path))
			return err_set(e, ERR_BAD_FIELD, "listen", "the path %s is too long for a socket", address);
		out->to.local.sun_family = AF_UNIX;
		memcpy(out->to.local.sun_path, address, strlen(address) + 1);
		out->n = sizeof(out->to.local);
		return 0;
	}
	if (host_n > 2 && host[0] == '[' && host[host_n - 1] == ']') {
		host++;
		host_n -= 2;
	}
	if (!colon || !host_n || host_n >= sizeof(out->host) ||
	    !int_parse(colon + 1, strlen(colon + 1), 65535, &port) || !port)
		return err_set(e, ERR_BAD_FIELD, "listen", "%s is neither a path nor address:port", address);
	memcpy(out->host, host, host_n);
	out->port = (int)port;
	if (inet_pton(AF_INET, out->host, &out->to.v4.sin_addr) == 1) {
		out->to.v4.sin_family = AF_INET;
		out->to.v4.sin_port = htons((uint16_t)port);
		out->n = sizeof(out->to.v4);
	} else if (inet_pton(AF_INET6, out->host, &out->to.v6.sin6_addr) == 1) {
		out->to.v6.sin6_family = AF_INET6;
		out->to.v6.sin6_port = htons((uint16_t)port);
		out->n = sizeof(out->to.v6);
	} else {
		return err_set(e, ERR_BAD_FIELD, "listen", "%s is not an IP address", out->host);
	}
	return 0;
}

static bool answers(const struct place *p)
{
	int fd = socket(p->to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && connect(fd, &p->to.any, p->n) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static int set_access(const struct config *c, const char *path, struct err *e)
{
	struct group *g = *c->realtime.socket_group ? getgrnam(c->realtime.socket_group) : NULL;

	if (*c->realtime.socket_group && !g)
		return err_set(e, ERR_BAD_FIELD, "socket_group", "there is no group %s", c->realtime.socket_group);
	if ((g && chown(path, (uid_t)-1, g->gr_gid) < 0) || chmod(path, (mode_t)c->realtime.socket_mode) < 0)
		return err_set(e, ERR_INTERNAL, "listen", "%s: %s", path, strerror(errno));
	return 0;
}

/* A socket file that nobody listens on is a leftover. */
static int open_socket(const struct place *p)
{
	int fd = socket(p->to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, rc;
	mode_t mask;

	if (fd < 0)
		return -1;
	if (p->to.any.sa_family == AF_UNIX)
		unlink(p->to.local.sun_path);
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (p->to.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	mask = umask(0177); /* until its mode is set */
	rc = bind(fd, &p->to.any, p->n);
	umask(mask);
	if (rc == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	rc = errno;
	close(fd);
	errno = rc;
	return -1;
}

int accept_listen(struct realtime *rt, const char *address, struct err *e)
{
	struct place place;
	int fd;

	if (parse(address, &place, e) < 0)
		return -1;
	if (answers(&place))
		return err_set(e, ERR_CONFLICT, "listen", "something listens on %s already", address);
	fd = open_socket(&place);
	if (fd < 0)
		return err_set(e, ERR_INTERNAL, "listen", "cannot listen on %s: %s", address, strerror(errno));
	if (place.to.any.sa_family == AF_UNIX) {
		rt->unlink_at_end = address;
		if (set_access(rt->config, address, e) < 0) {
			close(fd);
			return -1;
		}
	}
	http_listen(rt->http, fd);
	return 0;
}
