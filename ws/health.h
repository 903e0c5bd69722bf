/* health: GET /healthz on this process's own socket, for monitors. */
#pragma once
#include "ws/http.h"
struct realtime;

void health_answer(struct realtime *rt, struct http_conn *h);
