/* transport: what requests that are answered later have in common, and the hard end. */
#include "ws/transport.h"

void transport_writeable(struct conn *c)
{
	if (c->transport->writeable)
		c->transport->writeable(c);
}

void transport_park(struct conn *c)
{
	http_own(c->http, c);
	c->state = CONN_AUTHORISING;
	conn_authorise(c);
}

void transport_kill(struct conn *c)
{
	c->state = CONN_DEAD;
	c->receiver->state = RECEIVER_OUT;
	c->transport->kill(c);
}
