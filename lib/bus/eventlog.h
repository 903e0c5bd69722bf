/* eventlog: answers of the log's statements (sql/queries/live.sql) as events. A line is rendered from the rows as they
 * are now, with the same words as the live one. Any thread. */
#pragma once
#include "lib/base/strbuf.h"
#include "lib/bus/cursor.h"
#include "lib/bus/payload.h"
#include "lib/db/result.h"

#define LOG_WINDOW_IDS 5000                 /* ids that one statement looks at */
#define LOG_WINDOW_ROWS 2000                /* rows that it gives */
#define LOG_WINDOW_BYTES ((int64_t)1 << 20) /* about as many bytes of text: the first row above ends it */

struct log_window {
	char mark[CURSOR_MARK_LEN + 1];
	int64_t head;    /* the log's last id as of the statement's own snapshot */
	int64_t first;   /* the oldest id that the log holds; head + 1 where it holds none */
	int64_t covered; /* all that was asked for up to this id is in the rows; at least `after` */
	int rows;
};

/* r: an answer of live_window or live_user_window for ids above after, up to upto. False where it is not one. */
bool log_window_read(const PGresult *r, int64_t after, int64_t upto, struct log_window *out);
/* The event of a row; its line is built in b, which is reset before, and borrowed from it. */
void log_window_event(const PGresult *r, int row, const struct log_window *w, struct strbuf *b, struct event *out);

/* `{"type":"…","cursor":"…",` : how every logged event's line starts. */
void event_line_start(struct strbuf *b, const char *type, const char *mark, int64_t id);
