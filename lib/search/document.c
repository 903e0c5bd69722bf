/* document: text, files and mentions; and its lexemes. */
#include "lib/search/document.h"
#include "lib/json/jx.h"
#include <string.h>
#include <strings.h>

#define VECTOR_BYTES_MAX ((size_t)512 << 10) /* PostgreSQL takes 1 MiB, with a mark for each lexeme */

static bool has_link(struct span s)
{
	for (size_t i = 0; i + 7 < s.n; i++)
		if ((s.p[i] | 0x20) == 'h' &&
		    (!strncasecmp(s.p + i, "http://", 7) || (i + 8 < s.n && !strncasecmp(s.p + i, "https://", 8))))
			return true;
	return false;
}

/* An array with something in it. */
static bool has_any(const struct jx *body, const char *name)
{
	const struct jx *v = jx_get(body, name);
	AUTO_STRBUF b = {0};

	if (!jx_is(v, JX_ARRAY))
		return false;
	jx_write(&b, v);
	return b.n > 2;
}

void document_read(const char *body, size_t n, bool reply, struct document *d)
{
	struct err e = {0};

	*d = (struct document){.text = {"", 0}};
	if (jx_parse(body, n, &d->body, &e) < 0)
		return;
	if (jx_is(jx_get(d->body, "text"), JX_STRING)) {
		d->text.p = jx_text(jx_get(d->body, "text"));
		d->text.n = strlen(d->text.p);
	}
	if (has_link(d->text))
		d->has |= HAS_LINK;
	if (has_any(d->body, "files"))
		d->has |= HAS_FILE;
	if (has_any(d->body, "mentions"))
		d->has |= HAS_MENTION;
	if (reply)
		d->has |= HAS_THREAD;
}

void document_release(struct document *d)
{
	jx_free(&d->body);
}

/* Lexemes hold letters, digits, marks and emoji only: nothing in them needs escaping. */
static void add_lexeme(struct strbuf *b, char kind, const char *s, size_t n, const char *more, size_t more_n)
{
	strbuf_adds(b, b->n ? " '" : "'");
	strbuf_addc(b, SEARCH_MARK);
	strbuf_addc(b, kind);
	strbuf_add(b, s, n);
	strbuf_add(b, more, more_n);
	strbuf_addc(b, '\'');
}

void document_vector(struct strbuf *b, const struct document *d, const struct tokens *t, int64_t channel,
		     int64_t sender)
{
	for (unsigned bit = 1; bit <= d->has; bit <<= 1)
		if (d->has & bit)
			add_lexeme(b, SEARCH_HAS, search_has_name(bit), strlen(search_has_name(bit)), "", 0);
	strbuf_adds(b, b->n ? " '" : "'");
	strbuf_addf(b, "%c%c%lld' '%c%c%lld'", SEARCH_MARK, SEARCH_ROOM, (long long)channel, SEARCH_MARK, SEARCH_SENDER,
		    (long long)sender);
	for (size_t i = 0; i < t->n && b->n < VECTOR_BYTES_MAX; i++) {
		const struct token *one = &t->list[i], *next = i + 1 < t->n ? one + 1 : NULL;

		/* characters of a run two by two; its last one by itself, since what begins with it is looked for */
		if (next && next->joined)
			add_lexeme(b, SEARCH_WORD, token_text(t, i), one->n, token_text(t, i + 1), next->n);
		else
			add_lexeme(b, SEARCH_WORD, token_text(t, i), one->n, "", 0);
	}
}
