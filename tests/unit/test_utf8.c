/* utf8: RFC 3629 against every code point and every short run of bytes. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/base/utf8.h"
#include <string.h>

/* The plain definition: by the number, not by the bytes. */
static size_t encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

static void every_code_point_but_the_surrogates_is_valid(void **state)
{
	char s[4];

	(void)state;
	for (uint32_t c = 0; c < 0x120000; c++) {
		size_t n = encode(c, s), len = 0;
		bool scalar = c < 0xd800 || (c > 0xdfff && c < 0x110000);

		if (utf8_valid(s, n) != scalar)
			fail_msg("U+%04X", c);
		if (!scalar)
			continue;
		assert_int_equal(utf8_decode(s, &len), c);
		assert_int_equal(len, n);
		assert_int_equal(utf8_length(s, n), 1);
		for (size_t k = 1; k < n; k++) /* cut short */
			assert_false(utf8_valid(s, k));
	}
}

/* True where s is the encoding of code points, each in its shortest form. */
static bool valid_by_definition(const unsigned char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t len = s[i] < 0x80   ? 1
			     : s[i] < 0xc0 ? 0
			     : s[i] < 0xe0 ? 2
			     : s[i] < 0xf0 ? 3
			     : s[i] < 0xf8 ? 4
					   : 0,
		       m;
		uint32_t c;
		char again[4];

		if (len == 0 || len > n - i)
			return false;
		c = len == 1 ? s[i] : s[i] & (0x7fu >> len);
		for (size_t k = 1; k < len; k++) {
			if ((s[i + k] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (s[i + k] & 63);
		}
		m = encode(c, again);
		if (m != len || memcmp(again, s + i, len) != 0 || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
			return false;
		i += len;
	}
	return true;
}

static void every_run_of_three_bytes_is_judged_rightly(void **state)
{
	unsigned char s[3];

	(void)state;
	for (unsigned v = 0; v < 1u << 24; v++) {
		s[0] = (unsigned char)(v >> 16);
		s[1] = (unsigned char)(v >> 8);
		s[2] = (unsigned char)v;
		if (s[0] < 0x7f) /* the first byte alone decides nothing: the others were seen */
			continue;
		if (utf8_valid((char *)s, 3) != valid_by_definition(s, 3))
			fail_msg("%02x %02x %02x", s[0], s[1], s[2]);
	}
}

static void four_bytes_at_their_edges_are_judged_rightly(void **state)
{
	static const unsigned char edge[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};

	(void)state;
	for (unsigned first = 0xe0; first <= 0xff; first++)
		for (size_t a = 0; a < sizeof(edge); a++)
			for (size_t b = 0; b < sizeof(edge); b++)
				for (size_t c = 0; c < sizeof(edge); c++) {
					unsigned char s[4] = {(unsigned char)first, edge[a], edge[b], edge[c]};

					if (utf8_valid((char *)s, 4) != valid_by_definition(s, 4))
						fail_msg("%02x %02x %02x %02x", s[0], s[1], s[2], s[3]);
				}
}

static void lengths_and_prefixes_count_code_points(void **state)
{
	static const char text[] = "aé€😀e\xcc\x81"; /* 1, 2, 3, 4, 1 and 2 bytes */
	static const size_t ends[] = {0, 1, 3, 6, 10, 11, 13, 13};

	(void)state;
	assert_int_equal(utf8_length(text, strlen(text)), 6);
	for (size_t k = 0; k < COUNT_OF(ends); k++)
		assert_int_equal(utf8_prefix(text, strlen(text), k), ends[k]);
}

static void blank_is_what_nobody_sees(void **state)
{
	static const char *const blank[] = {"",
					    " ",
					    "\t\r\n ",
					    "\xc2\xa0",
					    "\xe2\x80\x8b",
					    "\xef\xbb\xbf",
					    "\xe3\x80\x80",
					    "\xe2\x80\xae ",
					    "\xe2\xa0\x80",
					    "\xe3\x85\xa4",
					    "\xc2\xad",
					    "\xf3\xa0\x80\xa0"};
	static const char *const seen[] = {"a", " . ", "é", "😀", "日", "\xe2\x80\x8b_", "\xcc\x81"};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(blank); k++)
		assert_true(utf8_blank(blank[k], strlen(blank[k])));
	for (size_t k = 0; k < COUNT_OF(seen); k++)
		assert_false(utf8_blank(seen[k], strlen(seen[k])));
}

static void control_characters_are_seen(void **state)
{
	static const char *const bad[] = {"\x01",     "\x1b[0m",      "\x7f",         "\xc2\x80",
					  "\xc2\x9f", "\xef\xbf\xbe", "\xef\xbf\xbf", "a\x0b"};
	static const char *const good[] = {"", "plain", "é", "\xc2\xa0", "😀", "\xef\xbf\xbd", "\xe2\x80\xae"};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(bad); k++)
		assert_true(utf8_has_control(bad[k], strlen(bad[k]), "\t\n\r"));
	for (size_t k = 0; k < COUNT_OF(good); k++)
		assert_false(utf8_has_control(good[k], strlen(good[k]), ""));
	assert_false(utf8_has_control("a\tb\nc\r", 6, "\t\n\r"));
	assert_true(utf8_has_control("a\tb", 3, "\n"));
	assert_true(utf8_has_control("a\0b", 3, "\t\n\r"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_but_the_surrogates_is_valid),
		cmocka_unit_test(every_run_of_three_bytes_is_judged_rightly),
		cmocka_unit_test(four_bytes_at_their_edges_are_judged_rightly),
		cmocka_unit_test(lengths_and_prefixes_count_code_points),
		cmocka_unit_test(blank_is_what_nobody_sees),
		cmocka_unit_test(control_characters_are_seen),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
