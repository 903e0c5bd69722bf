/* writer: group commit against a real PostgreSQL: batches, outcomes, retries (DL-1), holders, lost connections (OR-1),
 * bounds. */
#include "tests/db/harness.h"
#include "lib/base/rand.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ID_A "00000000-0000-4000-8000-00000000000a"
#define ID_B "00000000-0000-4000-8000-00000000000b"

struct fixture {
	struct site *site;
	struct port *port;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->site = site_open();
	f->port = port_writer(f->site->config, "writer");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ports_abandon();
	site_close(&f->site);
	free(f);
	return 0;
}

static struct writer_stats stats_of(struct port *p)
{
	struct writer_stats s;

	writer_stats(p->writer, &s);
	return s;
}

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

static void send_and_wait(struct fixture *f, int64_t channel, int64_t sender, const char *id, const char *text,
			  struct sent *out)
{
	send_text(f->port, f->site, channel, sender, id, text, out);
	UNTIL(out->done, 5000);
}

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

/* ---- DL-1 */

static void the_same_client_id_from_four_writers_is_one_message(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct port *p[4];
	static struct sent v[50][COUNT_OF(p)];

	for (size_t w = 0; w < COUNT_OF(p); w++)
		p[w] = port_writer(s->config, "writer");
	for (size_t w = 0; w < COUNT_OF(p); w++)
		UNTIL(writer_is_up(p[w]->writer), 5000);
	for (size_t k = 0; k < COUNT_OF(v); k++) {
		char id[37];

		rand_uuid(id);
		for (size_t w = 0; w < COUNT_OF(p); w++)
			send_text(p[w], s, k % 2 ? s->open : s->closed, s->user[0], id, "said once", &v[k][w]);
		loop_turn(0);
	}
	UNTIL(count_done(v[0], sizeof(v) / sizeof(v[0][0])) == sizeof(v) / sizeof(v[0][0]), 20000);
	for (size_t k = 0; k < COUNT_OF(v); k++) {
		int stored = 0;

		for (size_t w = 0; w < COUNT_OF(p); w++) {
			assert_true(v[k][w].ok);
			assert_int_equal(v[k][w].calls, 1);
			assert_int_equal(v[k][w].seq, v[k][0].seq);
			assert_int_equal(v[k][w].id, v[k][0].id);
			stored += !v[k][w].again;
		}
		assert_int_equal(stored, 1);
	}
	assert_int_equal(check_log(s), COUNT_OF(v));
	for (size_t w = 0; w < COUNT_OF(p); w++)
		port_close(&p[w]);
}

/* What a writer holds for its channel's newest seq, another one has gone on from. */
static void writers_that_take_turns_in_a_channel_leave_no_hole(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct port *p[2] = {f->port, port_writer(s->config, "writer")};
	static const uint32_t turns[] = {1, 2, 1, 1, 3, 1, 2};
	static struct sent v[16];
	size_t n = 0;

	for (size_t w = 0; w < COUNT_OF(p); w++)
		UNTIL(writer_is_up(p[w]->writer), 5000);
	for (size_t t = 0; t < COUNT_OF(turns); t++) {
		for (uint32_t k = 0; k < turns[t]; k++) {
			char id[37];

			rand_uuid(id);
			send_text(p[t % 2], s, s->open, s->user[0], id, "my turn", &v[n++]);
		}
		UNTIL(count_done(v, n) == n, 5000);
	}
	for (size_t k = 0; k < n; k++) {
		assert_true(v[k].ok && !v[k].again);
		assert_int_equal(v[k].seq, (int64_t)k + 1);
	}
	assert_int_equal(check_log(s), n);
	port_close(&p[1]);
}

static void a_client_id_used_again_is_a_retry_or_refused(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent first, again, other, another;

	send_and_wait(f, s->open, s->user[0], ID_A, "text", &first);
	send_and_wait(f, s->open, s->user[0], ID_A, "text", &again);
	send_and_wait(f, s->open, s->user[0], ID_A, "other text", &other);
	send_and_wait(f, s->open, s->user[1], ID_A, "other text", &another);
	assert_true(first.ok && !first.again);
	assert_true(again.ok && again.again);
	assert_int_equal(again.seq, first.seq);
	assert_int_equal(again.id, first.id);
	assert_int_equal(again.event, 0);
	assert_false(other.ok);
	assert_int_equal(other.err.code, ERR_CLIENT_ID_REUSED);
	assert_true(another.ok && !another.again);
	assert_int_equal(check_log(s), 2);
}

static void a_client_id_twice_in_one_batch_is_stored_once(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent first, v[4];

	send_and_wait(f, s->open, s->user[0], NULL, "opens the connection", &first);
	send_text(f->port, s, s->open, s->user[0], NULL, "keeps the writer busy", &first);
	send_text(f->port, s, s->open, s->user[0], ID_B, "text", &v[0]);
	send_text(f->port, s, s->open, s->user[0], ID_B, "text", &v[1]);
	send_text(f->port, s, s->open, s->user[0], ID_B, "other", &v[2]);
	send_text(f->port, s, s->open, s->user[0], ID_B, "text", &v[3]);
	UNTIL(count_done(v, 4) == 4, 5000);
	assert_true(v[0].ok && !v[0].again);
	assert_true(v[1].ok && v[1].again && v[1].seq == v[0].seq);
	assert_int_equal(v[2].err.code, ERR_CLIENT_ID_REUSED);
	assert_true(v[3].ok && v[3].again && v[3].seq == v[0].seq);
	assert_int_equal(check_log(s), 3);
}

/* ---- holders */

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
	struct sent v;

	run_sql(holder, "SELECT FROM channels WHERE id = %lld FOR NO KEY UPDATE", (long long)s->open);
	send_text(f->port, s, s->open, s->user[0], NULL, "held", &v);
	UNTIL(v.done, 5000);
	assert_true(v.ok);
	assert_in_range(v.took_ms, 1500, 4000);
	assert_true(is_dead(holder));
	PQfinish(holder);
	assert_int_equal(check_log(s), 1);
}

/* Two lockers make the row's xmax a multixact, by which alone the holder can be found. */
static void a_holder_beside_a_foreign_key_s_check_is_ended_alone(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	PGconn *checker = begin(s), *holder = begin(s), *bystander = begin(s);
	struct sent v;

	run_sql(checker, "SELECT FROM channels WHERE id = %lld FOR KEY SHARE", (long long)s->open);
	run_sql(holder, "SELECT FROM channels WHERE id = %lld FOR NO KEY UPDATE", (long long)s->open);
	run_sql(bystander, "SELECT FROM channels WHERE id = %lld FOR NO KEY UPDATE", (long long)s->closed);
	send_text(f->port, s, s->open, s->user[0], NULL, "held", &v);
	UNTIL(v.done, 5000);
	assert_true(v.ok);
	assert_in_range(v.took_ms, 1500, 4500);
	assert_true(is_dead(holder));
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
		assert_in_range(v[k].took_ms, 1500, 4500);
	}
	assert_true(is_dead(holder));
	PQfinish(holder);
	assert_int_equal(check_log(s), COUNT_OF(v));
}

/* ---- lost connections */

/* Ends the writers' backends at random. */
static void kill_one(struct site *s)
{
	sql(s, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
	       "application_name = "
	       "'writer' ORDER BY random() LIMIT 1");
}

/* What a reader of `id > cursor` finds: a prefix, always. */
static void read_on(struct site *s, int64_t *cursor)
{
	const char *found = sql(s, "SELECT count(*) || ' ' || coalesce(max(id), %lld) FROM events WHERE id > %lld",
				(long long)*cursor, (long long)*cursor);
	char *rest;
	int64_t n = strtoll(found, &rest, 10), last = strtoll(rest, NULL, 10);

	assert_int_equal(last - *cursor, n);
	*cursor = last;
}

static void nothing_is_lost_or_doubled_while_backends_are_killed(void **state)
{
	enum { WRITERS = 4, EACH = 500 };
	struct fixture *f = *state;
	struct site *s = f->site;
	struct port *p[WRITERS];
	static struct sent v[WRITERS][EACH];
	int64_t cursor = 0, channel[WRITERS][EACH], until;
	size_t sent = 0, total = (size_t)WRITERS * EACH;
	int kills = 0, again = 0;

	memset(v, 0, sizeof(v));
	for (size_t w = 0; w < WRITERS; w++)
		p[w] = port_writer(s->config, "writer");
	until = clock_mono_ms() + 60000;
	while (count_done(v[0], total) < total) {
		if (clock_mono_ms() > until)
			fail_msg("%zu of %zu done after 60 s", count_done(v[0], total), total);
		for (size_t burst = dice(40); burst > 0 && sent < total; burst--, sent++) {
			size_t w = sent % WRITERS, k = sent / WRITERS;

			channel[w][k] = dice(3) ? s->hall[dice(COUNT_OF(s->hall))] : s->open;
			send_text(p[w], s, channel[w][k], s->user[0], NULL, "x", &v[w][k]);
		}
		loop_turn(5);
		switch (dice(8)) {
		case 0:
			if (kills < 60) {
				kill_one(s);
				kills++;
			}
			break;
		case 1: /* a transaction that gives its numbers back */
			sql(s, "BEGIN");
			sql(s, "SELECT emit_event('p', 'test', 0, -1, 0, '{}')");
			sql(s, "ROLLBACK");
			break;
		default:
			read_on(s, &cursor);
		}
	}
	read_on(s, &cursor);
	assert_int_equal(cursor, sql_int(s, "SELECT stream_head()"));
	for (size_t w = 0; w < WRITERS; w++)
		for (size_t k = 0; k < EACH; k++) {
			assert_true(v[w][k].ok);
			assert_int_equal(v[w][k].calls, 1);
			again += v[w][k].again;
			for (size_t j = k + 1; j < EACH && j < k + 50; j++) /* in the order of sending */
				if (channel[w][j] == channel[w][k])
					assert_true(v[w][k].seq < v[w][j].seq);
		}
	assert_int_equal(check_log(s), total);
	assert_true(kills > 5);
	print_message("# %d backends killed, %d answers were lost after their commit\n", kills, again);
	for (size_t w = 0; w < WRITERS; w++)
		port_close(&p[w]);
}

static void an_answer_lost_after_the_commit_is_found_again(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent first, v[5];
	struct err e = {0};
	char bytes[4096];
	int64_t until = clock_mono_ms() + 5000;

	send_and_wait(f, s->open, s->user[0], NULL, "opens the connection", &first);
	for (size_t k = 0; k < COUNT_OF(v); k++)
		assert_int_equal(
			writer_submit(f->port->writer, make_item(s, s->open, s->user[0], NULL, "x", &v[k]), &e), 0);
	writer_tick(f->port->writer, clock_mono_ms()); /* sends all five; from here on the loop stands still */
	while (sql_int(s, "SELECT count(*) FROM messages") < 6 ||
	       sql_int(s, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'writer' AND state = 'idle' "
			  "AND datname = "
			  "current_database()") != 1)
		assert_true(clock_mono_ms() < until);
	while (recv(f->port->fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		; /* the answer goes astray */
	assert_int_equal(shutdown(f->port->fd, SHUT_RDWR), 0);
	assert_int_equal(count_done(v, COUNT_OF(v)), 0);
	UNTIL(count_done(v, COUNT_OF(v)) == COUNT_OF(v), 5000);
	for (size_t k = 0; k < COUNT_OF(v); k++) {
		assert_true(v[k].ok && v[k].again);
		assert_int_equal(v[k].seq, k + 2);
		assert_int_equal(v[k].calls, 1);
	}
	assert_int_equal(check_log(s), 6);
}

/* The rows of an answer leave the server ahead of the commit where it ends in between. */
static void what_was_answered_but_not_committed_is_not_acknowledged(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent lost, next;

	sql(s, "CREATE SEQUENCE commits");
	sql(s, "CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
	       " IF nextval('commits') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(5); END IF;"
	       " RETURN NULL; END $$");
	sql(s, "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED"
	       " FOR EACH ROW EXECUTE FUNCTION at_commit()");
	UNTIL(writer_is_up(f->port->writer), 5000);
	send_and_wait(f, s->open, s->user[0], ID_A, "one", &lost);
	assert_true(lost.ok && !lost.again);
	assert_int_equal(sql_int(s, "SELECT last_value FROM commits"), 2); /* it was tried twice */
	assert_int_equal(lost.seq, sql_int(s, "SELECT seq FROM messages WHERE client_id = '" ID_A "'"));
	send_and_wait(f, s->open, s->user[1], ID_B, "two", &next);
	assert_int_equal(next.seq, lost.seq + 1);
	assert_int_equal(check_log(s), 2);
}

static void a_short_outage_is_waited_for(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent v[20];

	send_and_wait(f, s->open, s->user[0], NULL, "opens the connection", &v[0]);
	send_text(f->port, s, s->open, s->user[0], NULL, "under way", &v[0]);
	cluster_stop("immediate");
	for (size_t k = 1; k < COUNT_OF(v); k++)
		send_text(f->port, s, s->open, s->user[0], NULL, "waits", &v[k]);
	UNTIL(!writer_is_up(f->port->writer), 5000);
	cluster_start();
	UNTIL(count_done(v, COUNT_OF(v)) == COUNT_OF(v), 9000);
	for (size_t k = 0; k < COUNT_OF(v); k++)
		assert_true(v[k].ok);
	assert_int_equal(check_log(s), COUNT_OF(v) + 1);
}

static void an_outage_longer_than_the_wait_is_told(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent v[3], again;

	send_and_wait(f, s->open, s->user[0], NULL, "opens the connection", &again);
	s->config->database.wait = 800;
	cluster_stop("fast");
	for (size_t k = 0; k < COUNT_OF(v); k++)
		send_text(f->port, s, s->open, s->user[0], k == 0 ? ID_A : NULL, "late", &v[k]);
	UNTIL(count_done(v, COUNT_OF(v)) == COUNT_OF(v), 3000);
	for (size_t k = 0; k < COUNT_OF(v); k++) {
		assert_false(v[k].ok);
		assert_int_equal(v[k].err.code, ERR_UNAVAILABLE);
		assert_true(v[k].err.retry_after_ms > 0);
		assert_in_range(v[k].took_ms, 780, 2500);
	}
	assert_int_equal(stats_of(f->port).queued, 0);
	assert_int_equal(stats_of(f->port).queued_bytes, 0);
	cluster_start();
	s->config->database.wait = 10000;
	send_and_wait(f, s->open, s->user[0], ID_A, "late", &again);
	assert_true(again.ok && !again.again);
	assert_int_equal(check_log(s), 2);
}

static void a_lock_that_cannot_be_ended_is_told_after_the_wait(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct sent v;

	sql(s, "BEGIN"); /* a superuser's: ours may not end it */
	sql(s, "SELECT emit_event('p', 'test', 0, -1, 0, '{}')");
	s->config->database.wait = 3000;
	send_text(f->port, s, s->open, s->user[0], NULL, "stuck", &v);
	UNTIL(v.done, 20000);
	assert_int_equal(v.err.code, ERR_UNAVAILABLE);
	assert_in_range(v.took_ms, 2900, 7000);
	sql(s, "ROLLBACK");
	s->config->database.wait = 10000;
	send_and_wait(f, s->open, s->user[0], NULL, "free again", &v);
	assert_true(v.ok);
	assert_int_equal(check_log(s), 1);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_is_stored_and_its_numbers_told),
		TEST(what_arrives_during_a_commit_is_the_next_batch),
		TEST(the_next_batch_is_under_way_before_the_last_one_is_told_of),
		TEST(a_batch_is_bounded_in_items_and_bytes),
		TEST(each_item_of_a_batch_has_its_own_outcome),
		TEST(a_bad_item_fails_alone_where_the_database_refuses_the_batch),
		TEST(the_same_client_id_from_four_writers_is_one_message),
		TEST(writers_that_take_turns_in_a_channel_leave_no_hole),
		TEST(a_client_id_used_again_is_a_retry_or_refused),
		TEST(a_client_id_twice_in_one_batch_is_stored_once),
		TEST(a_held_channel_stops_no_other_and_keeps_its_order),
		TEST(a_hot_channel_does_not_starve_the_second_writer),
		TEST(a_holder_of_a_channel_is_ended_after_two_seconds),
		TEST(a_holder_beside_a_foreign_key_s_check_is_ended_alone),
		TEST(beyond_the_last_partition_it_is_unavailable_until_there_is_one),
		TEST(a_writer_sees_to_partitions_as_the_log_grows),
		TEST(a_holder_of_the_sequencer_is_ended_after_two_seconds),
		TEST(nothing_is_lost_or_doubled_while_backends_are_killed),
		TEST(an_answer_lost_after_the_commit_is_found_again),
		TEST(what_was_answered_but_not_committed_is_not_acknowledged),
		TEST(a_short_outage_is_waited_for),
		TEST(an_outage_longer_than_the_wait_is_told),
		TEST(a_lock_that_cannot_be_ended_is_told_after_the_wait),
		TEST(over_the_queue_s_bound_is_busy),
		TEST(over_the_queue_s_bytes_is_busy),
		TEST(what_is_queued_at_the_end_is_told),
		TEST(every_event_is_in_a_payload_that_postgresql_takes),
	};

	return SUITE(tests);
}
