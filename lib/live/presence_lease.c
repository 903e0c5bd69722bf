/* presence_lease: what is due to be said to the database, one statement at a time: leases of the process and of users,
 * and the sweep of what has run out. */
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/chat/presence_view.h"
#include "lib/db/pgconn.h"
#include "lib/live/presence_private.h"
#include <inttypes.h>

#define RETRY_MS 250   /* after a failure, and while the database is away */
#define LOOK_MIN_MS 20 /* between two looks at all */
#define LOOK_MAX_MS 1000
#define LOG_MS 60000
#define NODE_BITS 0xfffffffffffff /* a node's number: never 0, and a JSON number if need be */

void presence_lease_start(struct presence *p, int64_t now)
{
	uint64_t node;

	do
		rand_bytes(&node, sizeof(node));
	while (!(node & NODE_BITS));
	p->node = (int64_t)(node & NODE_BITS);
	p->must_renew = true;
	p->sweep_at = now + (int64_t)rand_below((uint32_t)presence_sweep_each(p->config) + 1);
	p->settings_at = now + p->config->presence.renew;
	p->log_at = now + LOG_MS;
}

/* ---- looking at all: polls that came no more, graces that are over, who may be away */

static void look_at_user(struct presence *p, struct presence_user *who, int64_t now)
{
	presence_user_expire(p, who, now);
	if (!p->stopping)
		presence_user_changed(p, who, now);
	if (who->look_at && who->look_at <= now) {
		who->look_at = 0;
		presence_user_dirty(p, who, now);
	}
	if (!who->dirty && LIST_EMPTY(&who->instances))
		presence_user_forget(p, who); /* the database ends his lease by itself */
}

static void look(struct presence *p, int64_t now)
{
	int64_t shortest = MIN_OF(p->config->presence.away, p->config->presence.grace);
	struct presence_user *who, *next;

	if (now < p->look_at)
		return;
	p->look_at = now + MIN_OF(MAX_OF(shortest / 10, (int64_t)LOOK_MIN_MS), (int64_t)LOOK_MAX_MS);
	HASH_ITER(hh, p->people, who, next)
	look_at_user(p, who, now);
}

static void say_all_again(struct presence *p, int64_t now)
{
	struct presence_user *who, *next;

	HASH_ITER(hh, p->people, who, next)
	presence_user_dirty(p, who, now);
}

static void say_rows(struct presence *p, int64_t now)
{
	if (now < p->log_at)
		return;
	if (p->rows || p->people)
		log_info("presence.written", "rows=%" PRIu64 " users=%u", p->rows, HASH_COUNT(p->people));
	p->rows = 0;
	p->log_at = now + LOG_MS;
}

/* ---- statements */

static int64_t ago(int64_t at, int64_t now)
{
	return at == PRESENCE_NEVER ? -1 : at == PRESENCE_NONE ? -2 : MAX_OF(now - at, (int64_t)0);
}

static void failed(struct presence *p, int64_t now)
{
	p->retry_at = now + RETRY_MS;
	p->must_renew = true;
}

static void renewed(struct presence *p, bool known, int64_t now)
{
	p->must_renew = false;
	p->renew_at = now + p->config->presence.renew;
	if (known)
		return;
	log_info("presence.node", "node=%" PRId64 " users=%u", p->node, HASH_COUNT(p->people));
	say_all_again(p, now);
}

static void written(struct presence *p, const PGresult *r, int64_t now)
{
	bool known = true;

	for (int row = 0; row < result_rows(r); row++) {
		struct presence_user *who = presence_user_find(p, result_int(r, row, 1));

		known = result_bool(r, row, 0);
		p->rows += result_bool(r, row, 2) ? 2 : 1; /* his lease; and what was told */
		if (who && !result_null(r, row, 3) && who->there && !who->dirty)
			presence_user_look(who, now + result_int(r, row, 3) + 1);
	}
	if (!known)
		renewed(p, false, now);
}

static void swept(struct presence *p, int64_t n, int64_t now)
{
	p->rows += (uint64_t)n;
	if (n >= PRESENCE_BATCH)
		p->sweep_at = now;
}

static void on_answer(void *arg, const PGresult *r, const struct err *e)
{
	struct presence *p = arg;
	int64_t now = clock_mono_ms();
	enum presence_asked asked = p->asked;

	p->asked = NOTHING;
	if (e) {
		log_debug("presence.failed", "statement=%d code=%s", (int)asked, err_name(e->code));
		for (size_t i = 0; asked == WRITE && i < p->users_n; i++) {
			struct presence_user *who = presence_user_find(p, p->users[i]);

			if (who) /* what was said of him may not have arrived */
				presence_user_dirty(p, who, now);
		}
		failed(p, now);
		return;
	}
	switch (asked) {
	case RENEW:
		p->rows++;
		renewed(p, result_bool(r, 0, 0), now);
		break;
	case WRITE:
		written(p, r, now);
		break;
	case SWEEP:
		swept(p, result_int(r, 0, 0), now);
		break;
	case LEAVE:
	case SETTINGS:
	case NOTHING:
		break;
	}
}

/* One of the dirty, as it is now. */
static int64_t end_of(struct presence *p, struct presence_user *who, int64_t now)
{
	int64_t end = presence_user_end(p, who, now);

	who->there = end == INT64_MAX;
	if (who->there)
		return -1;
	return who->dismissed ? 0 : MAX_OF(end - now, (int64_t)0);
}

static void ask_write(struct presence *p, struct pgconn *c, int64_t now)
{
	int64_t ages[PRESENCE_BATCH], inputs[PRESENCE_BATCH], idles[PRESENCE_BATCH], ends[PRESENCE_BATCH];
	const struct config *config = p->config;
	struct presence_user *who;
	size_t n = 0;

	while (n < PRESENCE_BATCH && (who = TAILQ_FIRST(&p->dirty))) {
		int64_t at = presence_user_at(who);

		presence_user_clean(p, who);
		p->users[n] = who->user;
		ends[n] = end_of(p, who, now);
		ages[n] = ago(at, now);
		inputs[n] = ago(who->input, now);
		idles[n] = who->idle;
		n++;
		if (at != who->said_at)
			who->input_said = now;
		who->said_at = at;
		who->idle = who->dismissed = false;
		who->look_at = 0;
	}
	p->users_n = n;
	p->dirty_since = now;
	p->asked = WRITE;
	pgconn_query(c, STMT_presence_write, 0, on_answer, p, "iIIIIIii", p->node, p->users, n, ages, n, inputs, n,
		     idles, n, ends, n, config->presence.lease, config->presence.away);
}

static void ask_sweep(struct presence *p, struct pgconn *c, int64_t now)
{
	const struct config *config = p->config;
	int64_t each = presence_sweep_each(config);
	bool whole = now >= p->whole_at;

	p->sweep_at = now + each - each / 8 + (int64_t)rand_below((uint32_t)(each / 4 + 1));
	if (whole)
		p->whole_at = now + config->presence.renew;
	p->asked = SWEEP;
	pgconn_query(c, STMT_presence_sweep, 0, on_answer, p, "iiiibi", each, presence_sweep_gap(config),
		     config->presence.lease, config->presence.away, whole, (int64_t)PRESENCE_BATCH);
}

static void ask(struct presence *p, struct pgconn *c, enum presence_asked what, int64_t now)
{
	const struct config *config = p->config;

	p->asked = what;
	if (what == RENEW) {
		pgconn_query(c, STMT_presence_renew, 0, on_answer, p, "ii", p->node, config->presence.lease);
	} else if (what == LEAVE) {
		p->left = true;
		pgconn_query(c, STMT_presence_leave, 0, on_answer, p, "ii", p->node, config->presence.grace);
	} else {
		p->settings_at = now + config->presence.renew;
		pgconn_query(c, STMT_settings_sweep, 0, on_answer, p, "ii", config->presence.lease,
			     config->presence.away);
	}
}

static bool dirty_due(const struct presence *p, int64_t now)
{
	return !TAILQ_EMPTY(&p->dirty) && (p->dirty_since + PRESENCE_MERGE_MS <= now || p->stopping);
}

/* What is due next goes out; renewing comes before speaking, and speaking before judging others. */
static void start(struct presence *p, struct pgconn *c, int64_t now)
{
	if (!p->left && (p->must_renew || p->renew_at <= now))
		ask(p, c, RENEW, now);
	else if (dirty_due(p, now))
		ask_write(p, c, now);
	else if (p->stopping && !p->left)
		ask(p, c, LEAVE, now);
	else if (!p->stopping && p->sweep_at <= now)
		ask_sweep(p, c, now);
	else if (!p->stopping && p->settings_at <= now)
		ask(p, c, SETTINGS, now);
}

int64_t presence_tick(struct presence *p, int64_t now)
{
	struct pgconn *c = p->hooks.pick(p->arg);
	int64_t next;

	look(p, now);
	say_rows(p, now);
	if (!pgconn_is_up(c)) {
		/* it may be another database, or an emptied one, when it is back */
		p->must_renew = true;
		return MIN_OF(p->look_at, now + RETRY_MS);
	}
	if (p->asked == NOTHING && p->retry_at <= now)
		start(p, c, now);
	next = MIN_OF(p->look_at, p->log_at);
	if (p->asked != NOTHING)
		return next; /* its answer comes by itself */
	if (p->retry_at > now)
		return MIN_OF(next, p->retry_at);
	if (!TAILQ_EMPTY(&p->dirty))
		next = MIN_OF(next, p->dirty_since + PRESENCE_MERGE_MS);
	if (!p->stopping)
		next = MIN_OF(next, MIN_OF(p->renew_at, MIN_OF(p->sweep_at, p->settings_at)));
	return next;
}

void presence_stop(struct presence *p, int64_t now)
{
	(void)now;
	p->stopping = true;
}

bool presence_quiet(const struct presence *p)
{
	if (!pgconn_is_up(p->hooks.pick(p->arg)))
		return true; /* what cannot be said ends with the lease */
	return p->left && p->asked == NOTHING && TAILQ_EMPTY(&p->dirty);
}
