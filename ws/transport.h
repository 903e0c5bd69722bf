/* transport: the ways an event stream reaches a client. Each is a struct transport (ws/conn.h) and the callbacks of its
 * protocol. */
#pragma once
#include "ws/conn.h"

struct lws;

#define TRANSPORT_WRITE_MAX (1 << 20) /* bytes that libwebsockets takes at a time (tx_packet_size) */

/* --- WebSocket */
struct conn *ws_new(struct realtime *rt, struct lws *wsi, struct request *request); /* the handshake is accepted */
/* Each returns what the callback of libwebsockets returns. */
int ws_established(struct conn *c);
int ws_receive(struct conn *c, const char *p, size_t n);
int ws_peer_closes(struct conn *c);
void ws_pong(struct conn *c);

/* --- long-poll and server-sent events: a request */
void poll_start(struct realtime *rt, struct http_conn *h, const struct http_head *head);
void sse_start(struct realtime *rt, struct http_conn *h, const struct http_head *head);

/* --- all */
/* There is room for a write; returns what the callback of libwebsockets returns. */
int transport_writeable(struct conn *c);
/* Keeps a request that is answered later, and looks its session up. */
void transport_park(struct conn *c);
/* Ends the TCP connection soon, from anywhere. */
void transport_kill(struct conn *c);
