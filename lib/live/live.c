/* live: setting up, receivers, users. */
#include "lib/live/live.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/live/live_private.h"
#include "lib/live/state.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct live *live_new(const struct live_limits *limits, const struct live_hooks *hooks, void *arg)
{
	struct live *l = xcalloc(1, sizeof(*l));

	l->limits = *limits;
	l->hooks = *hooks;
	l->arg = arg;
	l->ring = ring_new(limits->ring_events, limits->ring_bytes);
	l->audience = audience_new();
	STAILQ_INIT(&l->pending);
	TAILQ_INIT(&l->work);
	state_start(l);
	for (int k = 0; k < READ_KINDS; k++) {
		TAILQ_INIT(&l->reads[k].waiting);
		TAILQ_INIT(&l->reads[k].running);
	}
	return l;
}

void live_free(struct live **ll)
{
	struct live *l = *ll;
	struct live_read *q;

	if (!l)
		return;
	for (int k = 0; k < READ_KINDS; k++) {
		while ((q = TAILQ_FIRST(&l->reads[k].waiting))) {
			TAILQ_REMOVE(&l->reads[k].waiting, q, list);
			read_free(&q);
		}
		while ((q = TAILQ_FIRST(&l->reads[k].running))) {
			TAILQ_REMOVE(&l->reads[k].running, q, list);
			read_free(&q);
		}
	}
	intake_clear(l);
	state_free(l);
	audience_free(&l->audience);
	ring_free(&l->ring);
	strbuf_release(&l->scratch);
	free(l);
	*ll = NULL;
}

/* ---- epochs */

static void forget_questions(struct live *l)
{
	for (int k = 0; k < READ_KINDS; k++) {
		struct live_read *q;

		while ((q = TAILQ_FIRST(&l->reads[k].waiting))) {
			TAILQ_REMOVE(&l->reads[k].waiting, q, list);
			l->reads[k].waiting_n--;
			read_free(&q);
		}
		l->reads[k].not_before = 0;
	}
}

/* Another log: everyone is told to load again, and nothing that was known of the old one counts. */
static void start_anew(struct live *l, const char *mark, int64_t head)
{
	struct live_user *u, *next;

	log_warning("live.epoch", "old=%s new=%s head=%" PRId64, l->mark, mark, head);
	l->epoch++;
	forget_questions(l);
	memcpy(l->mark, mark, CURSOR_MARK_LEN);
	intake_start(l, head);
	for (u = audience_next(l->audience, NULL); u; u = next) {
		next = audience_next(l->audience, u);
		audience_unload(l->audience, u);
		u->loading = false;
		if (!u->receivers_n) {
			audience_forget(l->audience, &u);
			continue;
		}
		for (struct receiver *r = u->receivers; r; r = r->next) {
			if (r->state == RECEIVER_OUT)
				continue;
			if (r->began)
				resume_reset(l, r, "other epoch");
			if (r->state != RECEIVER_OUT)
				r->state = RECEIVER_LOADING;
		}
		user_load(l, u);
	}
	state_restart(l);
}

bool live_opened(struct live *l, const char *mark, int64_t head)
{
	if (!cursor_mark_valid(mark, strlen(mark)))
		return false;
	if (!l->mark[0]) {
		memcpy(l->mark, mark, CURSOR_MARK_LEN);
		l->epoch = 1;
		intake_start(l, head);
		return false;
	}
	if (strcmp(l->mark, mark) != 0) {
		start_anew(l, mark, head);
		return true;
	}
	l->log_head = MAX_OF(l->log_head, head);
	live_catch_up(l);
	state_reload(l);
	own_again(l);
	return false;
}

/* ---- users */

void user_load(struct live *l, struct live_user *u)
{
	if (u->loading)
		return;
	u->loading = true;
	read_ask(l, READ_USER, NULL, u->id, STMT_live_user, 1, &u->id);
}

/* Applies the events of his memberships and of his being a guest that this process has seen above the snapshot's head.
 * False: they are not all here. */
static bool apply_newer(struct live *l, struct live_user *u, int64_t head)
{
	const struct ring_entry *e;
	int64_t newer[256];
	size_t n = 0;

	if (head < ring_head(l->ring) && head + 1 < ring_first(l->ring))
		return false;
	for (int64_t id = ring_last_of_user(l->ring, u->id); id > head && (e = ring_get(l->ring, id)); id = e->prev_own)
		if (e->kind == EVENT_JOIN || e->kind == EVENT_LEAVE || e->kind == EVENT_GUEST ||
		    e->kind == EVENT_NO_GUEST) {
			if (n == COUNT_OF(newer))
				return false;
			newer[n++] = id;
		}
	while (n > 0) {
		e = ring_get(l->ring, newer[--n]);
		if (e->kind == EVENT_JOIN)
			audience_join(l->audience, u, e->channel, e->id, line_first_seq(e->line));
		else if (e->kind == EVENT_LEAVE)
			audience_leave(l->audience, u, e->channel);
		else
			u->guest = e->kind == EVENT_GUEST;
	}
	return true;
}

static void user_failed(struct live *l, struct live_user *u, const struct err *e)
{
	for (struct receiver *r = u->receivers; r; r = r->next) {
		if (r->state != RECEIVER_LOADING)
			continue;
		if (r->began) {
			l->reload = true;
		} else {
			r->state = RECEIVER_OUT;
			r->hooks->refused(r, e);
		}
	}
}

void user_rows(struct live *l, struct live_read *q, const PGresult *rows, const struct err *e)
{
	struct live_user *u = audience_find(l->audience, q->user);
	int64_t head;

	if (!u)
		return;
	u->loading = false;
	if (e) {
		user_failed(l, u, e);
		return;
	}
	if (result_rows(rows) < 1 || strcmp(result_text(rows, 0, 1), l->mark) != 0) {
		l->hooks.doubt(l->arg);
		l->reload = true;
		return;
	}
	l->stats.user_loads++;
	head = result_int(rows, 0, 0);
	audience_unload(l->audience, u);
	u->guest = result_bool(rows, 0, 4);
	for (int row = 0; row < result_rows(rows); row++)
		if (!result_null(rows, row, 2))
			audience_join(l->audience, u, result_int(rows, row, 2), result_int(rows, row, 3),
				      result_int(rows, row, 5));
	if (!apply_newer(l, u, head)) { /* a slow answer, a small ring */
		audience_unload(l->audience, u);
		user_load(l, u);
		return;
	}
	u->loaded = true;
	state_user(l, u);
	live_saw_head(l, head);
	for (struct receiver *r = u->receivers; r; r = r->next) {
		if (r->state != RECEIVER_LOADING)
			continue;
		if (r->began)
			resume_advance(l, r);
		else
			resume_begin(l, r);
	}
}

/* ---- receivers */

struct live_place live_here(const struct live *l)
{
	return (struct live_place){l->epoch, ring_head(l->ring)};
}

/* What became of a session since `seen`. */
static enum live_added check_session(const struct live *l, int64_t user, int64_t session, struct live_place seen)
{
	const struct ring_entry *e;

	if (seen.epoch != l->epoch || seen.id + 1 < ring_first(l->ring))
		return LIVE_AGAIN;
	for (int64_t id = ring_last_of_user(l->ring, user); id > seen.id && (e = ring_get(l->ring, id));
	     id = e->prev_own) {
		if (e->kind == EVENT_REVOKE && (!e->subject || e->subject == session))
			return LIVE_ENDED;
		if (e->kind == EVENT_DEACTIVATE)
			return LIVE_USER_CLOSED;
	}
	return LIVE_ADDED;
}

enum live_added live_add(struct live *l, struct receiver *r, int64_t user, int64_t session, struct live_place seen,
			 const struct cursor *cursor)
{
	enum live_added rc = check_session(l, user, session, seen);
	struct live_user *u;

	if (rc != LIVE_ADDED)
		return rc;
	u = audience_enter(l->audience, user);
	audience_wake(l->audience, u);
	r->session = session;
	r->has_cursor = cursor != NULL;
	if (cursor)
		r->cursor = *cursor;
	r->user = u;
	r->prev = NULL;
	r->next = u->receivers;
	if (u->receivers)
		u->receivers->prev = r;
	u->receivers = r;
	u->receivers_n++;
	r->state = RECEIVER_LOADING;
	if (u->loaded)
		resume_begin(l, r);
	else
		user_load(l, u);
	return LIVE_ADDED;
}

void live_remove(struct live *l, struct receiver *r, int64_t now)
{
	struct live_user *u = r->user;

	if (!u)
		return;
	state_forget(l, r);
	resume_end(l, r);
	reads_forget(l, r);
	*(r->prev ? &r->prev->next : &u->receivers) = r->next;
	if (r->next)
		r->next->prev = r->prev;
	r->prev = r->next = NULL;
	r->user = NULL;
	r->state = RECEIVER_OUT;
	if (--u->receivers_n == 0)
		audience_idle(l->audience, u, now);
}

/* ---- time */

void live_tick(struct live *l, int64_t now)
{
	struct live_user *u;

	while ((u = audience_oldest_idle(l->audience)) && !u->loading &&
	       (u->idle_since + LIVE_IDLE_MS <= now || audience_idle_count(l->audience) > LIVE_IDLE_USERS))
		audience_forget(l->audience, &u);
	for (int k = 0; k < READ_KINDS; k++)
		if (l->reads[k].not_before && l->reads[k].not_before <= now) {
			l->reads[k].not_before = 0;
			reads_start(l, (enum read_kind)k);
		}
	if (l->mark[0])
		intake_next(l);
	state_tick(l, now);
	if (l->reload) {
		l->reload = false;
		for (u = NULL; (u = audience_next(l->audience, u));)
			if (!u->loaded && u->receivers_n)
				user_load(l, u);
	}
}

void live_listening(struct live *l, bool hears)
{
	l->hears = hears;
}

/* ---- what others ask */

int64_t live_position(const struct live *l, const struct receiver *r)
{
	return r->state == RECEIVER_LIVE ? MAX_OF(r->position, ring_head(l->ring)) : r->position;
}

const char *live_mark(const struct live *l)
{
	return l->mark;
}

int64_t live_head(const struct live *l)
{
	return ring_head(l->ring);
}

bool live_is_ready(const struct live *l)
{
	return l->ready;
}

bool live_reading(const struct live *l)
{
	return l->hole_asked;
}

void live_stats(const struct live *l, struct live_stats *out)
{
	*out = l->stats;
	out->users = audience_users(l->audience);
	out->ring_bytes = ring_bytes(l->ring);
	for (int k = 0; k < READ_KINDS; k++)
		out->waiting_reads += l->reads[k].waiting_n + l->reads[k].running_n;
}
