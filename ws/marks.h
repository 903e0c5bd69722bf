/* marks: read markers on their way to the database. The first of a user in a channel goes at once, further ones at most
 * once in [reads] coalesce; all that are due go in one statement, one at a time for the process. Many ops of one marker
 * come to one move, and each is answered when it is committed. */
#pragma once
#include "ws/realtime.h"
struct marks;
struct op;

struct marks *marks_new(struct realtime *rt);
void marks_free(struct marks **m); /* ops are forgotten: ops_free() */

/* op->channel and op->mark are set; it is answered later. */
void marks_add(struct marks *m, struct op *op, int64_t seq);
/* Sends what is due. From the loop, before it sleeps; returns when to call again at the latest (mono ms). */
int64_t marks_tick(struct marks *m, int64_t now);
