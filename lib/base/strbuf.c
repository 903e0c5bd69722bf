/* strbuf: growing bytes with a ceiling. */
#include "lib/base/strbuf.h"
#include "lib/base/codec.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool room(struct strbuf *b, size_t n)
{
	size_t max = b->max ? b->max : STRBUF_MAX_DEFAULT;
	size_t cap = b->cap ? b->cap : 64;

	if (b->failed || n > max || b->n > max - n) {
		b->failed = true;
		return false;
	}
	if (b->n + n + 1 <= b->cap)
		return true;
	while (cap < b->n + n + 1)
		cap *= 2;
	b->p = xrealloc(b->p, cap);
	b->cap = cap;
	return true;
}

void strbuf_reserve(struct strbuf *b, size_t n)
{
	(void)room(b, n);
}

void strbuf_add(struct strbuf *b, const void *p, size_t n)
{
	if (!room(b, n))
		return;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = 0;
}

void strbuf_addc(struct strbuf *b, char c)
{
	if (!room(b, 1))
		return;
	b->p[b->n++] = c;
	b->p[b->n] = 0;
}

void strbuf_addi(struct strbuf *b, int64_t v)
{
	char t[INT_TEXT_MAX];

	strbuf_add(b, t, (size_t)(int_text(t, v) - t));
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (b->failed)
		return;
	va_start(ap, fmt);
	n = vsnprintf(b->p ? b->p + b->n : NULL, b->cap - b->n, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < b->cap - b->n) {
		b->n += (size_t)n;
		return;
	}
	if (b->p)
		b->p[b->n] = 0;
	if (n < 0 || !room(b, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

/* Bytes that may have to be escaped; 0xe2 begins U+2028 and U+2029. */
static const bool json_special[256] = {[0 ... 0x1f] = true, ['"'] = true, ['\\'] = true, [0x7f] = true, [0xe2] = true};

void strbuf_add_json(struct strbuf *b, const char *s, size_t n)
{
	size_t from = 0;

	strbuf_addc(b, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		const char *esc = NULL;
		char u[8];
		size_t skip = 1;

		if (!json_special[c])
			continue;
		if (c == '"')
			esc = "\\\"";
		else if (c == '\\')
			esc = "\\\\";
		else if (c == '\n')
			esc = "\\n";
		else if (c == '\r')
			esc = "\\r";
		else if (c == '\t')
			esc = "\\t";
		else if (c < 0x20 || c == 0x7f) {
			snprintf(u, sizeof(u), "\\u%04x", c);
			esc = u;
		} else if (c == 0xe2 && i + 2 < n && (unsigned char)s[i + 1] == 0x80 &&
			   ((unsigned char)s[i + 2] | 1) == 0xa9) {
			/* line ends to JavaScript: a server-sent event or a script must not be split by them */
			esc = (unsigned char)s[i + 2] == 0xa8 ? "\\u2028" : "\\u2029";
			skip = 3;
		}
		if (!esc)
			continue;
		strbuf_add(b, s + from, i - from);
		strbuf_adds(b, esc);
		i += skip - 1;
		from = i + 1;
	}
	strbuf_add(b, s + from, n - from);
	strbuf_addc(b, '"');
}

void strbuf_add_markup(struct strbuf *b, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '&':
			strbuf_adds(b, "&amp;");
			break;
		case '<':
			strbuf_adds(b, "&lt;");
			break;
		case '>':
			strbuf_adds(b, "&gt;");
			break;
		case '"':
			strbuf_adds(b, "&quot;");
			break;
		case '\'':
			strbuf_adds(b, "&#39;");
			break;
		default:
			strbuf_addc(b, *s);
		}
}

const char *strbuf_cstr(struct strbuf *b)
{
	return b->p ? b->p : "";
}

void strbuf_reset(struct strbuf *b)
{
	b->n = 0;
	b->failed = false;
	if (b->p)
		b->p[0] = 0;
}

void strbuf_release(struct strbuf *b)
{
	free(b->p);
	b->p = NULL;
	b->n = b->cap = 0;
	b->failed = false;
}

char *strbuf_take(struct strbuf *b, size_t *n)
{
	char *p = b->p ? b->p : xcalloc(1, 1);

	*n = b->n;
	b->p = NULL;
	b->n = b->cap = 0;
	return p;
}
