/* arena: memory that is zeroed, aligned, kept until reset, and bounded. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/base/arena.h"
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void what_it_gives_is_zeroed_and_aligned(void **state)
{
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t n = 0; n < 300; n++) {
			unsigned char *p = arena_alloc(a, n);

			assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
			for (size_t k = 0; k < n; k++)
				assert_int_equal(p[k], 0);
			memset(p, 0xff, n);
		}
		arena_reset(a);
	}
	arena_free(&a);
	assert_null(a);
	arena_free(&a);
}

static void pieces_do_not_overlap(void **state)
{
	struct arena *a = arena_new(8 << 20);
	unsigned char *p[200];
	size_t n[200];

	(void)state;
	for (size_t k = 0; k < COUNT_OF(p); k++) {
		n[k] = k * 37 % 5000 + (k % 50 == 0 ? 100000 : 0); /* within a block, and larger than one */
		p[k] = arena_alloc(a, n[k]);
		memset(p[k], (int)k, n[k]);
	}
	for (size_t k = 0; k < COUNT_OF(p); k++)
		for (size_t i = 0; i < n[k]; i++)
			assert_int_equal(p[k][i], k & 0xff);
	arena_free(&a);
}

static void reset_gives_the_room_back(void **state)
{
	struct arena *a = arena_new(64 << 10);

	(void)state;
	for (int k = 0; k < 1000; k++) { /* 30 MB in all, never over the limit at once */
		assert_non_null(arena_alloc(a, 30000));
		arena_reset(a);
	}
	arena_free(&a);
}

static void texts_are_copied(void **state)
{
	struct arena *a = arena_new(1 << 20);
	char text[] = "changed later";
	char *copy = arena_strdup(a, text), *front = arena_strndup(a, text, 4), *none = arena_strndup(a, NULL, 0);

	(void)state;
	text[0] = 'X';
	assert_string_equal(copy, "changed later");
	assert_string_equal(front, "chan");
	assert_string_equal(none, "");
	assert_string_equal(arena_printf(a, "%d %s", 7, copy), "7 changed later");
	assert_int_equal(strlen(arena_printf(a, "%20000d", 1)), 20000);
	arena_free(&a);
}

static void over_its_limit_it_aborts(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		struct arena *a = arena_new(32 << 10);

		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		for (;;)
			arena_alloc(a, 1000);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_gives_is_zeroed_and_aligned),
		cmocka_unit_test(pieces_do_not_overlap),
		cmocka_unit_test(reset_gives_the_room_back),
		cmocka_unit_test(texts_are_copied),
		cmocka_unit_test(over_its_limit_it_aborts),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
