/* presence: instances, what is to be said of their users, and one statement at a time. */
#include "lib/live/presence.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/chat/presence_view.h"
#include "lib/db/pgconn.h"
#include "lib/json/jx.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

#define BATCH_MAX 500        /* users of one statement */
#define INSTANCES_MAX 200    /* of one user; further ones share one */
#define RETRY_MS 250         /* after a failure, and while the database is away */
#define INPUT_WRITE_MS 1000  /* input of one user is written at most so often */
#define INPUT_FRESH_MS 55000 /* … and input on input so often: clients say it once a minute */
#define BEACON_LATE_MS 3000  /* a beacon that comes so soon behind a beginning is of the page before it */
#define LOOK_MIN_MS 20       /* between two looks at all */
#define LOOK_MAX_MS 1000
#define LOG_MS 60000
#define NODE_BITS 0xfffffffffffff /* a node's number: never 0, and a JSON number if need be */

/* When input was: mono ms, or one of these, which are older than any. */
#define NEVER INT64_MIN      /* nothing is known */
#define NONE (INT64_MIN + 1) /* it was said that there is none */

struct key {
	int64_t user; /* whose it is: a name alone may be known to others */
	unsigned char uuid[16];
};

struct presence_instance {
	struct key key;
	struct person *person;
	int64_t session;
	size_t streams;
	int64_t began; /* the newest of its streams or polls */
	int64_t until; /* of polls: so long it is there without any stream */
	int64_t ended; /* … the newest of its streams */
	bool left;     /* it said that it goes */
	bool gone;     /* its session has ended: it counts for nothing */
	int64_t at;    /* its input, as it counts for online or away */
	LIST_ENTRY(presence_instance) list;
	UT_hash_handle hh;
};

struct person {
	int64_t user;
	LIST_HEAD(, presence_instance) instances;
	size_t instances_n;
	int64_t at;       /* input of instances that are no more */
	int64_t input;    /* the last true input of all */
	bool there;       /* as was said last */
	bool dirty, idle; /* idle: what is said of input may be older than what was said before */
	bool dismissed;   /* his lease ends at once, where he has none left */
	int64_t said_at;  /* input as was said last */
	int64_t input_said;
	int64_t look_at; /* he may be away then; 0: never */
	TAILQ_ENTRY(person) dirty_link;
	UT_hash_handle hh;
};

enum asked { NOTHING, RENEW, WRITE, LEAVE, SWEEP, SETTINGS };

struct presence {
	const struct config *config;
	struct presence_hooks hooks;
	void *arg;
	int64_t node;
	struct presence_instance *instances;
	struct person *people;
	TAILQ_HEAD(, person) dirty;
	int64_t dirty_since;
	/* the statement under way */
	enum asked asked;
	int64_t users[BATCH_MAX];
	size_t users_n;

	bool must_renew; /* before anything else is said or judged */
	bool stopping, left;
	int64_t renew_at, sweep_at, whole_at, settings_at, look_at, retry_at, log_at;
	uint64_t rows; /* written since log_at's last */
};

/* ---- people */

static int64_t grace_end(const struct presence *p, const struct presence_instance *i)
{
	return MAX_OF(i->ended, i->until) + p->config->presence.grace;
}

static bool is_there(const struct presence_instance *i, int64_t now)
{
	return !i->gone && ((i->streams && !i->left) || i->until > now);
}

/* INT64_MAX while one of his instances is there; else when the last one's grace ends, 0 where he has none. */
static int64_t person_end(const struct presence *p, const struct person *who, int64_t now)
{
	const struct presence_instance *i;
	int64_t end = 0;

	LIST_FOREACH(i, &who->instances, list)
	{
		if (is_there(i, now))
			return INT64_MAX;
		if (!i->gone)
			end = MAX_OF(end, grace_end(p, i));
	}
	return end;
}

static int64_t person_at(const struct person *who)
{
	const struct presence_instance *i;
	int64_t at = who->at;

	LIST_FOREACH(i, &who->instances, list)
	at = MAX_OF(at, i->at);
	return at;
}

static void set_dirty(struct presence *p, struct person *who, int64_t now)
{
	if (who->dirty)
		return;
	if (TAILQ_EMPTY(&p->dirty))
		p->dirty_since = now;
	who->dirty = true;
	TAILQ_INSERT_TAIL(&p->dirty, who, dirty_link);
}

static void set_clean(struct presence *p, struct person *who)
{
	if (who->dirty)
		TAILQ_REMOVE(&p->dirty, who, dirty_link);
	who->dirty = false;
}

static struct person *person_find(struct presence *p, int64_t user)
{
	struct person *who;

	HASH_FIND(hh, p->people, &user, sizeof(user), who);
	return who;
}

static struct person *person_enter(struct presence *p, int64_t user)
{
	struct person *who = person_find(p, user);

	if (who)
		return who;
	who = xcalloc(1, sizeof(*who));
	who->user = user;
	who->at = who->input = who->said_at = NEVER;
	LIST_INIT(&who->instances);
	HASH_ADD(hh, p->people, user, sizeof(who->user), who);
	return who;
}

static void person_forget(struct presence *p, struct person *who)
{
	set_clean(p, who);
	// NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash's table is there
	HASH_DEL(p->people, who);
	free(who);
}

/* ---- instances */

static void instance_forget(struct presence *p, struct presence_instance *i)
{
	struct person *who = i->person;

	who->at = MAX_OF(who->at, i->at);
	who->instances_n--;
	LIST_REMOVE(i, list);
	// NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash's table is there
	HASH_DEL(p->instances, i);
	free(i);
}

static struct presence_instance *instance_find(struct presence *p, int64_t user, int64_t session, const char *uuid)
{
	struct presence_instance *i;
	struct key key;

	memset(&key, 0, sizeof(key));
	key.user = user;
	if (!uuid)
		memcpy(key.uuid + 8, &session, sizeof(session));
	else if (!uuid_parse(uuid, strlen(uuid), key.uuid))
		return NULL;
	HASH_FIND(hh, p->instances, &key, sizeof(key), i);
	return i;
}

/* Those whose grace is over. Where none is left, what they knew of input has gone with his lease. */
static void instances_expire(struct presence *p, struct person *who, int64_t now)
{
	struct presence_instance *i, *next;

	for (i = LIST_FIRST(&who->instances); i; i = next) {
		next = LIST_NEXT(i, list);
		if (!i->streams && !is_there(i, now) && grace_end(p, i) <= now)
			instance_forget(p, i);
	}
	if (LIST_EMPTY(&who->instances)) {
		who->at = who->said_at = NEVER;
		who->idle = false;
	}
}

static struct presence_instance *instance_enter(struct presence *p, int64_t user, int64_t session, const char *uuid,
						int64_t now)
{
	struct person *who = person_enter(p, user);
	struct presence_instance *i;

	instances_expire(p, who, now);
	i = instance_find(p, user, session, uuid);
	if (!i && who->instances_n >= INSTANCES_MAX) {
		uuid = NULL;
		i = instance_find(p, user, session, uuid);
	}
	if (!i) {
		i = xcalloc(1, sizeof(*i));
		i->key.user = user;
		if (!uuid)
			memcpy(i->key.uuid + 8, &session, sizeof(session));
		else if (!uuid_parse(uuid, strlen(uuid), i->key.uuid))
			abort(); /* checked when the request was read */
		i->at = NEVER;
		i->person = who;
		LIST_INSERT_HEAD(&who->instances, i, list);
		who->instances_n++;
		HASH_ADD(hh, p->instances, key, sizeof(i->key), i);
	}
	i->session = session;
	i->began = now;
	i->left = i->gone = false;
	return i;
}

/* He is there or in his grace where he was not, or the other way round: that is to be said. */
static void person_changed(struct presence *p, struct person *who, int64_t now)
{
	if ((person_end(p, who, now) == INT64_MAX) != who->there)
		set_dirty(p, who, now);
}

struct presence_instance *presence_begin(struct presence *p, int64_t user, int64_t session, const char *instance,
					 int64_t now)
{
	struct presence_instance *i = instance_enter(p, user, session, instance, now);

	i->streams++;
	person_changed(p, i->person, now);
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
		instance_forget(p, i);
		return;
	}
	if (!p->stopping) /* then the whole node ends, with the grace for all */
		person_changed(p, i->person, now);
}

void presence_poll(struct presence *p, int64_t user, int64_t session, const char *instance, int64_t wait_ms,
		   bool active, int64_t now)
{
	struct presence_instance *i = instance_enter(p, user, session, instance, now);

	i->until = MAX_OF(i->until, now + wait_ms + p->config->presence.poll_slack);
	person_changed(p, i->person, now);
	if (active)
		presence_active(p, i, now);
}

/* ---- input */

static void look_later(struct person *who, int64_t at)
{
	who->look_at = who->look_at ? MIN_OF(who->look_at, at) : at;
}

/* Says what changed of his input; not oftener than INPUT_WRITE_MS. */
static void input_changed(struct presence *p, struct person *who, int64_t now)
{
	if (now - who->input_said >= INPUT_WRITE_MS || !who->input_said)
		set_dirty(p, who, now);
	else
		look_later(who, who->input_said + INPUT_WRITE_MS);
}

void presence_active(struct presence *p, struct presence_instance *i, int64_t now)
{
	struct person *who = i->person;
	int64_t fresh = MIN_OF((int64_t)INPUT_FRESH_MS, p->config->presence.away / 5);
	bool known = who->said_at > NONE && now - who->said_at < fresh && !who->idle;

	i->left = false;
	i->at = who->input = now;
	if (!known)
		input_changed(p, who, now);
}

void presence_idle(struct presence *p, struct presence_instance *i, int64_t now)
{
	struct person *who = i->person;
	int64_t away = now - p->config->presence.away;

	if (i->at <= NEVER)
		i->at = NONE;
	else if (i->at > away)
		i->at = away;
	who->at = MIN_OF(who->at, i->at); /* of tabs that were closed before: he was at this one last */
	who->idle = true;
	input_changed(p, who, now);
}

/* ---- news from the bus */

void presence_signed_out(struct presence *p, int64_t user, int64_t session, int64_t now)
{
	struct person *who = person_find(p, user);
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
			instance_forget(p, i);
	}
	if (!any)
		return;
	who->dismissed = person_end(p, who, now) == 0;
	set_dirty(p, who, now);
}

static void notice(struct presence *p, struct presence_instance *i, const char *input, int64_t now)
{
	if (!input) {
		if (i->began + BEACON_LATE_MS > now && i->streams)
			return;
		i->left = true;
		i->until = MIN_OF(i->until, now);
		i->ended = now;
		person_changed(p, i->person, now);
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
	i = uuid ? instance_find(p, user, 0, uuid) : NULL;
	if (i && !i->gone)
		notice(p, i, jx_text(jx_get(o, "input")), now);
	jx_free(&o);
}

/* ---- looking at all: polls that came no more, graces that are over, who may be away */

static void look_at_person(struct presence *p, struct person *who, int64_t now)
{
	instances_expire(p, who, now);
	if (!p->stopping)
		person_changed(p, who, now);
	if (who->look_at && who->look_at <= now) {
		who->look_at = 0;
		set_dirty(p, who, now);
	}
	if (!who->dirty && LIST_EMPTY(&who->instances))
		person_forget(p, who); /* the database ends his lease by itself */
}

static void look(struct presence *p, int64_t now)
{
	int64_t shortest = MIN_OF(p->config->presence.away, p->config->presence.grace);
	struct person *who, *next;

	if (now < p->look_at)
		return;
	p->look_at = now + MIN_OF(MAX_OF(shortest / 10, (int64_t)LOOK_MIN_MS), (int64_t)LOOK_MAX_MS);
	HASH_ITER(hh, p->people, who, next)
	look_at_person(p, who, now);
}

static void say_all_again(struct presence *p, int64_t now)
{
	struct person *who, *next;

	HASH_ITER(hh, p->people, who, next)
	set_dirty(p, who, now);
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
	return at == NEVER ? -1 : at == NONE ? -2 : MAX_OF(now - at, (int64_t)0);
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
		struct person *who = person_find(p, result_int(r, row, 1));

		known = result_bool(r, row, 0);
		p->rows += result_bool(r, row, 2) ? 2 : 1; /* his lease; and what was told */
		if (who && !result_null(r, row, 3) && who->there && !who->dirty)
			look_later(who, now + result_int(r, row, 3) + 1);
	}
	if (!known)
		renewed(p, false, now);
}

static void swept(struct presence *p, int64_t n, int64_t now)
{
	p->rows += (uint64_t)n;
	if (n >= BATCH_MAX)
		p->sweep_at = now;
}

static void on_answer(void *arg, const PGresult *r, const struct err *e)
{
	struct presence *p = arg;
	int64_t now = clock_mono_ms();
	enum asked asked = p->asked;

	p->asked = NOTHING;
	if (e) {
		log_debug("presence.failed", "statement=%d code=%s", (int)asked, err_name(e->code));
		for (size_t i = 0; asked == WRITE && i < p->users_n; i++) {
			struct person *who = person_find(p, p->users[i]);

			if (who) /* what was said of him may not have arrived */
				set_dirty(p, who, now);
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
static int64_t end_of(struct presence *p, struct person *who, int64_t now)
{
	int64_t end = person_end(p, who, now);

	who->there = end == INT64_MAX;
	if (who->there)
		return -1;
	return who->dismissed ? 0 : MAX_OF(end - now, (int64_t)0);
}

static void ask_write(struct presence *p, struct pgconn *c, int64_t now)
{
	int64_t ages[BATCH_MAX], inputs[BATCH_MAX], idles[BATCH_MAX], ends[BATCH_MAX];
	const struct config *config = p->config;
	struct person *who;
	size_t n = 0;

	while (n < BATCH_MAX && (who = TAILQ_FIRST(&p->dirty))) {
		int64_t at = person_at(who);

		set_clean(p, who);
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
		     config->presence.lease, config->presence.away, whole, (int64_t)BATCH_MAX);
}

static void ask(struct presence *p, struct pgconn *c, enum asked what, int64_t now)
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

/* ---- from start to end */

struct presence *presence_new(const struct config *c, const struct presence_hooks *hooks, void *arg)
{
	struct presence *p = xcalloc(1, sizeof(*p));
	int64_t now = clock_mono_ms();
	uint64_t node;

	p->config = c;
	p->hooks = *hooks;
	p->arg = arg;
	do
		rand_bytes(&node, sizeof(node));
	while (!(node & NODE_BITS));
	p->node = (int64_t)(node & NODE_BITS);
	TAILQ_INIT(&p->dirty);
	p->must_renew = true;
	p->sweep_at = now + (int64_t)rand_below((uint32_t)presence_sweep_each(c) + 1);
	p->settings_at = now + c->presence.renew;
	p->log_at = now + LOG_MS;
	return p;
}

void presence_free(struct presence **pp)
{
	struct presence *p = *pp;
	struct presence_instance *i, *next_i;
	struct person *who, *next_who;

	if (!p)
		return;
	HASH_ITER(hh, p->instances, i, next_i)
	instance_forget(p, i);
	HASH_ITER(hh, p->people, who, next_who)
	person_forget(p, who);
	free(p);
	*pp = NULL;
}
