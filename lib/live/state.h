/* state: what is told beside the log: presence, typing, reads. What the rest of lib/live tells it, and asks of it; in
 * the files, lib/live/state_private.h. */
#pragma once
#include "lib/live/live_private.h"

void state_start(struct live *l);
void state_free(struct live *l);
void state_forget(struct live *l, struct receiver *r);
void state_event(struct live *l, const struct event *ev, const struct line *line); /* a join, a leave, a message */
void state_line(struct live *l, const struct event *ev);
void state_user(struct live *l, const struct live_user *u); /* his memberships are known */
void state_live(struct live *l, struct receiver *r);        /* it is live */
void state_reload(struct live *l);                          /* lines of the bus may have been lost */
void state_restart(struct live *l);                         /* another log */
bool state_rows(struct live *l, const struct live_read *q, const PGresult *rows); /* false: ask again */
void state_typing_sent(struct live *l, const struct live_read *q, const PGresult *rows);
void state_tick(struct live *l, int64_t now);
void state_work(struct live *l, int64_t now);
