/* emoji: which sequences of code points are emoji (Unicode's RGI set: those that people can be expected to see as one
 * picture), and their one form. Any thread. */
#pragma once
#include "lib/base/base.h"

#define EMOJI_BYTES_MAX 64 /* the longest has 35 */

/* The full form of the emoji that the n bytes at s are, with or without variation selectors; NULL: they are none, or
 * more than one. Skin tones are part of an emoji: two tones are two emoji. */
const char *emoji_find(const char *s, size_t n);
/* The version of Unicode's data that it knows, "15.0". */
const char *emoji_version(void);
