/* codec: text forms of bytes and numbers. */
#include "lib/base/codec.h"
#include <string.h>

static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(char *out, const void *data, size_t n)
{
	const unsigned char *p = data;
	size_t i;

	for (i = 0; i + 2 < n; i += 3) {
		unsigned v = (unsigned)p[i] << 16 | (unsigned)p[i + 1] << 8 | p[i + 2];

		*out++ = b64[v >> 18];
		*out++ = b64[v >> 12 & 63];
		*out++ = b64[v >> 6 & 63];
		*out++ = b64[v & 63];
	}
	if (i < n) {
		unsigned v = (unsigned)p[i] << 16 | (i + 1 < n ? (unsigned)p[i + 1] << 8 : 0);

		*out++ = b64[v >> 18];
		*out++ = b64[v >> 12 & 63];
		if (i + 1 < n)
			*out++ = b64[v >> 6 & 63];
	}
	*out = 0;
}

// clang-format off
static const signed char b64_values[128] = {
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, -1,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1,
	-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, 63,
	-1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
};
// clang-format on

/* By table: the characters of a secret are random, and so would be each branch. */
static int b64_value(char c)
{
	return (unsigned char)c < 128 ? b64_values[(unsigned char)c] : -1;
}

long base64url_decode(void *out, const char *s, size_t n)
{
	unsigned char *o = out;
	unsigned acc = 0, bits = 0;
	long len = 0;

	if (n % 4 == 1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int v = b64_value(s[i]);

		if (v < 0)
			return -1;
		acc = acc << 6 | (unsigned)v;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			o[len++] = (unsigned char)(acc >> bits);
			acc &= (1u << bits) - 1;
		}
	}
	return acc ? -1 : len;
}

void hex_encode(char *out, const void *data, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = 0;
}

// clang-format off
static const signed char hex_values[256] = {
	[0 ... '0' - 1] = -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
	['9' + 1 ... 'A' - 1] = -1, 10, 11, 12, 13, 14, 15,
	['F' + 1 ... 'a' - 1] = -1, 10, 11, 12, 13, 14, 15,
	['f' + 1 ... 255] = -1,
};
// clang-format on

static int hex_value(char c)
{
	return hex_values[(unsigned char)c];
}

bool hex_decode(void *out, const char *s, size_t n)
{
	unsigned char *o = out;

	if (n % 2)
		return false;
	for (size_t i = 0; i < n; i += 2) {
		int a = hex_value(s[i]), b = hex_value(s[i + 1]);

		if (a < 0 || b < 0)
			return false;
		*o++ = (unsigned char)(a << 4 | b);
	}
	return true;
}

bool uuid_parse(const char *s, size_t n, unsigned char bytes[16])
{
	static const unsigned char at[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
	unsigned char scratch[16];

	if (n != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-')
		return false;
	for (size_t i = 0; i < sizeof(scratch); i++) {
		char high = s[at[i]], low = s[at[i] + 1];
		int v = hex_value(high) * 16 | hex_value(low);

		if (v < 0 || (high >= 'A' && high <= 'F') || (low >= 'A' && low <= 'F'))
			return false;
		scratch[i] = (unsigned char)v;
	}
	if (bytes)
		memcpy(bytes, scratch, sizeof(scratch));
	return true;
}

bool int_parse(const char *s, size_t n, int64_t max, int64_t *out)
{
	int64_t v = 0;

	if (n == 0 || (n > 1 && s[0] == '0'))
		return false;
	for (size_t i = 0; i < n; i++) {
		int d = s[i] - '0';

		if (d < 0 || d > 9 || v > (max - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return v <= max;
}

char *int_text(char *out, int64_t v)
{
	char t[INT_TEXT_MAX], *p = t + sizeof(t);
	uint64_t left = v < 0 ? -(uint64_t)v : (uint64_t)v;
	size_t n;

	*--p = 0;
	do
		*--p = (char)('0' + left % 10);
	while (left /= 10);
	if (v < 0)
		*--p = '-';
	n = (size_t)(t + sizeof(t) - p);
	memcpy(out, p, n);
	return out + n - 1;
}

bool percent_decode(char *s, size_t *n, bool plus)
{
	size_t k = 0;

	for (size_t i = 0; i < *n; i++) {
		char c = s[i];

		if (c == '%') {
			if (i + 2 >= *n || !hex_decode(&c, s + i + 1, 2) || c == 0)
				return false;
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		s[k++] = c;
	}
	s[k] = 0;
	*n = k;
	return true;
}

bool equal_const_time(const void *a, const void *b, size_t n)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char d = 0;

	for (size_t i = 0; i < n; i++)
		d |= (unsigned char)(x[i] ^ y[i]);
	return d == 0;
}
