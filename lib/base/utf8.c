/* utf8: RFC 3629. */
#include "lib/base/utf8.h"
#include <string.h>

/* The bytes of ASCII that s begins with, eight at a time and then one by one. */
static size_t ascii_run(const char *s, size_t n)
{
	uint64_t eight;
	size_t i = 0;

	for (; i + sizeof(eight) <= n; i += sizeof(eight)) {
		memcpy(&eight, s + i, sizeof(eight));
		if (eight & 0x8080808080808080u)
			break;
	}
	while (i < n && !((unsigned char)s[i] & 0x80))
		i++;
	return i;
}

bool utf8_valid(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n;

	for (;;) {
		unsigned char c, lo = 0x80, hi = 0xbf;
		size_t len;

		p += ascii_run((const char *)p, (size_t)(end - p));
		if (p == end)
			return true;
		c = *p;
		if (c >= 0xc2 && c <= 0xdf)
			len = 2;
		else if (c >= 0xe0 && c <= 0xef)
			len = 3;
		else if (c >= 0xf0 && c <= 0xf4)
			len = 4;
		else
			return false;
		if ((size_t)(end - p) < len)
			return false;
		if (c == 0xe0)
			lo = 0xa0;
		else if (c == 0xed)
			hi = 0x9f;
		else if (c == 0xf0)
			lo = 0x90;
		else if (c == 0xf4)
			hi = 0x8f;
		if (p[1] < lo || p[1] > hi)
			return false;
		for (size_t i = 2; i < len; i++)
			if ((p[i] & 0xc0) != 0x80)
				return false;
		p += len;
	}
}

size_t utf8_length(const char *s, size_t n)
{
	size_t count = ascii_run(s, n);

	for (size_t i = count; i < n; i++)
		count += ((unsigned char)s[i] & 0xc0) != 0x80;
	return count;
}

size_t utf8_prefix(const char *s, size_t n, size_t points)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (((unsigned char)s[i] & 0xc0) == 0x80)
			continue;
		if (points-- == 0)
			break;
	}
	return i;
}

uint32_t utf8_decode(const char *s, size_t *len)
{
	const unsigned char *p = (const unsigned char *)s;

	if (p[0] < 0x80) {
		*len = 1;
		return p[0];
	}
	if (p[0] < 0xe0) {
		*len = 2;
		return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
	}
	if (p[0] < 0xf0) {
		*len = 3;
		return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	}
	*len = 4;
	return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 | (uint32_t)(p[2] & 0x3f) << 6 |
	       (p[3] & 0x3f);
}

/* White space and characters without a picture of their own. */
static bool invisible(uint32_t c)
{
	return c <= 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad || c == 0x34f || c == 0x61c || c == 0x115f ||
	       c == 0x1160 || c == 0x1680 || (c >= 0x17b4 && c <= 0x17b5) || (c >= 0x180b && c <= 0x180f) ||
	       (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) || (c >= 0x205f && c <= 0x206f) ||
	       c == 0x2800 || c == 0x3000 || c == 0x3164 || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff ||
	       c == 0xffa0 || (c >= 0xfff0 && c <= 0xfff8) || (c >= 0xe0000 && c <= 0xe0fff);
}

bool utf8_blank(const char *s, size_t n)
{
	for (size_t i = 0, len = 0; i < n; i += len)
		if (!invisible(utf8_decode(s + i, &len)))
			return false;
	return true;
}

bool utf8_has_control(const char *s, size_t n, const char *allow)
{
	for (size_t i = 0, len = 0; i < n; i += len) {
		uint32_t c;

		while (i < n && s[i] >= 0x20 && s[i] < 0x7f)
			i++;
		if (i == n)
			break;
		c = utf8_decode(s + i, &len);
		if (c == 0 || c == 0xfffe || c == 0xffff || (c >= 0x7f && c < 0xa0))
			return true;
		if (c < 0x20 && !strchr(allow, (int)c))
			return true;
	}
	return false;
}
