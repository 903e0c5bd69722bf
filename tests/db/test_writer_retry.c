/* writer: what is sent or stored twice is one message (DL-1), and connections are lost in between (OR-1). */
#include "tests/db/writer_fixture.h"
#include "lib/base/rand.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		WRITER_TEST(the_same_client_id_from_four_writers_is_one_message),
		WRITER_TEST(writers_that_take_turns_in_a_channel_leave_no_hole),
		WRITER_TEST(a_client_id_used_again_is_a_retry_or_refused),
		WRITER_TEST(a_client_id_twice_in_one_batch_is_stored_once),
		WRITER_TEST(nothing_is_lost_or_doubled_while_backends_are_killed),
		WRITER_TEST(an_answer_lost_after_the_commit_is_found_again),
		WRITER_TEST(what_was_answered_but_not_committed_is_not_acknowledged),
		WRITER_TEST(a_short_outage_is_waited_for),
		WRITER_TEST(an_outage_longer_than_the_wait_is_told),
		WRITER_TEST(a_lock_that_cannot_be_ended_is_told_after_the_wait),
	};

	return SUITE(tests);
}
