/* config: defaults, units, bounds, the environment over the file; each fault named by its file and line. */
// clang-format off
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/base/config.h"
#include "lib/base/strbuf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MUST "[site]\nurl = https://chat.example.org\n[database]\ndsn = dbname=x\n"

static char path[64];

static void put(const char *name, const char *text, size_t n)
{
	FILE *f = fopen(name, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static int load(const char *text, struct config **c, struct err *e)
{
	memset(e, 0, sizeof(*e));
	*c = NULL;
	put(path, text, strlen(text));
	return config_load(path, c, e);
}

static struct config *good(const char *text)
{
	struct config *c;
	struct err e;

	if (load(text, &c, &e) < 0)
		fail_msg("%s: %s", text, e.detail);
	return c;
}

static void defaults_stand_where_nothing_is_said(void **state)
{
	struct config *c = good(MUST);

	(void)state;
	assert_string_equal(c->site.name, "PulseChat");
	assert_string_equal(c->database.dsn, "dbname=x");
	assert_int_equal(c->database.statement_timeout, 10000);
	assert_int_equal(c->api.socket_mode, 0660);
	assert_int_equal(c->api.parked, 500);
	assert_true(config_polls_park(c));
	assert_int_equal(c->writer.batch_items, 1024);
	assert_int_equal(c->writer.batch_bytes, 2 << 20);
	assert_int_equal(c->reads.coalesce, 1000);
	assert_int_equal(c->reads.receipts_max, 100);
	assert_int_equal(c->session.idle, (int64_t)14 * 86400000);
	assert_int_equal(c->limits.message_chars, 20000);
	assert_string_equal(c->oidc.issuer, ""); /* never NULL */
	assert_string_equal(c->rate.table, "/run/pulsechat/rate");
	assert_string_equal(c->log.level, "info");
	config_free(&c);
	assert_null(c);
	config_free(&c);
}

static void the_example_is_accepted(void **state)
{
	struct config *c = NULL;
	struct err e = {0};

	(void)state;
	if (config_load("conf/pulsechat.conf.example", &c, &e) < 0)
		fail_msg("%s", e.detail);
	config_free(&c);
}

static void units_are_those_of_their_kind(void **state)
{
	struct config *c = good(
		MUST "statement_timeout = 250ms\nwait=1m\n; a remark\n# another\n[writer]\nqueue_bytes = "
		     "2M\nbatch_bytes = 128k\n"
		     "[events]\nretention = 2h\nresume_events = 7\n[session]\nidle = 3d\n[api]\nsocket_mode = 0600\n");

	(void)state;
	assert_int_equal(c->database.statement_timeout, 250);
	assert_int_equal(c->database.wait, 60000);
	assert_int_equal(c->writer.queue_bytes, 2 << 20);
	assert_int_equal(c->writer.batch_bytes, 128 << 10);
	assert_int_equal(c->events.retention, 7200000);
	assert_int_equal(c->events.resume_events, 7);
	assert_int_equal(c->session.idle, 3 * 86400000);
	assert_int_equal(c->api.socket_mode, 0600);
	config_free(&c);
}

static void values_are_within_their_limits(void **state)
{
	static const struct {
		const char *line;
		bool ok;
	} cases[] = {
		{"[emoji]\nwho = members\nmax = 0", true},
		{"[emoji]\nwho = admins", true},
		{"[emoji]\nwho = guests", false},
		{"[emoji]\nmax = 10001", false},
		{"[writer]\nbatch_items = 1", true},
		{"[writer]\nbatch_items = 1024", true},
		{"[writer]\nbatch_items = 0", false},
		{"[writer]\nbatch_items = 1025", false},
		{"[writer]\nbatch_items = -1", false},
		{"[writer]\nbatch_items = ten", false},
		{"[writer]\nbatch_items = 5k", false}, /* a count has no unit */
		{"[writer]\nbatch_items = 5 0", false},
		{"[writer]\nbatch_items =", false},
		{"[writer]\nbatch_bytes = 2M", true},
		{"[writer]\nbatch_bytes = 2097153", false},
		{"[writer]\nbatch_bytes = 9223372036854775807G", false},
		{"[writer]\nbatch_bytes = 99999999999999999999", false},
		{"[database]\nwait = 0s", true},
		{"[database]\nwait = 60s", true},
		{"[database]\nwait = 60001ms", false},
		{"[database]\nwait = 10", false}, /* of what? */
		{"[database]\nwait = 10M", false},
		{"[api]\nsocket_mode = 0777", true},
		{"[api]\nsocket_mode = 1777", false},
		{"[api]\nsocket_mode = 0888", false},
		{"[site]\nname = B\xc3\xbcro", true},
		{"[site]\nname = B\xfcro", false},
		{"[site]\nname = a\x1b[0m", false},
		{"[log]\nlevel = debug", true},
		{"[log]\nlevel = loud", false},
		{"[oidc]\nclient_auth = post", true},
		{"[oidc]\nclient_auth = none", false},
		{"[api]\npoll = plain", true},
		{"[api]\npoll = never", false},
		{"[rate]\ntable =", true},
		{"[rate]\ntable = /dev/shm/x", true},
		{"[rate]\ntable = rate", false},
		{"[rate]\nsession = 10000000", true},
		{"[rate]\nsession = 10000001", false},
		{"[api]\nparked = 1", true},
		{"[api]\nparked = 0", false},
		{"[api]\nparked = 100001", false},
	};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		AUTO_STRBUF b = {0};
		struct config *c;
		struct err e;

		strbuf_addf(&b, MUST "%s\n", cases[k].line);
		if ((load(b.p, &c, &e) == 0) != cases[k].ok)
			fail_msg("%s: %s", cases[k].line, e.detail);
		config_free(&c);
	}
}

static void each_fault_names_its_line(void **state)
{
	static const struct {
		const char *text, *says; /* after the file's name */
	} cases[] = {
		{MUST "\n[writer]\nbatch_itmes = 5\n", ":7: unknown key batch_itmes in [writer]"},
		{MUST "[wirter]\nbatch_items = 5\n", ":6: unknown section [wirter]"},
		{MUST "wait = 1s\n# again\nwait = 2s\n", ":7: [database] wait is given twice"},
		{MUST "wait = soon\n", ":5: [database] wait = soon: expected a time"},
		{MUST "no equals sign\n", ":5: expected [section] or key = value"},
		{MUST "[unclosed\n", ":5: expected [section] or key = value"},
		{"[database]\ndsn = x\n", ": [site] url is missing"},
		{"[site]\nurl = https://x\n", ": [database] dsn is missing"},
		{"", " is missing"},
	};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		struct config *c;
		struct err e;

		assert_int_equal(load(cases[k].text, &c, &e), -1);
		assert_null(c);
		if (strncmp(e.detail, path, strlen(path)) != 0 || !strstr(e.detail + strlen(path), cases[k].says))
			fail_msg("%s: %s", cases[k].text, e.detail);
	}
}

static void a_line_that_is_too_long_is_refused_not_cut(void **state)
{
	AUTO_STRBUF b = {0};
	struct config *c;
	struct err e;

	(void)state;
	strbuf_adds(&b, MUST "[site]\nname = ");
	for (int k = 0; k < 10000; k++)
		strbuf_addc(&b, 'x');
	strbuf_adds(&b, "\n");
	assert_int_equal(load(b.p, &c, &e), -1);
	assert_non_null(strstr(e.detail, ":6: line of over"));
}

static void a_file_that_is_not_there_is_named(void **state)
{
	struct config *c = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(config_load("/nonexistent/pulsechat.conf", &c, &e), -1);
	assert_non_null(strstr(e.detail, "/nonexistent/pulsechat.conf: No such file"));
}

static void the_environment_is_over_the_file(void **state)
{
	struct config *c;
	struct err e;

	(void)state;
	setenv("PULSECHAT_DATABASE_WAIT", "3s", 1);
	setenv("PULSECHAT_SITE_URL", "https://other.example.org/", 1);
	c = good(MUST "wait = 1s\n");
	assert_int_equal(c->database.wait, 3000);
	assert_string_equal(c->site.url, "https://other.example.org"); /* no slash at its end */
	config_free(&c);
	c = good("[database]\ndsn = x\n"); /* what must be given may be given there */
	config_free(&c);
	setenv("PULSECHAT_DATABASE_WAIT", "soon", 1);
	assert_int_equal(load(MUST, &c, &e), -1);
	assert_non_null(strstr(e.detail, "PULSECHAT_DATABASE_WAIT: [database] wait = soon"));
	unsetenv("PULSECHAT_DATABASE_WAIT");
	setenv("PULSECHAT_DATABASE_WIAT", "3s", 1);
	assert_int_equal(load(MUST, &c, &e), -1);
	assert_non_null(strstr(e.detail, "PULSECHAT_DATABASE_WIAT: no such setting"));
	unsetenv("PULSECHAT_DATABASE_WIAT");
	unsetenv("PULSECHAT_SITE_URL");
}

static void the_site_s_address_is_an_origin(void **state)
{
	static const struct {
		const char *url;
		int port; /* 0: refused */
		bool secure, loopback;
	} cases[] = {
		{"https://chat.example.org", 443, true, false},
		{"https://chat.example.org/", 443, true, false},
		{"https://chat.example.org:8443", 8443, true, false},
		{"https://[2001:db8::1]", 443, true, false},
		{"https://[2001:db8::1]:8443", 8443, true, false},
		{"http://127.0.0.1:8080", 8080, false, true},
		{"http://127.1.2.3", 80, false, true},
		{"http://[::1]:81", 81, false, true},
		{"http://localhost", 80, false, true},
		{"https://localhost:444", 444, true, true},
		{"http://chat.example.org", 0, false, false},
		{"http://127.0.0.1.example.org", 0, false, false},
		{"http://localhost.example.org", 0, false, false},
		{"http://128.0.0.1", 0, false, false},
		{"http://[::1]x.example.org", 0, false, false},
		{"ftp://chat.example.org", 0, false, false},
		{"chat.example.org", 0, false, false},
		{"https://", 0, false, false},
		{"https:///", 0, false, false},
		{"https://chat.example.org/path", 0, false, false},
		{"https://chat.example.org?x", 0, false, false},
		{"https://user@chat.example.org", 0, false, false},
		{"https://chat.example.org:", 0, false, false},
		{"https://chat.example.org:0", 0, false, false},
		{"https://chat.example.org:65536", 0, false, false},
		{"https://chat.example.org:80x", 0, false, false},
	};
	int wrong = 0;

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		AUTO_STRBUF b = {0};
		struct config *c;
		struct err e;

		strbuf_addf(&b, "[site]\nurl = %s\n[database]\ndsn = x\n", cases[k].url);
		if ((load(b.p, &c, &e) == 0) != (cases[k].port != 0) ||
		    (c && (config_site_port(c) != cases[k].port || config_site_secure(c) != cases[k].secure ||
			   config_site_loopback(c) != cases[k].loopback))) {
			print_error("%s: %s\n", cases[k].url, c ? "accepted" : e.detail);
			wrong++;
		}
		config_free(&c);
	}
	assert_int_equal(wrong, 0);
}

static void names_of_files_start_at_the_configuration_s_own_folder(void **state)
{
	struct config *c = good(MUST "[files]\ndir = store/objects\ncloudfront_key_file = /keys/pem\n");
	char folder[PATH_MAX], wanted[PATH_MAX + 16];

	(void)state;
	assert_non_null(realpath(path, folder));
	*strrchr(folder, '/') = 0;
	snprintf(wanted, sizeof(wanted), "%s/store/objects", folder);
	assert_string_equal(c->files.dir, wanted);
	assert_string_equal(c->files.cloudfront_key_file, "/keys/pem");
	config_free(&c);
}

static void the_secret_may_stand_in_a_file_of_its_own(void **state)
{
	AUTO_STRBUF b = {0};
	char secret[80];
	struct config *c;
	struct err e;

	(void)state;
	snprintf(secret, sizeof(secret), "%s.secret", path);
	put(secret, "s3cret\r\nand a second line\n", 26);
	strbuf_addf(&b, MUST "[oidc]\nclient_secret_file = %s\n", secret);
	c = good(b.p);
	assert_string_equal(c->oidc.client_secret, "s3cret");
	config_free(&c);
	strbuf_adds(&b, "client_secret = given\n");
	c = good(b.p);
	assert_string_equal(c->oidc.client_secret, "given");
	config_free(&c);
	unlink(secret);
	assert_int_equal(load(MUST "[oidc]\nclient_secret_file = /nonexistent/secret\n", &c, &e), -1);
	assert_string_equal(e.field, "client_secret_file");
}

/* Whatever runs this may have settings of its own. */
static int setup(void **state)
{
	extern char **environ;
	int fd;

	(void)state;
	for (char **v = environ; *v;) {
		char name[96];

		if (strncmp(*v, "PULSECHAT_", 10) != 0) {
			v++;
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*v, "="), *v);
		unsetenv(name);
		v = environ;
	}
	snprintf(path, sizeof(path), "/tmp/pulsechat-config-XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_stand_where_nothing_is_said),
		cmocka_unit_test(the_example_is_accepted),
		cmocka_unit_test(units_are_those_of_their_kind),
		cmocka_unit_test(values_are_within_their_limits),
		cmocka_unit_test(each_fault_names_its_line),
		cmocka_unit_test(a_line_that_is_too_long_is_refused_not_cut),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
		cmocka_unit_test(the_environment_is_over_the_file),
		cmocka_unit_test(the_site_s_address_is_an_origin),
		cmocka_unit_test(names_of_files_start_at_the_configuration_s_own_folder),
		cmocka_unit_test(the_secret_may_stand_in_a_file_of_its_own),
	};

	return cmocka_run_group_tests_name("config", tests, setup, teardown);
}
