/* serve: one request from its CGI variables to its answer, whatever carries it. */
#pragma once
#include "fcgi/request.h"

/* Blocks until the answer is written, or the request is parked. arena is reset by the caller. */
void serve(struct app *app, struct db *db, struct arena *arena, char **env, const struct io *io);
/* A limit for the arena of a worker: body, its copies and small things. */
size_t serve_arena_limit(const struct config *c);
