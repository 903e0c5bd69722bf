/* indexer: reads a batch, makes its lexemes, stores them and where it has come to in one transaction. */
#include "lib/search/indexer.h"
#include "lib/base/clock.h"
#include "lib/db/db.h"
#include "lib/search/document.h"
#include <stdlib.h>

#define BATCH 1024
#define STORE_BYTES_MAX ((size_t)2 << 20) /* of lexemes in one statement; a batch may take several */
#define IDLE_MS 1000
#define BUSY_SHARE 2   /* rests so many times as long as it worked: writers come first */
#define FLOOD_SHARE 20 /* ... while more is written than it could take in even so */
#define REST_MAX_MS 3000

enum { CHANNEL_ID, SEQ, SENDER, VERSION, BODY, THREAD }; /* columns of search_log and search_walk */

struct place {
	int64_t event, channel, seq;
	bool walking;
};

/* What one statement stores. */
struct load {
	int64_t channels[BATCH], seqs[BATCH], versions[BATCH];
	const char *vectors[BATCH];
	size_t n, bytes;
};

static void load_empty(struct load *l)
{
	for (size_t i = 0; i < l->n; i++)
		free((void *)(uintptr_t)l->vectors[i]);
	l->n = l->bytes = 0;
}

static void load_add(struct load *l, struct tokens *t, const PGresult *r, int row)
{
	struct strbuf vector = {0};
	struct document d;

	l->channels[l->n] = result_int(r, row, CHANNEL_ID);
	l->seqs[l->n] = result_int(r, row, SEQ);
	l->versions[l->n] = result_int(r, row, VERSION);
	strbuf_cstr(&vector);
	if (!result_null(r, row, BODY)) {
		document_read(result_text(r, row, BODY), result_length(r, row, BODY), !result_null(r, row, THREAD), &d);
		tokens_of(t, d.text.p, d.text.n);
		document_vector(&vector, &d, t, l->channels[l->n], result_int(r, row, SENDER));
		document_release(&d);
	}
	l->bytes += vector.n;
	strbuf_addc(&vector, 0);
	l->vectors[l->n++] = strbuf_take(&vector, &(size_t){0});
}

/* *lost: another process has gone on from there meanwhile. */
static int load_store(struct db *d, struct load *l, const struct place *from, const struct place *to, bool *lost,
		      struct err *e)
{
	PGresult *r = NULL;
	int rc = db_one(d, STMT_search_store, &r, e, "ibiiibiiIIIT", from->event, from->walking, from->channel,
			from->seq, to->event, to->walking, to->channel, to->seq, l->channels, l->n, l->seqs, l->n,
			l->versions, l->n, l->vectors, l->n);

	if (rc == 0)
		*lost = !r || !result_bool(r, 0, 0);
	PQclear(r);
	load_empty(l);
	return rc;
}

static int store(struct db *d, const PGresult *r, const struct place *from, const struct place *to, struct err *e)
{
	struct load *l = xcalloc(1, sizeof(*l));
	struct tokens t = {0};
	int rows = r ? result_rows(r) : 0, rc = 0;
	bool lost = false;

	for (int i = 0; rc == 0 && !lost && i < rows; i++) {
		load_add(l, &t, r, i);
		if (l->bytes >= STORE_BYTES_MAX && i + 1 < rows)
			rc = load_store(d, l, from, from, &lost, e);
	}
	if (rc == 0 && !lost)
		rc = load_store(d, l, from, to, &lost, e);
	load_empty(l);
	free(l);
	tokens_release(&t);
	return rc;
}

/* What the log tells next. */
static int follow(struct db *d, const struct place *at, int64_t head, int64_t *n, struct err *e)
{
	struct place to = *at;
	PGresult *r = NULL;
	int rc;

	to.event = MIN_OF(head, at->event + BATCH);
	if (db_query(d, STMT_search_log, &r, e, "ii", at->event, to.event) < 0)
		return -1;
	*n = to.event - at->event;
	rc = store(d, r, at, &to, e);
	PQclear(r);
	return rc;
}

/* What was there before. */
static int walk(struct db *d, const struct place *at, int64_t *n, struct err *e)
{
	struct place to = *at;
	PGresult *r = NULL;
	int rows, rc;

	if (db_query(d, STMT_search_walk, &r, e, "iii", at->channel, at->seq, (int64_t)BATCH) < 0)
		return -1;
	rows = result_rows(r);
	if (rows < BATCH) {
		to = (struct place){.event = at->event};
	} else {
		to.channel = result_int(r, rows - 1, CHANNEL_ID);
		to.seq = result_int(r, rows - 1, SEQ);
	}
	*n = rows;
	rc = store(d, r, at, &to, e);
	PQclear(r);
	return rc;
}

/* A batch, by who holds the lock. *n: what it was about; 0: there is nothing to do. *head: of the log. */
static int batch(struct db *d, int64_t *n, int64_t *head, struct err *e)
{
	PGresult *r = NULL;
	struct place at, anew;
	bool reaches;

	*n = 0;
	if (db_one(d, STMT_search_state, &r, e, "") < 0)
		return -1;
	if (!r)
		return err_set(e, ERR_INTERNAL, NULL, "the search index has no state");
	at = (struct place){.event = result_int(r, 0, 0),
			    .walking = result_bool(r, 0, 1),
			    .channel = result_int(r, 0, 2),
			    .seq = result_int(r, 0, 3)};
	*head = result_int(r, 0, 4);
	reaches = result_bool(r, 0, 5);
	PQclear(r);
	if (!reaches) { /* the log was cut off meanwhile: all messages are walked through again */
		anew = (struct place){.event = *head, .walking = true};
		*n = 1;
		return store(d, NULL, &at, &anew, e);
	}
	if (at.event < *head)
		return follow(d, &at, *head, n, e);
	return at.walking ? walk(d, &at, n, e) : 0;
}

static int with_lock(struct db *d, enum stmt_id stmt, bool *yes, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, stmt, &r, e, "") < 0)
		return -1;
	*yes = r && result_bool(r, 0, 0);
	PQclear(r);
	return 0;
}

static int locked_batch(struct db *d, int64_t *n, int64_t *head, struct err *e)
{
	bool yes = false;
	int rc;

	*n = *head = 0;
	if (with_lock(d, STMT_search_lock, &yes, e) < 0)
		return -1;
	if (!yes)
		return 0;
	rc = batch(d, n, head, e);
	return with_lock(d, STMT_search_unlock, &yes, rc < 0 ? NULL : e) < 0 ? -1 : rc;
}

/* How long to rest after a whole batch. What is written faster than can be indexed beside it is not found sooner for
 * the index's haste, so the writers have the machine then. */
static int64_t rest_ms(struct indexer_pace *p, int64_t began, int64_t head)
{
	int64_t now = clock_mono_ms(), worked = now - began + 1, since = began - p->at;
	bool flood = p->head && (head - p->head) * worked * (1 + BUSY_SHARE) > BATCH * since;

	*p = (struct indexer_pace){.head = head, .at = began};
	return MIN_OF(worked * (flood ? FLOOD_SHARE : BUSY_SHARE), (int64_t)REST_MAX_MS);
}

int indexer_step(struct db *d, struct indexer_pace *p, int64_t *ms, struct err *e)
{
	int64_t began = clock_mono_ms(), n = 0, head;
	int rc = locked_batch(d, &n, &head, e);

	if (rc < 0 || n < BATCH) {
		*p = (struct indexer_pace){0};
		*ms = IDLE_MS;
	} else {
		*ms = rest_ms(p, began, head);
	}
	return rc;
}

int indexer_run(struct db *d, int64_t *sum, struct err *e)
{
	int64_t n, head;

	*sum = 0;
	do {
		if (locked_batch(d, &n, &head, e) < 0)
			return -1;
		*sum += n;
	} while (n);
	return 0;
}
