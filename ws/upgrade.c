/* upgrade: a socket and the bytes that came on it are given to the library, which reads the handshake from them at once
 * (lws_adopt_socket_vhost_readbuf); its callbacks. */
#include "ws/upgrade.h"
#include "lib/base/log.h"
#include "ws/transport.h"
#include <libwebsockets.h>
#include <string.h>
#include <unistd.h>

#define RX_BUFFER_BYTES 1024 /* a larger message comes in pieces; an idle connection costs that much less */
#define PHASE_S 10           /* for a close */

/* The request of the handshake that the library reads at this moment. */
static struct request *judged;

static struct realtime *realtime_of(struct lws *wsi)
{
	return lws_context_user(lws_get_context(wsi));
}

static void drop(struct lws *wsi)
{
	struct conn *c = lws_get_opaque_user_data(wsi);

	if (!c)
		return;
	lws_set_opaque_user_data(wsi, NULL);
	conn_free(c);
}

static int on_handshake(struct lws *wsi)
{
	if (!judged)
		return -1;
	lws_set_opaque_user_data(wsi, ws_new(realtime_of(wsi), wsi, judged));
	judged = NULL;
	return 0;
}

static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	(void)user;
	(void)in;
	(void)len;
	switch (reason) {
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return on_handshake(wsi);
	case LWS_CALLBACK_HTTP:
		return -1; /* never: what comes here is a handshake */
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
	if (strstr(line, "calling service"))
		return; /* of each handshake */
	if (level & LLL_ERR)
		log_info("lws.error", "text=%s", log_quote(line)); /* mostly of what clients send */
	else
		log_debug("lws.warning", "text=%s", log_quote(line));
}

int upgrade_init(struct realtime *rt, struct err *e)
{
	struct lws_context_creation_info info = {0};
	void *loops[] = {&rt->loop};

	lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
	info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
	info.foreign_loops = loops;
	info.user = rt;
	info.gid = (gid_t)-1;
	info.uid = (uid_t)-1;
	info.max_http_header_data = HTTP_HEAD_MAX;
	info.pt_serv_buf_size = HTTP_HEAD_MAX;
	info.timeout_secs = PHASE_S;
	rt->lws = lws_create_context(&info);
	info.protocols = protocols;
	info.vhost_name = "pulsechat";
	info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
	if (rt->lws)
		rt->vhost = lws_create_vhost(rt->lws, &info);
	if (!rt->vhost)
		return err_set(e, ERR_INTERNAL, NULL, "libwebsockets does not start (is its libuv plug-in installed?)");
	return 0;
}

void upgrade_close(struct realtime *rt)
{
	if (rt->lws)
		lws_context_destroy(rt->lws);
}

void upgrade(struct realtime *rt, struct http_conn *h, const struct http_head *head, struct request *request)
{
	size_t n;
	const char *bytes = http_head_bytes(head, &n);

	judged = request;
	if (!lws_adopt_socket_vhost_readbuf(rt->vhost, http_take(h), bytes, n))
		log_info("upgrade.failed", "bytes=%zu", n);
	request_free(&judged); /* of a handshake that the library did not come to */
}
