/* write_queue: what waits for a batch, in the order in which it came, which is that of the deadlines. */
#pragma once
#include "lib/db/write_item.h"
struct write_held;

struct write_queue {
	struct write_item *first, **last;
	size_t n, bytes;
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
}

/* Puts items back to the head, in the order they had: never behind newer items of their channel. */
void write_queue_put_back(struct write_queue *q, struct write_item **items, size_t n);
/* Takes from the head what fits into one batch; items of held channels stay, in their order. Returns how many. */
size_t write_queue_take(struct write_queue *q, struct write_item **items, size_t max, size_t max_bytes,
			const struct write_held *held, int64_t now);
/* Takes those whose deadline is over, as a list. NULL: none. */
struct write_item *write_queue_take_late(struct write_queue *q, int64_t now);
