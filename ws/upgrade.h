/* upgrade: libwebsockets 4.1.6 on our loop, for the WebSocket protocol alone: takes a connection over together with its
 * request, which has been judged. Loop thread. */
#pragma once
#include "lib/base/err.h"
#include "ws/http.h"
#include "ws/realtime.h"
struct request;

MUST_CHECK int upgrade_init(struct realtime *rt, struct err *e);
/* Closes everything, the first half: the loop must run once more before the second (loop_finish()). */
void upgrade_close(struct realtime *rt);
/* Takes h and request over. */
void upgrade(struct realtime *rt, struct http_conn *h, const struct http_head *head, struct request *request);
