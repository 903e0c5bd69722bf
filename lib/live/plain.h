/* plain: a poll that waits for nothing, in a process that hears nothing (CGI, or [api] poll = plain): the log is read
 * for this one answer, by the same rules as for everyone else. Blocks. */
#pragma once
#include "lib/base/strbuf.h"
#include "lib/bus/cursor.h"
#include "lib/base/err.h"
struct config;
struct db;
struct interests;

#define PLAIN_RETRY_MS 3000 /* what its answers say: come back then */

/* cursor NULL: from now. reads, drafts: as of receiver_asks(). Appends the lines to body, the last one
 * included; next: the cursor that goes with them. Errors: the database's. */
MUST_CHECK int live_plain(struct db *d, const struct config *c, int64_t user, int64_t session,
			  const struct cursor *cursor, int64_t reads, int64_t drafts, const struct interests *interests,
			  struct strbuf *body, char next[CURSOR_TEXT_MAX], struct err *e);
