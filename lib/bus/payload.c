/* payload: splitting a notification's lines. */
#include "lib/bus/payload.h"
#include "lib/base/codec.h"
#include <string.h>

/* Takes the word up to the next blank (or the end) off *line. */
static struct span word(struct span *line)
{
	const char *blank = memchr(line->p, ' ', line->n);
	struct span w = {line->p, blank ? (size_t)(blank - line->p) : line->n};
	size_t taken = w.n + (blank ? 1 : 0);

	line->p += taken;
	line->n -= taken;
	return w;
}

static bool number(struct span *line, int64_t *out)
{
	struct span w = word(line);

	return int_parse(w.p, w.n, EVENT_ID_MAX, out);
}

static bool audience_number(struct span *line, int64_t *out)
{
	if (line->n >= 3 && (!memcmp(line->p, "-1 ", 3) || !memcmp(line->p, "-2 ", 3))) {
		*out = line->p[1] == '1' ? AUDIENCE_EVERYONE : AUDIENCE_ALL;
		line->p += 3;
		line->n -= 3;
		return true;
	}
	return number(line, out);
}

/* Those that the log does not hold. */
static bool is_state(char kind)
{
	static const char kinds[] = {EVENT_STATE,    EVENT_PRESENCE, EVENT_TYPING, EVENT_MARK,
				     EVENT_INTEREST, EVENT_BEACON,   EVENT_TEST};

	return memchr(kinds, kind, sizeof(kinds)) != NULL;
}

static bool parse(struct span line, struct event *out)
{
	struct span kind;

	if (!number(&line, &out->id))
		return false;
	kind = word(&line);
	if (kind.n != 1)
		return false;
	out->kind = kind.p[0];
	if (!number(&line, &out->channel) || !audience_number(&line, &out->audience) || !number(&line, &out->subject))
		return false;
	out->json = line;
	if ((out->id == 0) != is_state(out->kind))
		return false;
	if (out->kind == EVENT_FETCH || out->kind == EVENT_TEST)
		return line.n == 0;
	return line.n >= 2 && line.p[0] == '{' && line.p[line.n - 1] == '}';
}

int payload_next(struct span *rest, struct event *out)
{
	const char *end;
	struct span line;

	if (!rest->n)
		return 0;
	end = memchr(rest->p, '\n', rest->n);
	line = (struct span){rest->p, end ? (size_t)(end - rest->p) : rest->n};
	rest->p += line.n + (end ? 1 : 0);
	rest->n -= line.n + (end ? 1 : 0);
	memset(out, 0, sizeof(*out));
	return parse(line, out) ? 1 : -1;
}

static bool skip(struct span *s, const char *literal)
{
	size_t n = strlen(literal);

	if (s->n < n || memcmp(s->p, literal, n) != 0)
		return false;
	s->p += n;
	s->n -= n;
	return true;
}

/* The text up to the next quote. */
static bool quoted(struct span *s, struct span *out)
{
	const char *quote = memchr(s->p, '"', s->n);

	if (!quote)
		return false;
	*out = (struct span){s->p, (size_t)(quote - s->p)};
	s->n -= out->n + 1;
	s->p = quote + 1;
	return true;
}

/* The start of a line with a cursor; *s is behind it. */
static bool line_start(struct span *s, struct span *cursor)
{
	struct span type;

	return skip(s, "{\"type\":\"") && quoted(s, &type) && skip(s, ",\"cursor\":\"") && quoted(s, cursor);
}

bool event_line_cursor(struct span json, struct span *cursor)
{
	return line_start(&json, cursor);
}

size_t event_line_tail(struct span json, struct span *mark)
{
	struct span s = json, cursor;
	const char *dot;

	if (!line_start(&s, &cursor))
		return 0;
	dot = memchr(cursor.p, '.', cursor.n);
	if (!dot || !s.n || (*s.p != ',' && *s.p != '}'))
		return 0;
	if (mark)
		*mark = (struct span){cursor.p, (size_t)(dot - cursor.p)};
	return (size_t)(s.p - json.p) + (*s.p == ',' ? 1 : 0);
}

/* Behind name, which nobody's words in such a line can hold. */
static int64_t number_behind(struct span json, const char *name, int64_t none)
{
	const char *at = memmem(json.p, json.n, name, strlen(name));
	size_t n = 0, left;
	int64_t number;

	if (!at)
		return none;
	at += strlen(name);
	left = json.n - (size_t)(at - json.p);
	while (n < left && at[n] >= '0' && at[n] <= '9')
		n++;
	return int_parse(at, n, EVENT_ID_MAX, &number) ? number : none;
}

int64_t event_line_first_seq(struct span json)
{
	return number_behind(json, "\"first_seq\": ", 1); /* as jsonb is written */
}

int64_t event_line_thread(struct span json)
{
	return number_behind(json, "\"thread\":", 0);
}
