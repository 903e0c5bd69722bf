/* db: the blocking connection: parameters there and back, errors by their kind, a new connection after a loss,
 * snapshots. And maintain, which works through it. */
#include "tests/db/harness.h"
#include "lib/db/db.h"
#include "lib/db/maintain.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
	struct site *site;
	struct db *db;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->site = site_open();
	f->db = db_new(f->site->config);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	db_free(&f->db);
	site_close(&f->site);
	free(f);
	return 0;
}

static void one_row_or_none(void **state)
{
	struct fixture *f = *state;
	PGresult *r = NULL;
	struct err e = {0};

	assert_int_equal(db_one(f->db, STMT_user_by_handle, &r, &e, "t", "person"), 0);
	assert_non_null(r);
	assert_int_equal(result_int(r, 0, 0), f->site->user[0]);
	assert_true(result_bool(r, 0, 1));
	PQclear(r);
	assert_int_equal(db_one(f->db, STMT_user_by_handle, &r, &e, "t", "nobody"), 0);
	assert_null(r);
}

static void parameters_arrive_as_they_were(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	static const char *const strange[] = {"it's", "back\\slash", "\"quoted\"", "{a,b}",    "NULL",
					      "",     "😀 é",         "a,b",        "tab\there"};
	int64_t ids[] = {s->user[2], s->user[0], INT64_MAX, -1};
	PGresult *r = NULL;
	struct err e = {0};

	/* text[]: as the scopes of a token, given back with blanks between */
	assert_int_equal(db_query(f->db, STMT_access_token_create, &r, &e, "ibtttitTni", (int64_t)0, 1, NULL, NULL,
				  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", s->user[0],
				  "a 'name' \\ {}", strange, COUNT_OF(strange), (int64_t)50),
			 0);
	assert_int_equal(result_rows(r), 1);
	assert_false(result_null(r, 0, 0));
	PQclear(r);
	assert_string_equal(sql(s, "SELECT name FROM sessions"), "a 'name' \\ {}");
	for (size_t k = 0; k < COUNT_OF(strange); k++)
		assert_string_equal(sql(s, "SELECT scopes[%zu] FROM sessions", k + 1), strange[k]);
	/* int8[] */
	assert_int_equal(db_query(f->db, STMT_user_list_ids, &r, &e, "Ii", ids, COUNT_OF(ids), (int64_t)0), 0);
	assert_non_null(strstr(result_text(r, 0, 1), "\"person\""));
	assert_non_null(strstr(result_text(r, 0, 1), "person-3"));
	assert_null(strstr(result_text(r, 0, 1), "person-2"));
	PQclear(r);
	assert_int_equal(db_query(f->db, STMT_user_list_ids, &r, &e, "Ii", ids, (size_t)0, (int64_t)0), 0);
	assert_string_equal(result_text(r, 0, 1), "[]");
	PQclear(r);
	/* text that does not end at its end */
	assert_int_equal(db_one(f->db, STMT_user_by_handle, &r, &e, "s", "person and more", (size_t)6), 0);
	assert_non_null(r);
	PQclear(r);
}

static void errors_are_told_by_their_kind(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	PGresult *r = NULL;
	struct err e = {0};

	assert_int_equal(db_query(f->db, STMT_session_find, &r, &e, "t", "no hex"), -1);
	assert_int_equal(e.code, ERR_BAD_FIELD); /* class 22 */
	assert_int_equal(db_query(f->db, STMT_channel_create, &r, &e, "itttn", s->user[0], "direct", "x", ""), -1);
	assert_int_equal(e.code, ERR_CONFLICT);    /* class 23 */
	assert_null(strstr(e.detail, "channels")); /* nothing of the inside */
	s->config->database.statement_timeout = 200;
	db_free(&f->db);
	f->db = db_new(s->config);
	sql(s, "BEGIN");
	sql(s, "SELECT FROM channels WHERE id = %lld FOR UPDATE", (long long)s->open);
	assert_int_equal(db_query(f->db, STMT_member_add, &r, &e, "iiii", s->open, s->user[3], s->user[3], (int64_t)9),
			 -1);
	assert_int_equal(e.code, ERR_BUSY); /* 57014 */
	assert_true(e.retry_after_ms > 0);
	sql(s, "ROLLBACK");
	assert_int_equal(db_query(f->db, STMT_member_add, &r, &e, "iiii", s->open, s->user[3], s->user[3], (int64_t)9),
			 0);
	assert_string_equal(result_text(r, 0, 0), "ok");
	PQclear(r);
}

static void a_lost_connection_is_made_again(void **state)
{
	struct fixture *f = *state;
	PGresult *r = NULL;
	struct err e = {0};

	for (int k = 0; k < 3; k++) {
		assert_int_equal(db_one(f->db, STMT_live_head, &r, &e, ""), 0);
		PQclear(r);
		sql(f->site, "SELECT pg_terminate_backend(%d, 5000)", PQbackendPID(db_raw(f->db)));
		/* the loss was while nothing was under way: nobody hears of it */
		assert_int_equal(db_one(f->db, STMT_live_head, &r, &e, ""), 0);
		PQclear(r);
	}
	assert_true(db_ping(f->db));
	cluster_stop("fast");
	assert_false(db_ping(f->db));
	assert_int_equal(db_one(f->db, STMT_live_head, &r, &e, ""), -1);
	assert_int_equal(e.code, ERR_UNAVAILABLE);
	assert_true(e.retry_after_ms > 0);
	cluster_start();
	assert_true(db_ping(f->db));
	assert_int_equal(db_one(f->db, STMT_live_head, &r, &e, ""), 0);
	PQclear(r);
}

static void a_snapshot_does_not_move(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	PGresult *r = NULL;
	struct err e = {0};
	int64_t head;

	assert_int_equal(db_begin_snapshot(f->db, &e), 0);
	assert_int_equal(db_one(f->db, STMT_live_head, &r, &e, ""), 0);
	head = result_int(r, 0, 0);
	PQclear(r);
	sql(s, "SELECT emit_event('p', 'test', 0, -1, 0, '{}')");
	assert_int_equal(db_one(f->db, STMT_live_head, &r, &e, ""), 0);
	assert_int_equal(result_int(r, 0, 0), head);
	PQclear(r);
	assert_int_equal(db_query(f->db, STMT_member_add, &r, &e, "iiii", s->open, s->user[3], s->user[3], (int64_t)9),
			 -1);
	db_rollback(f->db);
	db_rollback(f->db); /* harmless */
	assert_int_equal(db_begin_snapshot(f->db, &e), 0);
	assert_int_equal(db_one(f->db, STMT_live_head, &r, &e, ""), 0);
	assert_int_equal(result_int(r, 0, 0), head + 1);
	PQclear(r);
	assert_int_equal(db_commit(f->db, &e), 0);
}

static void a_snapshot_lost_half_way_is_told(void **state)
{
	struct fixture *f = *state;
	PGresult *r = NULL;
	struct err e = {0};

	assert_int_equal(db_begin_snapshot(f->db, &e), 0);
	sql(f->site, "SELECT pg_terminate_backend(%d, 5000)", PQbackendPID(db_raw(f->db)));
	/* never silently by a statement outside of it */
	assert_int_equal(db_one(f->db, STMT_live_head, &r, &e, ""), -1);
	assert_int_equal(e.code, ERR_UNAVAILABLE);
	db_rollback(f->db);
	assert_int_equal(db_one(f->db, STMT_live_head, &r, &e, ""), 0);
	PQclear(r);
}

/* ---- maintain */

static void maintain_drops_old_partitions_and_never_the_newest_event(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct err e = {0};

	s->config->events.retention = 86400000;
	/* the log stands in its second partition; all of the first is old, and the newest event too */
	sql(s, "UPDATE events SET at = now() - interval '9 days'");
	sql(s, "INSERT INTO events (id, kind, type, at) VALUES (4000001, 'p', 'test', now() - interval '8 days')");
	assert_int_equal(maintain(f->db, s->config, NULL, &e), 0);
	assert_int_equal(sql_int(s, "SELECT count(*) FROM events"), 1);
	assert_int_equal(sql_int(s, "SELECT count(*) FROM pg_class WHERE relname = 'events_4000000'"), 0);
	assert_int_equal(sql_int(s, "SELECT stream_head()"), 4000001);
	assert_int_equal(sql_int(s,
				 "SELECT max(substring(inhrelid::regclass::text FROM '[0-9]+')::int8) FROM pg_inherits "
				 "WHERE inhparent = 'events'::regclass"),
			 16000000);
	/* what an interrupted run has left detached goes too */
	sql(s, "INSERT INTO events (id, kind, type) VALUES (8000001, 'p', 'test')");
	sql(s, "ALTER TABLE events DETACH PARTITION events_8000000");
	assert_int_equal(maintain(f->db, s->config, NULL, &e), 0);
	assert_int_equal(sql_int(s, "SELECT count(*) FROM pg_class WHERE relname = 'events_8000000'"), 0);
	assert_int_equal(sql_int(s, "SELECT stream_head()"), 8000001);
}

static void maintain_keeps_what_is_within_the_retention(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct err e = {0};

	s->config->events.retention = 86400000;
	sql(s, "UPDATE events SET at = now() - interval '9 days'");
	sql(s, "INSERT INTO events (id, kind, type, at) VALUES (3999999, 'p', 'test', now() - interval '23 hours'), "
	       "(4000001, 'p', "
	       "'test', now())");
	assert_int_equal(maintain(f->db, s->config, NULL, &e), 0);
	assert_int_equal(sql_int(s, "SELECT count(*) FROM pg_class WHERE relname = 'events_4000000'"), 1);
}

static void maintain_sweeps_what_has_ended(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct err e = {0};

	s->config->events.retention = 86400000;
	sql(s, "INSERT INTO login_attempts SELECT sha256(n::text::bytea), sha256('b'), 'n', 'v', '/', now(), now() + "
	       "(n * 10 - 15) * "
	       "interval '1 minute' FROM generate_series(1, 2) n");
	sql(s,
	    "INSERT INTO sessions (secret_hash, kind, user_id, scopes, revoked_at, expires_at, idle_limit, "
	    "last_used_at) SELECT "
	    "sha256(v.n::bytea), 'session', %lld, '{}', v.revoked, v.expires, v.idle, v.used FROM (VALUES "
	    "('gone: revoked', now() - interval '31 days', NULL::timestamptz, NULL::interval, now()), "
	    "('gone: expired', NULL, now() - interval '31 days', NULL, now()), "
	    "('gone: unused', NULL, NULL, interval '1 day', now() - interval '32 days'), "
	    "('kept: revoked', now() - interval '29 days', NULL, NULL, now()), ('kept: token', NULL, NULL, NULL, now() "
	    "- interval '900 days'), "
	    "('kept: live', NULL, now() + interval '1 day', interval '14 days', now())) v(n, revoked, expires, idle, "
	    "used)",
	    (long long)s->user[0]);
	assert_int_equal(maintain(f->db, s->config, NULL, &e), 0);
	assert_int_equal(sql_int(s, "SELECT count(*) FROM login_attempts"), 1);
	assert_int_equal(sql_int(s, "SELECT count(*) FROM sessions"), 3);
}

static int said;

static void say(const char *what)
{
	said += !strcmp(what, "another process is at it");
}

static void maintain_is_for_one_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct site *s = f->site;
	struct db *other = db_new(s->config);
	PGresult *r = NULL;
	struct err e = {0};

	assert_int_equal(db_one(other, STMT_maintain_lock, &r, &e, ""), 0);
	PQclear(r);
	said = 0;
	assert_int_equal(maintain(f->db, s->config, say, &e), 0);
	assert_int_equal(said, 1);
	db_free(&other);
	/* the server notices the end of the connection in its own time */
	UNTIL(sql_int(s, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0, 5000);
	said = 0;
	s->config->events.retention = 86400000;
	for (int k = 0; k < 2; k++) /* and it lets go afterwards */
		assert_int_equal(maintain(f->db, s->config, say, &e), 0);
	assert_int_equal(said, 0);
	assert_int_equal(sql_int(s, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_row_or_none),
		TEST(parameters_arrive_as_they_were),
		TEST(errors_are_told_by_their_kind),
		TEST(a_lost_connection_is_made_again),
		TEST(a_snapshot_does_not_move),
		TEST(a_snapshot_lost_half_way_is_told),
		TEST(maintain_drops_old_partitions_and_never_the_newest_event),
		TEST(maintain_keeps_what_is_within_the_retention),
		TEST(maintain_sweeps_what_has_ended),
		TEST(maintain_is_for_one_at_a_time),
	};

	return SUITE(tests);
}
