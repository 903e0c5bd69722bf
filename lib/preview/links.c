/* links: a walk over the text that knows of Markdown's code only. */
#include "lib/preview/links.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

/* How many of c stand at p. */
static size_t run_of(const char *p, const char *end, char c)
{
	size_t n = 0;

	while (p + n < end && p[n] == c)
		n++;
	return n;
}

/* Behind the code that a run of ticks opens; NULL: nothing closes it, so that it is none. */
static const char *code_end(const char *p, const char *end, size_t ticks)
{
	for (p += ticks; p < end;) {
		size_t n = run_of(p, end, '`');

		if (n == ticks)
			return p + n;
		p += n ? n : 1;
	}
	return NULL;
}

static size_t scheme_at(const char *p, const char *end)
{
	if (end - p > 8 && !strncasecmp(p, "https://", 8))
		return 8;
	return end - p > 7 && !strncasecmp(p, "http://", 7) ? 7 : 0;
}

/* Closing brackets that were opened within stay. */
static size_t trimmed(const char *p, size_t n)
{
	for (; n; n--) {
		char c = p[n - 1], open = c == ')' ? '(' : c == ']' ? '[' : c == '}' ? '{' : 0;
		size_t opened = 0, closed = 0;

		if (!open) {
			if (!strchr(".,;:!?'*_~|", c))
				return n;
			continue;
		}
		for (size_t i = 0; i < n; i++) {
			opened += p[i] == open;
			closed += p[i] == c;
		}
		if (closed <= opened)
			return n;
	}
	return 0;
}

bool link_find(const char *text, size_t n, struct span *link)
{
	const char *end = text + n, *p = text, *behind;

	while (p < end) {
		size_t ticks = run_of(p, end, '`'), scheme = scheme_at(p, end), len;

		if (ticks) {
			behind = code_end(p, end, ticks);
			p = behind ? behind : p + ticks;
			continue;
		}
		if (!scheme || (p > text && isalnum((unsigned char)p[-1]))) {
			p++;
			continue;
		}
		for (len = scheme; p + len < end && (unsigned char)p[len] > ' ' && !strchr("<>\"`\\^{|}", p[len]);
		     len++)
			;
		len = trimmed(p, len);
		if (len > scheme && len <= LINK_MAX) {
			*link = (struct span){p, len};
			return true;
		}
		p += scheme;
	}
	return false;
}
