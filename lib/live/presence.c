/* presence: what receivers and the bus tell of instances. */
#include "lib/live/presence.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/json/jx.h"
#include "lib/live/presence_private.h"
#include <stdlib.h>
#include <string.h>

#define INPUT_WRITE_MS 1000  /* input of one user is written at most so often */
#define INPUT_FRESH_MS 55000 /* … and input on input so often: clients say it once a minute */
#define BEACON_LATE_MS 3000  /* a beacon that comes so soon behind a beginning is of the page before it */

/* ---- receivers */

struct presence_instance *presence_begin(struct presence *p, int64_t user, int64_t session, const char *instance,
					 int64_t now)
{
	struct presence_instance *i = presence_instance_enter(p, user, session, instance, now);

	i->streams++;
	presence_user_changed(p, i->who, now);
	return i;
}

void presence_end(struct presence *p, struct presence_instance **ip, int64_t now)
{
	struct presence_instance *i = *ip;

	*ip = NULL;
	if (!i)
		return;
	i->streams--;
	if (!i->left)
		i->ended = now;
	if (i->gone && !i->streams) {
		presence_instance_forget(p, i);
		return;
	}
	if (!p->stopping) /* then the whole node ends, with the grace for all */
		presence_user_changed(p, i->who, now);
}

void presence_poll(struct presence *p, int64_t user, int64_t session, const char *instance, int64_t wait_ms,
		   bool active, int64_t now)
{
	struct presence_instance *i = presence_instance_enter(p, user, session, instance, now);

	i->until = MAX_OF(i->until, now + wait_ms + p->config->presence.poll_slack);
	presence_user_changed(p, i->who, now);
	if (active)
		presence_active(p, i, now);
}

/* ---- input */

/* Says what changed of his input; not oftener than INPUT_WRITE_MS. */
static void input_changed(struct presence *p, struct presence_user *who, int64_t now)
{
	if (now - who->input_said >= INPUT_WRITE_MS || !who->input_said)
		presence_user_dirty(p, who, now);
	else
		presence_user_look(who, who->input_said + INPUT_WRITE_MS);
}

void presence_active(struct presence *p, struct presence_instance *i, int64_t now)
{
	struct presence_user *who = i->who;
	int64_t fresh = MIN_OF((int64_t)INPUT_FRESH_MS, p->config->presence.away / 5);
	bool known = who->said_at > PRESENCE_NONE && now - who->said_at < fresh && !who->idle;

	i->left = false;
	i->at = who->input = now;
	if (!known)
		input_changed(p, who, now);
}

void presence_idle(struct presence *p, struct presence_instance *i, int64_t now)
{
	struct presence_user *who = i->who;
	int64_t away = now - p->config->presence.away;

	if (i->at <= PRESENCE_NEVER)
		i->at = PRESENCE_NONE;
	else if (i->at > away)
		i->at = away;
	who->at = MIN_OF(who->at, i->at); /* of tabs that were closed before: he was at this one last */
	who->idle = true;
	input_changed(p, who, now);
}

/* ---- news from the bus */

void presence_signed_out(struct presence *p, int64_t user, int64_t session, int64_t now)
{
	struct presence_user *who = presence_user_find(p, user);
	struct presence_instance *i, *next;
	bool any = false;

	if (!who)
		return;
	for (i = LIST_FIRST(&who->instances); i; i = next) {
		next = LIST_NEXT(i, list);
		if (i->gone || (session && i->session != session))
			continue;
		any = i->gone = true;
		if (!i->streams)
			presence_instance_forget(p, i);
	}
	if (!any)
		return;
	who->dismissed = presence_user_end(p, who, now) == 0;
	presence_user_dirty(p, who, now);
}

static void notice(struct presence *p, struct presence_instance *i, const char *input, int64_t now)
{
	if (!input) {
		if (i->began + BEACON_LATE_MS > now && i->streams)
			return;
		i->left = true;
		i->until = MIN_OF(i->until, now);
		i->ended = now;
		presence_user_changed(p, i->who, now);
	} else if (!strcmp(input, "active")) {
		presence_active(p, i, now);
	} else if (!strcmp(input, "idle")) {
		presence_idle(p, i, now);
	}
}

void presence_notice(struct presence *p, int64_t user, struct span json, int64_t now)
{
	struct presence_instance *i;
	struct err ignored = {0};
	const char *uuid;
	struct jx *o = NULL;

	if (jx_parse(json.p, json.n, &o, &ignored) < 0)
		return;
	uuid = jx_text(jx_get(o, "instance"));
	i = uuid ? presence_instance_find(p, user, 0, uuid) : NULL;
	if (i && !i->gone)
		notice(p, i, jx_text(jx_get(o, "input")), now);
	jx_free(&o);
}

/* ---- from start to end */

struct presence *presence_new(const struct config *c, const struct presence_hooks *hooks, void *arg)
{
	struct presence *p = xcalloc(1, sizeof(*p));

	p->config = c;
	p->hooks = *hooks;
	p->arg = arg;
	TAILQ_INIT(&p->dirty);
	presence_lease_start(p, clock_mono_ms());
	return p;
}

void presence_free(struct presence **pp)
{
	struct presence *p = *pp;
	struct presence_instance *i, *next_i;
	struct presence_user *who, *next_who;

	if (!p)
		return;
	HASH_ITER(hh, p->instances, i, next_i)
	presence_instance_forget(p, i);
	HASH_ITER(hh, p->people, who, next_who)
	presence_user_forget(p, who);
	free(p);
	*pp = NULL;
}
