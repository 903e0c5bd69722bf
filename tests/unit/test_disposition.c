/* disposition: names as they come, as they are kept, and as a browser is told them (FI-2). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/base/utf8.h"
#include "lib/http/disposition.h"
#include <string.h>

static const struct {
	const char *in, *clean, *header;
} names[] = {
	{"a.txt", "a.txt", "attachment; filename=\"a.txt\""},
	{"1976\xe2\x80\x93"
	 "2016.md",
	 "1976\xe2\x80\x93"
	 "2016.md",
	 "attachment; filename=\"1976_2016.md\"; filename*=UTF-8''1976%E2%80%932016.md"},
	{"a,b;c\"d.pdf", "a,b;c\"d.pdf", "attachment; filename=\"a,b;c_d.pdf\"; filename*=UTF-8''a%2Cb%3Bc%22d.pdf"},
	{"x + y%20z.pdf", "x + y%20z.pdf",
	 "attachment; filename=\"x + y_20z.pdf\"; filename*=UTF-8''x%20%2B%20y%2520z.pdf"},
	{"\xe6\x97\xa5\xe6\x9c\xac\xf0\x9f\x98\xac.pdf", "\xe6\x97\xa5\xe6\x9c\xac\xf0\x9f\x98\xac.pdf",
	 "attachment; filename=\"___.pdf\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC%F0%9F%98%AC.pdf"},
	/* U+202E and its relatives: what is shown is what it is */
	{"invoice\xe2\x80\xae"
	 "fdp.exe",
	 "invoicefdp.exe", "attachment; filename=\"invoicefdp.exe\""},
	{"a\xe2\x81\xa6"
	 "b\xe2\x81\xa9"
	 "c\xe2\x80\x8f"
	 "d.txt",
	 "abcd.txt", "attachment; filename=\"abcd.txt\""},
	{"a\r\nSet-Cookie: b=c.txt", "aSet-Cookie: b=c.txt", "attachment; filename=\"aSet-Cookie: b=c.txt\""},
	{"a\xe2\x80\xa8"
	 "b\xc2\x85"
	 "c\x7f.txt",
	 "abc.txt", "attachment; filename=\"abc.txt\""},
	{"../../x", "x", "attachment; filename=\"x\""},
	{"..\\..\\x.txt", "x.txt", "attachment; filename=\"x.txt\""},
	{"C:\\Users\\me\\x.txt", "x.txt", "attachment; filename=\"x.txt\""},
	{"/etc/passwd/", "passwd", "attachment; filename=\"passwd\""},
	{".", "file", "attachment; filename=\"file\""},
	{"..", "file", "attachment; filename=\"file\""},
	{"......", "file", "attachment; filename=\"file\""},
	{" . . ", "file", "attachment; filename=\"file\""},
	{"", "file", "attachment; filename=\"file\""},
	{"///", "file", "attachment; filename=\"file\""},
	{"\xe2\x80\xae\xe2\x80\x8b", "file", "attachment; filename=\"file\""},
	{".gitignore", ".gitignore", "attachment; filename=\".gitignore\""},
	{"  a b.txt . ", "a b.txt", "attachment; filename=\"a b.txt\""},
	{"\xe3\x80\x80"
	 "a.txt\xc2\xa0",
	 "a.txt", "attachment; filename=\"a.txt\""},
	/* the joiner of an emoji stays */
	{"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9.png", "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9.png",
	 "attachment; filename=\"___.png\"; filename*=UTF-8''%F0%9F%91%A8%E2%80%8D%F0%9F%91%A9.png"},
	/* no UTF-8: one _ a byte */
	{"a\xff\xc3.txt", "a__.txt", "attachment; filename=\"a__.txt\""},
};

static void fi2_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		AUTO_STRBUF b = {0};
		char out[FILE_NAME_SIZE], again[FILE_NAME_SIZE];

		file_name_clean(names[i].in, strlen(names[i].in), out);
		assert_string_equal(out, names[i].clean);
		file_name_clean(out, strlen(out), again);
		assert_string_equal(again, out);
		disposition_add(&b, true, out);
		assert_string_equal(strbuf_cstr(&b), names[i].header);
	}
}

static void fi2_a_nul_ends_nothing(void **state)
{
	char out[FILE_NAME_SIZE];

	(void)state;
	file_name_clean("a.png\0.exe", 10, out);
	assert_string_equal(out, "a.png.exe");
}

static void fi2_long_names_keep_their_extension(void **state)
{
	char in[600], out[FILE_NAME_SIZE];

	(void)state;
	memset(in, 'a', sizeof(in));
	memcpy(in + 296, ".pdf", 4);
	file_name_clean(in, 300, out);
	assert_int_equal(strlen(out), 255);
	assert_string_equal(out + 251, ".pdf");
	/* whole characters */
	for (size_t i = 0; i + 3 <= 297; i += 3)
		memcpy(in + i, "\xe6\x97\xa5", 3);
	memcpy(in + 297, ".jpeg", 5);
	file_name_clean(in, 302, out);
	assert_true(utf8_valid(out, strlen(out)));
	assert_true(strlen(out) <= 255 && strlen(out) > 250);
	assert_string_equal(out + strlen(out) - 5, ".jpeg");
	/* what is too long to be an extension is none; a cut that ends in dots */
	memset(in, '.', sizeof(in));
	in[0] = 'x';
	in[599] = 'y';
	file_name_clean(in, sizeof(in), out);
	assert_true(strlen(out) <= 255 && strlen(out) >= 1);
	assert_true(out[strlen(out) - 1] != '.');
	memset(in, 'a', sizeof(in));
	file_name_clean(in, 255, out);
	assert_int_equal(strlen(out), 255);
	file_name_clean(in, 256, out);
	assert_int_equal(strlen(out), 255);
}

static void inline_says_so(void **state)
{
	AUTO_STRBUF b = {0};

	(void)state;
	disposition_add(&b, false, "a.png");
	assert_string_equal(strbuf_cstr(&b), "inline; filename=\"a.png\"");
}

/* Whatever the bytes: clean again is the same, valid, and a header of one line. */
static void fi2_any_bytes(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		static const char *const bits[] = {
			"/", "\\", ".", "\xe2\x80\xae", "\r\n", "\"", "%", "\xf0\x9f\x98\xac", "a", " ", "\xff"};
		char in[400], out[FILE_NAME_SIZE], again[FILE_NAME_SIZE];
		AUTO_STRBUF b = {0};
		size_t n = 0;

		for (int k = 0; k < 80; k++) {
			const char *bit;

			seed = seed * 1664525 + 1013904223;
			bit = bits[(seed >> 8) % COUNT_OF(bits)];
			memcpy(in + n, bit, strlen(bit));
			n += strlen(bit);
		}
		file_name_clean(in, n, out);
		file_name_clean(out, strlen(out), again);
		assert_string_equal(again, out);
		assert_true(out[0] && utf8_valid(out, strlen(out)) && !strpbrk(out, "/\\\r\n"));
		disposition_add(&b, true, out);
		for (size_t i = 0; i < b.n; i++)
			assert_true(b.p[i] >= ' ' && b.p[i] < 0x7f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fi2_names),
		cmocka_unit_test(fi2_a_nul_ends_nothing),
		cmocka_unit_test(fi2_long_names_keep_their_extension),
		cmocka_unit_test(inline_says_so),
		cmocka_unit_test(fi2_any_bytes),
	};

	return cmocka_run_group_tests_name("disposition", tests, NULL, NULL);
}
