/* pgconn: the connection without a loop: order, failures that take no other along, reconnecting, listening again. */
#include "tests/db/harness.h"
#include "lib/db/db.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct link {
	struct port port; /* first: the hooks' argument */
	int ups, downs, heard;
	char last[256];
};

struct answer {
	int calls;
	int64_t number;
	enum err_code code;
	int order;
};

struct fixture {
	struct site *site;
	struct link link;
};

static int answers;

static void on_up(void *arg)
{
	((struct link *)arg)->ups++;
}

static void on_down(void *arg)
{
	((struct link *)arg)->downs++;
}

static void on_notify(void *arg, const char *payload, size_t n)
{
	struct link *l = arg;

	l->heard++;
	snprintf(l->last, sizeof(l->last), "%.*s", (int)n, payload);
}

static void on_answer(void *arg, const PGresult *r, const struct err *e)
{
	struct answer *a = arg;

	a->calls++;
	a->order = ++answers;
	a->code = e ? e->code : ERR_NONE;
	a->number = !e && result_rows(r) ? result_int(r, 0, 0) : -1;
}

static void connect_link(struct fixture *f, const char *listen)
{
	static const struct pgconn_hooks hooks = {
		.watch = port_watch, .up = on_up, .down = on_down, .notify = on_notify};

	port_add(&f->link.port);
	f->link.port.conn = pgconn_new(f->site->config, "link", listen, NULL, &hooks, &f->link);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->site = site_open();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pgconn_close(&f->link.port.conn);
	ports_abandon();
	site_close(&f->site);
	free(f);
	return 0;
}

static void kill_link(struct site *s)
{
	assert_string_equal(sql(s, "SELECT bool_and(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE "
				   "application_name = 'link' "
				   "AND datname = current_database()"),
			    "t");
}

static void answers_come_in_the_order_of_the_questions(void **state)
{
	struct fixture *f = *state;
	struct answer a[100] = {0};

	connect_link(f, NULL);
	answers = 0;
	for (size_t k = 0; k < COUNT_OF(a); k++) { /* some before it is up: they wait for it */
		pgconn_query(f->link.port.conn, STMT_user_by_handle, 5000, on_answer, &a[k], "t",
			     k % 2 ? "person-2" : "person");
		if (k == 50)
			UNTIL(a[0].calls, 5000);
	}
	UNTIL(a[COUNT_OF(a) - 1].calls, 5000);
	for (size_t k = 0; k < COUNT_OF(a); k++) {
		assert_int_equal(a[k].calls, 1);
		assert_int_equal(a[k].order, k + 1);
		assert_int_equal(a[k].number, f->site->user[k % 2]);
	}
	assert_int_equal(pgconn_pending(f->link.port.conn), 0);
	assert_int_equal(f->link.ups, 1);
}

static void one_that_fails_takes_no_other_along(void **state)
{
	struct fixture *f = *state;
	struct pgconn *c;
	struct answer a[6] = {0};

	connect_link(f, NULL);
	c = f->link.port.conn;
	UNTIL(pgconn_is_up(c), 5000);
	pgconn_query(c, STMT_user_by_handle, 0, on_answer, &a[0], "t", "person");
	pgconn_query(c, STMT_session_find, 0, on_answer, &a[1], "t", "no hex");
	pgconn_query(c, STMT_user_by_handle, 0, on_answer, &a[2], "t", "person-2");
	pgconn_query(c, STMT_session_find, 0, on_answer, &a[3], "t", "none either");
	pgconn_query(c, STMT_session_find, 0, on_answer, &a[4], "t", "00");
	pgconn_query(c, STMT_user_by_handle, 0, on_answer, &a[5], "t", "person-3");
	UNTIL(a[5].calls, 5000);
	assert_int_equal(a[0].number, f->site->user[0]);
	assert_int_equal(a[1].code, ERR_BAD_FIELD);
	assert_int_equal(a[2].number, f->site->user[1]);
	assert_int_equal(a[3].code, ERR_BAD_FIELD);
	assert_int_equal(a[4].code, ERR_NONE);
	assert_int_equal(a[5].number, f->site->user[2]);
	assert_int_equal(f->link.downs, 0);
}

static void a_statement_that_cannot_be_prepared_fails_each_time(void **state)
{
	struct fixture *f = *state;
	struct pgconn *c;
	struct answer a[4] = {0};

	sql(f->site, "ALTER TABLE identities RENAME TO elsewhere");
	connect_link(f, NULL);
	c = f->link.port.conn;
	UNTIL(pgconn_is_up(c), 5000);
	pgconn_query(c, STMT_user_of_identity, 0, on_answer, &a[0], "tt", "i", "s");
	pgconn_query(c, STMT_user_by_handle, 0, on_answer, &a[1], "t", "person-2");
	UNTIL(a[1].calls, 5000);
	assert_int_equal(a[0].code, ERR_INTERNAL);
	assert_int_equal(a[1].number, f->site->user[1]);
	pgconn_query(c, STMT_user_of_identity, 0, on_answer, &a[2], "tt", "i", "s");
	UNTIL(a[2].calls, 5000);
	assert_int_equal(a[2].code, ERR_INTERNAL);
	sql(f->site, "ALTER TABLE elsewhere RENAME TO identities");
	pgconn_query(c, STMT_user_of_identity, 0, on_answer, &a[3], "tt", "i", "s");
	UNTIL(a[3].calls, 5000);
	assert_int_equal(a[3].code, ERR_NONE);
}

static void a_loss_fails_what_is_under_way_and_it_connects_again(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct pgconn *c;
	struct answer stuck = {0}, behind = {0}, after = {0}, at_once = {0};

	connect_link(f, NULL);
	c = f->link.port.conn;
	UNTIL(pgconn_is_up(c), 5000);
	sql(s, "BEGIN");
	sql(s, "SELECT FROM channels WHERE id = %lld FOR UPDATE", (long long)s->open);
	pgconn_query(c, STMT_member_add, 0, on_answer, &stuck, "iiii", s->open, s->user[3], s->user[3], (int64_t)9);
	pgconn_query(c, STMT_live_head, 0, on_answer, &behind, "");
	loop_turn(50);
	assert_int_equal(stuck.calls, 0);
	kill_link(s);
	UNTIL(stuck.calls && behind.calls, 5000);
	assert_int_equal(stuck.code, ERR_UNAVAILABLE);
	assert_int_equal(behind.code, ERR_UNAVAILABLE);
	assert_int_equal(f->link.downs, 1);
	assert_false(pgconn_is_up(c));
	pgconn_query(c, STMT_live_head, 0, on_answer, &at_once, ""); /* does not wait */
	assert_int_equal(at_once.calls, 0);                          /* nor calls back from inside */
	pgconn_query(c, STMT_live_head, 5000, on_answer, &after, "");
	UNTIL(after.calls, 5000);
	assert_int_equal(after.code, ERR_NONE);
	assert_int_equal(at_once.code, ERR_UNAVAILABLE);
	assert_int_equal(f->link.ups, 2);
	sql(s, "ROLLBACK");
}

/* Longer than what a socket takes at once. */
static char *long_handle(void)
{
	size_t n = (size_t)4 << 20;
	char *text = xmalloc(n + 1);

	memset(text, 'x', n);
	text[n] = 0;
	return text;
}

static void a_long_question_is_pushed_out_without_a_callback(void **state)
{
	struct fixture *f = *state;
	struct answer a = {0};
	char *handle = long_handle();
	int64_t end;

	connect_link(f, NULL);
	UNTIL(pgconn_is_up(f->link.port.conn), 5000);
	pgconn_query(f->link.port.conn, STMT_user_by_handle, 0, on_answer, &a, "t", handle);
	assert_true(f->link.port.events & PGCONN_WRITE); /* it has not left yet */
	for (end = clock_mono_ms() + 5000; f->link.port.events & PGCONN_WRITE && clock_mono_ms() < end; usleep(1000))
		pgconn_push(f->link.port.conn);
	assert_int_equal(f->link.port.events, PGCONN_READ);
	assert_int_equal(a.calls, 0);
	UNTIL(a.calls, 5000);
	assert_int_equal(a.code, ERR_NONE);
	free(handle);
}

static void a_loss_seen_while_pushing_is_told_later(void **state)
{
	struct fixture *f = *state;
	struct answer a = {0};
	char *handle = long_handle();

	connect_link(f, NULL);
	UNTIL(pgconn_is_up(f->link.port.conn), 5000);
	pgconn_query(f->link.port.conn, STMT_user_by_handle, 0, on_answer, &a, "t", handle);
	kill_link(f->site);
	for (int k = 0; k < 3; k++)
		pgconn_push(f->link.port.conn);
	assert_int_equal(a.calls, 0);
	UNTIL(a.calls, 5000);
	assert_int_equal(a.code, ERR_UNAVAILABLE);
	free(handle);
}

static void one_that_waits_too_long_is_told(void **state)
{
	struct fixture *f = *state;
	struct answer a = {0};
	int64_t began;

	cluster_stop("fast");
	connect_link(f, NULL);
	began = clock_mono_ms();
	pgconn_query(f->link.port.conn, STMT_live_head, 600, on_answer, &a, "");
	UNTIL(a.calls, 3000);
	assert_int_equal(a.code, ERR_UNAVAILABLE);
	assert_in_range(clock_mono_ms() - began, 590, 2000);
	cluster_start();
	UNTIL(pgconn_is_up(f->link.port.conn), 5000);
}

static void one_that_is_forgotten_calls_nobody(void **state)
{
	struct fixture *f = *state;
	struct pgconn *c;
	struct answer a[3] = {0};
	uint64_t waiting, sent;

	connect_link(f, NULL);
	c = f->link.port.conn;
	waiting = pgconn_query(c, STMT_live_head, 5000, on_answer, &a[0], "");
	pgconn_forget(c, waiting);
	UNTIL(pgconn_is_up(c), 5000);
	sent = pgconn_query(c, STMT_live_head, 0, on_answer, &a[1], "");
	pgconn_forget(c, sent);
	pgconn_forget(c, 4711);
	pgconn_query(c, STMT_live_head, 0, on_answer, &a[2], "");
	UNTIL(a[2].calls, 5000);
	assert_int_equal(a[0].calls + a[1].calls, 0);
	assert_int_equal(pgconn_pending(c), 0);
}

static void a_listener_hears_and_listens_again_before_it_is_up(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct link *l = &f->link;

	connect_link(f, "pulsechat");
	UNTIL(l->ups == 1, 5000);
	sql(s, "SELECT pg_notify('pulsechat', 'one')");
	UNTIL(l->heard == 1, 5000);
	assert_string_equal(l->last, "one");
	for (int k = 0; k < 3; k++) {
		int heard = l->heard;

		if (k == 2)
			pgconn_reset(l->port.conn, "the test wants it");
		else
			kill_link(s);
		UNTIL(l->ups == k + 2, 5000);
		sql(s, "SELECT pg_notify('pulsechat', 'again %d')", k); /* up: it listens already */
		UNTIL(l->heard > heard, 5000);
		assert_int_equal(l->heard, heard + 1);
		assert_int_equal(l->downs, k + 1);
	}
	assert_string_equal(l->last, "again 2");
}

static void a_listener_hears_between_the_answers(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct link *l = &f->link;
	struct answer a[200] = {0};

	connect_link(f, "pulsechat");
	UNTIL(l->ups == 1, 5000);
	for (size_t k = 0; k < COUNT_OF(a); k++) {
		sql(s, "SELECT pg_notify('pulsechat', '%zu')", k);
		pgconn_query(l->port.conn, STMT_live_head, 0, on_answer, &a[k], "");
		loop_turn(0);
	}
	UNTIL(a[COUNT_OF(a) - 1].calls && l->heard == (int)COUNT_OF(a), 5000);
	for (size_t k = 0; k < COUNT_OF(a); k++)
		assert_int_equal(a[k].code, ERR_NONE);
}

static void it_is_never_idle_in_a_transaction(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct link *l = &f->link;
	struct answer a = {0};

	connect_link(f, "pulsechat");
	UNTIL(l->ups == 1, 5000);
	pgconn_query(l->port.conn, STMT_live_head, 0, on_answer, &a, "");
	UNTIL(a.calls, 5000);
	UNTIL(!strcmp(sql(s, "SELECT state FROM pg_stat_activity WHERE application_name = 'link' AND datname = "
			     "current_database()"),
		      "idle"),
	      5000);
}

/* What a connection of ours, whichever it is, is bound by on the server. */
#define OUR_SETTINGS                                                                                           \
	"SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) AS all FROM pg_settings WHERE name IN (" \
	"'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'jit', "                  \
	"'default_transaction_isolation')"

static void assert_our_settings(const char *got)
{
	assert_string_equal(got,
			    "default_transaction_isolation=read committed idle_in_transaction_session_timeout=5000 "
			    "jit=off lock_timeout=5000 statement_timeout=4321");
}

static void it_waits_for_nothing_without_end(void **state)
{
	static const struct pgconn_hooks hooks = {.watch = port_watch, .up = on_up};
	struct fixture *f = *state;
	struct site *s = f->site;
	struct err e = {0};
	struct db *db;
	PGresult *r;

	s->config->database.statement_timeout = 4321;
	port_add(&f->link.port);
	f->link.port.conn = pgconn_new(s->config, "link", NULL, "CREATE TABLE seen AS " OUR_SETTINGS, &hooks, &f->link);
	UNTIL(f->link.ups == 1, 5000);
	assert_our_settings(sql(s, "TABLE seen"));
	db = db_new(s->config); /* a worker's */
	assert_int_equal(db_connect(db, &e), 0);
	r = PQexec(db_raw(db), OUR_SETTINGS);
	assert_int_equal(PQresultStatus(r), PGRES_TUPLES_OK);
	assert_our_settings(PQgetvalue(r, 0, 0));
	PQclear(r);
	db_free(&db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_come_in_the_order_of_the_questions),
		TEST(one_that_fails_takes_no_other_along),
		TEST(a_statement_that_cannot_be_prepared_fails_each_time),
		TEST(a_loss_fails_what_is_under_way_and_it_connects_again),
		TEST(a_long_question_is_pushed_out_without_a_callback),
		TEST(a_loss_seen_while_pushing_is_told_later),
		TEST(one_that_waits_too_long_is_told),
		TEST(one_that_is_forgotten_calls_nobody),
		TEST(a_listener_hears_and_listens_again_before_it_is_up),
		TEST(a_listener_hears_between_the_answers),
		TEST(it_is_never_idle_in_a_transaction),
		TEST(it_waits_for_nothing_without_end),
	};

	return SUITE(tests);
}
