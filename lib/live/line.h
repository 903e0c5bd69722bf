/* line: the bytes of one event for clients, made once, shared by all who get it, counted. One thread. */
#pragma once
#include "lib/base/base.h"

struct line {
	uint32_t refs;
	uint32_t n;
	char p[]; /* without a line end */
};

struct line *line_new(const char *p, size_t n); /* with one reference, the caller's; n below 4 GiB */
static inline struct line *line_ref(struct line *l)
{
	l->refs++;
	return l;
}
void line_unref(struct line **l);
/* event_line_first_seq() of a join's line. NULL: 1. */
int64_t line_first_seq(const struct line *l); /* NULL is fine; sets *l to NULL */
