/* resume: a receiver's way from its cursor to now. What the ring still holds it takes from there, by the chains of its
 * user's channels; what is older comes from the log in windows, a few receivers at a time. */
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/live/live_private.h"
#include "lib/live/state.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void resume_end(struct live *l, struct receiver *r)
{
	if (r->in_work) {
		TAILQ_REMOVE(&l->work, r, work);
		r->in_work = false;
	}
	if (r->resume) {
		free(r->resume->ids);
		free(r->resume);
		r->resume = NULL;
	}
}

static void become_live(struct live *l, struct receiver *r)
{
	resume_end(l, r);
	r->state = RECEIVER_LIVE;
	if (own_ask(l, r))
		return; /* the rest with the answer */
	r->hooks->live(r);
	state_live(l, r);
}

void resume_reset(struct live *l, struct receiver *r, const char *reason)
{
	l->stats.resets++;
	resume_end(l, r);
	r->position = MAX_OF(ring_head(l->ring), l->opened_head);
	r->state = RECEIVER_LIVE;
	log_debug("live.reset", "user=%" PRId64 " reason=%s", r->user->id, log_quote(reason));
	r->hooks->reset(r, reason);
	state_live(l, r);
}

static void enqueue(struct live *l, struct receiver *r)
{
	if (r->in_work)
		return;
	r->in_work = true;
	TAILQ_INSERT_TAIL(&l->work, r, work);
}

void resume_advance(struct live *l, struct receiver *r)
{
	if (r->position >= ring_head(l->ring)) {
		become_live(l, r);
		return;
	}
	if (!r->resume) {
		r->resume = xcalloc(1, sizeof(*r->resume));
		l->stats.resumes++;
	}
	r->state = RECEIVER_BEHIND;
	enqueue(l, r);
}

void live_fall_behind(struct live *l, struct receiver *r, int64_t id)
{
	if (r->state != RECEIVER_LIVE)
		return;
	r->position = id - 1;
	if (r->told_own) { /* meanwhile it misses own lines that are not logged */
		r->asks_own = true;
		own_doubt(r);
	}
	r->resume = xcalloc(1, sizeof(*r->resume));
	r->state = RECEIVER_BEHIND;
	l->stats.resumes++;
	enqueue(l, r);
}

/* The memberships are known: find the receiver's place. */
void resume_begin(struct live *l, struct receiver *r)
{
	const char *reason = NULL;
	int64_t known = MAX_OF(MAX_OF(ring_head(l->ring), l->opened_head), l->log_head);

	if (!r->has_cursor) {
		r->position = MAX_OF(ring_head(l->ring), l->opened_head);
	} else if (strcmp(r->cursor.mark, l->mark) != 0) {
		reason = "other epoch";
		r->position = MAX_OF(ring_head(l->ring), l->opened_head);
	} else if (r->cursor.id > known) {
		r->state = RECEIVER_HEAD;
		read_ask(l, READ_HEAD, r, 0, STMT_live_head, 0, NULL);
		return;
	} else {
		r->position = r->cursor.id + (r->cursor.id < known && FAULT("resume_far"));
	}
	r->began = true;
	r->hooks->begin(r);
	if (reason)
		resume_reset(l, r, reason);
	else
		resume_advance(l, r);
}

void resume_head(struct live *l, struct receiver *r, int64_t head)
{
	l->log_head = MAX_OF(l->log_head, head);
	if (r->cursor.id <= l->log_head) {
		resume_begin(l, r);
		return;
	}
	r->position = MAX_OF(ring_head(l->ring), l->opened_head);
	r->began = true;
	r->hooks->begin(r);
	resume_reset(l, r, "above the head");
}

/* ---- from the ring */

struct ids {
	int64_t *p;
	size_t n, cap, max;
	bool over;
};

static bool add_id(struct ids *ids, int64_t id)
{
	if (ids->n == ids->max) {
		ids->over = true;
		return false;
	}
	if (ids->n == ids->cap) {
		ids->cap = MAX_OF((size_t)64, ids->cap * 2);
		ids->p = xrealloc(ids->p, ids->cap * sizeof(*ids->p));
	}
	ids->p[ids->n++] = id;
	return true;
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Most are of one chain, newest first. */
static void sort(int64_t *ids, size_t n)
{
	bool sorted = true;

	for (size_t i = 0, k = n - 1; i < k; i++, k--) {
		int64_t id = ids[i];

		ids[i] = ids[k];
		ids[k] = id;
	}
	for (size_t i = 1; i < n && sorted; i++)
		sorted = ids[i - 1] <= ids[i];
	if (!sorted)
		qsort(ids, n, sizeof(*ids), ascending);
}

/* Own events of the ring above after, unsorted. */
static void walk_chains(const struct live *l, const struct live_user *u, int64_t after, struct ids *ids)
{
	const struct ring *ring = l->ring;
	const struct ring_entry *e;

	for (size_t i = 0; i < u->memberships_n && !ids->over; i++) {
		int64_t floor = MAX_OF(after, u->memberships[i].since);

		for (int64_t id = ring_last_of_channel(ring, u->memberships[i].channel);
		     id > floor && (e = ring_get(ring, id)); id = e->prev)
			if (!add_id(ids, id))
				break;
	}
	for (int64_t id = ring_last_of_everyone(ring); id > after && (e = ring_get(ring, id)); id = e->prev)
		if ((!u->guest || e->audience == AUDIENCE_ALL) && !add_id(ids, id))
			break;
	for (int64_t id = ring_last_of_user(ring, u->id); id > after && (e = ring_get(ring, id)); id = e->prev_own) {
		if (e->audience < 0)
			continue; /* met above */
		if ((e->kind == EVENT_JOIN || e->kind == EVENT_LEAVE) && audience_since(u, e->channel) >= 0 &&
		    audience_since(u, e->channel) < id)
			continue; /* met in its channel */
		if (!add_id(ids, id))
			break;
	}
}

/* False: too many. */
static bool collect(struct live *l, struct receiver *r)
{
	struct resume *s = r->resume;
	struct ids ids = {.max = l->limits.resume_events - MIN_OF(s->given, l->limits.resume_events)};

	free(s->ids);
	walk_chains(l, r->user, r->position, &ids);
	s->ids = ids.p;
	s->n = ids.n;
	s->at = 0;
	s->upto = ring_head(l->ring);
	if (ids.over)
		return false;
	if (s->n)
		sort(s->ids, s->n);
	return true;
}

/* As of now: he may have been removed since it was collected. */
static bool may_see(const struct live_user *u, const struct ring_entry *e)
{
	if (e->audience < 0)
		return !u->guest || e->audience == AUDIENCE_ALL;
	if (e->audience != AUDIENCE_MEMBERS)
		return true;
	if ((e->kind == EVENT_JOIN || e->kind == EVENT_LEAVE) && e->subject == u->id)
		return true;
	return audience_sees(u, e->channel, e->id, e->kind, e->subject);
}

/* The sums that the client said count a channel that he has left since, and none that he has come into: they tell
 * nothing. */
static void doubt_sums(struct receiver *r, enum event_kind kind, int64_t subject)
{
	if ((kind == EVENT_JOIN || kind == EVENT_LEAVE) && subject == r->user->id)
		own_doubt(r);
}

/* Gives what was collected while there is room. 1: all of it; 0: it is others' turn; -1: there is no room. */
static int give_collected(struct live *l, struct receiver *r)
{
	struct resume *s = r->resume;

	for (int lines = 0; s->at < s->n; lines++) {
		const struct ring_entry *e = ring_get(l->ring, s->ids[s->at]);

		if (!e) { /* the ring has moved on: the log has the rest */
			r->position = s->at ? s->ids[s->at - 1] : r->position;
			s->n = s->at;
			s->upto = r->position;
			return 1;
		}
		if (lines == RESUME_SLICE_LINES)
			return 0;
		if (!r->hooks->room(r))
			return -1;
		s->at++;
		if (!e->line || !may_see(r->user, e))
			continue;
		s->given++;
		r->position = e->id;
		l->stats.delivered++;
		doubt_sums(r, e->kind, e->subject);
		r->hooks->line(r, e->line, e->id);
	}
	return 1;
}

/* ---- from the log */

static void ask_for_window(struct live *l, struct receiver *r)
{
	struct resume *s = r->resume;
	int64_t upto = MIN_OF(r->position + LOG_WINDOW_IDS, ring_head(l->ring));
	int64_t room = (int64_t)r->hooks->room(r);

	if (room <= 0)
		return;
	room = MAX_OF(room / 2, (int64_t)1); /* lines are longer than what the statement counts */
	if (++s->windows > RESUME_WINDOWS_MAX) {
		resume_reset(l, r, "too far behind");
		return;
	}
	s->reading = true;
	read_ask(l, READ_LOG, r, r->user->id, STMT_live_user_window, 5,
		 (int64_t[]){r->user->id, r->position, upto, LOG_WINDOW_ROWS, MIN_OF(LOG_WINDOW_BYTES, room)});
}

void resume_rows(struct live *l, struct live_read *q, const PGresult *rows)
{
	struct receiver *r = q->receiver;
	struct resume *s = r->resume;
	struct log_window w;
	struct event ev;

	if (r->state != RECEIVER_BEHIND || !s)
		return;
	s->reading = false;
	if (!log_window_read(rows, q->params[1], q->params[2], &w) || strcmp(w.mark, l->mark) != 0) {
		l->hooks.doubt(l->arg);
		enqueue(l, r);
		return;
	}
	if (w.first > r->position + 1) {
		resume_reset(l, r, "too old");
		return;
	}
	for (int row = 0; row < w.rows; row++) {
		struct line *line;
		struct ring_entry as;

		log_window_event(rows, row, &w, &l->scratch, &ev);
		as = (struct ring_entry){.id = ev.id,
					 .channel = ev.channel,
					 .audience = ev.audience,
					 .subject = ev.subject,
					 .kind = ev.kind};
		/* the rows are right as of w.head; where this process knows of later, he may have been removed since */
		if (ring_head(l->ring) > w.head && !may_see(r->user, &as))
			continue;
		if (++s->given > l->limits.resume_events) {
			resume_reset(l, r, "too far behind");
			return;
		}
		line = line_new(ev.json.p, ev.json.n);
		r->position = ev.id;
		l->stats.delivered++;
		doubt_sums(r, ev.kind, ev.subject);
		r->hooks->line(r, line, ev.id);
		line_unref(&line);
		if (r->state != RECEIVER_BEHIND)
			return; /* it has ended itself, and stands where it says */
	}
	r->position = MAX_OF(r->position, w.covered);
	resume_advance(l, r);
}

/* ---- the work */

/* True where it wants another turn. */
static bool step(struct live *l, struct receiver *r)
{
	struct resume *s = r->resume;
	int rc;

	if (s->reading)
		return false;
	if (!s->ids || s->at == s->n) {
		if (s->ids)
			r->position = MAX_OF(r->position, s->upto);
		free(s->ids);
		s->ids = NULL;
		s->n = s->at = 0;
		if (r->position >= ring_head(l->ring)) {
			become_live(l, r);
			return false;
		}
		if (r->position + 1 < ring_first(l->ring)) {
			ask_for_window(l, r);
			return false;
		}
		if (!collect(l, r)) {
			resume_reset(l, r, "too far behind");
			return false;
		}
		if (!s->n) {
			r->position = s->upto;
			return true;
		}
	}
	rc = give_collected(l, r);
	return rc >= 0;
}

void live_continue(struct live *l, struct receiver *r)
{
	if (r->state == RECEIVER_BEHIND && r->resume && !r->resume->reading)
		enqueue(l, r);
}

bool live_work(struct live *l, int64_t budget_us)
{
	int64_t now = clock_mono_ms(), end = now * 1000 + budget_us;
	struct receiver *r;

	state_work(l, now);
	while ((r = TAILQ_FIRST(&l->work))) {
		TAILQ_REMOVE(&l->work, r, work);
		r->in_work = false;
		if (r->state == RECEIVER_BEHIND && step(l, r) && r->state == RECEIVER_BEHIND)
			enqueue(l, r);
		if (clock_mono_ms() * 1000 >= end)
			break;
	}
	return live_has_work(l);
}

bool live_has_work(const struct live *l)
{
	return !TAILQ_EMPTY(&l->work);
}
