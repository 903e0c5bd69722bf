/* write_queue: what waits for a batch, in the order in which it came; but what was put back stands ahead of older items
 * of other channels that were held out meanwhile, so the deadlines have no order. */
#pragma once
#include "lib/db/write_item.h"
struct write_held;

struct write_queue {
	struct write_item *first, **last;
	size_t n, bytes;
	int64_t late_at; /* no deadline in it is earlier */
};

void write_queue_init(struct write_queue *q);

/* These two are here as they are done for each item. */
static inline size_t write_queue_weight(const struct write_item *i)
{
	return i->body_n + i->tail_n + (i->named_n + i->calls_n + i->files_n) * sizeof(int64_t) + sizeof(*i);
}

static inline void write_queue_add(struct write_queue *q, struct write_item *i)
{
	i->next = NULL;
	*q->last = i;
	q->last = &i->next;
	q->n++;
	q->bytes += write_queue_weight(i);
	q->late_at = MIN_OF(q->late_at, i->deadline);
}

/* Puts items back to the head, in the order they had: never behind newer items of their channel. */
void write_queue_put_back(struct write_queue *q, struct write_item **items, size_t n);
/* Takes from the head what fits into one batch; items of held channels stay, in their order. Returns how many. */
size_t write_queue_take(struct write_queue *q, struct write_item **items, size_t max, size_t max_bytes,
			const struct write_held *held, int64_t now);
/* Takes those whose deadline is over, wherever they stand, as a list. NULL: none. */
struct write_item *write_queue_take_late(struct write_queue *q, int64_t now);
/* When to ask for them again: no later than the earliest deadline. INT64_MAX: it is empty. */
static inline int64_t write_queue_next_late(const struct write_queue *q)
{
	return q->first ? q->late_at : INT64_MAX;
}
