/* emoji_table: made at build time by lib/chat/emoji.awk from Unicode's emoji-test.txt; for emoji.c alone. */
#pragma once
#include "lib/base/base.h"

struct emoji_entry {
	const char *key, *full; /* without and with variation selectors */
};
extern const struct emoji_entry emoji_table[]; /* by key */
extern const size_t emoji_count;
extern const char emoji_unicode[]; /* the version of Unicode's data, "15.0" */
