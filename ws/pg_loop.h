/* pg_loop: database connections in the loop: watches their descriptors, and keeps a few for queries. */
#pragma once
#include "lib/db/pgconn.h"
#include <uv.h>

struct pg_watch;
/* ready: called with a set of PGCONN_READ and PGCONN_WRITE. */
struct pg_watch *pg_watch_new(uv_loop_t *loop, void (*ready)(void *arg, int events), void *arg);
/* As the watch hook of pgconn.h. */
void pg_watch_set(struct pg_watch *w, int fd, int events);
void pg_watch_free(struct pg_watch **w);

struct pg_pool;
struct pg_pool *pg_pool_new(const struct config *c, uv_loop_t *loop, const char *name, size_t n);
void pg_pool_free(struct pg_pool **p);
/* The connection with the least under way, one that is up where there is one. */
struct pgconn *pg_pool_pick(const struct pg_pool *p);
bool pg_pool_is_up(const struct pg_pool *p);
/* pgconn_reset_silent() for each. */
void pg_pool_reset_silent(struct pg_pool *p, int64_t now, int64_t ms, bool idle);
int64_t pg_pool_tick(struct pg_pool *p, int64_t now); /* as pgconn_tick() */
