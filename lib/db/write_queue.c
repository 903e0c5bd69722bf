/* write_queue: a list. */
#include "lib/db/write_queue.h"
#include "lib/db/write_held.h"

void write_queue_init(struct write_queue *q)
{
	*q = (struct write_queue){.last = &q->first, .late_at = INT64_MAX};
}

void write_queue_put_back(struct write_queue *q, struct write_item **items, size_t n)
{
	if (n && !q->first)
		q->last = &items[n - 1]->next;
	for (size_t k = n; k-- > 0;) {
		items[k]->next = q->first;
		q->first = items[k];
		q->n++;
		q->bytes += write_queue_weight(items[k]);
		q->late_at = MIN_OF(q->late_at, items[k]->deadline);
	}
}

size_t write_queue_take(struct write_queue *q, struct write_item **items, size_t max, size_t max_bytes,
			const struct write_held *held, int64_t now)
{
	struct write_item **at = &q->first;
	size_t n = 0, bytes = 0;

	while (*at && n < max) {
		struct write_item *i = *at;

		if (held->n && write_held_out(held, i->channel, now)) {
			at = &i->next;
			continue;
		}
		if (n && (i->alone || bytes + write_queue_weight(i) > max_bytes))
			break;
		*at = i->next;
		bytes += write_queue_weight(i);
		items[n++] = i;
		if (i->alone)
			break;
	}
	if (!*at)
		q->last = at;
	q->n -= n;
	q->bytes -= bytes;
	return n;
}

/* Looks at all of them, but only where one may be late: what left with a batch is still counted in late_at, so that is
 * once in a while where nobody waits long. */
struct write_item *write_queue_take_late(struct write_queue *q, int64_t now)
{
	struct write_item *late = NULL, **end = &late, **at = &q->first;

	if (q->late_at > now)
		return NULL;
	q->late_at = INT64_MAX;
	while (*at) {
		struct write_item *i = *at;

		if (i->deadline > now) {
			q->late_at = MIN_OF(q->late_at, i->deadline);
			at = &i->next;
			continue;
		}
		*at = i->next;
		i->next = NULL;
		*end = i;
		end = &i->next;
		q->n--;
		q->bytes -= write_queue_weight(i);
	}
	q->last = at;
	return late;
}
