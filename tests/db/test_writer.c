/* writer: group commit against a real PostgreSQL: batches, outcomes, bounds, what the bell says. Holders are in
 * test_writer_held, retries and lost connections in test_writer_retry. */
#include "tests/db/writer_fixture.h"
#include <stdlib.h>
#include <string.h>

/* ---- batches and outcomes */

static void a_message_is_stored_and_its_numbers_told(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent a, b;

	send_and_wait(f, s->open, s->user[0], NULL, "one", &a);
	send_and_wait(f, s->open, s->user[1], NULL, "two", &b);
	assert_true(a.ok && !a.again && b.ok && !b.again);
	assert_int_equal(a.seq, 1);
	assert_int_equal(b.seq, 2);
	assert_int_equal(b.event, a.event + 1);
	assert_int_equal(b.event, sql_int(s, "SELECT stream_head()"));
	assert_int_equal(b.id,
			 sql_int(s, "SELECT id FROM messages WHERE channel_id = %lld AND seq = 2", (long long)s->open));
	assert_string_equal(sql(s, "SELECT body->>'text' FROM messages WHERE id = %lld", (long long)a.id), "one");
	assert_int_equal(check_log(s), 2);
	assert_true(writer_idle(f->port->writer));
}

static void what_arrives_during_a_commit_is_the_next_batch(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent v[201];
	uint64_t before;

	UNTIL(writer_is_up(f->port->writer), 5000);
	before = stats_of(f->port).batches;
	for (size_t k = 0; k < COUNT_OF(v); k++)
		send_text(f->port, s, s->hall[k % COUNT_OF(s->hall)], s->user[0], NULL, "x", &v[k]);
	UNTIL(count_done(v, COUNT_OF(v)) == COUNT_OF(v), 5000);
	assert_int_equal(stats_of(f->port).batches - before, 2);
	for (size_t k = 1; k < COUNT_OF(v); k++)
		assert_int_equal(v[k].event, v[k - 1].event + 1);
	assert_int_equal(check_log(s), COUNT_OF(v));
}

struct look {
	struct port *port;
	uint64_t batches; /* begun when it was told of */
};

static void on_told(struct write_item *item, void *arg)
{
	struct look *l = arg;

	assert_true(item->ok);
	l->batches = stats_of(l->port).batches;
	write_item_free(&item);
}

static void the_next_batch_is_under_way_before_the_last_one_is_told_of(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct look looks[3] = {{f->port, 0}, {f->port, 0}, {f->port, 0}};
	struct sent unused;
	struct err e = {0};
	uint64_t before;

	UNTIL(writer_is_up(f->port->writer), 5000);
	before = stats_of(f->port).batches;
	for (size_t k = 0; k < COUNT_OF(looks); k++) {
		struct write_item *item = make_item(s, s->open, s->user[0], NULL, "x", &unused);

		item->done = on_told;
		item->arg = &looks[k];
		assert_int_equal(submit(f->port, item, &e), 0);
	}
	UNTIL(looks[2].batches, 5000);
	assert_int_equal(looks[0].batches - before, 2); /* the first one went alone */
	assert_int_equal(looks[1].batches - before, 2);
	assert_int_equal(looks[2].batches - before, 2);
}

static void a_batch_is_bounded_in_items_and_bytes(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent v[26];
	static char text[20001];
	uint64_t before;

	s->config->writer.batch_items = 10;
	UNTIL(writer_is_up(f->port->writer), 5000);
	before = stats_of(f->port).batches;
	for (size_t k = 0; k < COUNT_OF(v); k++)
		send_text(f->port, s, s->open, s->user[0], NULL, "x", &v[k]);
	UNTIL(count_done(v, COUNT_OF(v)) == COUNT_OF(v), 5000);
	assert_int_equal(stats_of(f->port).batches - before, 1 + 3); /* one at once, then 10, 10 and 5 */

	memset(text, 'x', sizeof(text) - 1);
	s->config->writer.batch_items = 1024;
	s->config->writer.batch_bytes = 3 * 41000; /* body and tail: three such messages */
	before = stats_of(f->port).batches;
	for (size_t k = 0; k < 10; k++)
		send_text(f->port, s, s->open, s->user[0], NULL, text, &v[k]);
	UNTIL(count_done(v, 10) == 10, 5000);
	assert_int_equal(stats_of(f->port).batches - before, 1 + 3);
	assert_int_equal(check_log(s), COUNT_OF(v) + 10);
}

static void each_item_of_a_batch_has_its_own_outcome(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	static const enum err_code expected[] = {
		ERR_NONE,          ERR_NOT_A_MEMBER, ERR_NOT_FOUND,        ERR_NOT_FOUND,
		ERR_UNPROCESSABLE, ERR_CONFLICT,     ERR_CLIENT_ID_REUSED, ERR_NONE};
	struct sent first, v[COUNT_OF(expected)];
	uint64_t before;

	sql(s, "UPDATE channels SET archived_at = now() WHERE id = %lld", (long long)s->hall[0]);
	sql(s, "UPDATE channels SET mls_epoch = 1 WHERE id = %lld", (long long)s->hall[1]);
	UNTIL(writer_is_up(f->port->writer), 5000);
	before = stats_of(f->port).batches;
	send_text(f->port, s, s->open, s->user[0], ID_A, "first", &first);
	send_text(f->port, s, s->open, s->user[0], NULL, "good", &v[0]);
	send_text(f->port, s, s->open, s->user[3], NULL, "not in", &v[1]);
	send_text(f->port, s, s->closed, s->user[3], NULL, "not visible", &v[2]);
	send_text(f->port, s, INT64_MAX, s->user[0], NULL, "nowhere", &v[3]);
	send_text(f->port, s, s->hall[0], s->user[0], NULL, "archived", &v[4]);
	send_text(f->port, s, s->hall[1], s->user[0], NULL, "plain", &v[5]);
	send_text(f->port, s, s->open, s->user[0], ID_A, "other", &v[6]);
	send_text(f->port, s, s->open, s->user[1], NULL, "good too", &v[7]);
	UNTIL(count_done(v, COUNT_OF(v)) == COUNT_OF(v), 5000);
	assert_int_equal(stats_of(f->port).batches - before, 2);
	for (size_t k = 0; k < COUNT_OF(v); k++) {
		assert_int_equal(v[k].err.code, expected[k]);
		assert_int_equal(v[k].ok, expected[k] == ERR_NONE);
	}
	assert_string_equal(v[6].err.field, "client_id");
	assert_int_equal(check_log(s), 3);
}

static void a_bad_item_fails_alone_where_the_database_refuses_the_batch(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent first, v[7];
	struct err e = {0};

	send_and_wait(f, s->open, s->user[0], NULL, "opens the connection", &first);
	send_text(f->port, s, s->open, s->user[0], NULL, "keeps the writer busy", &first);
	for (size_t k = 0; k < COUNT_OF(v); k++) {
		struct write_item *item = make_item(s, s->open, s->user[0], NULL, "some text", &v[k]);

		if (k == 3) { /* as if a check in C had a hole */
			memcpy(strstr(item->body, "some t"), "\\u0000", 6);
		}
		assert_int_equal(submit(f->port, item, &e), 0);
	}
	UNTIL(count_done(v, COUNT_OF(v)) == COUNT_OF(v), 5000);
	for (size_t k = 0; k < COUNT_OF(v); k++) {
		assert_int_equal(v[k].err.code, k == 3 ? ERR_BAD_FIELD : ERR_NONE);
		assert_int_equal(v[k].calls, 1);
	}
	assert_true(v[0].seq < v[1].seq && v[1].seq < v[2].seq && v[2].seq < v[4].seq && v[4].seq < v[5].seq &&
		    v[5].seq < v[6].seq);
	assert_int_equal(check_log(s), 2 + 6);
}

/* ---- bounds and the end */

static void over_the_queue_s_bound_is_busy(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent v[6], extra;
	struct write_item *item;
	struct err e = {0};

	s->config->writer.queue_items = 5;
	for (size_t k = 0; k < 5; k++) /* not up yet, so they queue */
		assert_int_equal(
			writer_submit(f->port->writer, make_item(s, s->open, s->user[0], NULL, "x", &v[k]), &e), 0);
	item = make_item(s, s->open, s->user[0], NULL, "x", &extra);
	assert_int_equal(writer_submit(f->port->writer, item, &e), -1);
	assert_int_equal(e.code, ERR_BUSY);
	assert_true(e.retry_after_ms > 0);
	assert_false(extra.done);
	UNTIL(count_done(v, 5) == 5, 5000);
	assert_int_equal(writer_submit(f->port->writer, item, &e), 0); /* it stayed ours */
	UNTIL(extra.done, 5000);
	assert_true(extra.ok);
	assert_int_equal(check_log(s), 6);
}

static void over_the_queue_s_bytes_is_busy(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	static struct sent v[64];
	static char text[8001];
	struct write_item *item = NULL;
	struct err e = {0};
	size_t taken = 0;

	memset(text, 'x', sizeof(text) - 1);
	s->config->writer.queue_bytes = 100000;
	while (taken < COUNT_OF(v)) {
		item = make_item(s, s->open, s->user[0], NULL, text, &v[taken]);
		if (writer_submit(f->port->writer, item, &e) < 0)
			break;
		taken++;
	}
	assert_int_equal(e.code, ERR_BUSY);
	assert_in_range(taken, 5, 6); /* of 16 kB each: body and tail */
	assert_in_range(stats_of(f->port).queued_bytes, 1, 100000);
	write_item_free(&item);
	UNTIL(count_done(v, taken) == taken, 5000);
	assert_int_equal(stats_of(f->port).queued_bytes, 0);
	assert_int_equal(check_log(s), taken);
}

static void what_is_queued_at_the_end_is_told(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent v[6];

	UNTIL(writer_is_up(f->port->writer), 5000);
	for (size_t k = 0; k < COUNT_OF(v); k++) /* the first is under way, the others wait */
		send_text(f->port, s, s->open, s->user[0], NULL, "x", &v[k]);
	assert_false(writer_idle(f->port->writer));
	port_close(&f->port);
	for (size_t k = 0; k < COUNT_OF(v); k++) {
		assert_true(v[k].done && !v[k].ok);
		assert_int_equal(v[k].calls, 1);
		assert_int_equal(v[k].err.code, ERR_UNAVAILABLE);
	}
}

/* ---- the bell (PG-1) */

static void every_event_is_in_a_payload_that_postgresql_takes(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	PGconn *listener = site_connect(s);
	static struct sent v[500], first;
	static char text[20000];
	int64_t next, heard = 0, letters = 0;
	struct err e = {0};

	run_sql(listener, "LISTEN pulsechat");
	send_and_wait(f, s->open, s->user[0], NULL, "opens the connection", &first);
	send_text(f->port, s, s->open, s->user[0], NULL, "keeps the writer busy", &first);
	for (size_t k = 0; k < COUNT_OF(v); k++) {
		size_t n = 0;

		if (k % 100 == 7)
			n = 7600 + dice(400); /* about the limit */
		else if (k % 100 == 8)
			n = 7999;
		else if (k % 100 == 9)
			n = 8000;
		else if (k % 100 == 10)
			for (n = 0; n < 8000; n += 4)
				memcpy(text + n, "😀", 4);
		else
			n = dice(300) + 1;
		if (k % 100 != 10)
			memset(text, k % 7 ? 'x' : '"', n);
		text[n] = 0;
		assert_int_equal(writer_submit(f->port->writer,
					       make_item(s, s->hall[k % 16], s->user[0], NULL, text, &v[k]), &e),
				 0);
	}
	UNTIL(count_done(v, COUNT_OF(v)) == COUNT_OF(v), 10000);
	next = first.event - 1;
	while (next <= v[COUNT_OF(v) - 1].event) {
		PGnotify *n;

		if (!PQconsumeInput(listener))
			fail_msg("listener: %s", PQerrorMessage(listener));
		while ((n = PQnotifies(listener))) {
			assert_in_range(strlen(n->extra), 1, 7900);
			for (char *line = n->extra, *end; line && *line; line = end ? end + 1 : NULL) {
				char *rest;

				end = strchr(line, '\n');
				assert_int_equal(strtoll(line, &rest, 10), next);
				next++;
				heard++;
				letters += rest[1] == 'm';
				assert_true(rest[1] == 'm' || rest[1] == 'f');
			}
			PQfreemem(n);
		}
		if (next <= v[COUNT_OF(v) - 1].event && !writer_is_up(f->port->writer))
			fail_msg("the writer is gone");
	}
	assert_int_equal(heard, COUNT_OF(v) + 2);
	assert_in_range(letters, 480, 490); /* all but those that are too long */
	PQfinish(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WRITER_TEST(a_message_is_stored_and_its_numbers_told),
		WRITER_TEST(what_arrives_during_a_commit_is_the_next_batch),
		WRITER_TEST(the_next_batch_is_under_way_before_the_last_one_is_told_of),
		WRITER_TEST(a_batch_is_bounded_in_items_and_bytes),
		WRITER_TEST(each_item_of_a_batch_has_its_own_outcome),
		WRITER_TEST(a_bad_item_fails_alone_where_the_database_refuses_the_batch),
		WRITER_TEST(over_the_queue_s_bound_is_busy),
		WRITER_TEST(over_the_queue_s_bytes_is_busy),
		WRITER_TEST(what_is_queued_at_the_end_is_told),
		WRITER_TEST(every_event_is_in_a_payload_that_postgresql_takes),
	};

	return SUITE(tests);
}
