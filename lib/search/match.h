/* match: whether a text is what a query looks for, where, and how well. The index proposes; this decides. */
#pragma once
#include "lib/search/query.h"

#define MATCH_HITS_MAX 32 /* that are told; a text may hold more */

struct match {
	int score; /* the higher the better; 0 where the query has no words */
	size_t n;
	struct {
		uint32_t from, to; /* bytes of the text, ascending, not overlapping */
	} hits[MATCH_HITS_MAX];
};

/* t: the text's tokens. */
bool match_text(const struct search_query *q, const struct tokens *t, struct match *m);

/* Appends a JSON array of pieces, [{"text":"…"},{"text":"…","hit":true},…]: the text around the first hits,
 * SNIPPET_CHARS at most, with an ellipsis where something is left out. */
#define SNIPPET_CHARS 240
void match_snippet(struct strbuf *b, const char *text, size_t n, const struct match *m);
