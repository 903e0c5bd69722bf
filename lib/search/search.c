/* search: one snapshot; the scope, the log's end that is not indexed, then what the index proposes, until there is a
 * page. */
#include "lib/search/search.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/db/db.h"
#include "lib/search/document.h"
#include "lib/search/match.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET_MS 1000               /* after which a page is as long as it is */
#define TAIL_EVENTS 4000             /* of the log's end that are looked through */
#define SEARCH_POOL 300              /* matches that are ranked */
#define POOL_BYTES ((size_t)4 << 20) /* of their texts */
#define ROUNDS_MAX 64                /* of questions to the index */
#define ASK_FIRST 64
#define ASK_MAX 512

enum { CURSOR, SENDERS, NO_SENDER, ROOMS, NO_ROOM, FEW_ROOMS, BEFORE_AT, AFTER_AT, EVENT, HEAD, WHOLE };
enum { CHANNEL_ID, SEQ, ID, SENDER, CREATED_US, VERSION, BODY, EDITED_US, THREAD };

struct found {
	const PGresult *r;
	int row;
	int64_t id;
	struct match match;
};

struct search {
	struct db *db;
	int64_t reader;
	struct search_query q;
	enum search_order order;
	int64_t below;                 /* ids of this page, and of the pool, are below it */
	int64_t after_score, after_id; /* by rank: what the page before ended with */
	bool first;
	int64_t limit;

	PGresult *scope;
	struct strbuf template;
	struct tokens tokens; /* of the text under comparison */

	PGresult *results[ROUNDS_MAX + 1];
	size_t results_n;
	struct found *found;
	size_t found_n, found_max, bytes;
	int64_t resume; /* the budget is used up: from below this id on nothing was looked at; else 0 */
	bool complete;
};

/* ---- the place of a page */

static int bad_before(struct err *e)
{
	return err_set(e, ERR_BAD_FIELD, "before", "must be the next of a page of this search");
}

static int read_before(struct search *s, const char *before, struct err *e)
{
	const char *dot;

	s->below = INT64_MAX;
	s->first = !before;
	if (!before)
		return 0;
	if (s->order == SEARCH_BY_DATE)
		return before[0] == 'd' && int_parse(before + 1, strlen(before + 1), INT64_MAX, &s->below) &&
				       s->below > 0
			       ? 0
			       : bad_before(e);
	/* r, where the pool begins, and the last one's score and id */
	dot = before[0] == 'r' ? strchr(before, '.') : NULL;
	if (!dot || !int_parse(before + 1, (size_t)(dot - before - 1), INT64_MAX, &s->below))
		return bad_before(e);
	before = dot + 1;
	dot = strchr(before, '.');
	if (!dot || !int_parse(before, (size_t)(dot - before), INT32_MAX, &s->after_score) ||
	    !int_parse(dot + 1, strlen(dot + 1), INT64_MAX, &s->after_id) || s->below < 1)
		return bad_before(e);
	return 0;
}

/* ---- asking */

static int64_t wanted(const struct search *s)
{
	return s->order == SEARCH_BY_DATE ? s->limit + 1 : SEARCH_POOL;
}

static bool enough(const struct search *s)
{
	return (int64_t)s->found_n >= wanted(s) || s->bytes > POOL_BYTES;
}

/* Compares row with the query. */
static void judge(struct search *s, const PGresult *r, int row)
{
	int64_t id = result_int(r, row, ID);
	struct document d;
	struct match m;

	document_read(result_text(r, row, BODY), result_length(r, row, BODY), !result_null(r, row, THREAD), &d);
	tokens_of(&s->tokens, d.text.p, d.text.n);
	if ((d.has & s->q.has) == s->q.has && match_text(&s->q, &s->tokens, &m)) {
		s->found[s->found_n++] = (struct found){.r = r, .row = row, .id = id, .match = m};
		s->bytes += d.text.n;
	}
	document_release(&d);
}

/* Rows of the log's end that are newer than the index's next one come first; both may hold the same message. */
static void judge_merged(struct search *s, const PGresult *tail, int *at, const PGresult *r)
{
	int rows = result_rows(r), row = 0;

	while (!enough(s)) {
		int64_t newer = *at < result_rows(tail) ? result_int(tail, *at, ID) : 0;
		int64_t older = row < rows && !result_null(r, row, SEQ) ? result_int(r, row, ID) : 0;

		if (!older) /* the index may have more, between */
			break;
		if (newer >= older) {
			if (newer < s->below)
				judge(s, tail, *at);
			(*at)++;
			row += newer == older;
		} else {
			judge(s, r, row++);
		}
	}
}

static int ask(struct search *s, int64_t below, int64_t want, int64_t budget, PGresult **r, struct err *e)
{
	if (s->results_n == COUNT_OF(s->results))
		return err_set(e, ERR_INTERNAL, NULL, "too many rounds");
	if (db_query(s->db, STMT_search_find, r, e, "itttiii", s->reader, strbuf_cstr(&s->template),
		     result_text(s->scope, 0, BEFORE_AT), result_text(s->scope, 0, AFTER_AT), below, want, budget) < 0)
		return -1;
	s->results[s->results_n++] = *r;
	return 0;
}

static int read_tail(struct search *s, PGresult **tail, struct err *e)
{
	int64_t event = result_int(s->scope, 0, EVENT), head = result_int(s->scope, 0, HEAD);

	s->complete = result_bool(s->scope, 0, WHOLE) && head - event <= TAIL_EVENTS;
	event = MAX_OF(event, head - TAIL_EVENTS);
	if (db_query(s->db, STMT_search_tail, tail, e, "itttti", s->reader, result_text(s->scope, 0, ROOMS),
		     result_text(s->scope, 0, SENDERS), result_text(s->scope, 0, BEFORE_AT),
		     result_text(s->scope, 0, AFTER_AT), event) < 0)
		return -1;
	s->results[s->results_n++] = *tail;
	return 0;
}

static int collect(struct search *s, struct err *e)
{
	int64_t until = clock_mono_ms() + BUDGET_MS, below = s->below, want = ASK_FIRST;
	PGresult *tail = NULL, *r = NULL;
	int at = 0, rows;

	if (!strcmp(result_text(s->scope, 0, ROOMS), "{}")) { /* of somebody who is nowhere */
		s->complete = true;
		return 0;
	}
	if (read_tail(s, &tail, e) < 0)
		return -1;
	if (s->order == SEARCH_BY_RANK)
		want = SEARCH_POOL + SEARCH_POOL / 8;
	for (;;) {
		int64_t left = until - clock_mono_ms();

		if (left <= 0 || s->results_n == COUNT_OF(s->results)) {
			s->resume = below;
			return 0;
		}
		if (ask(s, below, want, left, &r, e) < 0)
			return -1;
		rows = result_rows(r);
		judge_merged(s, tail, &at, r);
		if (enough(s))
			return 0;
		if (rows && result_null(r, rows - 1, SEQ)) {
			s->resume = result_int(r, rows - 1, ID);
			break;
		}
		if (rows < want)
			break;
		below = result_int(r, rows - 1, ID);
		want = MIN_OF(want * 2, (int64_t)ASK_MAX);
	}
	/* the index has no more: what is left of the log's end lies below, or below where the budget ended */
	while (!enough(s) && at < result_rows(tail) && result_int(tail, at, ID) >= MAX_OF(s->resume, (int64_t)1)) {
		if (result_int(tail, at, ID) < s->below)
			judge(s, tail, at);
		at++;
	}
	return 0;
}

/* ---- answering */

static int by_rank(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->match.score != y->match.score)
		return x->match.score < y->match.score ? 1 : -1;
	return x->id < y->id ? 1 : -1;
}

static void render_one(const struct found *f, struct strbuf *b)
{
	char at[TIME_TEXT_MAX];
	struct document d;

	time_text(result_int(f->r, f->row, CREATED_US), at);
	strbuf_addf(b, "{\"channel\":%s,\"seq\":%s,\"id\":%s,\"created_at\":\"%s\",\"sender\":%s,\"version\":%s,",
		    result_text(f->r, f->row, CHANNEL_ID), result_text(f->r, f->row, SEQ),
		    result_text(f->r, f->row, ID), at, result_text(f->r, f->row, SENDER),
		    result_text(f->r, f->row, VERSION));
	if (!result_null(f->r, f->row, EDITED_US)) {
		time_text(result_int(f->r, f->row, EDITED_US), at);
		strbuf_addf(b, "\"edited_at\":\"%s\",", at);
	}
	if (!result_null(f->r, f->row, THREAD))
		strbuf_addf(b, "\"thread\":%s,", result_text(f->r, f->row, THREAD));
	document_read(result_text(f->r, f->row, BODY), result_length(f->r, f->row, BODY),
		      !result_null(f->r, f->row, THREAD), &d);
	strbuf_adds(b, "\"has\":[");
	for (unsigned bit = 1, n = 0; bit <= d.has; bit <<= 1)
		if (d.has & bit & ~(unsigned)HAS_THREAD)
			strbuf_addf(b, "%s\"%s\"", n++ ? "," : "", search_has_name(bit));
	strbuf_adds(b, "],\"snippet\":");
	match_snippet(b, d.text.p, d.text.n, &f->match);
	strbuf_addc(b, '}');
	document_release(&d);
}

static void render(struct search *s, struct strbuf *b)
{
	size_t i = 0, end;
	bool more;

	if (s->order == SEARCH_BY_RANK) {
		qsort(s->found, s->found_n, sizeof(*s->found), by_rank);
		if (s->resume)
			s->complete = false;
		while (!s->first && i < s->found_n &&
		       (s->found[i].match.score > s->after_score ||
			(s->found[i].match.score == s->after_score && s->found[i].id >= s->after_id)))
			i++;
	}
	end = MIN_OF(s->found_n, i + (size_t)s->limit);
	more = end < s->found_n;
	strbuf_adds(b, "{\"results\":[");
	for (size_t k = i; k < end; k++) {
		if (k > i)
			strbuf_addc(b, ',');
		render_one(&s->found[k], b);
	}
	strbuf_adds(b, "],\"next\":");
	if (more && s->order == SEARCH_BY_DATE)
		strbuf_addf(b, "\"d%lld\"", (long long)s->found[end - 1].id);
	else if (more)
		strbuf_addf(b, "\"r%lld.%d.%lld\"", (long long)s->below, s->found[end - 1].match.score,
			    (long long)s->found[end - 1].id);
	else if (s->resume && s->order == SEARCH_BY_DATE)
		strbuf_addf(b, "\"d%lld\"", (long long)s->resume);
	else
		strbuf_adds(b, "null");
	strbuf_addf(b, ",\"complete\":%s}", s->complete ? "true" : "false");
}

static int read_scope(struct search *s, struct page *p, struct err *e)
{
	const char *const *from = (const char *const *)s->q.senders, *const *rooms = (const char *const *)s->q.rooms;

	if (db_one(s->db, STMT_search_scope, &s->scope, e, "iTTtt", s->reader, from, s->q.senders_n, rooms,
		   s->q.rooms_n, s->q.before, s->q.after) < 0)
		return -1;
	if (!s->scope)
		return err_set(e, ERR_INTERNAL, NULL, "the database gave no scope");
	snprintf(p->cursor, sizeof(p->cursor), "%s", result_text(s->scope, 0, CURSOR));
	if (!result_null(s->scope, 0, NO_SENDER))
		return err_set(e, ERR_BAD_FIELD, "q", "from:%s: there is nobody of that handle",
			       result_text(s->scope, 0, NO_SENDER));
	if (!result_null(s->scope, 0, NO_ROOM))
		return err_set(e, ERR_BAD_FIELD, "q", "in:%s: you are in no channel of that name",
			       result_text(s->scope, 0, NO_ROOM));
	search_query_template(&s->q, result_bool(s->scope, 0, FEW_ROOMS) ? result_text(s->scope, 0, ROOMS) : "{}",
			      result_text(s->scope, 0, SENDERS), &s->template);
	return 0;
}

static void search_release(struct search *s)
{
	for (size_t i = 0; i < s->results_n; i++)
		PQclear(s->results[i]);
	PQclear(s->scope);
	search_query_release(&s->q);
	strbuf_release(&s->template);
	tokens_release(&s->tokens);
	free(s->found);
}

int search_messages(struct db *d, int64_t reader, const char *q, enum search_order order, const char *before,
		    int64_t limit, struct strbuf *b, struct page *p, struct err *e)
{
	struct search s = {.db = d, .reader = reader, .order = order, .limit = MIN_OF(limit, (int64_t)SEARCH_PAGE)};
	int rc = -1;

	if (search_query_parse(q, strlen(q), &s.q, e) < 0 || read_before(&s, before, e) < 0)
		goto out;
	s.found = xcalloc((size_t)wanted(&s), sizeof(*s.found));
	if (db_begin_snapshot(d, e) < 0)
		goto out;
	if (read_scope(&s, p, e) < 0 || collect(&s, e) < 0 || db_commit(d, e) < 0) {
		db_rollback(d);
		goto out;
	}
	/* a pool begins at its newest match, so that later pages rank the same one */
	if (s.first && s.order == SEARCH_BY_RANK && s.found_n)
		s.below = s.found[0].id + 1;
	render(&s, b);
	rc = 0;
out:
	search_release(&s);
	return rc;
}
