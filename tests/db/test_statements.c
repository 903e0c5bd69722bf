/* statements: each statement of sql/queries/ is accepted by a fresh schema, and its declared parameter and column types
 * are those that PostgreSQL gives it. */
#include "tests/db/harness.h"
#include "lib/db/params.h"
#include "lib/db/stmt.h"
#include <stdlib.h>
#include <string.h>

static struct site *site;

/* The oid of a declared type, by any of its names ("int8", "bigint"). */
static Oid type_oid(const char *name, size_t n)
{
	return (Oid)sql_int(site, "SELECT coalesce(to_regtype('%.*s')::oid, 0)", (int)n, name);
}

static int compare(const char *what, const char *stmt, const char *declared, int given,
		   Oid (*type_of)(const PGresult *, int), const PGresult *r)
{
	int n = 0, wrong = 0;

	for (const char *p = declared; *p; n++) {
		size_t len = strcspn(p, ",");

		if (n < given && type_of(r, n) != type_oid(p, len)) {
			print_error("%s: %s %d is declared as %.*s and is %s\n", stmt, what, n + 1, (int)len, p,
				    sql(site, "SELECT %u::regtype", type_of(r, n)));
			wrong++;
		}
		p += len + (p[len] == ',');
	}
	if (n != given) {
		print_error("%s: %d %ss are declared, there are %d\n", stmt, n, what, given);
		wrong++;
	}
	return wrong;
}

static void is_as_declared(void **state)
{
	const struct stmt *s = *state;
	PGresult *r = PQprepare(site->sql, s->name, s->sql, 0, NULL);
	int wrong;

	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", s->name, PQresultErrorMessage(r));
	PQclear(r);
	r = PQdescribePrepared(site->sql, s->name);
	assert_int_equal(PQresultStatus(r), PGRES_COMMAND_OK);
	wrong = compare("parameter", s->name, s->in, PQnparams(r), PQparamtype, r);
	wrong += compare("column", s->name, s->out, PQnfields(r), PQftype, r);
	assert_in_range(PQnparams(r), 0, PARAMS_MAX);
	PQclear(r);
	assert_int_equal(wrong, 0);
}

static int open_site(void **state)
{
	site = site_open();
	return suite_setup(state);
}

static int close_site(void **state)
{
	site_close(&site);
	return suite_teardown(state);
}

int main(void)
{
	struct CMUnitTest *tests = calloc((size_t)stmts_count, sizeof(*tests));
	int rc;

	for (int i = 0; i < stmts_count; i++)
		tests[i] = (struct CMUnitTest){.name = stmts[i].name,
					       .test_func = is_as_declared,
					       .initial_state = (void *)(uintptr_t)&stmts[i]};
	rc = _cmocka_run_group_tests("statements", tests, (size_t)stmts_count, open_site, close_site);
	free(tests);
	return rc;
}
