/* transport: what requests that are answered later have in common, and the hard end. */
#include "ws/transport.h"
#include "ws/loop.h"
#include "ws/parking.h"
#include <libwebsockets.h>

int transport_writeable(struct conn *c)
{
	return c->transport->writeable ? c->transport->writeable(c) : 0;
}

void transport_park(struct conn *c)
{
	lws_set_opaque_user_data(c->wsi, c);
	lws_http_headers_detach(c->wsi);
	lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
	parking_add(c->rt->parking, c, lws_get_socket_fd(c->wsi));
	c->state = CONN_AUTHORISING;
	conn_authorise(c);
}

void transport_gone(struct conn *c)
{
	transport_kill(c);
}

void transport_hurry(struct conn *c)
{
	c->transport->hurry(c);
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
