/* line: shared bytes. */
#include "lib/live/line.h"
#include "lib/bus/payload.h"
#include <stdlib.h>
#include <string.h>

struct line *line_new(const char *p, size_t n)
{
	struct line *l = xmalloc(sizeof(*l) + n);

	l->refs = 1;
	l->n = (uint32_t)n;
	memcpy(l->p, p, n);
	return l;
}

void line_unref(struct line **l)
{
	struct line *gone = *l;

	*l = NULL;
	if (gone && --gone->refs == 0)
		free(gone);
}

int64_t line_first_seq(const struct line *l)
{
	return l ? event_line_first_seq((struct span){l->p, l->n}) : 1;
}
