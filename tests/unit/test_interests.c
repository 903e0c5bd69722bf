/* interests: what a query, an op and a line of the bus may say; and a cursor that tells what state was given. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/bus/cursor.h"
#include "lib/bus/payload.h"
#include "lib/chat/interests.h"
#include "lib/json/jx.h"
#include <stdio.h>
#include <string.h>

#define UUID "01234567-89ab-4def-8123-456789abcdef"

static void a_query_names_ids(void **state)
{
	struct interests i;
	struct err e = {0};

	(void)state;
	assert_int_equal(interests_parse(NULL, NULL, &i, &e), 0);
	assert_false(i.focus || i.watch);
	assert_int_equal(interests_parse("", NULL, &i, &e), 0);
	assert_true(i.focus && !i.watch);
	assert_int_equal(i.channels_n, 0);
	assert_int_equal(interests_parse("14,12,14", "9007199254740991", &i, &e), 0);
	assert_int_equal(i.channels_n, 2);
	assert_int_equal(i.channels[0], 12);
	assert_int_equal(i.channels[1], 14);
	assert_int_equal(i.users_n, 1);
	assert_int_equal(i.users[0], 9007199254740991);
}

static void a_query_is_strict(void **state)
{
	static const char *const bad[] = {
		"x", "1,", ",1", "1,,2", "0", "-1", "01", "1 ,2", " 1", "1;2", "9007199254740992", "1,2,3,4,5,6,7,8,9"};
	struct interests i;

	(void)state;
	for (size_t k = 0; k < COUNT_OF(bad); k++) {
		struct err e = {0};

		if (interests_parse(bad[k], NULL, &i, &e) == 0)
			fail_msg("%s is taken", bad[k]);
		assert_int_equal(e.code, ERR_BAD_FIELD);
		assert_string_equal(e.field, "focus");
	}
}

static void the_bounds_of_a_query(void **state)
{
	AUTO_STRBUF b = {0};
	struct interests i;
	struct err e = {0};

	(void)state;
	for (int id = 1; id <= INTEREST_USERS_MAX; id++)
		strbuf_addf(&b, id > 1 ? ",%d" : "%d", id);
	assert_int_equal(interests_parse("1,2,3,4,5,6,7,8", strbuf_cstr(&b), &i, &e), 0);
	assert_int_equal(i.channels_n, INTEREST_CHANNELS_MAX);
	assert_int_equal(i.users_n, INTEREST_USERS_MAX);
	strbuf_adds(&b, ",201");
	assert_int_equal(interests_parse(NULL, strbuf_cstr(&b), &i, &e), -1);
	assert_string_equal(e.field, "watch");
}

static void what_the_bus_passes_on_comes_back(void **state)
{
	struct interests i = {.focus = true, .channels_n = 2, .channels = {12, 14}}, back;
	AUTO_STRBUF b = {0};
	char instance[37];

	(void)state;
	interests_notice(&b, UUID, &i);
	assert_string_equal(strbuf_cstr(&b), "{\"instance\":\"" UUID "\",\"channels\":[12,14]}");
	assert_true(interests_from_notice((struct span){b.p, b.n}, instance, &back));
	assert_string_equal(instance, UUID);
	assert_memory_equal(&back, &i, sizeof(i));
	i = (struct interests){.watch = true};
	strbuf_reset(&b);
	interests_notice(&b, UUID, &i);
	assert_true(interests_from_notice((struct span){b.p, b.n}, instance, &back));
	assert_true(back.watch && !back.focus && !back.users_n);
	for (size_t n = 0; n < b.n; n++)
		assert_false(interests_from_notice((struct span){b.p, n}, instance, &back));
	assert_false(interests_from_notice((struct span){"{}", 2}, instance, &back));
}

static void a_cursor_may_bear_a_digest(void **state)
{
	static const char *const bad[] = {
		"abcdefgh.1.",         "abcdefgh.1.abcdefg",   "abcdefgh.1.abcdefghi", "abcdefgh..abcdefgh",
		"abcdefgh.1.abcdefg1", "abcdefgh.1.abcdefgh.", "abcdefgh.1.ABCDEFGH",  "abcdefgh."};
	char text[CURSOR_TEXT_MAX];
	struct cursor c;
	struct err e = {0};

	(void)state;
	assert_int_equal(cursor_parse("abcdefgh.9007199254740991.a2b3c4d5", 34, &c, &e), 0);
	assert_string_equal(c.mark, "abcdefgh");
	assert_int_equal(c.id, 9007199254740991);
	assert_string_equal(c.digest, "a2b3c4d5");
	assert_string_equal(cursor_text_digest(text, c.mark, c.id, c.digest), "abcdefgh.9007199254740991.a2b3c4d5");
	assert_string_equal(cursor_text_digest(text, c.mark, 7, ""), "abcdefgh.7");
	assert_int_equal(cursor_parse("abcdefgh.7", 10, &c, &e), 0);
	assert_string_equal(c.digest, "");
	for (size_t k = 0; k < COUNT_OF(bad); k++)
		if (cursor_parse(bad[k], strlen(bad[k]), &c, &e) == 0)
			fail_msg("%s is taken", bad[k]);
}

static void state_lines_bear_no_id(void **state)
{
	static const char kinds[] = "swykob";
	struct event ev;

	(void)state;
	for (const char *k = kinds; *k; k++) {
		char good[40], bad[40];
		struct span rest;

		snprintf(good, sizeof(good), "0 %c 12 1041 3 {}", *k);
		rest = (struct span){good, strlen(good)};
		assert_int_equal(payload_next(&rest, &ev), 1);
		assert_int_equal(ev.kind, *k);
		assert_int_equal(ev.channel, 12);
		assert_int_equal(ev.audience, 1041);
		assert_int_equal(ev.subject, 3);
		snprintf(bad, sizeof(bad), "7 %c 12 0 3 {}", *k);
		rest = (struct span){bad, strlen(bad)};
		assert_int_equal(payload_next(&rest, &ev), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_names_ids),          cmocka_unit_test(a_query_is_strict),
		cmocka_unit_test(the_bounds_of_a_query),      cmocka_unit_test(what_the_bus_passes_on_comes_back),
		cmocka_unit_test(a_cursor_may_bear_a_digest), cmocka_unit_test(state_lines_bear_no_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
