/* polls: what the polls of a process know of each other. A newer one of an instance ends the older; one that comes
 * right behind the last answer to its instance waits a little for more lines, so that answers are fewer and fuller. One
 * thread. */
#pragma once
#include "lib/live/poll.h"

#define POLLS_GATHER_MS 50

struct polls;

struct polls *polls_new(void);
void polls_free(struct polls **s); /* all polls have left */

/* p has been added to live. */
void polls_enter(struct polls *s, struct live_poll *p, int64_t user, const char *uuid);
/* p goes. answered: mono ms, 0: not at all. Again, or of one that never came, is harmless. */
void polls_leave(struct polls *s, struct live_poll *p, int64_t answered);

/* Time to answer p. Where it is to gather more first, p->changed() is called when that is over. now: mono ms. */
bool polls_due(struct polls *s, struct live_poll *p, int64_t now);
void polls_tick(struct polls *s, int64_t now);
int64_t polls_next(const struct polls *s); /* when the next tick is due, INT64_MAX: no need */
