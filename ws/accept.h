/* accept: the listening socket and the callbacks of libwebsockets: which request goes where. */
#pragma once
#include "lib/base/err.h"
#include "ws/realtime.h"

/* The library, on our loop; does not listen yet. */
MUST_CHECK int accept_init(struct realtime *rt, struct err *e);
/* address: a path, or address:port. True to its word: what it opens is connected to once. */
MUST_CHECK int accept_listen(struct realtime *rt, const char *address, struct err *e);
/* Closes everything, the first half: the loop must run once more before the second (loop_finish()). */
void accept_close(struct realtime *rt);
