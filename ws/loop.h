/* loop: the process's own libuv loop: what arrives in one turn leaves at its end in one write per connection. */
#pragma once
#include "ws/realtime.h"

#define LOOP_TICK_MS 100

/* stop: on SIGTERM or SIGINT, and again on each further one. tick: every LOOP_TICK_MS. */
struct loop_hooks {
	void (*stop)(struct realtime *rt);
	void (*tick)(struct realtime *rt, int64_t now);
};

void loop_init(struct realtime *rt, const struct loop_hooks *hooks);
/* Runs until loop_stop(). */
void loop_run(struct realtime *rt);
void loop_stop(struct realtime *rt);
/* Ends the loop's own handles; loop_finish() closes the loop when everyone's are closed. */
void loop_close(struct realtime *rt);
void loop_finish(struct realtime *rt);

/* To be called between two connections' work: where a long turn is under way, a batch that the database has answered
 * makes room for the next one at once. */
void loop_look(struct realtime *rt);
/* Writes what is queued. The loop does so after it has looked for input; a timer's callback calls it at its end. */
void loop_flush(struct realtime *rt);
