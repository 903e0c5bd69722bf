/* realtime: what the parts of pulsechat-realtime share: one loop, one thread. */
#pragma once
#include "lib/base/strbuf.h"
#include <sys/queue.h>
#include <uv.h>

struct arena;
struct config;
struct conn;
struct frame_cache;
struct http;
struct instances;
struct live;
struct oidc;
struct pg_pool;
struct polls;
struct presence;
struct rate;
struct session_cache;
struct writer;

TAILQ_HEAD(conn_list, conn);

struct realtime {
	const struct config *config;
	const char *node; /* this process's name in logs and to the database */
	uv_loop_t loop;
	struct live *live;
	struct frame_cache *frames, *sse_frames;
	struct pg_pool *pool;  /* queries */
	struct writer *writer; /* sends */
	struct pg_watch *writer_watch;
	struct bus *bus;
	struct pg_watch *bus_watch;
	struct wheel *wheel;       /* time-outs of connections */
	struct instances *streams; /* what each instance has open */
	struct polls *polls;
	struct presence *presence;
	struct callers *callers;
	struct rate *rate;
	struct oidc *oidc; /* asked by threads of libuv's pool alone (admission.h) */
	struct session_cache *sessions;
	struct marks *marks;
	struct http *http;
	const char *unlink_at_end;     /* the socket's file */
	struct conn_list conns, dirty; /* all; those with something to write */
	size_t conns_n;
	struct arena *arena;               /* of the request that is being read */
	unsigned turn;                     /* counts flushes */
	struct strbuf answer, answer_head; /* of the poll that is being answered, kept for the next one */
	bool draining;
};
