/* reads: questions to the database: a bounded number of each kind at a time, the rest in a queue. */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/db/pgconn.h"
#include "lib/live/live_private.h"
#include "lib/live/state.h"
#include <stdlib.h>
#include <string.h>

static const size_t at_a_time[READ_KINDS] = {
	[READ_HOLE] = 1,
	[READ_LOG] = LIVE_LOG_READS,
	[READ_USER] = LIVE_USER_LOADS,
	[READ_HEAD] = LIVE_HEAD_READS,
	[READ_OWN] = LIVE_OWN_READS,
	[READ_STATE] = LIVE_STATE_READS,
	[READ_TYPING] = LIVE_TYPING_SENDS,
};

void read_free(struct live_read **q)
{
	for (int i = 0; i < (*q)->lists_n; i++)
		free((*q)->lists[i].ids);
	free(*q);
	*q = NULL;
}

void reads_start(struct live *l, enum read_kind kind)
{
	struct live_read *q;

	while (l->reads[kind].running_n < at_a_time[kind] && (q = TAILQ_FIRST(&l->reads[kind].waiting))) {
		if (l->reads[kind].not_before && l->reads[kind].not_before > clock_mono_ms())
			return;
		TAILQ_REMOVE(&l->reads[kind].waiting, q, list);
		l->reads[kind].waiting_n--;
		TAILQ_INSERT_TAIL(&l->reads[kind].running, q, list);
		l->reads[kind].running_n++;
		l->hooks.read(l->arg, q);
	}
}

static struct live_read *read_new(struct live *l, enum read_kind kind, struct receiver *r, enum stmt_id stmt, int n,
				  const int64_t *params)
{
	struct live_read *q = xcalloc(1, sizeof(*q));

	q->stmt = stmt;
	q->n = n;
	if (n)
		memcpy(q->params, params, (size_t)n * sizeof(*params));
	q->live = l;
	q->kind = (int)kind;
	q->epoch = l->epoch;
	q->receiver = r;
	return q;
}

static void ask(struct live *l, struct live_read *q)
{
	enum read_kind kind = (enum read_kind)q->kind;

	TAILQ_INSERT_TAIL(&l->reads[kind].waiting, q, list);
	l->reads[kind].waiting_n++;
	reads_start(l, kind);
}

void read_ask(struct live *l, enum read_kind kind, struct receiver *r, int64_t user, enum stmt_id stmt, int n,
	      const int64_t *params)
{
	struct live_read *q = read_new(l, kind, r, stmt, n, params);

	q->user = user;
	ask(l, q);
}

void read_ask_lists(struct live *l, enum read_kind kind, struct receiver *r, enum stmt_id stmt, int lists_n,
		    const struct id_list *lists, int n, const int64_t *params, uint64_t stamp)
{
	struct live_read *q = read_new(l, kind, r, stmt, n, params);

	q->lists_n = lists_n;
	for (int i = 0; i < lists_n; i++) {
		q->lists[i].n = lists[i].n;
		q->lists[i].ids = xmalloc((lists[i].n + 1) * sizeof(int64_t));
		if (lists[i].n)
			memcpy(q->lists[i].ids, lists[i].ids, lists[i].n * sizeof(int64_t));
	}
	q->stamp = stamp;
	ask(l, q);
}

static void on_answer(void *arg, const PGresult *r, const struct err *e)
{
	live_answer(arg, r, e);
}

void live_read_query(struct live_read *q, struct pgconn *p, int64_t wait)
{
	char all[] = "IIIIIiiiii"; /* one letter for each; what is not there is left out in front and at the end */
	const char *types = all + LIVE_READ_LISTS - q->lists_n;

	_Static_assert(sizeof(all) - 1 == LIVE_READ_LISTS + LIVE_READ_PARAMS, "one letter for each");
	all[LIVE_READ_LISTS + q->n] = 0;
	if (q->lists_n == 0)
		pgconn_query(p, q->stmt, wait, on_answer, q, types, q->params[0], q->params[1], q->params[2],
			     q->params[3], q->params[4]);
	else if (q->lists_n == 2)
		pgconn_query(p, q->stmt, wait, on_answer, q, types, q->lists[0].ids, q->lists[0].n, q->lists[1].ids,
			     q->lists[1].n, q->params[0], q->params[1], q->params[2], q->params[3], q->params[4]);
	else
		pgconn_query(p, q->stmt, wait, on_answer, q, types, q->lists[0].ids, q->lists[0].n, q->lists[1].ids,
			     q->lists[1].n, q->lists[2].ids, q->lists[2].n, q->lists[3].ids, q->lists[3].n,
			     q->lists[4].ids, q->lists[4].n, q->params[0], q->params[1], q->params[2], q->params[3],
			     q->params[4]);
}

void reads_forget(struct live *l, const struct receiver *r)
{
	static const enum read_kind kinds[] = {READ_LOG, READ_HEAD, READ_OWN};
	struct live_read *q, *next;

	for (size_t k = 0; k < COUNT_OF(kinds); k++) {
		enum read_kind kind = kinds[k];

		TAILQ_FOREACH(q, &l->reads[kind].running, list)
		if (q->receiver == r)
			q->receiver = NULL;
		for (q = TAILQ_FIRST(&l->reads[kind].waiting); q; q = next) {
			next = TAILQ_NEXT(q, list);
			if (q->receiver != r)
				continue;
			TAILQ_REMOVE(&l->reads[kind].waiting, q, list);
			l->reads[kind].waiting_n--;
			read_free(&q);
		}
	}
	/* what these bring is of use to others too */
	TAILQ_FOREACH(q, &l->reads[READ_STATE].running, list)
	if (q->receiver == r)
		q->receiver = NULL;
	TAILQ_FOREACH(q, &l->reads[READ_STATE].waiting, list)
	if (q->receiver == r)
		q->receiver = NULL;
}

/* Puts a question that failed back to the head of its queue; the whole queue waits a little. */
static void again(struct live *l, struct live_read *q)
{
	l->reads[q->kind].not_before = clock_mono_ms() + LIVE_RETRY_MS;
	TAILQ_INSERT_HEAD(&l->reads[q->kind].waiting, q, list);
	l->reads[q->kind].waiting_n++;
}

static void head_rows(struct live *l, const struct live_read *q, const PGresult *r, const struct err *e)
{
	if (!q->receiver)
		return;
	if (e) {
		q->receiver->state = RECEIVER_OUT;
		q->receiver->hooks->refused(q->receiver, e);
		return;
	}
	resume_head(l, q->receiver, result_rows(r) ? result_int(r, 0, 0) : 0);
}

void live_answer(struct live_read *q, const PGresult *r, const struct err *e)
{
	struct live *l = q->live;
	enum read_kind kind = (enum read_kind)q->kind;
	bool keep = false;

	TAILQ_REMOVE(&l->reads[kind].running, q, list);
	l->reads[kind].running_n--;
	if (q->epoch != l->epoch) {
		/* of another log; who still wants something has asked anew */
	} else if (kind == READ_HOLE) {
		l->stats.log_reads++;
		if (e)
			intake_failed(l);
		else
			intake_rows(l, q, r);
	} else if (kind == READ_LOG) {
		l->stats.log_reads++;
		if (q->receiver && e)
			keep = true;
		else if (q->receiver)
			resume_rows(l, q, r);
	} else if (kind == READ_USER) {
		user_rows(l, q, r, e);
	} else if (kind == READ_OWN) {
		own_rows(q, r, e);
	} else if (kind == READ_STATE) {
		keep = e || !state_rows(l, q, r);
	} else if (kind == READ_TYPING) {
		if (!e) /* else it is soon out of date */
			state_typing_sent(l, q, r);
	} else {
		head_rows(l, q, r, e);
	}
	if (keep)
		again(l, q);
	else
		read_free(&q);
	reads_start(l, kind);
}
