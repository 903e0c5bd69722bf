/* polls: instances, and those that gather, by when they have gathered long enough. */
#include "lib/live/polls.h"
#include "lib/live/instances.h"
#include <stdlib.h>

struct polls {
	struct instances *instances;
	TAILQ_HEAD(poll_list, live_poll) gathering;
};

struct polls *polls_new(void)
{
	struct polls *s = xcalloc(1, sizeof(*s));

	s->instances = instances_new();
	TAILQ_INIT(&s->gathering);
	return s;
}

void polls_free(struct polls **s)
{
	if (!*s)
		return;
	instances_free(&(*s)->instances);
	free(*s);
	*s = NULL;
}

void polls_enter(struct polls *s, struct live_poll *p, int64_t user, const char *uuid)
{
	void *older;

	p->instance = instances_enter(s->instances, user, uuid, 0, p, &older);
	if (older)
		live_poll_supersede(older);
}

static void stop_gathering(struct polls *s, struct live_poll *p)
{
	if (p->gathers)
		TAILQ_REMOVE(&s->gathering, p, gather_link);
	p->gathers = false;
}

void polls_leave(struct polls *s, struct live_poll *p, int64_t answered)
{
	stop_gathering(s, p);
	if (p->instance)
		instances_leave(s->instances, p->instance, p, p->superseded ? 0 : answered);
	p->instance = NULL;
}

static void gather(struct polls *s, struct live_poll *p, int64_t until)
{
	struct live_poll *before = TAILQ_LAST(&s->gathering, poll_list);

	if (p->gathers)
		return;
	p->gathers = true;
	p->gather_until = until;
	while (before && before->gather_until > until) /* most come in their order */
		before = TAILQ_PREV(before, poll_list, gather_link);
	if (before)
		TAILQ_INSERT_AFTER(&s->gathering, before, p, gather_link);
	else
		TAILQ_INSERT_HEAD(&s->gathering, p, gather_link);
}

bool polls_due(struct polls *s, struct live_poll *p, int64_t now)
{
	int64_t answered = p->instance ? instance_answered(p->instance) : 0;

	if (!live_poll_due(p))
		return false;
	if (!answered || p->arrived - answered >= POLLS_GATHER_MS || now >= p->arrived + POLLS_GATHER_MS ||
	    !live_poll_may_gather(p))
		return true;
	gather(s, p, p->arrived + POLLS_GATHER_MS);
	return false;
}

void polls_tick(struct polls *s, int64_t now)
{
	struct live_poll *p;

	while ((p = TAILQ_FIRST(&s->gathering)) && p->gather_until <= now) {
		stop_gathering(s, p);
		p->changed(p);
	}
	instances_sweep(s->instances, now);
}

int64_t polls_next(const struct polls *s)
{
	const struct live_poll *p = TAILQ_FIRST(&s->gathering);

	return p ? p->gather_until : INT64_MAX;
}
