/* document: what of a message's body is searched. */
#pragma once
#include "lib/search/query.h"
struct jx;

struct document {
	struct jx *body;
	struct span text; /* borrowed from body */
	unsigned has;     /* of enum search_has */
};

/* A body as the table holds it; reply: it is of a reply. document_release() in any case. */
void document_read(const char *body, size_t n, bool reply, struct document *d);
void document_release(struct document *d);

/* Appends the text of a tsvector with SEARCH_MARK in front of each lexeme: the words of d, cut into t, and where it
 * stands. */
void document_vector(struct strbuf *b, const struct document *d, const struct tokens *t, int64_t channel,
		     int64_t sender);
