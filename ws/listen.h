/* listen: the bus. A LISTEN connection of its own, the epoch, a self-test that shows whether notifications arrive, and
 * reading the log where they do not. */
#pragma once
#include "ws/realtime.h"

struct listener;

struct listener *listener_new(struct realtime *rt);
void listener_free(struct listener **l);
int64_t listener_tick(struct listener *l, int64_t now); /* as pgconn_tick() */
/* Hooks of live.h. */
void listener_doubt(struct listener *l);
void listener_test(struct listener *l, int64_t number);
