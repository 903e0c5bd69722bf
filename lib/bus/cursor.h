/* cursor: a place in the log as text: the epoch's mark, a dot, the id of the last event that was given. Opaque to
 * clients. Any thread. */
#pragma once
#include "lib/base/err.h"

#define CURSOR_MARK_LEN 8
#define CURSOR_TEXT_MAX 32 /* with its NUL */

struct cursor {
	char mark[CURSOR_MARK_LEN + 1];
	int64_t id;
};

/* Strict: what cursor_text() does not write is ERR_BAD_CURSOR. Whether the mark is today's is for the caller to see. */
MUST_CHECK int cursor_parse(const char *s, size_t n, struct cursor *out, struct err *e);
/* Returns out. */
const char *cursor_text(char out[CURSOR_TEXT_MAX], const char *mark, int64_t id);
bool cursor_mark_valid(const char *s, size_t n);
