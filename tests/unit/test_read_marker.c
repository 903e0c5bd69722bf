/* read_marker: marks folded into one move. That it comes to the same as one after the other: tests/sql/reads.sql. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/chat/read_marker.h"

static void fold(struct mark *m, const char *ops)
{
	for (; *ops; ops += 2)
		mark_fold(m, ops[0] == 'r' ? MARK_READ : ops[0] == 'u' ? MARK_UNREAD : MARK_DELIVERED, ops[1] - '0');
}

static void marks_fold_into_one(void **state)
{
	static const struct {
		const char *ops; /* r: read, u: unread, d: delivered, each with its seq */
		int64_t reads, unreads, rereads, delivered;
	} cases[] = {
		{"r3r5r4", 5, 0, 0, 0},   {"u3", 0, 3, 0, 0},   {"r5u3", 5, 3, 0, 0},     {"r5u3r4r2", 5, 3, 4, 0},
		{"r5u3r7u2", 7, 2, 0, 0}, {"u3u5", 0, 5, 0, 0}, {"u3r1u4r9", 1, 4, 9, 0}, {"d4r2d3", 2, 0, 0, 4},
		{"u0", 0, 1, 0, 0},       {"r0d0", 0, 0, 0, 0},
	};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		struct mark m = {.channel = 1, .user = 2};

		fold(&m, cases[k].ops);
		if (m.reads != cases[k].reads || m.unreads != cases[k].unreads || m.rereads != cases[k].rereads ||
		    m.delivered != cases[k].delivered)
			fail_msg("%s comes to %lld %lld %lld %lld", cases[k].ops, (long long)m.reads,
				 (long long)m.unreads, (long long)m.rereads, (long long)m.delivered);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_fold_into_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
