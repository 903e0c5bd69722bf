/* thread: a root with its replies, and who follows it (doc/protocol.md, section 7). The rules are in
 * sql/functions/25_threads.sql. Replies are sent as messages are (lib/chat/message.h). */
#pragma once
#include "lib/chat/history.h"

/* Appends {"root":Message,"messages":[…],"has_before":…,"has_after":…,"state":ThreadState}: replies, oldest first.
 * Errors as history_get(), ERR_UNPROCESSABLE where root is a reply itself. */
MUST_CHECK int thread_list_replies(struct db *d, int64_t channel, int64_t reader, int64_t root, enum history_mode mode,
				   int64_t seq, int64_t limit, struct strbuf *b, struct history *h, struct err *e);

enum thread_wish { THREAD_LEAVE = -1, THREAD_READ = 0, THREAD_FOLLOW = 1 };

/* Follows or lets go of a thread, or reads it up to a seq (upto; else 0). Appends the ThreadState. Errors as above. */
MUST_CHECK int thread_mark(struct db *d, int64_t channel, int64_t reader, int64_t root, enum thread_wish wish,
			   int64_t upto, struct strbuf *b, struct err *e);

/* Appends {"threads":[…],"unread":n,"next":…}: those that somebody follows, the last replied to first, below an id that
 * a page called next. */
MUST_CHECK int thread_list(struct db *d, int64_t reader, bool unread, int64_t before, int64_t limit, struct strbuf *b,
			   struct page *p, struct err *e);
