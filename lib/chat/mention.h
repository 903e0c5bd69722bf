/* mention: whom a message names (doc/protocol.md, sections 3 and 9): people, groups, `channel`, `here`. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
struct db;
struct jx;

#define MENTIONS_MAX 50 /* names in one message */

/* What calls several, as sql/functions/22_mentions.sql numbers it; above 0: the id of a group. */
enum { CALL_CHANNEL = 0, CALL_HERE = -1 };

struct mentions {
	int64_t named[MENTIONS_MAX]; /* ids of users */
	int64_t calls[MENTIONS_MAX];
	size_t named_n, calls_n; /* together MENTIONS_MAX at most; each name once */
};

/* Reads the member `mentions` of a body: ids, "channel", "here", "group:ID". ERR_BAD_FIELD, field `body.mentions`. */
MUST_CHECK int mentions_read(const struct jx *body, struct mentions *m, struct err *e);
/* The same of a query's text, with commas between. ERR_BAD_FIELD, with that field. */
MUST_CHECK int mentions_parse(const char *text, const char *field, struct mentions *m, struct err *e);
/* Appends `,"mentions":[…]`, ids first; nothing where none is named. */
void mentions_render(struct strbuf *b, const struct mentions *m);

/* Appends {"people":n}: how many such a message of the reader's would reach now. Errors as access.h says. */
MUST_CHECK int mentions_reach(struct db *d, int64_t channel, int64_t reader, const struct mentions *m, struct strbuf *b,
			      struct err *e);
