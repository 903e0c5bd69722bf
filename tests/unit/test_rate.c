/* rate: buckets to the token, bounded whatever keys come, shared by threads; whose address a request has; what [rate]
 * makes of both. */
#include "lib/auth/rate.h"
#include "lib/base/buckets.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/http/peer.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define MINUTE ((int64_t)60000000)
static const struct bucket_key one = {1, 1}, other = {1, 2}, kind = {2, 1};

static void a_bucket_is_exact(void **state)
{
	struct buckets *b = buckets_new(1000);
	struct bucket_left left;
	int64_t t = 1000;

	(void)state;
	for (int i = 1; i <= 60; i++) {
		assert_true(buckets_take(b, one, 60, MINUTE, 1, t, &left));
		assert_int_equal(left.left, 60 - i);
		assert_int_equal(left.full_us, i * 1000000);
		assert_int_equal(left.wait_us, 0);
	}
	assert_false(buckets_take(b, one, 60, MINUTE, 1, t, &left));
	assert_int_equal(left.left, 0);
	assert_int_equal(left.wait_us, 1000000);
	assert_true(buckets_take(b, other, 60, MINUTE, 1, t, &left));
	assert_true(buckets_take(b, kind, 60, MINUTE, 1, t, &left));
	/* one token a second: not a microsecond before */
	assert_false(buckets_take(b, one, 60, MINUTE, 1, t + 999999, &left));
	assert_int_equal(left.wait_us, 1);
	assert_true(buckets_take(b, one, 60, MINUTE, 1, t + 1000000, &left));
	assert_false(buckets_take(b, one, 60, MINUTE, 1, t + 1000000, &left));
	/* several at once, all or nothing */
	t += 1000000 + 10000000;
	assert_false(buckets_take(b, one, 60, MINUTE, 11, t, &left));
	assert_int_equal(left.left, 10);
	assert_int_equal(left.wait_us, 1000000);
	assert_true(buckets_take(b, one, 60, MINUTE, 0, t, &left));
	assert_int_equal(left.left, 10);
	assert_true(buckets_take(b, one, 60, MINUTE, 10, t, &left));
	assert_false(buckets_take(b, one, 60, MINUTE, 61, t + 10 * MINUTE, &left));
	assert_int_equal(left.left, 60);
	/* never more than full */
	assert_true(buckets_take(b, one, 60, MINUTE, 60, t + 100 * MINUTE, &left));
	assert_false(buckets_take(b, one, 60, MINUTE, 1, t + 100 * MINUTE, &left));
	/* draining goes no further than empty */
	buckets_drain(b, other, 60, MINUTE, 1000, t);
	assert_false(buckets_take(b, other, 60, MINUTE, 1, t, &left));
	assert_int_equal(left.wait_us, 1000000);
	buckets_free(&b);
}

static void a_table_stays_as_large_as_it_was_made(void **state)
{
	struct buckets *b = buckets_new(512);
	struct bucket_left left;
	int kept = 0;

	(void)state;
	/* one that is empty outlives any number that are almost full */
	buckets_drain(b, one, 10, MINUTE, 10, 0);
	for (uint64_t i = 0; i < 100000; i++)
		assert_true(buckets_take(b, (struct bucket_key){7, i}, 10, MINUTE, 1, 0, &left));
	assert_false(buckets_take(b, one, 10, MINUTE, 1, 0, &left));
	/* of those the newest are known, no more than there is room for */
	for (uint64_t i = 0; i < 100000; i++) {
		buckets_take(b, (struct bucket_key){7, i}, 10, MINUTE, 0, 0, &left);
		kept += left.left == 9;
	}
	assert_true(kept <= 512);
	buckets_free(&b);
}

#define THREADS 4
#define EACH 50000
static void *take_many(void *arg)
{
	struct bucket_left left;
	intptr_t got = 0;

	for (int i = 0; i < EACH; i++)
		got += buckets_take(arg, one, 100000, MINUTE, 1, 5, &left);
	return (void *)got;
}

static void threads_share_a_bucket(void **state)
{
	struct buckets *b = buckets_new(512);
	pthread_t t[THREADS];
	intptr_t all = 0;
	void *got;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, take_many, b), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &got);
		all += (intptr_t)got;
	}
	assert_int_equal(all, 100000);
	buckets_free(&b);
}

static void whose_request_it_is(void **state)
{
	static const struct {
		const char *remote, *forwarded, *found;
		bool own;
	} cases[] = {
		{"203.0.113.9", NULL, "203.0.113.9", true},
		{"203.0.113.9", "198.51.100.1", "203.0.113.9", true}, /* nobody's word but a proxy's */
		{"127.0.0.1", "198.51.100.1", "198.51.100.1", true},
		{"127.0.0.1", "10.9.9.9, 198.51.100.1", "198.51.100.1", true}, /* the client wrote the first */
		{"127.0.0.1", "198.51.100.1, ::1", "198.51.100.1", true},
		{"127.0.0.1", NULL, "127.0.0.1", false},
		{"::ffff:127.0.0.1", NULL, "127.0.0.1", false},
		{"0:0::0:1", "255.255.255.255, ::ffff:127.0.0.1", "255.255.255.255", true},
		{"127.0.0.1", "", "127.0.0.1", false},
		{"127.0.0.1", "unknown", "127.0.0.1", false},
		{"127.0.0.1", "198.51.100.1, unknown", "127.0.0.1", false},
		{NULL, "198.51.100.1", "198.51.100.1", true},
		{NULL, "::ffff:198.51.100.1", "198.51.100.1", true},
		{NULL, "2001:DB8:0:0::1", "2001:db8::1", true},
		{NULL, NULL, "", false},
	};
	char found[PEER_MAX], *longest;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(peer_find("127.0.0.1 ::1", cases[i].remote, cases[i].forwarded, found), cases[i].own);
		assert_string_equal(found, cases[i].found);
	}
	/* of a list without end the end counts */
	longest = xmalloc(100001);
	memset(longest, '9', 100000);
	snprintf(longest + 100000 - 15, 16, " , 198.51.100.1");
	assert_true(peer_find("::1", NULL, longest, found));
	assert_string_equal(found, "198.51.100.1");
	free(longest);
}

static void limits_go_by_session_and_address(void **state)
{
	struct config c = {.site = {.url = "http://x"},
			   .rate = {.table = "", .session = 5, .address = 4, .login = 2, .guess = 3}};
	char hash[65] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", bad[65];
	struct rate *r = rate_new(&c);
	struct rate_left left;
	struct err e = {0};
	AUTO_STRBUF b = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(rate_session(r, 7, 1, &left, &e), 0);
	assert_int_equal(left.left, 0);
	assert_int_equal(rate_session(r, 7, 1, &left, &e), -1);
	assert_int_equal(e.code, ERR_RATE_LIMITED);
	assert_true(e.retry_after_ms > 11000 && e.retry_after_ms <= 12001);
	rate_headers(&left, &b);
	assert_string_equal(strbuf_cstr(&b),
			    "RateLimit-Policy: \"session\";q=5;w=60\r\nRateLimit: \"session\";r=0;t=60\r\n");
	assert_int_equal(rate_session(r, 8, 1, &left, &e), 0);
	/* a /64 is one address, a /65 is not; IPv4 is as it is */
	for (int i = 0; i < 4; i++)
		assert_int_equal(rate_address(r, RATE_ADDRESS, i & 1 ? "2001:db8::1" : "2001:db8::ffff:0:1", &left, &e),
				 0);
	assert_int_equal(rate_address(r, RATE_ADDRESS, "2001:db8:0:0:9::", &left, &e), -1);
	assert_int_equal(rate_address(r, RATE_ADDRESS, "2001:db8:0:1::1", &left, &e), 0);
	assert_int_equal(rate_address(r, RATE_ADDRESS, "192.0.2.1", &left, &e), 0);
	assert_int_equal(left.left, 3);
	assert_int_equal(rate_address(r, RATE_ADDRESS, "192.0.2.2", &left, &e), 0);
	assert_int_equal(left.left, 3);
	assert_int_equal(rate_address(r, RATE_LOGIN, "192.0.2.1", &left, &e), 0);
	assert_int_equal(left.left, 1);
	/* where nobody says who it is nothing is limited */
	for (int i = 0; i < 100; i++)
		assert_int_equal(rate_address(r, RATE_ADDRESS, "", &left, &e), 0);
	assert_int_equal(left.limit, 0);
	/* three guesses; then what is known passes, what is not does not */
	memcpy(bad, hash, sizeof(bad));
	bad[0] = 'b';
	rate_known(r, hash);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(rate_guess(r, "192.0.2.1", bad, &left, &e), 0);
		rate_unknown(r, "192.0.2.1");
	}
	assert_int_equal(rate_guess(r, "192.0.2.1", bad, &left, &e), -1);
	assert_int_equal(rate_guess(r, "192.0.2.1", hash, &left, &e), 0);
	assert_int_equal(rate_guess(r, "192.0.2.2", bad, &left, &e), 0);
	rate_free(&r);
	/* switched off */
	memset(&c.rate, 0, sizeof(c.rate));
	r = rate_new(&c);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(rate_session(r, 7, 1, &left, &e), 0);
		assert_int_equal(rate_address(r, RATE_LOGIN, "192.0.2.1", &left, &e), 0);
		assert_int_equal(rate_guess(r, "192.0.2.1", bad, &left, &e), 0);
	}
	rate_free(&r);
}

/* What a request pays; the bound is far off, so that a busy machine passes. */
static void it_costs_next_to_nothing(void **state)
{
	char folder[] = "/tmp/pulsechat-rate-XXXXXX", table[64];
	struct config c = {.site = {.url = "http://x"},
			   .rate = {table, .session = 10000000, .address = 10000000, .login = 2, .guess = 3}};
	struct rate *r;
	struct rate_left left;
	struct err e = {0};
	int64_t start, took;
	enum { N = 100000 };

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(table, sizeof(table), "%s/rate", folder);
	r = rate_new(&c);
	assert_int_equal(access(table, F_OK), 0);
	start = clock_mono_us();
	for (int i = 0; i < N; i++) {
		assert_int_equal(rate_address(r, RATE_ADDRESS, "2001:db8::1", &left, &e), 0);
		assert_int_equal(rate_session(r, i & 4095, 1, &left, &e), 0);
	}
	took = clock_mono_us() - start;
	print_message("# %lld ns for a session and an address\n", (long long)(took * 1000 / N));
	assert_true(took / N < 50);
	rate_free(&r);
	unlink(table);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_is_exact),
		cmocka_unit_test(a_table_stays_as_large_as_it_was_made),
		cmocka_unit_test(threads_share_a_bucket),
		cmocka_unit_test(whose_request_it_is),
		cmocka_unit_test(limits_go_by_session_and_address),
		cmocka_unit_test(it_costs_next_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
