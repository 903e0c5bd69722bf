/* frame: lines joined for one write. Receivers with the same lines share the bytes: a cache holds what was joined since
 * the last frame_cache_clear(), which its owner calls when all have been written. One thread. */
#pragma once
#include "lib/live/line.h"

struct frame_cache;

/* headroom: bytes that the writer may use in front of a frame. bytes_max: of all frames kept; beyond it frames are
 * joined into one scratch buffer, valid until the next call only. */
struct frame_cache *frame_cache_new(size_t headroom, size_t bytes_max);
/* The same for server-sent events: each line is one, `data: LINE`, before it `id: CURSOR` where the line has one. */
struct frame_cache *frame_cache_new_sse(size_t headroom, size_t bytes_max);
void frame_cache_free(struct frame_cache **c);

/* The n lines (1 or more), each with a line feed behind it (or as an event); *len gets the length. Valid until the next
 * frame_get() or frame_cache_clear(). The headroom in front may be written to, the rest not. */
char *frame_get(struct frame_cache *c, struct line *const *lines, size_t n, size_t *len);
void frame_cache_clear(struct frame_cache *c);

struct frame_stats {
	uint64_t asked, joined; /* joined: built, not found in the cache */
};
void frame_cache_stats(const struct frame_cache *c, struct frame_stats *out);
