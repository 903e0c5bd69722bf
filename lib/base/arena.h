/* arena: memory of one request, freed at once. One thread at a time. */
#pragma once
#include "lib/base/base.h"

struct arena;

/* limit: bytes in all, beyond which arena_alloc aborts: a programming error, since sizes from outside are bounded
 * first. */
struct arena *arena_new(size_t limit);
void arena_free(struct arena **a); /* NULL is fine; sets *a to NULL */
void arena_reset(struct arena *a); /* frees what was given out, keeps the first block */

/* Zeroed, aligned for any type, valid until reset or free. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((malloc, returns_nonnull));
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n); /* adds a NUL */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
