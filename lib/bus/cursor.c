/* cursor: text and back. */
#include "lib/bus/cursor.h"
#include "lib/bus/payload.h"
#include "lib/base/codec.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool cursor_mark_valid(const char *s, size_t n)
{
	if (n != CURSOR_MARK_LEN)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '2' && s[i] <= '7')))
			return false;
	return true;
}

int cursor_parse(const char *s, size_t n, struct cursor *out, struct err *e)
{
	if (n == 0)
		return err_set(e, ERR_BAD_CURSOR, "cursor", "is empty: leave it out to start from now");
	if (n < CURSOR_MARK_LEN + 2 || !cursor_mark_valid(s, CURSOR_MARK_LEN) || s[CURSOR_MARK_LEN] != '.' ||
	    !int_parse(s + CURSOR_MARK_LEN + 1, n - CURSOR_MARK_LEN - 1, EVENT_ID_MAX, &out->id))
		return err_set(e, ERR_BAD_CURSOR, "cursor", "is not one that was given out");
	memcpy(out->mark, s, CURSOR_MARK_LEN);
	out->mark[CURSOR_MARK_LEN] = 0;
	return 0;
}

const char *cursor_text(char out[CURSOR_TEXT_MAX], const char *mark, int64_t id)
{
	snprintf(out, CURSOR_TEXT_MAX, "%.*s.%" PRId64, CURSOR_MARK_LEN, mark, id);
	return out;
}
