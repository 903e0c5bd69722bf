/* utf8: validity and length (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF). */
#pragma once
#include "lib/base/base.h"

bool utf8_valid(const char *s, size_t n);
size_t utf8_length(const char *s, size_t n); /* code points of valid UTF-8 */
/* Length in bytes of the first `points` code points. */
size_t utf8_prefix(const char *s, size_t n, size_t points);
/* True for a blank string: nothing but white space, control and invisible format characters. */
bool utf8_blank(const char *s, size_t n);
/* True where a control character (other than those of allow, ASCII) or U+FFFE/U+FFFF is in it. */
bool utf8_has_control(const char *s, size_t n, const char *allow);
/* Decodes one code point at s (valid UTF-8, n >= 1); *len gets its bytes. */
uint32_t utf8_decode(const char *s, size_t *len);
