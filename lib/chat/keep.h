/* keep: messages that are pinned in their channel, and those that somebody has saved for himself (doc/protocol.md,
 * sections 3 and 4). Errors as access_code() and db.h say. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/chat/acting.h"
#include "lib/chat/page.h"
struct db;

#define KEEP_PINS_MAX 100   /* of a channel: the list goes into one notification */
#define KEEP_SAVES_MAX 1000 /* of a person */

/* Pins a message (on) or takes it down, again is harmless; appends the channel's pins. */
MUST_CHECK int keep_pin(struct db *d, const struct acting *who, int64_t channel, int64_t seq, bool on, struct strbuf *b,
			struct err *e);
/* Appends the channel's pins with their messages. */
MUST_CHECK int keep_pins(struct db *d, int64_t channel, int64_t reader, struct strbuf *b, struct page *p,
			 struct err *e);
/* Saves a message (on) or forgets it, again is harmless; appends what is told of it. */
MUST_CHECK int keep_save(struct db *d, int64_t channel, int64_t user, int64_t seq, bool on, struct strbuf *b,
			 struct err *e);
/* Appends where the messages are that one has saved. */
MUST_CHECK int keep_saved(struct db *d, int64_t user, struct strbuf *b, struct page *p, struct err *e);
/* Appends a page of them, the newest first; before: what the page before called next. */
MUST_CHECK int keep_saved_messages(struct db *d, int64_t user, int64_t before, int64_t limit, struct strbuf *b,
				   struct err *e);
