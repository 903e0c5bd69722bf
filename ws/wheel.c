/* wheel: a timing wheel; what lies beyond its horizon stays in its slot for another round. */
#include "ws/wheel.h"
#include <stdlib.h>

#define SLOTS 1024

LIST_HEAD(slot, wheel_timer);

struct wheel {
	int64_t tick_ms;
	int64_t turn; /* the last tick that was run */
	void (*due)(struct wheel_timer *t, int64_t now);
	struct slot slots[SLOTS];
};

struct wheel *wheel_new(int64_t tick_ms, int64_t now, void (*due)(struct wheel_timer *t, int64_t now))
{
	struct wheel *w = xcalloc(1, sizeof(*w));

	w->tick_ms = tick_ms;
	w->turn = now / tick_ms;
	w->due = due;
	return w;
}

void wheel_free(struct wheel **w)
{
	free(*w);
	*w = NULL;
}

void wheel_set(struct wheel *w, struct wheel_timer *t, int64_t at)
{
	int64_t turn;

	if (t->at)
		LIST_REMOVE(t, list);
	t->at = at;
	if (!at)
		return;
	turn = MAX_OF((at + w->tick_ms - 1) / w->tick_ms, w->turn + 1);
	LIST_INSERT_HEAD(&w->slots[turn % SLOTS], t, list);
}

static void run_slot(struct wheel *w, struct slot *s, int64_t now)
{
	struct slot due = LIST_HEAD_INITIALIZER(due);
	struct wheel_timer *t, *next;

	for (t = LIST_FIRST(s); t; t = next) {
		next = LIST_NEXT(t, list);
		if (t->at > now)
			continue;
		LIST_REMOVE(t, list);
		LIST_INSERT_HEAD(&due, t, list);
	}
	while ((t = LIST_FIRST(&due))) { /* anew each time: due() may clear others */
		LIST_REMOVE(t, list);
		t->at = 0;
		w->due(t, now);
	}
}

void wheel_run(struct wheel *w, int64_t now)
{
	int64_t last = now / w->tick_ms;

	if (last - w->turn >= SLOTS)
		w->turn = last - SLOTS;
	while (w->turn < last) {
		w->turn++;
		run_slot(w, &w->slots[w->turn % SLOTS], now);
	}
}
