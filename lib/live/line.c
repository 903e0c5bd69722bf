/* line: shared bytes. */
#include "lib/live/line.h"
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
