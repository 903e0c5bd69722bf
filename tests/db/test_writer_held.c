/* writer: a channel or the sequencer that somebody holds, and a log that runs out of partitions. */
#include "tests/db/writer_fixture.h"

/* A connection with the rights of our programs, with a transaction open. */
static PGconn *begin(struct site *s)
{
	PGconn *c = PQconnectdb(s->config->database.dsn);

	assert_int_equal(PQstatus(c), CONNECTION_OK);
	run_sql(c, "BEGIN");
	return c;
}

static bool is_dead(PGconn *c)
{
	PGresult *r = PQexec(c, "SELECT 1");
	bool dead = PQresultStatus(r) != PGRES_TUPLES_OK;

	PQclear(r);
	return dead;
}

/* Sends to the channel that holder holds: it is stored once the holder has been ended, which is so after two seconds.
 */
static void send_past(struct fixture *f, PGconn *holder, int at_most_ms)
{
	struct site *s = f->site;
	struct sent v;

	send_text(f->port, s, s->open, s->user[0], NULL, "held", &v);
	UNTIL(v.done, 5000);
	assert_true(v.ok);
	assert_in_range(v.took_ms, 1500, at_most_ms);
	assert_true(is_dead(holder));
}

static void a_held_channel_stops_no_other_and_keeps_its_order(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	PGconn *holder = site_connect(s); /* the superuser's, which the writer cannot end, however long this takes */
	struct sent held[5], others[20];

	run_sql(holder, "BEGIN");
	run_sql(holder, "SELECT FROM channels WHERE id = %lld FOR NO KEY UPDATE", (long long)s->open);
	UNTIL(writer_is_up(f->port->writer), 5000);
	for (size_t k = 0; k < COUNT_OF(others); k++) {
		if (k % 4 == 0)
			send_text(f->port, s, s->open, s->user[0], NULL, "held", &held[k / 4]);
		send_text(f->port, s, s->hall[k % COUNT_OF(s->hall)], s->user[0], NULL, "free", &others[k]);
		UNTIL(others[k].done, 5000);
	}
	assert_int_equal(count_done(held, COUNT_OF(held)), 0);
	assert_true(stats_of(f->port).deferred > 0);
	run_sql(holder, "COMMIT");
	UNTIL(count_done(held, COUNT_OF(held)) == COUNT_OF(held), 5000);
	for (size_t k = 0; k < COUNT_OF(held); k++) {
		assert_true(held[k].ok);
		assert_int_equal(held[k].seq, k + 1);
	}
	PQfinish(holder);
	assert_int_equal(check_log(s), COUNT_OF(held) + COUNT_OF(others));
}

/* The first writer has batches of one channel under way all the time: another one's item for it passes few of them. */
static void a_hot_channel_does_not_starve_the_second_writer(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct port *second = port_writer(s->config, "second");
	static struct sent hot[7500], in[10], aside[COUNT_OF(in)];
	uint64_t passed = 0, own;

	s->config->writer.batch_items = 150;
	UNTIL(writer_is_up(f->port->writer) && writer_is_up(second->writer), 5000);
	for (size_t k = 0; k < COUNT_OF(hot); k++)
		send_text(f->port, s, s->open, s->user[0], NULL, "hot", &hot[k]);
	UNTIL(stats_of(f->port).batches > 2, 5000);
	own = stats_of(second).batches;
	for (size_t k = 0; k < COUNT_OF(in); k++) {
		uint64_t before = stats_of(f->port).batches;

		send_text(second, s, s->open, s->user[1], NULL, "in between", &in[k]);
		send_text(second, s, s->hall[k], s->user[0], NULL, "elsewhere", &aside[k]);
		UNTIL(in[k].done && aside[k].done, 20000);
		assert_true(in[k].ok && aside[k].ok);
		passed += stats_of(f->port).batches - before;
	}
	own = stats_of(second).batches - own;
	print_message("# %d batches for %d items, %d of the first writer's meanwhile\n", (int)own, (int)COUNT_OF(in),
		      (int)passed);
	/* two each; a wait of over 50 ms, on a busy machine, is broken off, and costs 100 ms */
	assert_in_range(passed, 0, 5 * COUNT_OF(in));
	assert_true(stats_of(f->port).queued > 0); /* hot to the end */
	UNTIL(count_done(hot, COUNT_OF(hot)) == COUNT_OF(hot), 20000);
	assert_int_equal(check_log(s), COUNT_OF(hot) + COUNT_OF(in) + COUNT_OF(aside));
	port_close(&second);
}

static void a_holder_of_a_channel_is_ended_after_two_seconds(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	PGconn *holder = begin(s);

	run_sql(holder, "SELECT FROM channels WHERE id = %lld FOR NO KEY UPDATE", (long long)s->open);
	send_past(f, holder, 4000);
	PQfinish(holder);
	assert_int_equal(check_log(s), 1);
}

/* Two lockers make the row's xmax a multixact, by which alone the holder can be found. */
static void a_holder_beside_a_foreign_key_s_check_is_ended_alone(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	PGconn *checker = begin(s), *holder = begin(s), *bystander = begin(s);

	run_sql(checker, "SELECT FROM channels WHERE id = %lld FOR KEY SHARE", (long long)s->open);
	run_sql(holder, "SELECT FROM channels WHERE id = %lld FOR NO KEY UPDATE", (long long)s->open);
	run_sql(bystander, "SELECT FROM channels WHERE id = %lld FOR NO KEY UPDATE", (long long)s->closed);
	send_past(f, holder, 4000);
	assert_false(is_dead(checker));
	assert_false(is_dead(bystander));
	PQfinish(holder);
	PQfinish(checker);
	PQfinish(bystander);
	assert_int_equal(check_log(s), 1);
}

static void beyond_the_last_partition_it_is_unavailable_until_there_is_one(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent v, waits;
	long long head;

	send_and_wait(f, s->open, s->user[0], NULL, "the last that fits", &v);
	head = (long long)sql_int(s, "SELECT stream_head()");
	for (int k = 1; k <= 3; k++)
		sql(s, "ALTER TABLE events DETACH PARTITION events_%d000000", 4 * k);
	sql(s, "CREATE TABLE events_%lld PARTITION OF events FOR VALUES FROM (1) TO (%lld)", head, head + 1);
	sql(s, "ALTER TABLE events_%lld OWNER TO pulsechat", head);
	sql(s, "INSERT INTO events SELECT * FROM events_4000000");
	for (int k = 1; k <= 3; k++)
		sql(s, "DROP TABLE events_%d000000", 4 * k);
	s->config->database.wait = 1000;
	send_and_wait(f, s->open, s->user[0], NULL, "one too many", &v);
	assert_int_equal(v.err.code, ERR_UNAVAILABLE);
	assert_true(v.err.retry_after_ms > 0);
	s->config->database.wait = 10000;
	send_text(f->port, s, s->open, s->user[0], NULL, "waits for room", &waits);
	loop_turn(300);
	assert_false(waits.done);
	assert_int_equal(sql_int(s, "SELECT events_spare()"), -1);
	sql(s, "SELECT events_extend()");
	UNTIL(waits.done, 5000);
	assert_true(waits.ok);
	assert_int_equal(check_log(s), 2);
}

static void a_writer_sees_to_partitions_as_the_log_grows(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent v;

	send_and_wait(f, s->open, s->user[0], NULL, "first", &v);
	assert_int_equal(sql_int(s, "SELECT events_spare()"), 2);
	/* the head moves on by others' writing, into the second partition */
	sql(s, "DELETE FROM events; UPDATE stream SET floor = 4000000; DELETE FROM messages");
	assert_int_equal(sql_int(s, "SELECT events_spare()"), 1);
	send_and_wait(f, s->open, s->user[0], NULL, "over the next half million", &v);
	assert_true(v.ok);
	UNTIL(sql_int(s, "SELECT events_spare()") == 2, 5000);
}

static void a_holder_of_the_sequencer_is_ended_after_two_seconds(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	PGconn *holder = begin(s);
	struct sent v[3];

	run_sql(holder, "SELECT emit_event('p', 'test', 0, -1, 0, '{}')");
	for (size_t k = 0; k < COUNT_OF(v); k++)
		send_text(f->port, s, s->hall[k], s->user[0], NULL, "held", &v[k]);
	UNTIL(count_done(v, COUNT_OF(v)) == COUNT_OF(v), 5000);
	for (size_t k = 0; k < COUNT_OF(v); k++) {
		assert_true(v[k].ok);
		assert_in_range(v[k].took_ms, 1500, 4000);
	}
	assert_true(is_dead(holder));
	PQfinish(holder);
	assert_int_equal(check_log(s), COUNT_OF(v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WRITER_TEST(a_held_channel_stops_no_other_and_keeps_its_order),
		WRITER_TEST(a_hot_channel_does_not_starve_the_second_writer),
		WRITER_TEST(a_holder_of_a_channel_is_ended_after_two_seconds),
		WRITER_TEST(a_holder_beside_a_foreign_key_s_check_is_ended_alone),
		WRITER_TEST(beyond_the_last_partition_it_is_unavailable_until_there_is_one),
		WRITER_TEST(a_writer_sees_to_partitions_as_the_log_grows),
		WRITER_TEST(a_holder_of_the_sequencer_is_ended_after_two_seconds),
	};

	return SUITE(tests);
}
