/* poll_gather: one timer for all that wait. */
#include "ws/poll_gather.h"
#include "lib/base/clock.h"
#include "ws/conn.h"
#include "ws/loop.h"

static struct gather {
	struct realtime *rt;
	uv_timer_t timer;
	TAILQ_HEAD(, gather_entry) waiting;
} gather;

static void on_timer(uv_timer_t *h);

static void arm(int64_t until)
{
	int64_t in = until - clock_mono_ms();

	if (uv_is_active((uv_handle_t *)&gather.timer))
		return; /* it looks at all when it fires */
	uv_update_time(&gather.rt->loop);
	uv_timer_start(&gather.timer, on_timer, (uint64_t)MAX_OF(in, (int64_t)1), 0);
}

static void on_timer(uv_timer_t *h)
{
	int64_t now = clock_mono_ms(), next = INT64_MAX;
	struct gather_entry *g, *following;

	(void)h;
	for (g = TAILQ_FIRST(&gather.waiting); g; g = following) {
		following = TAILQ_NEXT(g, list);
		if (g->until > now) {
			next = MIN_OF(next, g->until);
			continue;
		}
		conn_dirty(g->conn);
		gather_forget(g);
	}
	if (next != INT64_MAX)
		arm(next);
	loop_flush(gather.rt);
}

void gather_init(struct realtime *rt)
{
	gather.rt = rt;
	TAILQ_INIT(&gather.waiting);
	uv_timer_init(&rt->loop, &gather.timer);
}

void gather_close(void)
{
	uv_close((uv_handle_t *)&gather.timer, NULL);
}

void gather_wait(struct realtime *rt, struct gather_entry *g, struct conn *conn, int64_t until)
{
	(void)rt;
	if (g->conn)
		return;
	g->conn = conn;
	g->until = until;
	TAILQ_INSERT_TAIL(&gather.waiting, g, list);
	arm(until);
}

void gather_forget(struct gather_entry *g)
{
	if (!g->conn)
		return;
	TAILQ_REMOVE(&gather.waiting, g, list);
	g->conn = NULL;
}
