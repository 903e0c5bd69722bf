/* loop: uv_loop with signals, a tick, database time-outs before it sleeps, and the flush after it has read. */
#include "ws/loop.h"
#include "lib/base/base.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/db/writer.h"
#include "lib/live/bus.h"
#include "lib/live/frame.h"
#include "lib/live/live.h"
#include "lib/live/polls.h"
#include "lib/live/presence.h"
#include "ws/conn.h"
#include "ws/marks.h"
#include "ws/pg_loop.h"
#include "ws/wheel.h"
#include <stdlib.h>

#define LOOK_EACH 32            /* connections read or written */
#define CATCH_UP_BUDGET_US 4000 /* of one turn, for those who are behind */

static struct loop {
	struct loop_hooks hooks;
	uv_signal_t terminate, interrupt;
	uv_timer_t tick, next; /* next: of what has time-outs of its own */
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t busy; /* keeps the loop from sleeping while someone is behind */
	bool is_busy;
} loop;

static void on_busy(uv_idle_t *h)
{
	(void)h;
}

void loop_look(struct realtime *rt)
{
	static unsigned n;

	if (++n % LOOK_EACH == 0 && !writer_idle(rt->writer))
		writer_ready(rt->writer, PGCONN_READ);
}

void loop_flush(struct realtime *rt)
{
	struct conn *c;
	unsigned turn;
	bool more;

	live_work(rt->live, CATCH_UP_BUDGET_US);
	turn = ++rt->turn; /* what becomes dirty from here on waits for the next one */
	while ((c = TAILQ_FIRST(&rt->dirty)) && c->dirty_turn != turn) {
		TAILQ_REMOVE(&rt->dirty, c, dirty_link);
		c->dirty = false;
		c->transport->flush(c); /* may free it */
		loop_look(rt);
	}
	frame_cache_clear(rt->frames);
	frame_cache_clear(rt->sse_frames);
	more = !TAILQ_EMPTY(&rt->dirty) || live_has_work(rt->live); /* who has room again is behind still */
	if (more != loop.is_busy) {
		loop.is_busy = more;
		if (more)
			uv_idle_start(&loop.busy, on_busy);
		else
			uv_idle_stop(&loop.busy);
	}
}

static void on_next_timer(uv_timer_t *h)
{
	(void)h; /* on_prepare() follows */
}

static void on_prepare(uv_prepare_t *h)
{
	struct realtime *rt = h->data;
	int64_t now = clock_mono_ms(), next;

	next = MIN_OF(writer_tick(rt->writer, now), pg_pool_tick(rt->pool, now));
	next = MIN_OF(next, bus_tick(rt->bus, now));
	polls_tick(rt->polls, now);
	next = MIN_OF(next, marks_tick(rt->marks, now));
	next = MIN_OF(next, presence_tick(rt->presence, now));
	/* outcomes may have been told just now */
	loop_flush(rt);
	next = MIN_OF(next, MIN_OF(polls_next(rt->polls), live_next(rt->live)));
	next = MAX_OF(next - now, (int64_t)1);
	uv_update_time(&rt->loop);
	uv_timer_start(&loop.next, on_next_timer, (uint64_t)next, 0);
}

static void on_check(uv_check_t *h)
{
	loop_flush(h->data);
}

static void on_tick(uv_timer_t *h)
{
	struct realtime *rt = h->data;
	int64_t now = clock_mono_ms();

	wheel_run(rt->wheel, now);
	live_tick(rt->live, now);
	loop.hooks.tick(rt, now);
	loop_flush(rt);
}

static void on_signal(uv_signal_t *h, int number)
{
	log_info("signal", "number=%d", number);
	loop.hooks.stop(h->data);
}

void loop_init(struct realtime *rt, const struct loop_hooks *hooks)
{
	loop.hooks = *hooks;
	if (uv_loop_init(&rt->loop) != 0)
		abort();
	uv_signal_init(&rt->loop, &loop.terminate);
	uv_signal_init(&rt->loop, &loop.interrupt);
	uv_timer_init(&rt->loop, &loop.tick);
	uv_timer_init(&rt->loop, &loop.next);
	uv_prepare_init(&rt->loop, &loop.prepare);
	uv_check_init(&rt->loop, &loop.check);
	uv_idle_init(&rt->loop, &loop.busy);
	loop.terminate.data = loop.interrupt.data = loop.tick.data = rt;
	loop.prepare.data = loop.check.data = rt;
}

void loop_run(struct realtime *rt)
{
	uv_signal_start(&loop.terminate, on_signal, SIGTERM);
	uv_signal_start(&loop.interrupt, on_signal, SIGINT);
	uv_timer_start(&loop.tick, on_tick, LOOP_TICK_MS, LOOP_TICK_MS);
	uv_prepare_start(&loop.prepare, on_prepare);
	uv_check_start(&loop.check, on_check);
	uv_run(&rt->loop, UV_RUN_DEFAULT);
}

void loop_stop(struct realtime *rt)
{
	uv_stop(&rt->loop);
}

void loop_close(struct realtime *rt)
{
	uv_handle_t *own[] = {
		(uv_handle_t *)&loop.terminate, (uv_handle_t *)&loop.interrupt, (uv_handle_t *)&loop.tick,
		(uv_handle_t *)&loop.next,      (uv_handle_t *)&loop.prepare,   (uv_handle_t *)&loop.check,
		(uv_handle_t *)&loop.busy,
	};

	(void)rt;
	for (size_t i = 0; i < COUNT_OF(own); i++)
		uv_close(own[i], NULL);
}

void loop_finish(struct realtime *rt)
{
	/* a thread of the pool may be asking the provider still */
	while (uv_run(&rt->loop, UV_RUN_ONCE))
		;
	if (uv_loop_close(&rt->loop) != 0)
		log_warning("loop.handles", "open=1");
}
