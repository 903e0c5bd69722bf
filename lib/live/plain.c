/* plain: a struct live for one answer, which remembers one event only: the rest comes from the log. Its questions are
 * asked one after the other. */
#include "lib/live/plain.h"
#include "lib/base/config.h"
#include "lib/db/db.h"
#include "lib/live/live.h"
#include "lib/live/poll.h"
#include <stdlib.h>

#define OPENS_MAX 5
#define WORK_US 100000

struct plain {
	struct live *live;
	struct live_poll poll;
	struct live_read *asked[8]; /* it has one receiver, and so few questions */
	size_t asked_n;
	bool doubt;
};

static void on_read(void *arg, struct live_read *q)
{
	struct plain *p = arg;

	if (p->asked_n == COUNT_OF(p->asked))
		abort();
	p->asked[p->asked_n++] = q;
}

static void on_ready(void *arg)
{
	(void)arg;
}

static void on_doubt(void *arg)
{
	((struct plain *)arg)->doubt = true;
}

static void on_test(void *arg, int64_t number)
{
	(void)arg;
	(void)number;
}

static void on_changed(struct live_poll *p)
{
	(void)p; /* looked at after each step */
}

static int open_log(struct plain *p, struct db *d, struct err *e)
{
	PGresult *r = NULL;

	p->doubt = false;
	if (db_one(d, STMT_live_open, &r, e, "") < 0)
		return -1;
	if (r)
		live_opened(p->live, result_text(r, 0, 0), result_int(r, 0, 1));
	PQclear(r);
	return 0;
}

static int query(struct db *d, const struct live_read *q, PGresult **r, struct err *e)
{
	static const char types[] = "iiiii";

	if (q->lists_n == 2)
		return db_query(d, q->stmt, r, e, "IIiii", q->lists[0].ids, q->lists[0].n, q->lists[1].ids,
				q->lists[1].n, q->params[0], q->params[1], q->params[2]);
	return db_query(d, q->stmt, r, e, types + LIVE_READ_PARAMS - q->n, q->params[0], q->params[1], q->params[2],
			q->params[3], q->params[4]);
}

/* Asks the oldest question. */
static int ask(struct plain *p, struct db *d, struct err *e)
{
	struct live_read *q = p->asked[0];
	PGresult *r = NULL;

	for (size_t i = 1; i < p->asked_n; i++)
		p->asked[i - 1] = p->asked[i];
	p->asked_n--;
	if (query(d, q, &r, e) < 0) {
		live_answer(q, NULL, e);
		return -1;
	}
	live_answer(q, r, NULL);
	PQclear(r);
	return 0;
}

static int run(struct plain *p, struct db *d, int64_t user, int64_t session, const struct cursor *cursor, struct err *e)
{
	bool added = false;
	int opens = 0;

	p->doubt = true;
	while (!live_poll_due(&p->poll)) {
		if (p->doubt) {
			if (opens++ == OPENS_MAX)
				return err_retry(e, ERR_UNAVAILABLE, 1000, "too much is going on, try again");
			if (open_log(p, d, e) < 0)
				return -1;
		}
		if (!added && live_is_ready(p->live)) {
			added = true;
			if (live_add(p->live, &p->poll.receiver, user, session, live_here(p->live), cursor) !=
			    LIVE_ADDED)
				break; /* cannot be: nothing has happened since */
		}
		if (p->asked_n) {
			if (ask(p, d, e) < 0)
				return -1;
		} else if (!live_work(p->live, WORK_US) && !p->asked_n && !p->doubt && !live_poll_due(&p->poll)) {
			break; /* nothing under way, and yet no answer */
		}
	}
	if (live_poll_due(&p->poll) && !p->poll.problem)
		return 0;
	if (p->poll.problem)
		*e = *p->poll.problem;
	else
		err_set(e, ERR_INTERNAL, NULL, "something went wrong on our side");
	return -1;
}

int live_plain(struct db *d, const struct config *c, int64_t user, int64_t session, const struct cursor *cursor,
	       int64_t reads, int64_t drafts, const struct interests *interests, struct strbuf *body,
	       char next[CURSOR_TEXT_MAX], struct err *e)
{
	static const struct live_hooks hooks = {.read = on_read, .ready = on_ready, .doubt = on_doubt, .test = on_test};
	struct live_limits limits = {.ring_events = 1,
				     .ring_bytes = (size_t)c->realtime.ring_bytes,
				     .resume_events = (size_t)c->events.resume_events,
				     .receipts_max = c->reads.receipts_max};
	struct plain p = {0};
	int rc;

	p.live = live_new(&limits, &hooks, &p);
	live_poll_init(&p.poll, p.live, (size_t)c->realtime.queue_bytes, on_changed);
	p.poll.has_cursor = cursor != NULL;
	receiver_asks(&p.poll.receiver, reads, drafts);
	p.poll.retry_after_ms = PLAIN_RETRY_MS;
	p.poll.interests = interests;
	rc = run(&p, d, user, session, cursor, e);
	if (rc == 0) {
		live_poll_take_state(&p.poll);
		live_poll_render(&p.poll, body, next);
	}
	live_remove(p.live, &p.poll.receiver, 0);
	live_poll_release(&p.poll);
	live_free(&p.live);
	return rc;
}
