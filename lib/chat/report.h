/* report: messages that members report, and what is done about them (doc/roles.md). Errors as access_code() says. */
#pragma once
#include "lib/base/strbuf.h"
#include "lib/chat/acting.h"
#include "lib/chat/page.h"
#include "lib/json/jx.h"
struct db;
struct jx;

#define REPORT_TEXT_CHARS 1000

/* Reads {"reason","text"?} and appends the report as its maker sees it. *again: it is open already. */
MUST_CHECK int report_make(struct db *d, const struct acting *who, int64_t channel, int64_t seq, const struct jx *o,
			   bool *again, struct strbuf *b, struct err *e);
/* Appends a report with its evidence, for who may handle it. */
MUST_CHECK int report_get(struct db *d, const struct acting *who, int64_t report, struct strbuf *b, struct err *e);
/* Appends {"reports":[…],"next":…}, newest first: those that are his to handle. channel 0: of all. */
MUST_CHECK int report_list(struct db *d, const struct acting *who, int64_t channel, bool open, int64_t before,
			   int64_t limit, struct strbuf *b, struct page *p, struct err *e);
/* Appends {"open":3,"channels":[{"channel":12,"open":3}]}: how many of his are open. */
MUST_CHECK int report_count_open(struct db *d, const struct acting *who, struct strbuf *b, struct err *e);
/* The same as report_list() of those that he made, without evidence. */
MUST_CHECK int report_list_own(struct db *d, int64_t reporter, int64_t before, int64_t limit, struct strbuf *b,
			       struct page *p, struct err *e);
/* Reads {"action","until"?,"site"?,"note"?} and does it. */
MUST_CHECK int report_resolve(struct db *d, const struct acting *who, int64_t report, const struct jx *o,
			      struct err *e);
