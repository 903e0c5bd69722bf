/* own: `read` and `draft` lines for an instance that was not there when they were told: a notification reaches those
 * only who listen just then, and a poll does not between two polls. */
#include "lib/live/live_private.h"
#include "lib/live/state.h"

void receiver_asks(struct receiver *r, int64_t reads, int64_t drafts)
{
	r->asks_own = reads != LIVE_NOT_ASKED || drafts != LIVE_NOT_ASKED;
	r->reads_known = reads;
	r->drafts_known = drafts;
}

bool own_ask(struct live *l, struct receiver *r)
{
	if (!r->asks_own)
		return false;
	r->asks_own = false;
	r->told_own = true;
	read_ask(l, READ_OWN, r, r->user->id, STMT_live_own, 3,
		 (int64_t[]){r->user->id, r->reads_known, r->drafts_known});
	return true;
}

/* A sum that is none: all are told. */
static int64_t again(int64_t known)
{
	return known == LIVE_NOT_ASKED ? known : -1;
}

void own_doubt(struct receiver *r)
{
	r->reads_known = again(r->reads_known);
	r->drafts_known = again(r->drafts_known);
}

void own_again(struct live *l)
{
	for (struct live_user *u = NULL; (u = audience_next(l->audience, u));)
		for (struct receiver *r = u->receivers; r; r = r->next) {
			if (!r->told_own || r->state == RECEIVER_OUT)
				continue;
			r->asks_own = true;
			own_doubt(r);
			if (r->state == RECEIVER_LIVE)
				own_ask(l, r);
		}
}

void own_rows(const struct live_read *q, const PGresult *rows, const struct err *e)
{
	struct receiver *r = q->receiver;

	if (!r || r->state == RECEIVER_OUT)
		return;
	r->asks_own = r->state != RECEIVER_LIVE; /* fell behind meanwhile: again when it is back */
	for (int i = 0; !r->asks_own && !e && i < result_rows(rows); i++) {
		struct line *line = line_new(result_text(rows, i, 0), result_length(rows, i, 0));

		if (r->state == RECEIVER_LIVE) /* it may end at any of them */
			r->hooks->line(r, line, 0);
		line_unref(&line);
	}
	if (r->state == RECEIVER_LIVE)
		r->hooks->live(r);
	if (r->state == RECEIVER_LIVE)
		state_live(q->live, r);
}
