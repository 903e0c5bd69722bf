/* serve: request, router, response. */
#include "fcgi/serve.h"
#include "fcgi/app.h"
#include "fcgi/events.h"
#include "fcgi/response.h"
#include "fcgi/route.h"
#include "lib/base/config.h"
#include "lib/base/log.h"

size_t serve_arena_limit(const struct config *c)
{
	return (size_t)c->limits.request_bytes * 4 + ((size_t)4 << 20);
}

void serve(struct app *app, struct db *db, struct arena *arena, char **env, const struct io *io)
{
	struct request q = {.app = app, .config = app->config, .db = db, .arena = arena, .io = io, .env = env};
	struct response r;

	if (app->events)
		q.seen = events_here(app->events);
	response_init(&r);
	route_request(&q, &r);
	if (r.parked)
		io->park(io->ctx, r.parked);
	else
		response_send(&r, &q);
	response_release(&r);
	request_release(&q);
	log_set_request("");
}
