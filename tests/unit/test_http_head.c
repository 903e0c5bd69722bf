/* http_head: requests whole, in pieces, behind each other, too large and broken. */
// needs: ws/http_head.o llhttp/api.o llhttp/http.o llhttp/llhttp.o
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "ws/http_head.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void feed(struct http_head *h, const char *p, size_t n)
{
	while (n) {
		size_t room;
		char *to = http_head_room(h, &room);

		assert_true(room > 0);
		room = MIN_OF(room, n);
		memcpy(to, p, room);
		http_head_came(h, room);
		p += room;
		n -= room;
	}
}

/* In pieces of `piece` bytes. */
static enum http_parsed read_pieces(struct http_head *h, const char *text, size_t n, size_t piece)
{
	enum http_parsed rc = HTTP_MORE;

	for (size_t at = 0; at < n && rc == HTTP_MORE; at += piece) {
		feed(h, text + at, MIN_OF(piece, n - at));
		rc = http_head_parse(h);
	}
	return rc;
}

static enum http_parsed parse(struct http_head **h, const char *text)
{
	*h = http_head_new();
	return read_pieces(*h, text, strlen(text), strlen(text));
}

static void in_pieces(void **state)
{
	static const char text[] = "GET /api/v1/events?cursor=a.1&wait=25 HTTP/1.1\r\nHost: chat.example\r\nAccept:  "
				   "text/event-stream \r\nX-Forwarded-For: 10.0.0.1\r\nx-forwarded-for: 10.0.0.2\r\n"
				   "Cookie: a=b\r\nCookie: c=d\r\nEmpty:\r\n\r\n";
	char out[64];

	(void)state;
	for (size_t piece = 1; piece <= sizeof(text); piece++) {
		struct http_head *h = http_head_new();
		size_t n;
		const char *query;

		assert_int_equal(read_pieces(h, text, sizeof(text) - 1, piece), HTTP_WHOLE);
		assert_true(http_is_get(h));
		assert_false(http_is_head(h));
		assert_false(http_is_last(h));
		assert_true(http_path_is(h, "/api/v1/events"));
		assert_false(http_path_is(h, "/api/v1/event"));
		query = http_query(h, &n);
		assert_int_equal(n, 18);
		assert_memory_equal(query, "cursor=a.1&wait=25", 18);
		assert_string_equal(http_header(h, "accept", out, sizeof(out)), "text/event-stream");
		assert_string_equal(http_header(h, "cookie", out, sizeof(out)), "");
		assert_string_equal(http_header(h, "empty", out, sizeof(out)), "");
		assert_string_equal(http_header_last(h, "X-Forwarded-For", out, sizeof(out)), "10.0.0.2");
		assert_string_equal(http_header(h, "host", out, 12), "");
		assert_string_equal(http_header(h, "host", out, 13), "chat.example");
		assert_null(http_header(h, "origin", out, sizeof(out)));
		assert_null(http_head_rest(h));
		http_head_free(&h);
	}
}

static void one_behind_the_other(void **state)
{
	struct http_head *h, *next;

	(void)state;
	assert_int_equal(parse(&h, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\nGET /c"),
			 HTTP_WHOLE);
	assert_true(http_is_head(h));
	next = http_head_rest(h);
	http_head_free(&h);
	assert_non_null(next);
	assert_int_equal(http_head_parse(next), HTTP_WHOLE);
	assert_true(http_path_is(next, "/b"));
	h = http_head_rest(next);
	http_head_free(&next);
	assert_int_equal(http_head_parse(h), HTTP_MORE);
	feed(h, " HTTP/1.1\r\nHost: a\r\n\r\n", 22);
	assert_int_equal(http_head_parse(h), HTTP_WHOLE);
	assert_true(http_path_is(h, "/c"));
	http_head_free(&h);
}

static void memory_that_was_anothers(void **state)
{
	static const char text[] = "GET /b HTTP/1.1\r\nHost: b\r\n\r\n";
	struct http_head *h;
	char out[64];
	size_t n;

	(void)state;
	assert_int_equal(parse(&h, "POST /a?x=1 HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\nContent-Length: 3\r\n\r\nabc"),
			 HTTP_WHOLE);
	assert_true(http_is_last(h));
	http_head_reset(h);
	http_head_bytes(h, &n);
	assert_int_equal(n, 0);
	assert_int_equal(read_pieces(h, text, sizeof(text) - 1, 7), HTTP_WHOLE);
	assert_true(http_is_get(h));
	assert_false(http_is_last(h));
	assert_true(http_path_is(h, "/b"));
	http_query(h, &n);
	assert_int_equal(n, 0);
	assert_string_equal(http_header(h, "host", out, sizeof(out)), "b");
	assert_null(http_header(h, "cookie", out, sizeof(out)));
	assert_null(http_head_rest(h));
	http_head_free(&h);
}

static void what_ends_the_connection(void **state)
{
	static const struct {
		const char *text;
		bool last;
	} cases[] = {
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", false},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", true},
		{"GET / HTTP/1.0\r\n\r\n", true},
		{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", false},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", true},
		{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct http_head *h;

		assert_int_equal(parse(&h, cases[i].text), HTTP_WHOLE);
		assert_int_equal(http_is_last(h), cases[i].last);
		http_head_free(&h);
	}
}

static void upgrades(void **state)
{
	struct http_head *h;

	(void)state;
	assert_int_equal(parse(&h, "GET /api/v1/ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
				   "Upgrade: WebSocket\r\n\r\n\x81\x80"),
			 HTTP_WHOLE);
	assert_true(http_upgrades_to(h, "websocket"));
	assert_false(http_upgrades_to(h, "h2c"));
	http_head_free(&h);
	assert_int_equal(parse(&h, "GET /api/v1/ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"), HTTP_WHOLE);
	assert_false(http_upgrades_to(h, "websocket"));
	http_head_free(&h);
}

static void too_large(void **state)
{
	struct http_head *h = http_head_new();
	char line[32];

	(void)state;
	feed(h, "GET / HTTP/1.1\r\n", 16);
	for (int i = 0; i < HTTP_HEADERS_MAX + 1; i++) {
		int n = snprintf(line, sizeof(line), "h%d: 1\r\n", i);

		feed(h, line, (size_t)n);
	}
	feed(h, "\r\n", 2);
	assert_int_equal(http_head_parse(h), HTTP_TOO_LARGE);
	http_head_free(&h);

	h = http_head_new();
	feed(h, "GET / HTTP/1.1\r\nlong: ", 22);
	assert_int_equal(http_head_parse(h), HTTP_MORE);
	while (!http_head_full(h))
		feed(h, "x", 1);
	assert_int_equal(http_head_parse(h), HTTP_TOO_LARGE);
	http_head_free(&h);
}

static void broken(void **state)
{
	static const char *const cases[] = {
		"\x16\x03\x01\x02", /* TLS */
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET / HTTP/3.0\r\n\r\n",
		"GET / HTTP/1.1\r\nna me: x\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
		"GET / HTTP/1.1\r\nfold: a\r\n b\r\nhost\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct http_head *h;
		enum http_parsed rc = parse(&h, cases[i]);

		if (rc != HTTP_BROKEN && !(rc == HTTP_WHOLE && http_is_last(h)))
			fail_msg("case %zu: %d", i, (int)rc);
		http_head_free(&h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_pieces),
		cmocka_unit_test(one_behind_the_other),
		cmocka_unit_test(memory_that_was_anothers),
		cmocka_unit_test(what_ends_the_connection),
		cmocka_unit_test(upgrades),
		cmocka_unit_test(too_large),
		cmocka_unit_test(broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
