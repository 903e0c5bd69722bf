/* query: what stands in a search field, as words and filters (doc/search.md), and what the index is asked by it. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/search/tokens.h"

#define SEARCH_QUERY_CHARS 256
#define SEARCH_TERMS_MAX 16
#define SEARCH_NAMES_MAX 8 /* of from: and of in:, each */

/* In the template of a tsquery, in place of the mark of a part of the index (sql/functions/85_search.sql). */
#define SEARCH_MARK '%'
/* The kind of a lexeme, behind the mark: none is a hexadecimal digit, as the mark is made of. */
#define SEARCH_WORD 'w'
#define SEARCH_ROOM 'r'
#define SEARCH_SENDER 's'
#define SEARCH_HAS 'h'

enum search_has { HAS_LINK = 1, HAS_FILE = 2, HAS_MENTION = 4, HAS_THREAD = 8 /* a reply: is:thread */ };

/* A word, or what was quoted: tokens first to first + n - 1 of query.tokens, to be found side by side. */
struct search_term {
	size_t first, n;
	bool whole; /* its last word is not to be taken as a beginning */
};

struct search_query {
	struct tokens tokens;
	struct search_term terms[SEARCH_TERMS_MAX];
	size_t terms_n;
	char *senders[SEARCH_NAMES_MAX]; /* handles, or "me" */
	size_t senders_n;
	char *rooms[SEARCH_NAMES_MAX]; /* names of channels, or @handle */
	size_t rooms_n;
	unsigned has;               /* of enum search_has: all of them */
	char before[11], after[11]; /* days, YYYY-MM-DD; "" where not given */
	struct strbuf words_;       /* private */
};

/* Reads valid UTF-8. ERR_BAD_FIELD of `q`. search_query_release() in any case. */
MUST_CHECK int search_query_parse(const char *s, size_t n, struct search_query *q, struct err *e);
void search_query_release(struct search_query *q);

/* Appends the template of a tsquery that whatever matches the terms and `has` matches too, and little else, in one of
 * the rooms and by one of the senders: arrays of ids as PostgreSQL writes them, {1,2}; empty ones ask for nothing. */
void search_query_template(const struct search_query *q, const char *rooms, const char *senders, struct strbuf *b);

/* Bits of enum search_has by its name, but for HAS_THREAD; 0: there is none such. */
unsigned search_has_named(const char *s, size_t n);
const char *search_has_name(unsigned bit);
