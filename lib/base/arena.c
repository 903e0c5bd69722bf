/* arena: a chain of blocks, each twice the last. */
#include "lib/base/arena.h"
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_FIRST_BLOCK ((size_t)8192)

struct block {
	struct block *next;
	size_t size, used;
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct block *head;
	size_t total, limit;
};

static struct block *block_new(struct arena *a, size_t size)
{
	struct block *b;

	if (a->total + size > a->limit) {
		fputs("arena over its limit\n", stderr);
		abort();
	}
	b = xmalloc(sizeof(*b) + size);
	b->size = size;
	b->used = 0;
	b->next = a->head;
	a->head = b;
	a->total += size;
	return b;
}

struct arena *arena_new(size_t limit)
{
	struct arena *a = xcalloc(1, sizeof(*a));

	a->limit = MAX_OF(limit, ARENA_FIRST_BLOCK);
	block_new(a, ARENA_FIRST_BLOCK);
	return a;
}

void arena_reset(struct arena *a)
{
	while (a->head->next) {
		struct block *b = a->head;

		a->head = b->next;
		a->total -= b->size;
		free(b);
	}
	a->head->used = 0;
}

void arena_free(struct arena **a)
{
	if (!*a)
		return;
	arena_reset(*a);
	free((*a)->head);
	free(*a);
	*a = NULL;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct block *b = a->head;
	void *p;

	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (b->size - b->used < n)
		b = block_new(a, MAX_OF(n, MIN_OF(b->size * 2, (size_t)1 << 20)));
	p = b->bytes + b->used;
	b->used += n;
	return memset(p, 0, n);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	if (n)
		memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *p;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}
