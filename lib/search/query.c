/* query: split at white space and quotes, then cut into tokens. */
#include "lib/search/query.h"
#include "lib/base/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const has_names[] = {"link", "file", "mention", "thread"};

unsigned search_has_named(const char *s, size_t n)
{
	for (unsigned i = 0; 1U << i < HAS_THREAD; i++)
		if (strlen(has_names[i]) == n && !memcmp(has_names[i], s, n))
			return 1U << i;
	return 0;
}

const char *search_has_name(unsigned bit)
{
	for (unsigned i = 0; i < COUNT_OF(has_names); i++)
		if (bit == 1U << i)
			return has_names[i];
	return "";
}

static int bad(struct err *e, const char *detail)
{
	return err_set(e, ERR_BAD_FIELD, "q", "%s", detail);
}

/* ---- pieces: what stands between blanks */

struct piece {
	struct span key; /* of key:value, else empty */
	struct span value;
	bool quoted;
};

static size_t blank_at(const char *s, size_t n)
{
	size_t len;
	uint32_t c;

	if (!n)
		return 0;
	c = utf8_decode(s, &len);
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xa0 || (c >= 0x2000 && c <= 0x200a) ||
			       c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x3000
		       ? len
		       : 0;
}

/* Straight ones, and those that keyboards of phones make of them. */
static size_t quote_at(const char *s, size_t n)
{
	size_t len;
	uint32_t c;

	if (!n)
		return 0;
	c = utf8_decode(s, &len);
	return c == '"' || (c >= 0x201c && c <= 0x201f) || c == 0x300c || c == 0x300d ? len : 0;
}

static size_t char_at(const char *s)
{
	size_t len;

	utf8_decode(s, &len);
	return len;
}

/* A key is lower-case ASCII letters before a colon. */
static size_t key_length(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= 'a' && s[i] <= 'z')
		i++;
	return i > 0 && i < n && s[i] == ':' ? i : 0;
}

static bool is_filter(const char *s, size_t n)
{
	static const char *const keys[] = {"from", "in", "has", "before", "after", "is"};

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (strlen(keys[i]) == n && !memcmp(keys[i], s, n))
			return true;
	return false;
}

/* Takes the next piece off (*s, *n). False at the end. */
static bool next_piece(const char **s, size_t *n, struct piece *out)
{
	const char *p = *s;
	size_t left = *n, len, key;

	*out = (struct piece){0};
	while ((len = blank_at(p, left)) > 0) {
		p += len;
		left -= len;
	}
	if (!left)
		return false;
	key = key_length(p, left);
	if (key && is_filter(p, key)) {
		out->key = (struct span){p, key};
		p += key + 1;
		left -= key + 1;
	}
	len = quote_at(p, left);
	out->quoted = len > 0;
	p += len;
	left -= len;
	out->value.p = p;
	while (left && !(len = out->quoted ? quote_at(p, left) : blank_at(p, left))) {
		/* a quote in the middle begins a piece of its own */
		if (!out->quoted && p != out->value.p && quote_at(p, left))
			break;
		len = char_at(p);
		p += len;
		left -= len;
		len = 0;
	}
	out->value.n = (size_t)(p - out->value.p);
	*s = p + len;
	*n = left - len;
	return true;
}

/* ---- filters */

static int add_name(char **list, size_t *n, struct span value, struct err *e)
{
	if (*n == SEARCH_NAMES_MAX)
		return bad(e, "too many names");
	list[*n] = xcalloc(1, value.n + 1);
	memcpy(list[(*n)++], value.p, value.n);
	return 0;
}

/* A day of the calendar; what the months and years make of it. */
static bool day_valid(struct span s)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y, m, d;

	if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-')
		return false;
	for (size_t i = 0; i < 10; i++)
		if (i != 4 && i != 7 && (s.p[i] < '0' || s.p[i] > '9'))
			return false;
	y = (s.p[0] - '0') * 1000 + (s.p[1] - '0') * 100 + (s.p[2] - '0') * 10 + (s.p[3] - '0');
	m = (s.p[5] - '0') * 10 + (s.p[6] - '0');
	d = (s.p[8] - '0') * 10 + (s.p[9] - '0');
	if (y < 1 || m < 1 || m > 12 || d < 1 || d > days[m - 1])
		return false;
	return m != 2 || d < 29 || (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
}

static int set_day(char out[11], const char *key, struct span value, struct err *e)
{
	if (!day_valid(value))
		return err_set(e, ERR_BAD_FIELD, "q", "%s: expects a day, like 2026-11-25", key);
	if (out[0])
		return err_set(e, ERR_BAD_FIELD, "q", "%s: stands there twice", key);
	memcpy(out, value.p, 10);
	return 0;
}

static bool key_is(const struct piece *p, const char *key)
{
	return strlen(key) == p->key.n && !memcmp(key, p->key.p, p->key.n);
}

static int add_filter(struct search_query *q, const struct piece *p, struct err *e)
{
	struct span value = p->value;
	unsigned bit;

	if (!value.n || utf8_has_control(value.p, value.n, ""))
		return bad(e, "a filter has nothing behind its colon");
	if (key_is(p, "from")) {
		size_t at = value.p[0] == '@' && value.n > 1;

		return add_name(q->senders, &q->senders_n, (struct span){value.p + at, value.n - at}, e);
	}
	if (key_is(p, "in")) {
		size_t hash = value.p[0] == '#' && value.n > 1;

		return add_name(q->rooms, &q->rooms_n, (struct span){value.p + hash, value.n - hash}, e);
	}
	if (key_is(p, "before"))
		return set_day(q->before, "before", value, e);
	if (key_is(p, "after"))
		return set_day(q->after, "after", value, e);
	if (key_is(p, "is")) {
		if (value.n != 6 || memcmp(value.p, "thread", 6) != 0)
			return bad(e, "is: expects thread");
		q->has |= HAS_THREAD;
		return 0;
	}
	bit = search_has_named(value.p, value.n);
	if (!bit)
		return bad(e, "has: expects link, file or mention");
	q->has |= bit;
	return 0;
}

/* ---- */

static int add_words(struct search_query *q, const struct piece *p, bool *any, struct err *e)
{
	*any = true;
	if (q->terms_n == SEARCH_TERMS_MAX)
		return bad(e, "too many words");
	/* the tokens are those of one text, whose words are the terms; one that no token comes of is dropped */
	q->terms[q->terms_n].first = q->words_.n;
	strbuf_add(&q->words_, p->value.p, p->value.n);
	strbuf_addc(&q->words_, '\n');
	q->terms[q->terms_n].n = q->words_.n;
	q->terms[q->terms_n++].whole = p->quoted;
	return 0;
}

/* A single letter or digit as the beginning of a word would find half of everything. */
static bool too_short_to_begin(const struct token *t)
{
	return t->kind == TOKEN_WORD && t->n == 1;
}

/* From where the terms stand in words_ to their tokens. */
static void cut_terms(struct search_query *q)
{
	size_t kept = 0, at = 0;

	tokens_of(&q->tokens, strbuf_cstr(&q->words_), q->words_.n);
	for (size_t i = 0; i < q->terms_n; i++) {
		struct search_term t = {.first = at, .whole = q->terms[i].whole};

		while (at < q->tokens.n && q->tokens.list[at].from < q->terms[i].n)
			at++;
		t.n = at - t.first;
		if (!t.n)
			continue;
		if (too_short_to_begin(&q->tokens.list[at - 1]))
			t.whole = true;
		q->terms[kept++] = t;
	}
	q->terms_n = kept;
}

int search_query_parse(const char *s, size_t n, struct search_query *q, struct err *e)
{
	struct piece p;
	bool words = false;

	*q = (struct search_query){0};
	if (utf8_length(s, n) > SEARCH_QUERY_CHARS)
		return err_set(e, ERR_BAD_FIELD, "q", "must be %d characters at most", SEARCH_QUERY_CHARS);
	if (utf8_has_control(s, n, "\t\n\r"))
		return bad(e, "contains a control character");
	while (next_piece(&s, &n, &p))
		if ((p.key.n ? add_filter(q, &p, e) : add_words(q, &p, &words, e)) < 0)
			return -1;
	cut_terms(q);
	if (q->terms_n || q->senders_n || q->rooms_n || q->has || q->before[0] || q->after[0])
		return 0;
	return bad(e, words ? "holds no letter, digit or emoji" : "must not be empty");
}

void search_query_release(struct search_query *q)
{
	for (size_t i = 0; i < q->senders_n; i++)
		free(q->senders[i]);
	for (size_t i = 0; i < q->rooms_n; i++)
		free(q->rooms[i]);
	tokens_release(&q->tokens);
	strbuf_release(&q->words_);
	*q = (struct search_query){0};
}

/* ---- the template: lexemes hold letters, digits, marks and emoji only, so nothing in them needs escaping */

static void add_lexeme(struct strbuf *b, char kind, const char *s, size_t n, const char *more, size_t more_n,
		       bool beginning)
{
	strbuf_adds(b, b->n ? "&'" : "'");
	strbuf_addc(b, SEARCH_MARK);
	strbuf_addc(b, kind);
	strbuf_add(b, s, n);
	strbuf_add(b, more, more_n);
	strbuf_adds(b, beginning ? "':*" : "'");
}

static void add_term(const struct search_query *q, const struct search_term *term, struct strbuf *b)
{
	const struct tokens *t = &q->tokens;
	size_t end = term->first + term->n;

	for (size_t i = term->first; i < end; i++) {
		const struct token *one = &t->list[i], *next = i + 1 < end ? one + 1 : NULL;
		bool last = i + 1 == end;

		if (next && next->joined) /* two by two; the last one is in the pair before */
			add_lexeme(b, SEARCH_WORD, token_text(t, i), one->n, token_text(t, i + 1), next->n,
				   i + 2 == end && !term->whole);
		// NOLINTNEXTLINE(clang-analyzer-core.NullDereference): where there are terms there is a list
		else if (one->kind != TOKEN_UNIT)
			add_lexeme(b, SEARCH_WORD, token_text(t, i), one->n, "", 0,
				   (last && !term->whole) || one->n == TOKEN_BYTES_MAX);
		else if (!one->joined || i == term->first)
			add_lexeme(b, SEARCH_WORD, token_text(t, i), one->n, "", 0, true);
	}
}

/* Any of the ids in {1,2}. */
static void add_any(struct strbuf *b, char kind, const char *ids)
{
	const char *p = ids + 1;

	if (ids[0] != '{' || *p == '}')
		return;
	strbuf_adds(b, b->n ? "&(" : "(");
	while (*p && *p != '}') {
		size_t n = strcspn(p, ",}");

		strbuf_addf(b, "%s'%c%c%.*s'", p == ids + 1 ? "" : "|", SEARCH_MARK, kind, (int)n, p);
		p += n + (p[n] == ',');
	}
	strbuf_addc(b, ')');
}

void search_query_template(const struct search_query *q, const char *rooms, const char *senders, struct strbuf *b)
{
	for (size_t i = 0; i < q->terms_n; i++)
		add_term(q, &q->terms[i], b);
	for (unsigned i = 0; i < COUNT_OF(has_names); i++)
		if (q->has & 1U << i)
			add_lexeme(b, SEARCH_HAS, has_names[i], strlen(has_names[i]), "", 0, false);
	add_any(b, SEARCH_ROOM, rooms);
	add_any(b, SEARCH_SENDER, senders);
}
