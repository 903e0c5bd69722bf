/* write_queue: who has waited too long leaves it, wherever he stands; what is put back stands ahead of what is newer.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/db/write_held.h"
#include "lib/db/write_queue.h"
#include <stdlib.h>

#define BYTES ((size_t)1 << 20)

static struct write_item *item(int64_t channel, int64_t deadline)
{
	struct write_item *i = write_item_new();

	i->channel = channel;
	i->deadline = deadline;
	return i;
}

/* The deadlines of a list, and frees it. */
static void assert_late(struct write_item *late, const int64_t *deadlines, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		struct write_item *i = late;

		assert_non_null(i);
		assert_int_equal(i->deadline, deadlines[k]);
		late = i->next;
		write_item_free(&i);
	}
	assert_null(late);
}

static void empty(struct write_queue *q)
{
	struct write_item *late = write_queue_take_late(q, INT64_MAX);

	for (struct write_item *i; (i = late);) {
		late = i->next;
		write_item_free(&i);
	}
	assert_null(q->first);
	assert_int_equal(q->n, 0);
	assert_int_equal(q->bytes, 0);
	assert_int_equal(write_queue_next_late(q), INT64_MAX);
}

/* Channel 1 is held: its old item stays while a newer one of channel 2 goes, comes back and stands ahead of it. */
static void one_behind_a_newer_one_that_came_back_is_late_in_time(void **state)
{
	struct write_held held = {.n = 1, .all = {{.channel = 1, .until = 1000}}};
	struct write_item *batch[4];
	struct write_queue q;

	(void)state;
	write_queue_init(&q);
	write_queue_add(&q, item(1, 100));
	write_queue_add(&q, item(2, 200));
	write_queue_add(&q, item(1, 150));
	assert_int_equal(write_queue_take(&q, batch, COUNT_OF(batch), BYTES, &held, 50), 1);
	assert_int_equal(batch[0]->deadline, 200);
	write_queue_put_back(&q, batch, 1);
	assert_int_equal(q.n, 3);
	assert_null(write_queue_take_late(&q, 99));
	assert_int_equal(write_queue_next_late(&q), 100);
	assert_late(write_queue_take_late(&q, 100), (int64_t[]){100}, 1);
	assert_int_equal(write_queue_next_late(&q), 150);
	assert_late(write_queue_take_late(&q, 199), (int64_t[]){150}, 1);
	/* the end of the list is where it was */
	write_queue_add(&q, item(3, 300));
	assert_int_equal(q.n, 2);
	assert_late(write_queue_take_late(&q, 250), (int64_t[]){200}, 1);
	assert_int_equal(write_queue_next_late(&q), 300);
	empty(&q);
}

static void the_last_one_may_be_the_late_one(void **state)
{
	struct write_item *back[1];
	struct write_queue q;

	(void)state;
	write_queue_init(&q);
	write_queue_add(&q, item(1, 100));
	back[0] = item(2, 200);
	write_queue_put_back(&q, back, 1);
	assert_late(write_queue_take_late(&q, 100), (int64_t[]){100}, 1);
	write_queue_add(&q, item(3, 300));
	assert_int_equal(q.n, 2);
	assert_late(write_queue_take_late(&q, 300), (int64_t[]){200, 300}, 2);
	write_queue_add(&q, item(4, 400));
	assert_int_equal(write_queue_next_late(&q), 400);
	empty(&q);
}

static void one_that_was_under_way_brings_its_deadline_back(void **state)
{
	struct write_held held = {0};
	struct write_item *batch[2];
	struct write_queue q;

	(void)state;
	write_queue_init(&q);
	write_queue_add(&q, item(1, 100));
	assert_int_equal(write_queue_take(&q, batch, COUNT_OF(batch), BYTES, &held, 50), 1);
	write_queue_add(&q, item(2, 200));
	assert_null(write_queue_take_late(&q, 150)); /* under way: its batch says what became of it */
	assert_int_equal(write_queue_next_late(&q), 200);
	write_queue_put_back(&q, batch, 1);
	assert_int_equal(write_queue_next_late(&q), 100);
	assert_late(write_queue_take_late(&q, 150), (int64_t[]){100}, 1);
	empty(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_behind_a_newer_one_that_came_back_is_late_in_time),
		cmocka_unit_test(the_last_one_may_be_the_late_one),
		cmocka_unit_test(one_that_was_under_way_brings_its_deadline_back),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL);
}
