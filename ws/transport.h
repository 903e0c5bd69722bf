/* transport: the ways an event stream reaches a client. Each is a struct transport (ws/conn.h) and the callbacks of its
 * protocol. */
#pragma once
#include "ws/conn.h"

/* A request, or a handshake. */
void ws_start(struct realtime *rt, struct http_conn *h, const struct http_head *head);
void poll_start(struct realtime *rt, struct http_conn *h, const struct http_head *head);
void sse_start(struct realtime *rt, struct http_conn *h, const struct http_head *head);

/* --- all */
/* There is room for a write. */
void transport_writeable(struct conn *c);
/* Keeps a request that is answered later, and looks its session up. */
void transport_park(struct conn *c);
/* Ends the TCP connection soon, from anywhere. */
void transport_kill(struct conn *c);
