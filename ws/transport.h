/* transport: the ways an event stream reaches a client. Each is a struct transport (ws/conn.h) and the callbacks of its
 * protocol. */
#pragma once
#include "ws/conn.h"

#define TRANSPORT_WRITE_MAX (1 << 20) /* bytes that libwebsockets takes at a time (tx_packet_size) */

/* --- WebSocket */
struct conn *ws_new(struct realtime *rt, struct lws *wsi, struct request *request); /* the handshake is accepted */
/* Each returns what the callback of libwebsockets returns. */
int ws_established(struct conn *c);
int ws_receive(struct conn *c, const char *p, size_t n);
int ws_peer_closes(struct conn *c);
void ws_pong(struct conn *c);

/* --- long-poll and server-sent events: a request. Each returns what the callback returns. */
int poll_start(struct realtime *rt, struct lws *wsi);
int sse_start(struct realtime *rt, struct lws *wsi);

/* --- all */
/* There is room for a write; returns what the callback returns. */
int transport_writeable(struct conn *c);
/* Keeps a request that is answered later, and looks its session up. */
void transport_park(struct conn *c);
/* The client of a parked request has gone; has sent more behind it. */
void transport_gone(struct conn *c);
void transport_hurry(struct conn *c);
/* Ends the TCP connection soon, from anywhere. */
void transport_kill(struct conn *c);
