/* worker: threads that accept FastCGI connections and answer their requests, each with a database connection of its
 * own. */
#pragma once
#include "fcgi/app.h"
#include "fcgi/listen.h"

struct workers;

MUST_CHECK int workers_start(struct app *app, const struct listener *l, size_t threads, struct workers **out,
			     struct err *e);
/* No new requests: those under way finish. On an own socket whoever has connected already is still answered. */
void workers_drain(struct workers *w);
/* Waits for the threads to end, at most ms. Returns how many still run. */
size_t workers_wait(struct workers *w, int64_t ms);
/* When all have ended. */
void workers_free(struct workers **w);
