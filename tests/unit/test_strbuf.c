/* strbuf: appends, the ceiling, JSON strings, handing over. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/base/strbuf.h"
#include <stdlib.h>
#include <string.h>

static void appends_follow_each_other(void **state)
{
	AUTO_STRBUF b = {0};

	(void)state;
	assert_string_equal(strbuf_cstr(&b), "");
	strbuf_adds(&b, "a");
	strbuf_addc(&b, 'b');
	strbuf_add(&b, "cd", 1);
	strbuf_addi(&b, INT64_MIN);
	strbuf_addf(&b, "%s-%d", "x", 7);
	strbuf_add(&b, NULL, 0);
	assert_string_equal(strbuf_cstr(&b), "abc-9223372036854775808x-7");
	assert_int_equal(b.n, strlen(b.p));
	assert_false(b.failed);
	strbuf_reset(&b);
	assert_string_equal(strbuf_cstr(&b), "");
}

static void it_holds_exactly_its_ceiling(void **state)
{
	for (size_t max = 1; max < 300; max++) {
		AUTO_STRBUF b = {.max = max};

		(void)state;
		for (size_t k = 0; k < max; k++)
			strbuf_addc(&b, 'x');
		assert_false(b.failed);
		assert_int_equal(b.n, max);
		strbuf_addc(&b, 'x');
		assert_true(b.failed);
		assert_int_equal(b.n, max);
		assert_int_equal(strlen(b.p), max);
	}
}

static void over_the_ceiling_it_takes_nothing_more(void **state)
{
	AUTO_STRBUF b = {.max = 5};

	(void)state;
	strbuf_adds(&b, "abc");
	strbuf_adds(&b, "def");
	assert_true(b.failed);
	strbuf_adds(&b, "d"); /* would fit, but a text with a hole in it is worse than none */
	strbuf_addf(&b, "%d", 1);
	assert_string_equal(strbuf_cstr(&b), "abc");
	strbuf_reset(&b);
	assert_false(b.failed);
	strbuf_adds(&b, "abcde");
	assert_false(b.failed);
	strbuf_add(&b, "", SIZE_MAX); /* no overflow in the sum */
	assert_true(b.failed);
}

static void without_a_ceiling_it_has_one(void **state)
{
	AUTO_STRBUF b = {0};
	char *chunk = calloc(1, 1 << 20);

	(void)state;
	for (int k = 0; k < 16; k++)
		strbuf_add(&b, chunk, 1 << 20);
	assert_false(b.failed);
	assert_int_equal(b.n, STRBUF_MAX_DEFAULT);
	strbuf_addc(&b, 'x');
	assert_true(b.failed);
	free(chunk);
}

static void json_strings_escape_what_they_must(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"", "\"\""},
		{"plain", "\"plain\""},
		{"\"\\/", "\"\\\"\\\\/\""},
		{"a\nb\rc\td", "\"a\\nb\\rc\\td\""},
		{"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
		{"é 😀", "\"é 😀\""},
		{"\xe2\x80\xa8", "\"\\u2028\""},
		{"x\xe2\x80\xa9y", "\"x\\u2029y\""},
		{"\xe2\x80\xaa\xe2\x80\xa7", "\"\xe2\x80\xaa\xe2\x80\xa7\""},
		{"\xe2\x81\xa8", "\"\xe2\x81\xa8\""},
		{"</script>", "\"</script>\""},
	};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		AUTO_STRBUF b = {0};

		strbuf_add_json(&b, cases[k].in, strlen(cases[k].in));
		assert_string_equal(strbuf_cstr(&b), cases[k].out);
	}
}

static void json_strings_escape_a_nul(void **state)
{
	AUTO_STRBUF b = {0};

	(void)state;
	strbuf_add_json(&b, "a\0b", 3);
	assert_string_equal(strbuf_cstr(&b), "\"a\\u0000b\"");
}

static void bytes_are_handed_over(void **state)
{
	struct strbuf b = {0};
	size_t n = 7;
	char *p = strbuf_take(&b, &n);

	(void)state;
	assert_string_equal(p, "");
	assert_int_equal(n, 0);
	free(p);
	strbuf_adds(&b, "mine");
	p = strbuf_take(&b, &n);
	assert_string_equal(p, "mine");
	assert_int_equal(n, 4);
	assert_int_equal(b.n, 0);
	assert_null(b.p);
	free(p);
	strbuf_adds(&b, "usable again");
	assert_string_equal(strbuf_cstr(&b), "usable again");
	strbuf_release(&b);
	strbuf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_follow_each_other),
		cmocka_unit_test(it_holds_exactly_its_ceiling),
		cmocka_unit_test(over_the_ceiling_it_takes_nothing_more),
		cmocka_unit_test(without_a_ceiling_it_has_one),
		cmocka_unit_test(json_strings_escape_what_they_must),
		cmocka_unit_test(json_strings_escape_a_nul),
		cmocka_unit_test(bytes_are_handed_over),
	};

	return cmocka_run_group_tests_name("strbuf", tests, NULL, NULL);
}
