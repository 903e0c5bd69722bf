/* channel: channels as one reader sees them, appended as JSON. All errors as access.h and db.h say. */
#pragma once
#include "lib/base/strbuf.h"
#include "lib/chat/page.h"
#include "lib/json/jx.h"
struct acting;
struct config;
struct db;

#define CHANNEL_NAME_CHARS 80
#define CHANNEL_TOPIC_CHARS 250
#define CHANNEL_KEEP_DAYS_MAX 36500
#define CHANNEL_INVITED_MAX 1000 /* in one call */
#define CHANNEL_DIRECT_MAX 9     /* people of a direct channel, its maker among them */

struct channel_wish {
	char kind[8];            /* public, private, direct */
	struct span name, topic; /* borrowed */
	int64_t *members;        /* direct: the other, or the others */
	size_t member_count;
};

/* Appends {"channels":[…],"next":…}: the reader's, by id. */
MUST_CHECK int channel_list(struct db *d, int64_t reader, int64_t after, int64_t limit, struct strbuf *b,
			    struct page *p, struct err *e);
/* The same of those that he may join, by name; after: an id, 0 from the first on; wish: what name or topic holds, "":
 * any. */
MUST_CHECK int channel_browse(struct db *d, int64_t reader, const char *wish, int64_t after, int64_t limit,
			      struct strbuf *b, struct page *p, struct err *e);
/* Appends a Channel that the reader may see. */
MUST_CHECK int channel_get(struct db *d, int64_t channel, int64_t reader, struct strbuf *b, struct err *e);

/* The same for who has just changed it: an admin may not be in it. */
MUST_CHECK int channel_get_changed(struct db *d, const struct acting *who, int64_t channel, struct strbuf *b,
				   struct err *e);

/* Reads POST /channels: {"name","kind","topic"?,"members"?}. ids: room for CHANNEL_INVITED_MAX. ERR_BAD_FIELD. */
MUST_CHECK int channel_wish(const struct jx *o, int64_t *ids, struct channel_wish *w, struct err *e);
/* Name and topic: lengths, characters. field: its name in errors. */
MUST_CHECK int channel_check_text(const char *field, const struct span *s, size_t min, size_t max, struct err *e);
/* Makes the channel, or finds a direct one: *created tells which. role: the maker's as a user. */
MUST_CHECK int channel_make(struct db *d, const struct config *c, int64_t maker, const char *role,
			    const struct channel_wish *w, int64_t *channel, bool *created, struct err *e);
