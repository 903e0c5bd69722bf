/* own: `read` lines for an instance that was not there when they were told: a notification reaches those only who
 * listen just then, and a poll does not between two polls. */
#include "lib/live/live_private.h"

bool own_ask(struct live *l, struct receiver *r)
{
	if (!r->asks_reads)
		return false;
	r->asks_reads = false;
	r->told_reads = true;
	read_ask(l, READ_OWN, r, r->user->id, STMT_live_own_reads, 2, (int64_t[]){r->user->id, r->reads_known});
	return true;
}

void own_again(struct live *l)
{
	for (struct live_user *u = NULL; (u = audience_next(l->audience, u));)
		for (struct receiver *r = u->receivers; r; r = r->next) {
			if (!r->told_reads || r->state == RECEIVER_OUT)
				continue;
			r->asks_reads = true;
			r->reads_known = -1;
			if (r->state == RECEIVER_LIVE)
				own_ask(l, r);
		}
}

void own_rows(const struct live_read *q, const PGresult *rows, const struct err *e)
{
	struct receiver *r = q->receiver;

	if (!r || r->state == RECEIVER_OUT)
		return;
	r->asks_reads = r->state != RECEIVER_LIVE; /* fell behind meanwhile: again when it is back */
	for (int i = 0; !r->asks_reads && !e && i < result_rows(rows); i++) {
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
