/* drain: a planned stop. Clients are told when to come back, spread over some seconds; what is being stored is waited
 * for. */
#pragma once
#include "ws/realtime.h"

void drain_start(struct realtime *rt); /* the second time: at once */
void drain_tick(struct realtime *rt, int64_t now);
