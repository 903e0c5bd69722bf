/* codec: text forms, strict both ways: each good form there and back, each bad one refused. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/base/codec.h"
#include <stdlib.h>
#include <string.h>

static void base64url_there_and_back(void **state)
{
	static const struct {
		const char *bytes, *text;
	} rfc[] = {{"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
		   {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
	unsigned char in[64], out[64];
	char text[BASE64URL_LEN(64) + 1];

	(void)state;
	for (size_t k = 0; k < COUNT_OF(rfc); k++) {
		base64url_encode(text, rfc[k].bytes, strlen(rfc[k].bytes));
		assert_string_equal(text, rfc[k].text);
	}
	base64url_encode(text, "\xfb\xff\xfe", 3);
	assert_string_equal(text, "-__-");
	for (size_t n = 0; n <= sizeof(in); n++) {
		for (size_t k = 0; k < n; k++)
			in[k] = (unsigned char)(n * 31 + k * 97);
		base64url_encode(text, in, n);
		assert_int_equal(strlen(text), BASE64URL_LEN(n));
		assert_int_equal(base64url_decode(out, text, strlen(text)), n);
		assert_memory_equal(in, out, n);
	}
}

static void base64url_has_one_form_only(void **state)
{
	static const char *const bad[] = {"Z",    "Zg==", "Zg=",   "Zh",    "Zm9",   "Z g",         "Zg\n",
					  "Zm+v", "Zm/v", "Zm9v!", "Zm9v=", " Zm9v", "Zm8\xc3\xa9", "ZZZZZ"};
	unsigned char out[64];

	(void)state;
	for (size_t k = 0; k < COUNT_OF(bad); k++)
		if (base64url_decode(out, bad[k], strlen(bad[k])) != -1)
			fail_msg("%s was accepted", bad[k]);
	assert_int_equal(base64url_decode(out, "Zg\0A", 4), -1);
}

static void hex_there_and_back(void **state)
{
	unsigned char all[256], back[256];
	char text[513];

	(void)state;
	for (size_t k = 0; k < sizeof(all); k++)
		all[k] = (unsigned char)k;
	hex_encode(text, all, sizeof(all));
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "000102", 6);
	assert_memory_equal(text + 506, "fdfeff", 7);
	assert_true(hex_decode(back, text, 512));
	assert_memory_equal(all, back, 256);
	assert_true(hex_decode(back, "aBcD", 4));
	assert_memory_equal(back, "\xab\xcd", 2);
	assert_true(hex_decode(back, "", 0));
	assert_false(hex_decode(back, "abc", 3));
	assert_false(hex_decode(back, "0g", 2));
	assert_false(hex_decode(back, " 0", 2));
	assert_false(hex_decode(back, "0x", 2));
}

static void a_uuid_has_one_form_only(void **state)
{
	static const char good[] = "01234567-89ab-cdef-0123-456789abcdef";
	static const char *const bad[] = {"01234567-89AB-cdef-0123-456789abcdef",
					  "0123456789abcdef0123456789abcdef",
					  "{01234567-89ab-cdef-0123-456789abcdef}",
					  "01234567-89ab-cdef-0123-456789abcde",
					  "01234567-89ab-cdef-0123-456789abcdef0",
					  "01234567089ab-cdef-0123-456789abcdef",
					  "0123456-789ab-cdef-0123-456789abcdef",
					  "g1234567-89ab-cdef-0123-456789abcdef",
					  "",
					  "------------------------------------"};
	unsigned char bytes[16];
	char copy[37];

	(void)state;
	assert_true(uuid_parse(good, 36, bytes));
	assert_memory_equal(bytes, "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef", 16);
	assert_true(uuid_parse(good, 36, NULL));
	for (size_t k = 0; k < COUNT_OF(bad); k++)
		if (uuid_parse(bad[k], strlen(bad[k]), bytes))
			fail_msg("%s was accepted", bad[k]);
	for (size_t k = 0; k < 36; k++) /* any one character that is wrong */
		for (const char *wrong = "gA -_\n"; *wrong; wrong++) {
			memcpy(copy, good, sizeof(copy));
			if (copy[k] == *wrong)
				continue;
			copy[k] = *wrong;
			assert_false(uuid_parse(copy, 36, NULL));
		}
}

static void a_number_is_within_its_bound(void **state)
{
	static const struct {
		const char *text;
		int64_t max, value; /* -1: refused */
	} cases[] = {
		{"0", 10, 0},
		{"7", 10, 7},
		{"10", 10, 10},
		{"11", 10, -1},
		{"9", 5, -1},
		{"5", 5, 5},
		{"0", 0, 0},
		{"1", 0, -1},
		{"007", 10, -1},
		{"00", 10, -1},
		{"-1", 10, -1},
		{"+1", 10, -1},
		{" 1", 10, -1},
		{"1 ", 10, -1},
		{"1.0", 10, -1},
		{"1e1", 100, -1},
		{"0x1", 100, -1},
		{"", 10, -1},
		{"9223372036854775807", INT64_MAX, INT64_MAX},
		{"9223372036854775808", INT64_MAX, -1},
		{"18446744073709551617", INT64_MAX, -1},
		{"99999999999999999999999999", INT64_MAX, -1},
		{"\xd9\xa3", 10, -1},
	};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		int64_t v = -7;
		bool ok = int_parse(cases[k].text, strlen(cases[k].text), cases[k].max, &v);

		if (ok != (cases[k].value >= 0) || (ok && v != cases[k].value))
			fail_msg("%s up to %lld: %d, %lld", cases[k].text, (long long)cases[k].max, ok, (long long)v);
	}
}

static void percent_encoding_is_undone_once(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: refused */
		bool plus;
	} cases[] = {
		{"", "", false},         {"a%20b", "a b", false}, {"a+b", "a+b", false},  {"a+b", "a b", true},
		{"%2525", "%25", false}, {"%C3%a9", "é", false},  {"%2B", "+", true},     {"%", NULL, false},
		{"%2", NULL, false},     {"%2g", NULL, false},    {"a%00b", NULL, false}, {"%%20", NULL, false},
	};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		char *s = strdup(cases[k].in); /* of its exact size, for the sanitizers */
		size_t n = strlen(s);
		bool ok = percent_decode(s, &n, cases[k].plus);

		if (ok != (cases[k].out != NULL) || (ok && (strcmp(s, cases[k].out) != 0 || n != strlen(cases[k].out))))
			fail_msg("%s: %d, %s", cases[k].in, ok, s);
		free(s);
	}
}

static void comparing_in_constant_time_compares(void **state)
{
	(void)state;
	assert_true(equal_const_time("", "", 0));
	assert_true(equal_const_time("abc", "abc", 3));
	assert_false(equal_const_time("abc", "abd", 3));
	assert_false(equal_const_time("\x80", "\x00", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64url_there_and_back),
		cmocka_unit_test(base64url_has_one_form_only),
		cmocka_unit_test(hex_there_and_back),
		cmocka_unit_test(a_uuid_has_one_form_only),
		cmocka_unit_test(a_number_is_within_its_bound),
		cmocka_unit_test(percent_encoding_is_undone_once),
		cmocka_unit_test(comparing_in_constant_time_compares),
	};

	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
