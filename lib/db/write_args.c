/* write_args: an array a column, of the channels and of the items; pairs of arrays for what only some items have. */
#include "lib/db/write_args.h"
#include "lib/base/clock.h"
#include "lib/base/strbuf.h"
#include "lib/db/pooler.h"
#include "lib/db/write_item.h"
#include "lib/db/write_hints.h"
#include <arpa/inet.h>
#include <endian.h>
#include <stdlib.h>

#define PIECE_BYTES 7900     /* of a NOTIFY payload; write_batch() checks the true length */
#define LINE_FRONT_BYTES 240 /* what SQL puts in front of an item's tail, at most */
#define FILE_BYTES 400       /* and into it for each file, about */

/* Of the channels, of the items, of the NOTIFY payloads. */
enum column { CHANNELS, HINTS, KIND, ROOM, NTH, SENDER, CLIENT, DIGEST, EPOCH, BODY, TAIL, ENDS, COLUMNS };

/* What some of the items have several of, as two arrays of one length: the items by their places from 1, and ids. They
 * stay NULL where none has any. */
struct pairs {
	struct strbuf places, ids;
};

struct write_args {
	struct strbuf columns[COLUMNS];
};

/* ---- arrays (PostgreSQL: array_send) */

enum { OID_CHAR = 18, OID_INT8 = 20, OID_INT4 = 23, OID_BYTEA = 17, OID_TEXT = 25, OID_UUID = 2950 };

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

static void put_place(struct strbuf *b, size_t v)
{
	uint32_t be = htonl((uint32_t)v);

	put_bytes(b, &be, sizeof(be));
}

/* ---- columns */

static const uint32_t column_types[COLUMNS] = {OID_INT8, OID_INT8,  OID_CHAR, OID_INT4, OID_INT4, OID_INT8,
					       OID_UUID, OID_BYTEA, OID_INT8, OID_TEXT, OID_TEXT, OID_INT4};

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
static void build_rooms(struct write_item *const *items, size_t n, const struct write_hints *hints,
			struct strbuf col[COLUMNS])
{
	struct seat *seats = xcalloc(n, sizeof(*seats));
	/* behind a pooler nobody knows whose connection it is */
	int64_t sign = hints->others_until > clock_mono_ms() || pooler_seen() ? 1 : -1;
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
		if (seats[k].nth > 1)
			continue;
		put64(&col[CHANNELS], seats[k].channel);
		put64(&col[HINTS], sign * write_hint_of(hints, seats[k].channel));
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

static void build_columns(struct write_item *const *items, size_t n, const struct write_hints *hints,
			  struct strbuf col[COLUMNS])
{
	build_rooms(items, n, hints, col);
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

/* ---- pairs */

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

static void build_pairs(struct write_item *const *items, size_t n,
			const int64_t *(*list)(const struct write_item *, size_t *), struct pairs *out)
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

static void pairs_release(struct pairs *l)
{
	strbuf_release(&l->places);
	strbuf_release(&l->ids);
}

/* ---- the whole */

#define BYTES(b) (b).p, (b).n

struct write_args *write_args_new(void)
{
	return xcalloc(1, sizeof(struct write_args));
}

void write_args_free(struct write_args **a)
{
	if (!*a)
		return;
	for (int c = 0; c < COLUMNS; c++)
		strbuf_release(&(*a)->columns[c]);
	free(*a);
	*a = NULL;
}

void write_args_send(struct write_args *a, struct pgconn *conn, struct write_item *const *items, size_t n,
		     const struct write_hints *hints, bool look, bool waits, pgconn_done done, void *arg)
{
	struct strbuf *col = a->columns;
	struct pairs named = {0}, files = {0}, roots = {0}, calls = {0}, refs = {0};

	build_columns(items, n, hints, col);
	build_pairs(items, n, named_of, &named);
	build_pairs(items, n, files_of, &files);
	build_pairs(items, n, root_of, &roots);
	build_pairs(items, n, calls_of, &calls);
	build_pairs(items, n, refs_of, &refs);
	pgconn_query(conn, STMT_write_batch, 0, done, arg, "xxxxxxxxxxxxbbxxxxxxxxxx", BYTES(col[CHANNELS]),
		     BYTES(col[HINTS]), BYTES(col[KIND]), BYTES(col[ROOM]), BYTES(col[NTH]), BYTES(col[SENDER]),
		     BYTES(col[CLIENT]), BYTES(col[DIGEST]), BYTES(col[EPOCH]), BYTES(col[BODY]), BYTES(col[TAIL]),
		     BYTES(col[ENDS]), (int)look, (int)waits, BYTES(named.places), BYTES(named.ids),
		     BYTES(files.places), BYTES(files.ids), BYTES(roots.places), BYTES(roots.ids), BYTES(calls.places),
		     BYTES(calls.ids), BYTES(refs.places), BYTES(refs.ids));
	for (int c = 0; c < COLUMNS; c++)
		strbuf_reset(&col[c]);
	pairs_release(&named);
	pairs_release(&files);
	pairs_release(&roots);
	pairs_release(&calls);
	pairs_release(&refs);
}
