/* typing: who types, as one of them sees it; and how often it may be told. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/chat/typing_gate.h"
#include "lib/live/typing.h"
#include <string.h>

static void view_is(const struct typing *t, int64_t viewer, const char *line)
{
	struct typing_view v;
	AUTO_STRBUF b = {0};

	typing_see(t, viewer, &v);
	typing_render(&b, 12, &v);
	assert_string_equal(strbuf_cstr(&b), line);
}

static void a_list_in_the_order_of_beginning(void **state)
{
	struct typing t = {0};

	(void)state;
	view_is(&t, 1, "{\"type\":\"typing\",\"channel\":12,\"users\":[],\"count\":0}");
	for (int64_t user = 7; user > 0; user--)
		assert_true(typing_note(&t, user, 0, 1000 + user));
	assert_false(typing_note(&t, 7, 0, 2000)); /* he goes on: no change */
	view_is(&t, 99, "{\"type\":\"typing\",\"channel\":12,\"users\":[7,6,5,4,3],\"count\":7}");
	view_is(&t, 6, "{\"type\":\"typing\",\"channel\":12,\"users\":[7,5,4,3,2],\"count\":6}");
	assert_true(typing_drop(&t, 5));
	assert_false(typing_drop(&t, 5));
	view_is(&t, 99, "{\"type\":\"typing\",\"channel\":12,\"users\":[7,6,4,3,2],\"count\":6}");
	typing_clear(&t);
}

static void each_expires_by_himself(void **state)
{
	struct typing t = {0};

	(void)state;
	assert_int_equal(typing_next(&t), INT64_MAX);
	typing_note(&t, 1, 0, 100);
	typing_note(&t, 2, 0, 50);
	typing_note(&t, 3, 0, 200);
	assert_int_equal(typing_next(&t), 50);
	assert_false(typing_expire(&t, 49));
	assert_true(typing_expire(&t, 50));
	view_is(&t, 0, "{\"type\":\"typing\",\"channel\":12,\"users\":[1,3],\"count\":2}");
	typing_note(&t, 1, 0, 300);
	assert_true(typing_expire(&t, 200));
	view_is(&t, 0, "{\"type\":\"typing\",\"channel\":12,\"users\":[1],\"count\":1}");
	assert_true(typing_expire(&t, 1000));
	assert_null(t.all);
}

static void the_list_is_bounded(void **state)
{
	struct typing t = {0};

	(void)state;
	for (int64_t user = 1; user <= TYPING_MAX; user++)
		assert_true(typing_note(&t, user, 0, 100));
	assert_false(typing_note(&t, TYPING_MAX + 1, 0, 100));
	assert_false(typing_note(&t, 1, 0, 200)); /* who is in may go on */
	assert_int_equal(t.n, TYPING_MAX);
	typing_clear(&t);
}

static void a_thread_has_a_list_of_its_own(void **state)
{
	struct typing t = {0};

	(void)state;
	typing_note(&t, 1, 0, 100);
	assert_true(typing_note(&t, 2, 41, 100));
	assert_true(typing_note(&t, 3, 40, 100));
	assert_true(typing_note(&t, 4, 41, 100));
	view_is(&t, 9,
		"{\"type\":\"typing\",\"channel\":12,\"users\":[1],\"count\":1,\"threads\":["
		"{\"thread\":41,\"users\":[2,4],\"count\":2},{\"thread\":40,\"users\":[3],\"count\":1}]}");
	view_is(&t, 3,
		"{\"type\":\"typing\",\"channel\":12,\"users\":[1],\"count\":1,\"threads\":["
		"{\"thread\":41,\"users\":[2,4],\"count\":2}]}");
	assert_false(typing_note(&t, 4, 41, 200));
	assert_true(typing_note(&t, 4, 0, 200)); /* from there to the channel's line: in one place only */
	typing_expire(&t, 100);
	view_is(&t, 9, "{\"type\":\"typing\",\"channel\":12,\"users\":[4],\"count\":1}");
	assert_true(typing_note(&t, 4, 40, 200)); /* the only one moves */
	view_is(&t, 9,
		"{\"type\":\"typing\",\"channel\":12,\"users\":[],\"count\":0,\"threads\":["
		"{\"thread\":40,\"users\":[4],\"count\":1}]}");
	typing_clear(&t);
}

static void lists_of_threads_are_bounded(void **state)
{
	struct typing t = {0};
	struct typing_view v;

	(void)state;
	for (int64_t user = 1; user <= TYPING_MAX; user++)
		assert_true(typing_note(&t, user, user, 100));
	typing_see(&t, 1, &v);
	assert_int_equal(v.n, 1 + TYPING_THREADS);
	assert_int_equal(v.lists[1].thread, 2);
	assert_int_equal(v.lists[TYPING_THREADS].thread, TYPING_THREADS + 1);
	assert_true(typing_note(&t, TYPING_MAX, 0, 100)); /* the channel's line is among them always */
	typing_see(&t, 1, &v);
	assert_int_equal(v.lists[0].count, 1);
	assert_true(typing_note(&t, TYPING_MAX, 2, 100)); /* nobody more than before, though it is full */
	assert_int_equal(t.n, TYPING_MAX);
	typing_clear(&t);
}

static void who_is_alone_sees_nobody(void **state)
{
	struct typing t = {0};
	struct typing_view v;

	(void)state;
	typing_see(&t, 9, &v);
	assert_true(typing_quiet(&v));
	typing_note(&t, 1, 41, 100);
	typing_see(&t, 9, &v);
	assert_false(typing_quiet(&v));
	typing_see(&t, 1, &v);
	assert_true(typing_quiet(&v));
	typing_clear(&t);
}

static void the_gate_lets_one_through_in_a_while(void **state)
{
	struct typing_gate *g = typing_gate_new(2000);

	(void)state;
	assert_true(typing_gate_pass(g, 1, 12, 1000));
	for (int64_t now = 1000; now < 3000; now += 10)
		assert_false(typing_gate_pass(g, 1, 12, now));
	assert_true(typing_gate_pass(g, 1, 13, 1500)); /* another channel */
	assert_true(typing_gate_pass(g, 2, 12, 1500)); /* another user */
	assert_true(typing_gate_pass(g, 1, 12, 3000));
	assert_false(typing_gate_pass(g, 1, 12, 4999));
	typing_gate_free(&g);
	g = typing_gate_new(0);
	assert_true(typing_gate_pass(g, 1, 12, 1000));
	assert_true(typing_gate_pass(g, 1, 12, 1000));
	typing_gate_free(&g);
	assert_null(g);
}

static void the_gate_forgets_the_oldest(void **state)
{
	struct typing_gate *g = typing_gate_new(1000000);

	(void)state;
	for (int64_t user = 1; user <= 30000; user++)
		assert_true(typing_gate_pass(g, user, 12, 1000));
	assert_false(typing_gate_pass(g, 30000, 12, 1000));
	assert_true(typing_gate_pass(g, 1, 12, 1000));
	typing_gate_free(&g);
}

static void a_judgement_holds_for_a_while(void **state)
{
	struct typing_gate *g = typing_gate_new(2000);

	(void)state;
	assert_int_equal(typing_gate_channel(g, 12, 1000), TYPING_UNKNOWN);
	typing_gate_judged(g, 12, true, 1000);
	typing_gate_judged(g, 13, false, 1000);
	assert_int_equal(typing_gate_channel(g, 12, 10999), TYPING_OFF);
	assert_int_equal(typing_gate_channel(g, 13, 10999), TYPING_ON);
	assert_int_equal(typing_gate_channel(g, 12, 11000), TYPING_UNKNOWN);
	typing_gate_judged(g, 12, false, 11000);
	assert_int_equal(typing_gate_channel(g, 12, 11001), TYPING_ON);
	typing_gate_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_in_the_order_of_beginning),
		cmocka_unit_test(each_expires_by_himself),
		cmocka_unit_test(the_list_is_bounded),
		cmocka_unit_test(a_thread_has_a_list_of_its_own),
		cmocka_unit_test(lists_of_threads_are_bounded),
		cmocka_unit_test(who_is_alone_sees_nobody),
		cmocka_unit_test(the_gate_lets_one_through_in_a_while),
		cmocka_unit_test(the_gate_forgets_the_oldest),
		cmocka_unit_test(a_judgement_holds_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
