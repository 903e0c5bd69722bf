/* wheel: many time-outs that cost nothing until they come: slots of a tick each, a list in each slot. One
 * thread. */
#pragma once
#include "lib/base/base.h"
#include <sys/queue.h>

struct wheel_timer { /* part of what it is for; zeroed before the first use */
	LIST_ENTRY(wheel_timer) list;
	int64_t at; /* mono ms; 0: not set */
};

struct wheel;

struct wheel *wheel_new(int64_t tick_ms, int64_t now, void (*due)(struct wheel_timer *t, int64_t now));
void wheel_free(struct wheel **w); /* timers that are set are forgotten */

/* Sets, moves or (at 0) clears. It comes at `at` or up to a tick later. */
void wheel_set(struct wheel *w, struct wheel_timer *t, int64_t at);
/* Calls due() for each that is due; it is cleared before and may be set, or freed, inside. */
void wheel_run(struct wheel *w, int64_t now);
