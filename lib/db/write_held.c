/* write_held: few at a time, so a list. */
#include "lib/db/write_held.h"
#include "lib/base/log.h"

#define OUT_MS 100 /* a held channel is left out for so long */

static size_t place_of(const struct write_held *h, int64_t channel)
{
	size_t k = 0;

	while (k < h->n && h->all[k].channel != channel)
		k++;
	return k;
}

void write_held_add(struct write_held *h, int64_t channel, int64_t now)
{
	size_t k = place_of(h, channel);

	if (k == WRITE_HELD_MAX)
		return;
	if (k == h->n)
		h->all[h->n++] = (struct write_held_channel){.channel = channel, .since = now};
	h->all[k].until = now + OUT_MS;
}

void write_held_remove(struct write_held *h, int64_t channel)
{
	size_t k = place_of(h, channel);

	if (k < h->n)
		h->all[k] = h->all[--h->n];
}

bool write_held_out(const struct write_held *h, int64_t channel, int64_t now)
{
	size_t k = place_of(h, channel);

	return k < h->n && h->all[k].until > now;
}

int64_t write_held_next(const struct write_held *h, int64_t now)
{
	int64_t next = INT64_MAX;

	for (size_t k = 0; k < h->n; k++)
		next = MIN_OF(next, MAX_OF(h->all[k].until, now + 1));
	return next;
}

/* ---- ending holders */

static void on_ended(void *arg, const PGresult *r, const struct err *e)
{
	(void)arg;
	if (!e && result_rows(r) == 1 && result_int(r, 0, 0) > 0)
		log_warning("writer.ended_holders", "sessions=%lld", (long long)result_int(r, 0, 0));
}

void write_held_end_holders(struct write_held *h, struct pgconn *conn, int64_t now)
{
	int64_t channels[WRITE_HELD_MAX];
	size_t n = 0;

	for (size_t k = 0; k < h->n;) {
		if (h->all[k].until + WRITE_HELD_MS < now) { /* nothing has been sent there for a while */
			h->all[k] = h->all[--h->n];
			continue;
		}
		if (h->all[k].since + WRITE_HELD_MS <= now)
			channels[n++] = h->all[k].channel;
		k++;
	}
	if (n == 0 || h->ended_at + WRITE_HELD_MS / 2 > now)
		return;
	h->ended_at = now;
	pgconn_query(conn, STMT_end_holders, 0, on_ended, NULL, "I", channels, n);
}

void write_held_end_sequencer_holder(struct pgconn *conn)
{
	pgconn_query(conn, STMT_end_holders, 0, on_ended, NULL, "I", (const int64_t *)NULL, (size_t)0);
}
