/* accept: the listening socket, and which request goes where. */
#pragma once
#include "lib/base/err.h"
#include "ws/realtime.h"

/* Both libraries, on our loop; does not listen yet. */
void accept_init(struct realtime *rt);
/* address: a path, or address:port. A path where nobody listens is a leftover and is replaced. */
MUST_CHECK int accept_listen(struct realtime *rt, const char *address, struct err *e);
/* Closes everything but handles, which the loop closes in its next turns (loop_finish()). */
void accept_close(struct realtime *rt);
