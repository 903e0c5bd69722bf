/* cursor: a place in the log as text: the epoch's mark, a dot, the id of the last event that was given; for a poll that
 * asks for state a dot and a digest of the state that it was given last. Opaque to clients. Any thread. */
#pragma once
#include "lib/base/err.h"

#define CURSOR_MARK_LEN 8
#define CURSOR_DIGEST_LEN 8
#define CURSOR_TEXT_MAX 40 /* with its NUL */

struct cursor {
	char mark[CURSOR_MARK_LEN + 1];
	int64_t id;
	char digest[CURSOR_DIGEST_LEN + 1]; /* "": none */
};

/* Strict: what cursor_text() does not write is ERR_BAD_CURSOR. Whether the mark is today's is for the caller to see. */
MUST_CHECK int cursor_parse(const char *s, size_t n, struct cursor *out, struct err *e);
/* Returns out. */
const char *cursor_text(char out[CURSOR_TEXT_MAX], const char *mark, int64_t id);
const char *cursor_text_digest(char out[CURSOR_TEXT_MAX], const char *mark, int64_t id, const char *digest);
bool cursor_mark_valid(const char *s, size_t n);
