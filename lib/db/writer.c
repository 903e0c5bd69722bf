/* writer: group commit with natural batching. See doc/events.md for the measurements behind it. */
#include "lib/db/writer.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/base/strbuf.h"
#include "lib/db/dberr.h"
#include "lib/db/pooler.h"
#include <arpa/inet.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define MUTE_RETRY_MS ((int64_t)86400000) /* at most: who is muted for longer is told to come back in a day */
#define PIECE_BYTES 7900                  /* of a NOTIFY payload; write_batch() checks the true length */
#define LINE_FRONT_BYTES 240              /* what SQL puts in front of an item's tail, at most */
#define FILE_BYTES 400                    /* and into it for each file, about */
#define PARK_MS 100                       /* a held channel is left out for so long */
#define PARKED_MAX 64
#define HOLDER_MS 2000      /* a holder of over so long is ended */
#define RETRY_MS 100        /* after a failure that is nobody's fault */
#define LOOK_MS 2000        /* for so long after a retry was seen, others are expected */
#define OTHERS_MS 10000     /* for so long after another writer's message was seen, more are expected */
#define KNOWN_CHANNELS 4096 /* a power of 2 */
#define EXTEND_EACH 500000  /* events after which partitions ahead are looked at: at full speed an hour is too long */
#define FAR_AWAY_MS 60000
#define PUSH_EACH 32 /* items told of */

/* Plans made while tables were empty cost 3 times as much, and switched-off nodes would start JIT (doc/events.md).
 * lock_timeout: HOLDER_MS, for the wait for the sequencer. */
static const char writer_settings[] =
	"SET lock_timeout = 2000; "
	"SET plan_cache_mode = force_generic_plan; SET enable_hashjoin = off; SET enable_mergejoin = off; "
	"SET enable_seqscan = off; SET enable_bitmapscan = off";

struct parked {
	int64_t channel, since, until;
};

/* The newest seq of a channel that this writer has stored, by this connection: a hint for write_batch(). Others may
 * have stored more. */
struct known {
	int64_t channel, seq;
};

/* Of the channels, of the items, of the NOTIFY payloads. */
enum column { CHANNELS, HINTS, KIND, ROOM, NTH, SENDER, CLIENT, DIGEST, EPOCH, BODY, TAIL, ENDS, COLUMNS };

struct writer {
	const struct config *config;
	struct pgconn *conn;
	void (*watch)(void *arg, int fd, int events);
	void *arg;
	struct write_item *first, **last; /* the queue */
	struct write_item **batch;        /* under way */
	size_t batch_n;
	bool batch_waits;
	int64_t not_before, ended_at, look_until;
	int64_t others_until; /* the hints are not likely the newest */
	struct parked parked[PARKED_MAX];
	size_t parked_n;
	struct known known[KNOWN_CHANNELS]; /* by the channel's lowest bits; another one takes the place */
	struct strbuf columns[COLUMNS];     /* of a batch; their memory stays */
	int64_t extend_at;                  /* the event id from which on to look again */
	struct writer_stats stats;
	bool stopping;
};

struct write_item *write_item_new(void)
{
	struct write_item *i = xcalloc(1, sizeof(*i));

	i->kind = 's';
	i->epoch = -1;
	return i;
}

void write_item_free(struct write_item **i)
{
	if (!*i)
		return;
	free((*i)->body);
	free((*i)->tail);
	free((*i)->named);
	free((*i)->calls);
	free((*i)->files);
	free(*i);
	*i = NULL;
}

static size_t weight(const struct write_item *i)
{
	return i->body_n + i->tail_n + (i->named_n + i->calls_n + i->files_n) * sizeof(int64_t) + sizeof(*i);
}

/* ---- the queue */

/* Puts items back to the head, in the order they had: never behind newer items of their channel. */
static void queue_put_back(struct writer *w, struct write_item **items, size_t n)
{
	if (n && !w->first)
		w->last = &items[n - 1]->next;
	for (size_t k = n; k-- > 0;) {
		items[k]->next = w->first;
		w->first = items[k];
		w->stats.queued++;
		w->stats.queued_bytes += weight(items[k]);
	}
}

static void finish(struct write_item *i)
{
	i->next = NULL;
	i->done(i, i->arg);
}

static void fail(struct writer *w, struct write_item *i, const struct err *e)
{
	w->stats.failures++;
	i->ok = false;
	i->err = *e;
	finish(i);
}

/* ---- channels that someone else holds */

static struct parked *parked_find(struct writer *w, int64_t channel)
{
	for (size_t k = 0; k < w->parked_n; k++)
		if (w->parked[k].channel == channel)
			return &w->parked[k];
	return NULL;
}

static void park(struct writer *w, int64_t channel, int64_t now)
{
	struct parked *p = parked_find(w, channel);

	if (!p) {
		if (w->parked_n == PARKED_MAX)
			return; /* then it is tried again at once, which costs time and no more */
		p = &w->parked[w->parked_n++];
		p->channel = channel;
		p->since = now;
	}
	p->until = now + PARK_MS;
}

static void unpark(struct writer *w, int64_t channel)
{
	struct parked *p = parked_find(w, channel);

	if (p)
		*p = w->parked[--w->parked_n];
}

static void on_ended(void *arg, const PGresult *r, const struct err *e)
{
	(void)arg;
	if (!e && result_rows(r) == 1 && result_int(r, 0, 0) > 0)
		log_warning("writer.ended_holders", "sessions=%lld", (long long)result_int(r, 0, 0));
}

static void end_holders(struct writer *w, int64_t now)
{
	int64_t held[PARKED_MAX];
	size_t n = 0;

	for (size_t k = 0; k < w->parked_n;) {
		if (w->parked[k].until + HOLDER_MS < now) { /* nothing has been sent there for a while */
			w->parked[k] = w->parked[--w->parked_n];
			continue;
		}
		if (w->parked[k].since + HOLDER_MS <= now)
			held[n++] = w->parked[k].channel;
		k++;
	}
	if (n == 0 || w->ended_at + HOLDER_MS / 2 > now)
		return;
	w->ended_at = now;
	pgconn_query(w->conn, STMT_end_holders, 0, on_ended, w, "I", held, n);
}

/* A batch that held no deferred item has waited for the sequencer, and for HOLDER_MS. */
static void end_sequencer_holder(struct writer *w)
{
	pgconn_query(w->conn, STMT_end_holders, 0, on_ended, w, "I", (const int64_t *)NULL, (size_t)0);
}

/* ---- partitions ahead */

static void on_extended(void *arg, const PGresult *r, const struct err *e)
{
	(void)arg;
	if (!e && result_rows(r) == 1)
		log_debug("writer.partitions", "spare=%lld", (long long)result_int(r, 0, 0));
}

static void see_to_partitions(struct writer *w, int64_t event)
{
	if (event < w->extend_at)
		return;
	/* the maintenance has seen to those of the start */
	if (w->extend_at)
		pgconn_query(w->conn, STMT_events_extend, 0, on_extended, w, "");
	w->extend_at = (event / EXTEND_EACH + 1) * EXTEND_EACH;
}

/* ---- a batch as binary arrays (PostgreSQL: array_send) */

static void put32(struct strbuf *b, uint32_t v)
{
	v = htonl(v);
	strbuf_add(b, &v, sizeof(v));
}

static void array_start(struct strbuf *b, uint32_t element_type, size_t n, bool nulls)
{
	put32(b, 1); /* dimensions */
	put32(b, nulls);
	put32(b, element_type);
	put32(b, (uint32_t)n);
	put32(b, 1); /* lower bound */
}

static void put_bytes(struct strbuf *b, const void *p, size_t n)
{
	put32(b, (uint32_t)n);
	strbuf_add(b, p, n);
}

static void put64(struct strbuf *b, int64_t v)
{
	uint64_t be = htobe64((uint64_t)v);

	put_bytes(b, &be, sizeof(be));
}

enum { OID_CHAR = 18, OID_INT8 = 20, OID_INT4 = 23, OID_BYTEA = 17, OID_TEXT = 25, OID_UUID = 2950 };

static const uint32_t column_types[COLUMNS] = {OID_INT8, OID_INT8,  OID_CHAR, OID_INT4, OID_INT4, OID_INT8,
					       OID_UUID, OID_BYTEA, OID_INT8, OID_TEXT, OID_TEXT, OID_INT4};

static void put_place(struct strbuf *b, size_t v)
{
	uint32_t be = htonl((uint32_t)v);

	put_bytes(b, &be, sizeof(be));
}

static struct known *known_of(struct writer *w, int64_t channel)
{
	return &w->known[(uint64_t)channel % KNOWN_CHANNELS];
}

/* An item of a batch by its channel. */
struct seat {
	int64_t channel;
	uint32_t item, room, nth;
};

static int seat_order(const void *a, const void *b)
{
	const struct seat *x = a, *y = b;

	if (x->channel != y->channel)
		return x->channel < y->channel ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

static int item_order(const void *a, const void *b)
{
	const struct seat *x = a, *y = b;

	return x->item < y->item ? -1 : x->item > y->item;
}

/* The channels, each once, ascending; and of each item the channel's place, and its own among those of the channel. */
static void build_rooms(struct writer *w, struct write_item *const *items, size_t n, struct strbuf col[COLUMNS])
{
	struct seat *seats = xcalloc(n, sizeof(*seats));
	/* behind a pooler nobody knows whose connection it is */
	int64_t sign = w->others_until > clock_mono_ms() || pooler_seen() ? 1 : -1;
	uint32_t rooms = 0;

	for (size_t k = 0; k < n; k++)
		seats[k] = (struct seat){.channel = items[k]->channel, .item = (uint32_t)k};
	qsort(seats, n, sizeof(*seats), seat_order);
	for (size_t k = 0; k < n; k++) {
		bool same = k && seats[k].channel == seats[k - 1].channel;

		seats[k].room = same ? rooms : ++rooms;
		seats[k].nth = same ? seats[k - 1].nth + 1 : 1;
	}
	array_start(&col[CHANNELS], column_types[CHANNELS], rooms, false);
	array_start(&col[HINTS], column_types[HINTS], rooms, false);
	for (size_t k = 0; k < n; k++) {
		const struct known *known = known_of(w, seats[k].channel);

		if (seats[k].nth > 1)
			continue;
		put64(&col[CHANNELS], seats[k].channel);
		put64(&col[HINTS], known->channel == seats[k].channel ? sign * known->seq : 0);
	}
	qsort(seats, n, sizeof(*seats), item_order);
	array_start(&col[ROOM], column_types[ROOM], n, false);
	array_start(&col[NTH], column_types[NTH], n, false);
	for (size_t k = 0; k < n; k++) {
		put_place(&col[ROOM], seats[k].room);
		put_place(&col[NTH], seats[k].nth);
	}
	free(seats);
}

/* Where the NOTIFY payloads end. */
static void build_ends(struct write_item *const *items, size_t n, struct strbuf *ends)
{
	struct strbuf places = {0};
	size_t room = PIECE_BYTES, pieces = 1;

	for (size_t k = 0; k < n; k++) {
		size_t line = items[k]->tail_n + LINE_FRONT_BYTES + items[k]->files_n * FILE_BYTES;

		if (items[k]->refs_n) /* what is forwarded may be long: nobody else's line shall suffer for it */
			line = PIECE_BYTES;

		if (line > room && k) {
			put_place(&places, k);
			pieces++;
			room = PIECE_BYTES;
		}
		room -= MIN_OF(line, room);
	}
	put_place(&places, n);
	array_start(ends, column_types[ENDS], pieces, false);
	strbuf_add(ends, places.p, places.n);
	strbuf_release(&places);
}

static void build_columns(struct writer *w, struct write_item *const *items, size_t n, struct strbuf col[COLUMNS])
{
	build_rooms(w, items, n, col);
	build_ends(items, n, &col[ENDS]);
	for (enum column c = KIND; c < ENDS; c++)
		if (c != ROOM && c != NTH)
			array_start(&col[c], column_types[c], n, c == EPOCH);
	for (size_t k = 0; k < n; k++) {
		const struct write_item *i = items[k];

		put_bytes(&col[KIND], &i->kind, 1);
		put64(&col[SENDER], i->sender);
		put_bytes(&col[CLIENT], i->client_id, sizeof(i->client_id));
		put_bytes(&col[DIGEST], i->digest, sizeof(i->digest));
		if (i->epoch < 0)
			put32(&col[EPOCH], (uint32_t)-1);
		else
			put64(&col[EPOCH], i->epoch);
		put_bytes(&col[BODY], i->body, i->body_n);
		put_bytes(&col[TAIL], i->tail, i->tail_n);
	}
}

/* What some of the items have several of, as two arrays of one length: the items by their places from 1, and ids. They
 * stay NULL where none has any. */
struct lists {
	struct strbuf places, ids;
};

static const int64_t *named_of(const struct write_item *i, size_t *n)
{
	*n = i->named_n;
	return i->named;
}

static const int64_t *calls_of(const struct write_item *i, size_t *n)
{
	*n = i->calls_n;
	return i->calls;
}

static const int64_t *files_of(const struct write_item *i, size_t *n)
{
	*n = i->files_n;
	return i->files;
}

static const int64_t *root_of(const struct write_item *i, size_t *n)
{
	*n = i->root != 0;
	return &i->root;
}

static const int64_t *refs_of(const struct write_item *i, size_t *n)
{
	*n = i->refs_n;
	return i->refs;
}

static void build_lists(struct write_item *const *items, size_t n,
			const int64_t *(*list)(const struct write_item *, size_t *), struct lists *out)
{
	size_t all = 0, own;

	for (size_t k = 0; k < n; k++) {
		list(items[k], &own);
		all += own;
	}
	if (!all)
		return;
	array_start(&out->places, OID_INT4, all, false);
	array_start(&out->ids, OID_INT8, all, false);
	for (size_t k = 0; k < n; k++) {
		const int64_t *ids = list(items[k], &own);

		for (size_t j = 0; j < own; j++) {
			put_place(&out->places, k + 1);
			put64(&out->ids, ids[j]);
		}
	}
}

static void lists_release(struct lists *l)
{
	strbuf_release(&l->places);
	strbuf_release(&l->ids);
}

/* ---- outcomes */

static const struct {
	enum err_code code;
	const char *field, *detail;
} outcomes[] = {
	[WRITE_REUSED] = {ERR_CLIENT_ID_REUSED, "client_id", "was used before for another message"},
	[WRITE_NOT_A_MEMBER] = {ERR_NOT_A_MEMBER, NULL, "you are not a member of this channel"},
	[WRITE_NO_CHANNEL] = {ERR_NOT_FOUND, "channel", "there is no such channel, or it is not visible to you"},
	[WRITE_ARCHIVED] = {ERR_UNPROCESSABLE, "channel", "the channel is archived"},
	[WRITE_BAD_KIND] = {ERR_INTERNAL, NULL, "something went wrong on our side"},
	[WRITE_STALE_EPOCH] = {ERR_CONFLICT, "epoch", "the channel's encryption has moved on"},
	[WRITE_MUTED] = {ERR_MUTED, NULL, "you are muted: you may read, but not write"},
	[WRITE_NOT_ATTACHABLE] =
		{ERR_NOT_ATTACHABLE, "body.files",
		 "names a file that is not ready, not yours, of another channel or in a message already"},
	[WRITE_NO_ROOT] = {ERR_UNPROCESSABLE, "thread", "there is no such message in this channel"},
	[WRITE_ROOT_IS_REPLY] = {ERR_UNPROCESSABLE, "thread", "is a reply itself: reply to the root of its thread"},
	[WRITE_ROOT_DELETED] = {ERR_UNPROCESSABLE, "thread", "the message has been deleted"},
	[WRITE_CALL_FORBIDDEN] = {ERR_FORBIDDEN, "body.mentions", "you may not name so many here"},
	[WRITE_NO_GROUP] = {ERR_BAD_FIELD, "body.mentions", "names a group that is not there"},
	[WRITE_TOO_MANY] = {ERR_UNPROCESSABLE, "body.mentions", "names more people than one message may"},
	[WRITE_NOT_CALLED_HERE] = {ERR_UNPROCESSABLE, "body.mentions",
				   "a direct channel, or a reply in its thread alone, does not name the channel"},
	[WRITE_NO_QUOTED] = {ERR_UNPROCESSABLE, "body.reply_to",
			     "there is no such message where this one goes, or it has been deleted"},
	[WRITE_NO_ORIGINAL] = {ERR_NOT_FOUND, "body.forward", "there is no such message, or it is not visible to you"},
	[WRITE_ORIGINAL_DELETED] = {ERR_UNPROCESSABLE, "body.forward", "the message has been deleted"},
};

static void settle(struct writer *w, struct write_item *i, const PGresult *r, int row)
{
	int status = (int)result_int(r, row, 0);
	struct err e = {0};

	if (status == WRITE_STORED || status == WRITE_AGAIN) {
		i->ok = true;
		i->again = status == WRITE_AGAIN;
		i->seq = result_int(r, row, 1);
		i->id = result_int(r, row, 2);
		i->event = result_int(r, row, 3);
		i->at_us = result_int(r, row, 4);
		if (!i->again)
			see_to_partitions(w, i->event);
		finish(i);
		return;
	}
	if (status < 0 || (size_t)status >= COUNT_OF(outcomes) || !outcomes[status].code) {
		log_error("writer.status", "status=%d", status);
		err_set(&e, ERR_INTERNAL, NULL, "something went wrong on our side");
	} else {
		err_set(&e, outcomes[status].code, outcomes[status].field, "%s", outcomes[status].detail);
		if (status == WRITE_MUTED && (e.until_us = result_int(r, row, 4)) > 0)
			e.retry_after_ms =
				(int)MIN_OF(MAX_OF((e.until_us - clock_now_us()) / 1000, (int64_t)1), MUTE_RETRY_MS);
	}
	fail(w, i, &e);
}

static void start_batch(struct writer *w, int64_t now);

static bool is_for_the_next_batch(const PGresult *r, size_t row)
{
	int64_t status = result_int(r, (int)row, 0);

	return status == WRITE_DEFERRED || status == WRITE_TWICE_IN_BATCH;
}

/* Its channel's newest seq is known now. Where it is not the next one of what was known, others write there too. */
static void learn_seq(struct writer *w, int64_t channel, int64_t seq)
{
	struct known *known = known_of(w, channel);

	if (known->channel == channel && known->seq + 1 != seq)
		w->others_until = clock_mono_ms() + OTHERS_MS;
	*known = (struct known){channel, seq};
}

/* What the next batch is built with: what of this one was not judged comes first, in its order. */
static void learn(struct writer *w, struct write_item *const *items, size_t n, const PGresult *r)
{
	struct write_item **back = xcalloc(n, sizeof(*back));
	size_t back_n = 0;

	for (size_t k = 0; k < n; k++) {
		int64_t channel = items[k]->channel, status = result_int(r, (int)k, 0);

		if (status == WRITE_AGAIN || status == WRITE_REUSED)
			w->look_until = clock_mono_ms() + LOOK_MS;
		if (status == WRITE_STORED)
			learn_seq(w, channel, result_int(r, (int)k, 1));
		if (status != WRITE_DEFERRED)
			unpark(w, channel);
		if (!is_for_the_next_batch(r, k))
			continue;
		items[k]->deferred |= status == WRITE_DEFERRED;
		w->stats.deferred += status == WRITE_DEFERRED;
		back[back_n++] = items[k];
	}
	queue_put_back(w, back, back_n);
	free(back);
}

/* The database gets the next batch before anyone is told of this one: the telling takes longer than it should wait. A
 * large batch does not fit into the socket's buffer at once. */
static void on_success(struct writer *w, struct write_item **items, size_t n, const PGresult *r)
{
	learn(w, items, n, r);
	start_batch(w, clock_mono_ms());
	for (size_t k = 0; k < n; k++) {
		if (!is_for_the_next_batch(r, k))
			settle(w, items[k], r, (int)k);
		if (k % PUSH_EACH == PUSH_EACH - 1 && w->batch)
			pgconn_push(w->conn);
	}
}

/* The batch failed as a whole and nothing of it was stored, or its connection was lost and perhaps all of it was. */
static void on_failure(struct writer *w, struct write_item **items, size_t n, const PGresult *r, const struct err *e)
{
	int64_t now = clock_mono_ms();

	w->stats.retries++;
	w->look_until = now + LOOK_MS; /* perhaps all of it is stored */
	if (dberr_is(r, "55P03")) {    /* waited too long for a channel someone holds, or for the sequencer */
		if (!w->batch_waits)
			end_sequencer_holder(w);
		for (size_t k = 0; k < n; k++)
			if (items[k]->deferred)
				park(w, items[k]->channel, now);
		queue_put_back(w, items, n);
	} else if (e->code == ERR_UNAVAILABLE || dberr_is(r, "57014") || (e->code == ERR_BUSY && n == 1)) {
		w->not_before = now + RETRY_MS;
		queue_put_back(w, items, n);
	} else if (n > 1) { /* a data error or a deadlock: only the bad item shall fail */
		for (size_t k = 0; k < n; k++)
			items[k]->alone = true;
		queue_put_back(w, items, n);
	} else {
		fail(w, items[0], e);
	}
}

static int64_t expire(struct writer *w, int64_t now);

static void on_batch(void *arg, const PGresult *r, const struct err *e)
{
	struct writer *w = arg;
	struct write_item **items = w->batch;
	size_t n = w->batch_n;
	struct err lost = {0};

	w->batch = NULL;
	w->batch_n = 0;
	if (!e && FAULT("commit_no_reply")) { /* stored, but nobody here knows */
		err_retry(&lost, ERR_UNAVAILABLE, RETRY_MS, "the database is not available at the moment");
		e = &lost;
		r = NULL;
		pgconn_reset(w->conn, "commit_no_reply");
	}
	if (e) {
		on_failure(w, items, n, r, e);
	} else if (result_rows(r) != (int)n) {
		struct err wrong = {0};

		log_error("writer.rows", "expected=%zu got=%d", n, result_rows(r));
		err_set(&wrong, ERR_INTERNAL, NULL, "something went wrong on our side");
		for (size_t k = 0; k < n; k++)
			fail(w, items[k], &wrong);
	} else {
		on_success(w, items, n, r);
	}
	free(items);
	if (e) /* else an item that fails again and again would always be under way when it is late */
		expire(w, clock_mono_ms());
	start_batch(w, clock_mono_ms());
}

/* Takes from the queue's head what fits into one batch; items of parked channels stay, in their order. */
static size_t collect(struct writer *w, struct write_item **items, int64_t now)
{
	struct write_item **at = &w->first;
	size_t n = 0, bytes = 0;

	while (*at && n < (size_t)w->config->writer.batch_items) {
		struct write_item *i = *at;
		struct parked *p = w->parked_n ? parked_find(w, i->channel) : NULL;

		if (p && p->until > now) {
			at = &i->next;
			continue;
		}
		if (n && (i->alone || bytes + weight(i) > (size_t)w->config->writer.batch_bytes))
			break;
		*at = i->next;
		w->stats.queued--;
		w->stats.queued_bytes -= weight(i);
		bytes += weight(i);
		items[n++] = i;
		if (i->alone)
			break;
	}
	if (!*at)
		w->last = at;
	return n;
}

static void start_batch(struct writer *w, int64_t now)
{
	struct strbuf *col = w->columns;
	struct lists named = {0}, files = {0}, roots = {0}, calls = {0}, refs = {0};

	if (w->batch || !w->first || w->stopping || w->not_before > now || !pgconn_is_up(w->conn))
		return;
	w->batch = xcalloc((size_t)w->config->writer.batch_items, sizeof(*w->batch));
	w->batch_n = collect(w, w->batch, now);
	if (w->batch_n == 0) {
		free(w->batch);
		w->batch = NULL;
		return;
	}
	w->batch_waits = false;
	for (size_t k = 0; k < w->batch_n; k++)
		w->batch_waits |= w->batch[k]->deferred;
	w->stats.batches++;
	w->stats.items += w->batch_n;
	build_columns(w, w->batch, w->batch_n, col);
	build_lists(w->batch, w->batch_n, named_of, &named);
	build_lists(w->batch, w->batch_n, files_of, &files);
	build_lists(w->batch, w->batch_n, root_of, &roots);
	build_lists(w->batch, w->batch_n, calls_of, &calls);
	build_lists(w->batch, w->batch_n, refs_of, &refs);
	pgconn_query(w->conn, STMT_write_batch, 0, on_batch, w, "xxxxxxxxxxxxbbxxxxxxxxxx", col[CHANNELS].p,
		     col[CHANNELS].n, col[HINTS].p, col[HINTS].n, col[KIND].p, col[KIND].n, col[ROOM].p, col[ROOM].n,
		     col[NTH].p, col[NTH].n, col[SENDER].p, col[SENDER].n, col[CLIENT].p, col[CLIENT].n, col[DIGEST].p,
		     col[DIGEST].n, col[EPOCH].p, col[EPOCH].n, col[BODY].p, col[BODY].n, col[TAIL].p, col[TAIL].n,
		     col[ENDS].p, col[ENDS].n, (int)(w->look_until > now), (int)w->batch_waits, named.places.p,
		     named.places.n, named.ids.p, named.ids.n, files.places.p, files.places.n, files.ids.p, files.ids.n,
		     roots.places.p, roots.places.n, roots.ids.p, roots.ids.n, calls.places.p, calls.places.n,
		     calls.ids.p, calls.ids.n, refs.places.p, refs.places.n, refs.ids.p, refs.ids.n);
	for (int c = 0; c < COLUMNS; c++)
		strbuf_reset(&col[c]);
	lists_release(&named);
	lists_release(&files);
	lists_release(&roots);
	lists_release(&calls);
	lists_release(&refs);
}

/* ---- the owner's side */

static void on_watch(void *arg, int fd, int events)
{
	struct writer *w = arg;

	w->watch(w->arg, fd, events);
}

static void on_opened(void *arg, const PGresult *r, const struct err *e)
{
	(void)arg;
	(void)r;
	if (!e)
		return;
	if (e->code == ERR_UNAVAILABLE ||
	    e->code == ERR_UNCERTAIN) /* the connection has gone again; the next one asks */
		log_info("writer.stream_open", "code=%s", err_name(e->code));
	else
		log_error("writer.stream_open", "code=%s", err_name(e->code));
}

static void on_up(void *arg)
{
	struct writer *w = arg;

	memset(w->known, 0, sizeof(w->known)); /* it may be what an older copy holds */
	/* another database may stand behind the same address now: its mark must be drawn before anything is written */
	pgconn_query(w->conn, STMT_stream_open, 0, on_opened, w, "b", 0);
	start_batch(w, clock_mono_ms());
}

struct writer *writer_new(const struct config *c, const char *name, void (*watch)(void *arg, int fd, int events),
			  void *arg)
{
	static const struct pgconn_hooks hooks = {.watch = on_watch, .up = on_up};
	struct writer *w = xcalloc(1, sizeof(*w));

	w->config = c;
	w->watch = watch;
	w->arg = arg;
	w->last = &w->first;
	w->conn = pgconn_new(c, name, NULL, writer_settings, &hooks, w);
	return w;
}

void writer_free(struct writer **ww)
{
	struct writer *w = *ww;
	struct err e = {0};
	struct write_item *i;

	if (!w)
		return;
	w->stopping = true;
	pgconn_close(&w->conn);
	err_retry(&e, ERR_UNAVAILABLE, 1000, "the server is stopping");
	for (size_t k = 0; k < w->batch_n; k++)
		fail(w, w->batch[k], &e);
	free(w->batch);
	for (int c = 0; c < COLUMNS; c++)
		strbuf_release(&w->columns[c]);
	while ((i = w->first)) {
		w->first = i->next;
		fail(w, i, &e);
	}
	free(w);
	*ww = NULL;
}

int writer_submit(struct writer *w, struct write_item *item, struct err *e)
{
	if (w->stats.queued >= (size_t)w->config->writer.queue_items ||
	    w->stats.queued_bytes + weight(item) > (size_t)w->config->writer.queue_bytes)
		return err_retry(e, ERR_BUSY, 1000, "too many messages are waiting to be stored, try again");
	item->deadline = clock_mono_ms() + w->config->database.wait;
	item->next = NULL;
	*w->last = item;
	w->last = &item->next;
	w->stats.queued++;
	w->stats.queued_bytes += weight(item);
	return 0;
}

void writer_ready(struct writer *w, int events)
{
	pgconn_ready(w->conn, events);
	start_batch(w, clock_mono_ms());
}

/* Fails the queued items that have waited too long: the queue is in the order of their deadlines. Returns the next
 * deadline. */
static int64_t expire(struct writer *w, int64_t now)
{
	struct write_item *late = w->first, **at = &late;
	struct err e = {0};

	while (*at && (*at)->deadline <= now) {
		w->stats.queued--;
		w->stats.queued_bytes -= weight(*at);
		at = &(*at)->next;
	}
	w->first = *at;
	*at = NULL;
	if (!w->first)
		w->last = &w->first;
	err_retry(&e, ERR_UNAVAILABLE, 1000, "the message could not be stored in time; sending it again is safe");
	for (struct write_item *i; (i = late);) {
		late = i->next;
		fail(w, i, &e);
	}
	return w->first ? w->first->deadline : now + FAR_AWAY_MS;
}

/* ---- a fault point (lib/base/fault.h): the promise broken on purpose, so that the soak can show that it would see it
 */

static void forget(struct write_item *item, void *arg)
{
	(void)arg;
	write_item_free(&item);
}

static void *copy_bytes(const void *p, size_t n)
{
	return memcpy(xmalloc(n), p, n);
}

/* Tells the senders of queued items that they are stored; what is stored then, or not, is a copy. */
static void acknowledge_at_once(struct writer *w)
{
	for (struct write_item **at = &w->first; *at; at = &(*at)->next) {
		struct write_item *early = *at, *copy;

		if (early->done == forget || !FAULT("ack_early"))
			continue;
		copy = write_item_new();
		*copy = *early;
		copy->body = copy_bytes(early->body, early->body_n);
		copy->tail = copy_bytes(early->tail, early->tail_n);
		copy->named = early->named_n ? copy_bytes(early->named, early->named_n * sizeof(*early->named)) : NULL;
		copy->calls = early->calls_n ? copy_bytes(early->calls, early->calls_n * sizeof(*early->calls)) : NULL;
		copy->files = early->files_n ? copy_bytes(early->files, early->files_n * sizeof(*early->files)) : NULL;
		copy->done = forget;
		*at = copy;
		if (w->last == &early->next)
			w->last = &copy->next;
		early->ok = early->again = true;
		finish(early);
	}
}

int64_t writer_tick(struct writer *w, int64_t now)
{
	int64_t next = pgconn_tick(w->conn, now);

	if (FAULTS_BUILT)
		acknowledge_at_once(w);
	next = MIN_OF(next, expire(w, now));
	end_holders(w, now);
	start_batch(w, now);
	if (!w->batch && w->first) {
		if (w->not_before > now)
			next = MIN_OF(next, w->not_before);
		for (size_t k = 0; k < w->parked_n; k++)
			next = MIN_OF(next, MAX_OF(w->parked[k].until, now + 1));
	}
	return next;
}

bool writer_idle(const struct writer *w)
{
	return !w->batch && !w->first;
}

bool writer_is_up(const struct writer *w)
{
	return pgconn_is_up(w->conn);
}

void writer_stats(const struct writer *w, struct writer_stats *out)
{
	*out = w->stats;
}
