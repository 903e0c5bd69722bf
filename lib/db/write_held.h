/* write_held: channels whose rows somebody else holds. They are left out of batches for a while, and who holds one for
 * too long is ended. */
#pragma once
#include "lib/db/pgconn.h"

#define WRITE_HELD_MAX 64
#define WRITE_HELD_MS 2000 /* a holder of over so long is ended */

struct write_held { /* zeroed */
	struct write_held_channel {
		int64_t channel, since, until; /* mono ms; until: it is left out so long */
	} all[WRITE_HELD_MAX];
	size_t n;
	int64_t ended_at;
};

/* An item of this channel had to wait. Over WRITE_HELD_MAX channels none is added: it is tried again at once, which
 * costs time and no more. */
void write_held_add(struct write_held *h, int64_t channel, int64_t now);
void write_held_remove(struct write_held *h, int64_t channel);
bool write_held_out(const struct write_held *h, int64_t channel, int64_t now); /* it is to be left out now */
int64_t write_held_next(const struct write_held *h, int64_t now); /* when one is to be tried again; INT64_MAX: never */

/* Ends those who have held one of the channels for too long, once in a while. */
void write_held_end_holders(struct write_held *h, struct pgconn *conn, int64_t now);
/* A batch of which no item had to wait for a channel has waited for the sequencer, and for WRITE_HELD_MS. */
void write_held_end_sequencer_holder(struct pgconn *conn);
