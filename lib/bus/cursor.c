/* cursor: text and back. */
#include "lib/bus/cursor.h"
#include "lib/bus/payload.h"
#include "lib/base/codec.h"
#include <string.h>

static bool is_base32(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '2' && s[i] <= '7')))
			return false;
	return true;
}

bool cursor_mark_valid(const char *s, size_t n)
{
	return n == CURSOR_MARK_LEN && is_base32(s, n);
}

int cursor_parse(const char *s, size_t n, struct cursor *out, struct err *e)
{
	const char *digest = NULL;
	size_t id_n = 0;

	if (n == 0)
		return err_set(e, ERR_BAD_CURSOR, "cursor", "is empty: leave it out to start from now");
	if (n > CURSOR_MARK_LEN + 1) {
		digest = memchr(s + CURSOR_MARK_LEN + 1, '.', n - CURSOR_MARK_LEN - 1);
		id_n = (digest ? (size_t)(digest - s) : n) - CURSOR_MARK_LEN - 1;
	}
	if (n < CURSOR_MARK_LEN + 2 || !cursor_mark_valid(s, CURSOR_MARK_LEN) || s[CURSOR_MARK_LEN] != '.' ||
	    !int_parse(s + CURSOR_MARK_LEN + 1, id_n, EVENT_ID_MAX, &out->id) ||
	    (digest && (s + n != digest + 1 + CURSOR_DIGEST_LEN || !is_base32(digest + 1, CURSOR_DIGEST_LEN))))
		return err_set(e, ERR_BAD_CURSOR, "cursor", "is not one that was given out");
	memcpy(out->mark, s, CURSOR_MARK_LEN);
	out->mark[CURSOR_MARK_LEN] = 0;
	memset(out->digest, 0, sizeof(out->digest));
	if (digest)
		memcpy(out->digest, digest + 1, CURSOR_DIGEST_LEN);
	return 0;
}

const char *cursor_text(char out[CURSOR_TEXT_MAX], const char *mark, int64_t id)
{
	return cursor_text_digest(out, mark, id, "");
}

const char *cursor_text_digest(char out[CURSOR_TEXT_MAX], const char *mark, int64_t id, const char *digest)
{
	char *p = out + strnlen(mark, CURSOR_MARK_LEN);

	memcpy(out, mark, (size_t)(p - out));
	*p++ = '.';
	p = int_text(p, id);
	if (*digest)
		*p++ = '.';
	memcpy(p, digest, strlen(digest) + 1);
	return out;
}
