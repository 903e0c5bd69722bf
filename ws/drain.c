/* drain: ends connections a part at each tick. */
#include "ws/drain.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/db/writer.h"
#include "lib/http/client.h"
#include "lib/live/presence.h"
#include "ws/conn.h"
#include "ws/loop.h"
#include "lib/base/notify.h"

#define PATIENCE_MS 6000     /* for everything */
#define OPS_PATIENCE_MS 2000 /* for acks that are to come */
#define ENDED_PER_TICK_MIN 200
#define TICKS 10

static int64_t started;
static size_t per_tick;

void drain_start(struct realtime *rt)
{
	if (rt->draining) {
		log_warning("stop", "at_once=1 connections=%zu", rt->conns_n);
		loop_stop(rt);
		return;
	}
	log_info("drain", "connections=%zu", rt->conns_n);
	notify_systemd("STOPPING=1");
	rt->draining = true;
	http_give_up(); /* a thread of the pool that waits for the provider would have us wait for it at the end */
	started = clock_mono_ms();
	presence_stop(rt->presence, started);
	per_tick = MAX_OF((size_t)ENDED_PER_TICK_MIN, rt->conns_n / TICKS);
}

void drain_tick(struct realtime *rt, int64_t now)
{
	struct conn *c, *next;
	size_t ended = 0;

	if (!rt->draining)
		return;
	for (c = TAILQ_FIRST(&rt->conns); c && ended < per_tick; c = next) {
		next = TAILQ_NEXT(c, all);
		if (c->state == CONN_CLOSING || c->state == CONN_DEAD)
			continue;
		if (c->ops_n && now < started + OPS_PATIENCE_MS)
			continue;
		conn_end(c, CLOSE_RESTART, "restart",
			 1 + (int64_t)rand_below((uint32_t)rt->config->realtime.drain_spread + 1));
		ended++;
	}
	if ((!rt->conns_n && writer_idle(rt->writer) && presence_quiet(rt->presence)) || now >= started + PATIENCE_MS) {
		log_info("drained", "ms=%lld connections=%zu", (long long)(now - started), rt->conns_n);
		loop_stop(rt);
	}
}
