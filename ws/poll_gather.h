/* poll_gather: a poll that comes right behind the last answer to its instance waits a little, so that answers are fewer
 * and fuller. Loop thread. */
#pragma once
#include "ws/realtime.h"

#define GATHER_MS 50

struct gather_entry {      /* part of a poll, zeroed */
	struct conn *conn; /* NULL: does not wait */
	int64_t until;
	TAILQ_ENTRY(gather_entry) list;
};

void gather_init(struct realtime *rt);
void gather_close(void); /* its handle closes in the loop's next turn */
/* conn is flushed again at until (mono ms). Again is harmless. */
void gather_wait(struct realtime *rt, struct gather_entry *g, struct conn *conn, int64_t until);
void gather_forget(struct gather_entry *g);
