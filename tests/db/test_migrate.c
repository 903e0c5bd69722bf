/* migrations: an empty database becomes ours, twice is once, two at once do not meet, an edited migration is refused.
 */
#include "tests/db/harness.h"
#include "lib/base/err.h"
#include "lib/db/migrations.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int said;

static void say(const char *step)
{
	(void)step;
	said++;
}

static int files(const char *prefix)
{
	int n = 0;

	for (const struct sql_file *f = sql_files; f->path; f++)
		n += !strncmp(f->path, prefix, strlen(prefix));
	return n;
}

static int setup(void **state)
{
	*state = site_open_empty();
	said = 0;
	return 0;
}

static int teardown(void **state)
{
	struct site *s = *state;

	site_close(&s);
	return 0;
}

static void an_empty_database_becomes_ours_and_twice_is_once(void **state)
{
	struct site *s = *state;
	struct err e = {0};

	assert_int_equal(migrate(s->config, say, &e), 0);
	assert_int_equal(said, files("sql/"));
	assert_int_equal(sql_int(s, "SELECT count(*) FROM schema_history"), files("sql/"));
	assert_int_equal(sql_int(s, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"), 3);
	assert_int_equal(sql_int(s, "SELECT length(mark) FROM stream"), 8);
	said = 0;
	assert_int_equal(migrate(s->config, say, &e), 0);
	assert_int_equal(said, 0);
	assert_int_equal(sql_int(s, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"), 3);
}

static void what_is_stored_survives_it(void **state)
{
	struct site *s = *state;
	struct err e = {0};
	const char *mark;

	assert_int_equal(migrate(s->config, NULL, &e), 0);
	mark = sql(s, "SELECT mark FROM stream");
	sql(s, "SELECT user_insert('ann', 'Ann', NULL, NULL, false, 'member')");
	/* a function of another release is replaced, a migration is not run again */
	sql(s, "UPDATE schema_history SET checksum = repeat('0', 64) WHERE path LIKE 'sql/functions/%%'");
	sql(s, "CREATE OR REPLACE FUNCTION time_text(t timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT "
	       "''old'''");
	assert_int_equal(migrate(s->config, say, &e), 0);
	assert_int_equal(said, files("sql/functions/"));
	assert_string_equal(sql(s, "SELECT time_text('2026-01-01 00:00:00+00')"), "2026-01-01T00:00:00.000Z");
	assert_string_equal(sql(s, "SELECT handle FROM users"), "ann");
	assert_string_equal(sql(s, "SELECT mark FROM stream"), mark);
}

static void *migrate_once(void *arg)
{
	struct err e = {0};

	return migrate(arg, NULL, &e) == 0 ? NULL : arg;
}

static void several_at_once_make_one_schema(void **state)
{
	struct site *s = *state;
	pthread_t t[4];

	for (size_t k = 0; k < COUNT_OF(t); k++)
		assert_int_equal(pthread_create(&t[k], NULL, migrate_once, s->config), 0);
	for (size_t k = 0; k < COUNT_OF(t); k++) {
		void *failed;

		assert_int_equal(pthread_join(t[k], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(sql_int(s, "SELECT count(*) FROM schema_history"), files("sql/"));
	assert_int_equal(sql_int(s, "SELECT count(*) FROM stream"), 1);
}

static void an_edited_migration_is_refused(void **state)
{
	struct site *s = *state;
	struct err e = {0};

	assert_int_equal(migrate(s->config, NULL, &e), 0);
	sql(s, "UPDATE schema_history SET checksum = repeat('0', 64) WHERE path LIKE 'sql/migrations/0001%%'");
	assert_int_equal(migrate(s->config, say, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_non_null(strstr(e.detail, "sql/migrations/0001_initial.sql"));
	assert_int_equal(said, 0);
}

static void one_that_fails_leaves_nothing_half_done(void **state)
{
	struct site *s = *state;
	struct err e = {0};

	sql(s, "CREATE TABLE events (x int)"); /* the first migration makes users and others before it meets this */
	assert_int_equal(migrate(s->config, NULL, &e), -1);
	assert_int_equal(e.code, ERR_INTERNAL);
	assert_non_null(strstr(e.detail, "0001_initial.sql"));
	assert_int_equal(sql_int(s, "SELECT count(*) FROM pg_class WHERE relname = 'users'"), 0);
	assert_int_equal(sql_int(s, "SELECT count(*) FROM schema_history"), 0);
	sql(s, "DROP TABLE events");
	assert_int_equal(migrate(s->config, NULL, &e), 0);
}

static void no_database_is_a_clear_error(void **state)
{
	struct site *s = *state;
	struct err e = {0};
	struct config *c = test_config("host=/nonexistent dbname=nowhere");

	(void)s;
	assert_int_equal(migrate(c, NULL, &e), -1);
	assert_int_equal(e.code, ERR_UNAVAILABLE);
	assert_true(e.detail[0]);
	test_config_free(&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_database_becomes_ours_and_twice_is_once),
		TEST(what_is_stored_survives_it),
		TEST(several_at_once_make_one_schema),
		TEST(an_edited_migration_is_refused),
		TEST(one_that_fails_leaves_nothing_half_done),
		TEST(no_database_is_a_clear_error),
	};

	return SUITE(tests);
}
