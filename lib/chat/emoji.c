/* emoji: a search in the table of build time. */
#include "lib/chat/emoji.h"
#include "lib/chat/emoji_table.h"
#include <stdlib.h>
#include <string.h>

#define SELECTOR "\xef\xb8\x8f" /* U+FE0F */

static int compare(const void *key, const void *entry)
{
	return strcmp(key, ((const struct emoji_entry *)entry)->key);
}

const char *emoji_find(const char *s, size_t n)
{
	const struct emoji_entry *found;
	char key[EMOJI_BYTES_MAX + 1];
	size_t k = 0;

	if (n > EMOJI_BYTES_MAX || memchr(s, 0, n))
		return NULL;
	for (size_t i = 0; i < n;) {
		if (n - i >= 3 && !memcmp(s + i, SELECTOR, 3))
			i += 3;
		else
			key[k++] = s[i++];
	}
	key[k] = 0;
	found = bsearch(key, emoji_table, emoji_count, sizeof(emoji_table[0]), compare);
	return found ? found->full : NULL;
}

const char *emoji_version(void)
{
	return emoji_unicode;
}
