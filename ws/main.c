/* pulsechat-realtime: delivers events over WebSocket, server-sent events and long-poll. Puts the parts together, and
 * takes them apart in order. */
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/auth/access_jwt.h"
#include "lib/auth/oidc.h"
#include "lib/auth/rate.h"
#include "lib/base/config.h"
#include "lib/base/descriptors.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/db/writer.h"
#include "lib/live/bus.h"
#include "lib/live/frame.h"
#include "lib/live/instances.h"
#include "lib/live/live.h"
#include "lib/live/polls.h"
#include "lib/live/presence.h"
#include "ws/accept.h"
#include "ws/callers.h"
#include "ws/conn.h"
#include "ws/drain.h"
#include "ws/http.h"
#include "ws/loop.h"
#include "ws/marks.h"
#include "lib/base/notify.h"
#include "ws/ops.h"
#include "ws/pg_loop.h"
#include "ws/session_cache.h"
#include "ws/transport.h"
#include "ws/ws_frames.h"
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define QUERY_CONNECTIONS 3
#define FRAME_CACHE_BYTES ((size_t)4 << 20)
#define ARENA_BYTES ((size_t)256 << 10) /* a query's copies: a head is 16 KiB at most */
#define LISTEN_LATEST_MS 1000           /* a database that is away shall not keep us from saying so */

static const char usage[] = "usage: pulsechat-realtime [-c FILE] [--listen ADDRESS] [--node NAME]\n"
			    "  -c, --config FILE  configuration (/etc/pulsechat/pulsechat.conf)\n"
			    "  --listen ADDRESS   a socket's path, or address:port; instead of [realtime] listen\n"
			    "  --node NAME        this process's name in logs (realtime)\n"
			    "  --help\n";

struct options {
	const char *config, *listen, *node;
};

static int exit_status;
static int64_t started;
static bool listening;
static const char *address;

/* ---- hooks */

static void on_read(void *arg, struct live_read *q)
{
	struct realtime *rt = arg;

	live_read_query(q, pg_pool_pick(rt->pool), rt->config->database.wait);
}

static void start_listening(struct realtime *rt)
{
	struct err e = {0};

	if (listening)
		return;
	listening = true;
	if (accept_listen(rt, address, &e) < 0) {
		log_error("listen", "cause=%s", log_quote(e.detail));
		exit_status = 1;
		loop_stop(rt);
		return;
	}
	log_info("listening", "address=%s", log_quote(address));
	notify_systemd("READY=1");
}

static void on_ready(void *arg)
{
	struct realtime *rt = arg;

	log_info("ready", "mark=%s head=%lld ms=%lld", live_mark(rt->live), (long long)live_head(rt->live),
		 (long long)(clock_mono_ms() - started));
}

static void on_doubt(void *arg)
{
	bus_doubt(((struct realtime *)arg)->bus);
}

static void on_test(void *arg, int64_t number)
{
	bus_test(((struct realtime *)arg)->bus, number);
}

static void on_tick(struct realtime *rt, int64_t now)
{
	if (!listening && (live_is_ready(rt->live) || now >= started + LISTEN_LATEST_MS))
		start_listening(rt);
	http_tick(rt->http, now);
	instances_sweep(rt->streams, now);
	drain_tick(rt, now);
}

static void on_writer_watch(void *arg, int fd, int events)
{
	pg_watch_set(((struct realtime *)arg)->writer_watch, fd, events);
}

static void on_writer_ready(void *arg, int events)
{
	writer_ready(((struct realtime *)arg)->writer, events);
}

static void on_bus_watch(void *arg, int fd, int events)
{
	pg_watch_set(((struct realtime *)arg)->bus_watch, fd, events);
}

static void on_bus_ready(void *arg, int events)
{
	bus_ready(((struct realtime *)arg)->bus, events);
}

static struct pgconn *on_pick(void *arg)
{
	return pg_pool_pick(((struct realtime *)arg)->pool);
}

static void on_silent(void *arg, int64_t now, int64_t ms, bool idle)
{
	pg_pool_reset_silent(((struct realtime *)arg)->pool, now, ms, idle);
}

static void on_signed_out(void *arg, int64_t user, int64_t session)
{
	presence_signed_out(((struct realtime *)arg)->presence, user, session, clock_mono_ms());
}

static void on_said(void *arg, int64_t user, struct span json)
{
	presence_notice(((struct realtime *)arg)->presence, user, json, clock_mono_ms());
}

static void on_renewed(void *arg)
{
	conns_recheck(arg);
}

static void on_due(struct wheel_timer *t, int64_t now)
{
	struct conn *c = (struct conn *)((char *)t - offsetof(struct conn, timer));

	c->transport->due(c, now);
}

/* ---- setting up */

static void set_up(struct realtime *rt, const struct config *c, const struct options *o)
{
	static const struct loop_hooks loop_hooks = {.stop = drain_start, .tick = on_tick};
	static const struct live_hooks live_hooks = {.read = on_read,
						     .ready = on_ready,
						     .doubt = on_doubt,
						     .test = on_test,
						     .signed_out = on_signed_out,
						     .said = on_said};
	static const struct presence_hooks presence_hooks = {.pick = on_pick};
	static const struct bus_hooks bus_hooks = {
		.watch = on_bus_watch, .pick = on_pick, .reset_silent = on_silent, .renewed = on_renewed};
	struct live_limits limits = {.ring_events = (size_t)c->realtime.ring_events,
				     .ring_bytes = (size_t)c->realtime.ring_bytes,
				     .resume_events = (size_t)c->events.resume_events,
				     .receipts_max = c->reads.receipts_max,
				     .typing = {c->typing.last, c->typing.repeat, c->typing.present_max}};
	char name[64];

	rt->config = c;
	rt->node = o->node;
	TAILQ_INIT(&rt->conns);
	TAILQ_INIT(&rt->dirty);
	loop_init(rt, &loop_hooks);
	rt->live = live_new(&limits, &live_hooks, rt);
	rt->frames = frame_cache_new(WS_HEAD_MAX, FRAME_CACHE_BYTES);
	rt->sse_frames = frame_cache_new_sse(0, FRAME_CACHE_BYTES);
	rt->wheel = wheel_new(LOOP_TICK_MS, clock_mono_ms(), on_due);
	rt->callers = callers_new();
	rt->rate = rate_new(c);
	rt->oidc = oidc_new(c);
	rt->sessions = session_cache_new();
	rt->arena = arena_new(ARENA_BYTES);
	rt->streams = instances_new();
	rt->polls = polls_new();
	rt->marks = marks_new(rt);
	rt->presence = presence_new(c, &presence_hooks, rt);
	snprintf(name, sizeof(name), "%.50s-query", o->node);
	rt->pool = pg_pool_new(c, &rt->loop, name, QUERY_CONNECTIONS);
	snprintf(name, sizeof(name), "%.50s-writer", o->node);
	rt->writer_watch = pg_watch_new(&rt->loop, on_writer_ready, rt);
	rt->writer = writer_new(c, name, on_writer_watch, rt);
	snprintf(name, sizeof(name), "%.50s-listen", o->node);
	rt->bus_watch = pg_watch_new(&rt->loop, on_bus_ready, rt);
	rt->bus = bus_new(c, rt->live, name, &bus_hooks, rt);
	accept_init(rt);
}

/* Connections go before what they use; the loop's handles close last. */
static void take_down(struct realtime *rt)
{
	writer_free(&rt->writer);
	accept_close(rt);
	bus_free(&rt->bus);
	pg_watch_free(&rt->bus_watch);
	pg_pool_free(&rt->pool);
	pg_watch_free(&rt->writer_watch);
	loop_close(rt);
	loop_finish(rt);
	http_free(&rt->http);
	ops_free();
	live_free(&rt->live);
	ws_frames_close();
	frame_cache_free(&rt->frames);
	frame_cache_free(&rt->sse_frames);
	instances_free(&rt->streams);
	polls_free(&rt->polls);
	presence_free(&rt->presence);
	callers_free(&rt->callers);
	rate_free(&rt->rate);
	oidc_free(&rt->oidc);
	session_cache_free(&rt->sessions);
	arena_free(&rt->arena);
	strbuf_release(&rt->answer);
	strbuf_release(&rt->answer_head);
	marks_free(&rt->marks);
	wheel_free(&rt->wheel);
}

/* 0: go on; else the exit status plus 1. */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"listen", required_argument, NULL, 'l'},
		{"node", required_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "c:h", longs, NULL)) != -1)
		switch (opt) {
		case 'c':
			o->config = optarg;
			break;
		case 'l':
			o->listen = optarg;
			break;
		case 'n':
			o->node = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		default:
			fputs(usage, stderr);
			return 3;
		}
	if (optind == argc)
		return 0;
	fputs(usage, stderr);
	return 3;
}

int main(int argc, char **argv)
{
	struct options o = {.config = "/etc/pulsechat/pulsechat.conf", .node = "realtime"};
	static struct realtime rt;
	struct config *c = NULL;
	struct err e = {0};
	enum log_level level = LOG_INFO;
	int rc;

	secret_no_core();
	if ((rc = parse_options(argc, argv, &o)))
		return rc - 1;
	log_init("pulsechat-realtime", LOG_INFO);
	if (config_load(o.config, &c, &e) < 0 || access_jwt_scopes_check(c->oidc.access_scopes, &e) < 0) {
		fprintf(stderr, "pulsechat-realtime: %s\n", e.detail);
		return 2;
	}
	if (log_level_parse(c->log.level, &level))
		log_init("pulsechat-realtime", level);
	address = o.listen ? o.listen : c->realtime.listen;
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	descriptors_raise(); /* each connection takes one */
	started = clock_mono_ms();
	set_up(&rt, c, &o);
	loop_run(&rt);
	take_down(&rt);
	config_free(&c);
	log_info("exit", "status=%d", exit_status);
	return exit_status;
}
