/* hosts: the names of servers are looked up beside the loop, by a resolver of this test's, which can be slow or dead.
 */
#include "tests/db/harness.h"
#include "lib/base/thread.h"
#include "lib/db/hosts.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the resolver: libpq and ours call it in libc's place */

typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static pthread_t loop;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released;
static bool stuck;                                      /* "stuck.test" gets no answer; under the lock */
static atomic_int in_loop, beside, asking, stuck_asked; /* look-ups of names; asking: under way */
static atomic_bool known;                               /* "late.test" exists */

static int address(const char *text, const char *port, struct addrinfo **out)
{
	static resolver *real;
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(text, port, &hints, out);
}

static int answer(const char *name, const char *port, struct addrinfo **out)
{
	int64_t until = clock_mono_ms() + 12000; /* a resolver gives up too */
	int rc;

	if (!strcmp(name, "slow.test"))
		usleep(700000);
	if (!strcmp(name, "stuck.test")) {
		atomic_fetch_add(&stuck_asked, 1);
		pthread_mutex_lock(&lock);
		while (stuck && thread_cond_wait_until(&released, &lock, until))
			;
		pthread_mutex_unlock(&lock);
		return EAI_AGAIN;
	}
	if (!strcmp(name, "none.test") || (!strcmp(name, "late.test") && !known))
		return EAI_NONAME;
	if (strcmp(name, "two.test") != 0)
		return address("127.0.0.1", port, out);
	rc = address("127.0.0.2", port, out); /* where nobody listens */
	return rc ? rc : address("127.0.0.1", port, &(*out)->ai_next);
}

int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
	static resolver *real;
	struct in_addr numbers;
	int rc;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (!name || (hints && hints->ai_flags & AI_NUMERICHOST) || inet_pton(AF_INET, name, &numbers) == 1)
		return real(name, port, hints, out);
	atomic_fetch_add(pthread_equal(pthread_self(), loop) ? &in_loop : &beside, 1);
	atomic_fetch_add(&asking, 1);
	rc = strcmp(name, "localhost") != 0 ? answer(name, port, out) : real(name, port, hints, out);
	atomic_fetch_sub(&asking, 1);
	return rc;
}

/* ---- the fixture */

struct fixture {
	struct site *site;
	struct port port;
	int port_number;
	char dsn[256];
};

static int free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static int port_number;

static int group_setup(void **state)
{
	suite_setup(state);
	loop = pthread_self();
	thread_cond_init(&released);
	port_number = free_port();
	cluster_stop("fast");
	cluster_start_tcp(port_number);
	return 0;
}

static int group_teardown(void **state)
{
	suite_teardown(state);
	cluster_stop("fast");
	cluster_start();
	return 0;
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->site = site_open();
	in_loop = beside = stuck_asked = 0;
	known = false;
	stuck = true;
	*state = f;
	return 0;
}

static void release(void)
{
	pthread_mutex_lock(&lock);
	stuck = false;
	pthread_cond_broadcast(&released);
	pthread_mutex_unlock(&lock);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	release();
	pgconn_close(&f->port.conn);
	ports_abandon();
	for (int k = 0; k < 500 && asking; k++)
		usleep(10000);
	site_close(&f->site);
	free(f);
	return 0;
}

/* hosts: as in a dsn. */
static void connect_to(struct fixture *f, const char *hosts)
{
	static const struct pgconn_hooks hooks = {.watch = port_watch};

	free(f->site->config->database.dsn);
	snprintf(f->dsn, sizeof(f->dsn), "%s user=pulsechat dbname=%s", hosts, f->site->name);
	f->site->config->database.dsn = xstrdup(f->dsn);
	port_add(&f->port);
	f->port.conn = pgconn_new(f->site->config, "link", NULL, NULL, &hooks, &f->port);
}

/* Turns the loop until it is up; the longest turn, in milliseconds. */
static int64_t until_up(struct fixture *f, int ms)
{
	int64_t end = clock_mono_ms() + ms, longest = 0;

	while (!pgconn_is_up(f->port.conn)) {
		int64_t began = clock_mono_ms();

		if (began > end)
			fail_msg("not up within %d ms", ms);
		loop_turn(10);
		longest = MAX_OF(longest, clock_mono_ms() - began);
	}
	return longest;
}

/* ---- the tests */

static void a_slow_name_holds_up_no_turn_of_the_loop(void **state)
{
	struct fixture *f = *state;
	int64_t began = clock_mono_ms();

	connect_to(f, "host=slow.test");
	assert_in_range(until_up(f, 5000), 0, 400);
	assert_in_range(clock_mono_ms() - began, 690, 5000);
	assert_int_equal(in_loop, 0);
	assert_int_equal(beside, 1);
	pgconn_reset(f->port.conn, "the test wants it");
	loop_turn(0);
	assert_in_range(until_up(f, 5000), 0, 400);
	assert_int_equal(in_loop, 0);
	assert_int_equal(beside, 2); /* anew: it may stand elsewhere now */
}

static void localhost_is_a_name(void **state)
{
	struct fixture *f = *state;

	connect_to(f, "host=localhost");
	until_up(f, 5000);
	assert_int_equal(in_loop, 0);
	assert_int_equal(beside, 1);
}

static void a_socket_and_an_address_ask_nobody(void **state)
{
	struct fixture *f = *state;
	char hosts[128];

	snprintf(hosts, sizeof(hosts), "host=%s", cluster_dir());
	connect_to(f, hosts);
	until_up(f, 5000);
	pgconn_close(&f->port.conn);
	port_remove(&f->port);
	connect_to(f, "host=127.0.0.1");
	until_up(f, 5000);
	pgconn_close(&f->port.conn);
	port_remove(&f->port);
	connect_to(f, "host=stuck.test hostaddr=127.0.0.1");
	until_up(f, 5000);
	assert_int_equal(in_loop + beside, 0);
}

static void one_name_that_gets_no_answer_is_left_out_in_the_end(void **state)
{
	struct fixture *f = *state;
	int64_t began = clock_mono_ms();

	connect_to(f, "host=stuck.test,good.test");
	assert_in_range(until_up(f, 5000), 0, 400);
	assert_in_range(clock_mono_ms() - began, 2400, 5000);
	pgconn_reset(f->port.conn, "the test wants it");
	loop_turn(0);
	until_up(f, 5000);
	assert_int_equal(in_loop, 0);
	assert_int_equal(stuck_asked, 1); /* however often it connects, one thread waits for it */
	release();
	UNTIL(!asking, 5000);
}

static void the_next_server_and_the_next_address_are_tried(void **state)
{
	struct fixture *f = *state;
	char hosts[128];

	snprintf(hosts, sizeof(hosts), "host=none.test,good.test,%s,two.test port=1,1,1,%d", cluster_dir(),
		 port_number);
	connect_to(f, hosts);
	until_up(f, 5000);
	assert_int_equal(in_loop, 0);
	assert_int_equal(beside, 3);
}

static void a_name_that_is_not_there_yet_is_asked_for_again(void **state)
{
	struct fixture *f = *state;

	connect_to(f, "host=late.test");
	UNTIL(beside >= 3, 10000);
	assert_false(pgconn_is_up(f->port.conn));
	known = true;
	until_up(f, 5000);
	assert_int_equal(in_loop, 0);
}

static void one_that_closes_does_not_wait_for_the_resolver(void **state)
{
	struct fixture *f = *state;
	int64_t began;

	connect_to(f, "host=stuck.test");
	UNTIL(stuck_asked == 1, 5000);
	loop_turn(10);
	began = clock_mono_ms();
	pgconn_close(&f->port.conn);
	assert_in_range(clock_mono_ms() - began, 0, 400);
	port_remove(&f->port);
	release();
	UNTIL(!asking, 5000);
}

/* TLS compares the certificate with the name, and a password file is searched by it. */
static void the_name_stays_beside_its_addresses(void **state)
{
	static const struct {
		const char *dsn, *host, *hostaddr, *port;
	} cases[] = {
		{"host=two.test", "two.test,two.test", "127.0.0.2,127.0.0.1", ""},
		{"host=two.test,/run/pg,none.test port=6,7,8", "two.test,two.test,/run/pg", "127.0.0.2,127.0.0.1,",
		 "6,6,7"},
		{"postgresql://good.test:6,10.0.0.1/x", "good.test,10.0.0.1", "127.0.0.1,", "6,5432"},
		{"host=a.test,good.test hostaddr=10.0.0.1,", "a.test,good.test", "10.0.0.1,127.0.0.1", ""},
		{"host=none.test,", ",", ",", ""},
	};
	(void)state;

	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		struct strbuf host = {0}, hostaddr = {0}, port = {0}, why = {0};
		struct hosts *h = NULL;

		hosts_look_up(&h, cases[k].dsn);
		assert_non_null(h);
		for (int i = 0; i < 500 && hosts_found(h, &why) < HOSTS_ALL; i++)
			usleep(10000);
		assert_int_equal(hosts_found(h, &why), HOSTS_ALL);
		hosts_lists(h, &host, &hostaddr, &port);
		assert_string_equal(strbuf_cstr(&host), cases[k].host);
		assert_string_equal(strbuf_cstr(&hostaddr), cases[k].hostaddr);
		if (*cases[k].port)
			assert_string_equal(strbuf_cstr(&port), cases[k].port);
		else
			assert_int_equal(port.n, 0);
		hosts_free(&h);
		strbuf_release(&host);
		strbuf_release(&hostaddr);
		strbuf_release(&port);
		strbuf_release(&why);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_slow_name_holds_up_no_turn_of_the_loop),
		TEST(localhost_is_a_name),
		TEST(a_socket_and_an_address_ask_nobody),
		TEST(one_name_that_gets_no_answer_is_left_out_in_the_end),
		TEST(the_next_server_and_the_next_address_are_tried),
		TEST(a_name_that_is_not_there_yet_is_asked_for_again),
		TEST(one_that_closes_does_not_wait_for_the_resolver),
		TEST(the_name_stays_beside_its_addresses),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, group_setup, group_teardown);
}
