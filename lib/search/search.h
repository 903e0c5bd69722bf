/* search: messages by their words, of those that a reader may read now (doc/search.md). Exact at all times: what the
 * index proposes is compared with the messages as they are, and what it does not hold yet is looked through. Blocks. */
#pragma once
#include "lib/base/strbuf.h"
#include "lib/base/err.h"
#include "lib/chat/page.h"
struct db;

#define SEARCH_PAGE 50

enum search_order {
	SEARCH_BY_DATE, /* newest first */
	SEARCH_BY_RANK, /* best first, of the newest SEARCH_POOL */
};

/* Appends {"results":[…],"next":…,"complete":…}. q: valid UTF-8. before: the `next` of the page before, NULL for the
 * first. limit: up to SEARCH_PAGE. Errors: ERR_BAD_FIELD of `q` and `before`, and those of db.h. */
MUST_CHECK int search_messages(struct db *d, int64_t reader, const char *q, enum search_order order, const char *before,
			       int64_t limit, struct strbuf *b, struct page *p, struct err *e);
