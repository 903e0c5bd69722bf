/* frame: a small hash from a list of lines (by identity) to their joined bytes. */
#include "lib/live/frame.h"
#include "lib/bus/payload.h"
#include <stdlib.h>
#include <string.h>

#define CACHE_SLOTS 256 /* a power of two */
#define CACHE_PROBES 4

struct cached {
	uint64_t hash;
	struct line **lines; /* with a reference each, so that no other line takes their address meanwhile */
	size_t n;
	char *bytes; /* headroom in front */
	size_t len;
};

struct frame_cache {
	bool sse;
	size_t headroom, bytes_max, bytes;
	struct cached slots[CACHE_SLOTS];
	unsigned used[CACHE_SLOTS]; /* which slots to clear */
	size_t used_n;
	char *scratch;
	size_t scratch_n;
	struct frame_stats stats;
};

struct frame_cache *frame_cache_new(size_t headroom, size_t bytes_max)
{
	struct frame_cache *c = xcalloc(1, sizeof(*c));

	c->headroom = headroom;
	c->bytes_max = bytes_max;
	return c;
}

struct frame_cache *frame_cache_new_sse(size_t headroom, size_t bytes_max)
{
	struct frame_cache *c = frame_cache_new(headroom, bytes_max);

	c->sse = true;
	return c;
}

void frame_cache_clear(struct frame_cache *c)
{
	for (size_t i = 0; i < c->used_n; i++) {
		struct cached *s = &c->slots[c->used[i]];

		for (size_t k = 0; k < s->n; k++)
			line_unref(&s->lines[k]);
		free(s->lines);
		free(s->bytes);
		memset(s, 0, sizeof(*s));
	}
	c->used_n = 0;
	c->bytes = 0;
	if (c->scratch_n > c->bytes_max) { /* one huge frame shall not stay for ever */
		free(c->scratch);
		c->scratch = NULL;
		c->scratch_n = 0;
	}
}

void frame_cache_free(struct frame_cache **c)
{
	if (!*c)
		return;
	frame_cache_clear(*c);
	free((*c)->scratch);
	free(*c);
	*c = NULL;
}

static uint64_t hash_of(struct line *const *lines, size_t n)
{
	uint64_t h = 1469598103934665603u ^ n;

	for (size_t i = 0; i < n; i++)
		h = (h ^ ((uintptr_t)lines[i] >> 4)) * 1099511628211u;
	return h ^ h >> 29;
}

static char *put(char *to, const char *p, size_t n)
{
	memcpy(to, p, n);
	return to + n;
}

static const char id_field[] = "id: ", data_field[] = "data: ";

static size_t length_of(const struct frame_cache *c, const struct line *l)
{
	struct span cursor;
	size_t n = l->n + 1;

	if (!c->sse)
		return n;
	n += sizeof(data_field) - 1 + 1;
	if (event_line_cursor((struct span){l->p, l->n}, &cursor))
		n += sizeof(id_field) - 1 + cursor.n + 1;
	return n;
}

static void join(const struct frame_cache *c, char *to, struct line *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct line *l = lines[i];
		struct span cursor;

		if (c->sse && event_line_cursor((struct span){l->p, l->n}, &cursor)) {
			to = put(to, id_field, sizeof(id_field) - 1);
			to = put(to, cursor.p, cursor.n);
			*to++ = '\n';
		}
		if (c->sse)
			to = put(to, data_field, sizeof(data_field) - 1);
		to = put(to, l->p, l->n);
		*to++ = '\n';
		if (c->sse)
			*to++ = '\n'; /* ends the event */
	}
}

char *frame_get(struct frame_cache *c, struct line *const *lines, size_t n, size_t *len)
{
	uint64_t h = hash_of(lines, n);
	struct cached *vacant = NULL;
	size_t total = 0;

	c->stats.asked++;
	for (unsigned i = 0; i < CACHE_PROBES; i++) {
		unsigned at = (unsigned)(h + i) & (CACHE_SLOTS - 1);
		struct cached *s = &c->slots[at];

		if (!s->bytes) {
			vacant = s;
			break;
		}
		if (s->hash == h && s->n == n && !memcmp(s->lines, lines, n * sizeof(*lines))) {
			*len = s->len;
			return s->bytes + c->headroom;
		}
	}
	c->stats.joined++;
	for (size_t i = 0; i < n; i++)
		total += length_of(c, lines[i]);
	*len = total;
	if (!vacant || c->bytes + total > c->bytes_max) {
		if (c->scratch_n < c->headroom + total) {
			c->scratch_n = c->headroom + total;
			c->scratch = xrealloc(c->scratch, c->scratch_n);
		}
		join(c, c->scratch + c->headroom, lines, n);
		return c->scratch + c->headroom;
	}
	vacant->hash = h;
	vacant->n = n;
	vacant->len = total;
	vacant->lines = xmalloc(n * sizeof(*lines));
	for (size_t i = 0; i < n; i++)
		vacant->lines[i] = line_ref(lines[i]);
	vacant->bytes = xmalloc(c->headroom + total);
	join(c, vacant->bytes + c->headroom, lines, n);
	c->bytes += total;
	c->used[c->used_n++] = (unsigned)(vacant - c->slots);
	return vacant->bytes + c->headroom;
}

void frame_cache_stats(const struct frame_cache *c, struct frame_stats *out)
{
	*out = c->stats;
}
