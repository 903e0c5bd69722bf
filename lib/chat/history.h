/* history: messages that are there, by seq. All errors as access_read() and db.h say. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/chat/page.h"
struct db;

enum history_mode {
	HISTORY_BEFORE, /* the newest below seq */
	HISTORY_AFTER,  /* the oldest above seq */
	HISTORY_AROUND, /* half below seq, half from it on */
};

struct history {
	struct page page;
	int64_t first, last; /* seqs of the page; 0 where it is empty */
	bool has_before, has_after;
};

/* Appends {"messages":[…],"has_before":…,"has_after":…}, oldest first. */
MUST_CHECK int history_list(struct db *d, int64_t channel, int64_t reader, enum history_mode mode, int64_t seq,
			    int64_t limit, struct strbuf *b, struct history *h, struct err *e);
/* The seq to page around for a time (RFC 3339): of the first message that is not older, else of the last; 1 at least.
 * Judges nothing. */
MUST_CHECK int history_seq_at(struct db *d, int64_t channel, const char *time, int64_t *seq, struct err *e);
/* Appends a Message. ERR_NOT_FOUND. */
MUST_CHECK int history_get(struct db *d, int64_t channel, int64_t reader, int64_t seq, struct strbuf *b, struct err *e);
/* Appends {"edits":[…]}: what a message said, the oldest first, at the end as it is now. A deleted one: none.
 * ERR_NOT_FOUND. */
MUST_CHECK int history_edits(struct db *d, int64_t channel, int64_t reader, int64_t seq, struct strbuf *b,
			     struct err *e);
