/* match: the tokens of each term, side by side among those of the text. */
#include "lib/search/match.h"
#include "lib/base/utf8.h"
#include <stdlib.h>
#include <string.h>

enum fit { FIT_NONE, FIT_BEGINNING, FIT_WHOLE };
enum { SCORE_BEGINNING = 2, SCORE_WHOLE = 4, SCORE_IN_ORDER = 3, SCORE_OFTEN = 1, SCORE_DENSE = 2 };

#define DENSE_SHARE 4 /* a text of at most so many tokens for each of the query's */
#define BEFORE_HIT 60 /* characters of a snippet in front of the first hit */

static enum fit token_fits(const struct search_query *q, size_t want, const struct tokens *t, size_t at, bool beginning)
{
	const struct token *w = &q->tokens.list[want], *one = &t->list[at];

	if (w->kind != one->kind || w->n > one->n || memcmp(token_text(&q->tokens, want), token_text(t, at), w->n) != 0)
		return FIT_NONE;
	if (w->n == one->n)
		return FIT_WHOLE;
	return beginning ? FIT_BEGINNING : FIT_NONE;
}

static enum fit term_fits(const struct search_query *q, const struct search_term *term, const struct tokens *t,
			  size_t at)
{
	enum fit fit = FIT_WHOLE;

	if (at + term->n > t->n)
		return FIT_NONE;
	for (size_t i = 0; i < term->n && fit != FIT_NONE; i++) {
		if (i && q->tokens.list[term->first + i].joined && !t->list[at + i].joined)
			return FIT_NONE;
		fit = token_fits(q, term->first + i, t, at + i, i + 1 == term->n && !term->whole);
	}
	return fit;
}

static void add_hit(struct match *m, uint32_t from, uint32_t to)
{
	size_t i = m->n;

	if (m->n == MATCH_HITS_MAX)
		return;
	while (i > 0 && m->hits[i - 1].from > from) {
		m->hits[i] = m->hits[i - 1];
		i--;
	}
	m->hits[i].from = from;
	m->hits[i].to = to;
	m->n++;
}

/* Hits of different terms may lie on one another. */
static void join_hits(struct match *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (kept && m->hits[i].from < m->hits[kept - 1].to)
			m->hits[kept - 1].to = MAX_OF(m->hits[kept - 1].to, m->hits[i].to);
		else
			m->hits[kept++] = m->hits[i];
	}
	m->n = kept;
}

/* All places of one term; a share of the room for hits, so that the first term does not take it all. */
static int find_term(const struct search_query *q, const struct search_term *term, const struct tokens *t,
		     struct match *m)
{
	size_t found = 0, room = MATCH_HITS_MAX / q->terms_n;
	int best = 0;

	for (size_t at = 0; at < t->n; at++) {
		enum fit fit = term_fits(q, term, t, at);

		if (fit == FIT_NONE)
			continue;
		if (found++ < room)
			add_hit(m, t->list[at].from, t->list[at + term->n - 1].to);
		best = MAX_OF(best, fit == FIT_WHOLE ? SCORE_WHOLE : SCORE_BEGINNING);
	}
	return best ? best + (found > 1 ? SCORE_OFTEN : 0) : 0;
}

/* Whether the terms stand one behind the other, as they were written. */
static bool in_order(const struct search_query *q, const struct tokens *t)
{
	for (size_t start = 0; start < t->n; start++) {
		size_t at = start, i = 0;

		for (; i < q->terms_n && term_fits(q, &q->terms[i], t, at) != FIT_NONE; i++)
			at += q->terms[i].n;
		if (i == q->terms_n)
			return true;
	}
	return false;
}

bool match_text(const struct search_query *q, const struct tokens *t, struct match *m)
{
	*m = (struct match){0};
	for (size_t i = 0; i < q->terms_n; i++) {
		int score = find_term(q, &q->terms[i], t, m);

		if (!score)
			return false;
		m->score += score;
	}
	join_hits(m);
	if (q->terms_n > 1 && in_order(q, t))
		m->score += SCORE_IN_ORDER;
	if (q->terms_n && t->n <= q->tokens.n * DENSE_SHARE)
		m->score += SCORE_DENSE;
	return true;
}

/* ---- snippets */

static void add_piece(struct strbuf *b, bool *first, const char *s, size_t n, bool hit, const char *before,
		      const char *after)
{
	AUTO_STRBUF text = {0};

	if (!n)
		return;
	strbuf_adds(&text, before);
	for (size_t i = 0; i < n; i++) /* one line */
		strbuf_addc(&text, s[i] == '\n' || s[i] == '\r' || s[i] == '\t' ? ' ' : s[i]);
	strbuf_adds(&text, after);
	strbuf_adds(b, *first ? "{\"text\":" : ",{\"text\":");
	strbuf_add_json(b, text.p, text.n);
	strbuf_adds(b, hit ? ",\"hit\":true}" : "}");
	*first = false;
}

/* So many code points back from at, to the beginning of a word where one is near. */
static size_t back_from(const char *text, size_t at, size_t points)
{
	size_t i = at, blank = 0;
	bool seen = false;

	while (i > 0 && points > 0) {
		i--;
		if (((unsigned char)text[i] & 0xc0) == 0x80)
			continue;
		points--;
		if (text[i] == ' ' || text[i] == '\n') {
			blank = i + 1;
			seen = true;
		}
	}
	return i > 0 && seen && points == 0 ? blank : i;
}

void match_snippet(struct strbuf *b, const char *text, size_t n, const struct match *m)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	size_t start = m->n ? back_from(text, m->hits[0].from, BEFORE_HIT) : 0, at, end;
	bool first = true;

	end = start + utf8_prefix(text + start, n - start, SNIPPET_CHARS);
	at = start;
	strbuf_addc(b, '[');
	for (size_t i = 0; i < m->n && m->hits[i].from < end; i++) {
		size_t to = MIN_OF((size_t)m->hits[i].to, end);

		add_piece(b, &first, text + at, m->hits[i].from - at, false, at == start && start ? ellipsis : "", "");
		add_piece(b, &first, text + m->hits[i].from, to - m->hits[i].from, true, "", "");
		at = to;
	}
	add_piece(b, &first, text + at, end - at, false, at == start && start ? ellipsis : "", end < n ? ellipsis : "");
	strbuf_addc(b, ']');
}
