/* accept: libwebsockets 4.1.6 on a libuv loop that is ours. */
#include "ws/accept.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "ws/transport.h"
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define HEADER_BYTES 16384   /* of a request; the web server in front must have the smaller limit */
#define RX_BUFFER_BYTES 1024 /* a larger message comes in pieces; an idle connection costs that much less */
#define KEEPALIVE_S 75
#define PHASE_S 10 /* for a request's header, and for a close */

static const char path_socket[] = "/api/v1/ws", path_events[] = "/api/v1/events";

static struct realtime *realtime_of(struct lws *wsi)
{
	return lws_context_user(lws_get_context(wsi));
}

/* ---- requests */

static int not_found(struct lws *wsi)
{
	struct err e = {0};

	err_set(&e, ERR_NOT_FOUND, NULL, "there is nothing here");
	return request_problem(wsi, &e, NULL, lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) == 0);
}

static int on_request(struct lws *wsi)
{
	struct err e = {0};
	bool get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;

	if (request_path_is(wsi, path_events) && get)
		return request_wants_sse(wsi) ? sse_start(realtime_of(wsi), wsi) : poll_start(realtime_of(wsi), wsi);
	if (request_path_is(wsi, path_events) || (request_path_is(wsi, path_socket) && !get)) {
		err_set(&e, ERR_METHOD_NOT_ALLOWED, NULL, "only GET");
		return request_problem(wsi, &e, NULL, true); /* it may have a body, which nobody reads */
	}
	if (!request_path_is(wsi, path_socket))
		return not_found(wsi);
	err_set(&e, ERR_UPGRADE_REQUIRED, NULL, "this is a WebSocket: the upgrade got lost on the way, use long-poll");
	return request_problem(wsi, &e, NULL, false);
}

/* Returns what the callback does: 0 goes on with the handshake. */
static int on_upgrade(struct lws *wsi, const char *protocol)
{
	struct realtime *rt = realtime_of(wsi);
	struct request *request = NULL;
	struct err e = {0};

	if (!lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE))
		return -1; /* 4.1.6 comes here with the header block gone after it has refused an unknown upgrade itself
			    */
	if (!request_path_is(wsi, path_socket)) {
		err_set(&e, ERR_NOT_FOUND, NULL, "there is nothing here");
		return request_problem(wsi, &e, NULL, true);
	}
	if (strcasecmp(protocol, "websocket") != 0) {
		err_set(&e, ERR_UPGRADE_REQUIRED, NULL, "upgrade to websocket only");
		return request_problem(wsi, &e, NULL, true);
	}
	if (request_check_handshake(wsi, &e) < 0 || request_read(rt, wsi, REQUEST_SOCKET, &request, &e) < 0)
		return request_problem(wsi, &e, NULL, true);
	lws_set_opaque_user_data(wsi, ws_new(rt, wsi, request));
	return 0;
}

static void drop(struct lws *wsi)
{
	struct conn *c = lws_get_opaque_user_data(wsi);

	if (!c)
		return;
	lws_set_opaque_user_data(wsi, NULL);
	conn_free(c);
}

static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct conn *c = lws_get_opaque_user_data(wsi);

	(void)user;
	(void)len;
	switch (reason) {
	case LWS_CALLBACK_HTTP:
		return on_request(wsi);
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return on_upgrade(wsi, in);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return c ? transport_writeable(c) : 0;
	case LWS_CALLBACK_CLOSED_HTTP:
	case LWS_CALLBACK_WSI_DESTROY:
		drop(wsi);
		return 0;
	default:
		return 0;
	}
}

static int on_socket(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct conn *c = lws_get_opaque_user_data(wsi);

	(void)user;
	switch (reason) {
	case LWS_CALLBACK_ESTABLISHED:
		return c ? ws_established(c) : -1;
	case LWS_CALLBACK_RECEIVE:
		return c ? ws_receive(c, in, len) : -1;
	case LWS_CALLBACK_RECEIVE_PONG:
		if (c)
			ws_pong(c);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return c ? transport_writeable(c) : 0;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		return c ? ws_peer_closes(c) : 0;
	case LWS_CALLBACK_CLOSED:
	case LWS_CALLBACK_WSI_DESTROY:
		drop(wsi);
		return 0;
	default:
		return 0;
	}
}

static const struct lws_protocols protocols[] = {
	{.name = "http", .callback = on_http, .rx_buffer_size = RX_BUFFER_BYTES, .tx_packet_size = TRANSPORT_WRITE_MAX},
	{.name = "pulsechat.v1",
	 .callback = on_socket,
	 .rx_buffer_size = RX_BUFFER_BYTES,
	 .tx_packet_size = TRANSPORT_WRITE_MAX},
	{0},
};

/* ---- the library */

static void on_log(int level, const char *text)
{
	char line[256];

	snprintf(line, sizeof(line), "%s", text);
	line[strcspn(line, "\n")] = 0;
	if (level & LLL_ERR)
		log_info("lws.error", "text=%s", log_quote(line)); /* mostly of what clients send */
	else
		log_debug("lws.warning", "text=%s", log_quote(line));
}

int accept_init(struct realtime *rt, struct err *e)
{
	struct lws_context_creation_info info = {0};
	void *loops[] = {&rt->loop};

	lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
	info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
	info.foreign_loops = loops;
	info.user = rt;
	info.gid = (gid_t)-1;
	info.uid = (uid_t)-1;
	info.max_http_header_data = HEADER_BYTES;
	info.pt_serv_buf_size = HEADER_BYTES;
	info.timeout_secs = PHASE_S;
	rt->lws = lws_create_context(&info);
	if (!rt->lws)
		return err_set(e, ERR_INTERNAL, NULL, "libwebsockets does not start (is its libuv plug-in installed?)");
	return 0;
}

void accept_close(struct realtime *rt)
{
	if (rt->lws)
		lws_context_destroy(rt->lws);
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

int accept_listen(struct realtime *rt, const char *address, struct err *e)
{
	struct lws_context_creation_info info = {0};
	struct place place;
	bool local;
	mode_t mask;

	if (parse(address, &place, e) < 0)
		return -1;
	local = place.to.any.sa_family == AF_UNIX;
	if (answers(&place))
		return err_set(e, ERR_CONFLICT, "listen", "something listens on %s already", address);
	info.protocols = protocols;
	info.vhost_name = "pulsechat";
	info.keepalive_timeout = KEEPALIVE_S;
	info.timeout_secs = PHASE_S;
	info.port = local ? 0 : place.port; /* 4.1.6 takes a path with port 0 only */
	info.iface = local ? address : place.host;
	info.options = local ? LWS_SERVER_OPTION_UNIX_SOCK
			     : (place.to.any.sa_family == AF_INET ? LWS_SERVER_OPTION_DISABLE_IPV6 : 0);
	mask = umask(0177); /* until its mode is set */
	rt->vhost = lws_create_vhost(rt->lws, &info);
	umask(mask);
	if (!rt->vhost || !answers(&place)) /* 4.1.6 goes on without a listener where it could not bind */
		return err_set(e, ERR_INTERNAL, "listen", "cannot listen on %s: %s", address, strerror(errno));
	return local ? set_access(rt->config, address, e) : 0;
}
