/* custom_emoji: pictures by a name, of the whole site (doc/protocol.md, sections 3 and 4). Errors as access_code() and
 * db.h say. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/chat/acting.h"
#include "lib/chat/page.h"
struct config;
struct db;
struct jx;
struct store;

#define CUSTOM_EMOJI_NAME_CHARS 32

/* Reads a name, letters in either case, into out (NUL-terminated, lower case); false: it is none. */
bool custom_emoji_name(struct span text, char out[CUSTOM_EMOJI_NAME_CHARS + 1]);

/* How many there may be; 0: the site keeps no files, so none. */
int64_t custom_emoji_max(const struct config *c);

/* Appends {"emoji":[…],"version":n}: all of them, by name. */
MUST_CHECK int custom_emoji_list(struct db *d, struct strbuf *b, struct page *p, struct err *e);
/* o: {"name","file"}. Adds one, or finds that it is there already (*again); appends it. store (NULL: the site keeps no
 * files) is asked for the picture: blocks. */
MUST_CHECK int custom_emoji_add(struct db *d, const struct config *c, const struct store *store,
				const struct acting *who, const struct jx *o, bool *again, struct strbuf *b,
				struct err *e);
/* Removes one, again is harmless. */
MUST_CHECK int custom_emoji_remove(struct db *d, const struct acting *who, const char *name, struct err *e);
