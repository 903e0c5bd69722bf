/* record: an answer as FastCGI records, at the sizes where one more is begun; an abort among what a web server sends.
 */
// needs: fcgi/record.o
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "fcgi/record.h"
#include <fastcgi.h>
#include <stdlib.h>
#include <string.h>

/* Takes the records apart again: contents joined, and that they end as they must. */
static void read_back(const struct strbuf *b, int id, struct strbuf *content)
{
	const unsigned char *p = (const unsigned char *)b->p, *end = p + b->n;
	bool closed = false, ended = false;

	while (p < end) {
		size_t n;

		assert_true(end - p >= FCGI_HEADER_LEN);
		assert_false(ended);
		assert_int_equal(p[0], FCGI_VERSION_1);
		assert_int_equal(p[2] << 8 | p[3], id);
		n = (size_t)p[4] << 8 | p[5];
		assert_true((size_t)(end - p) >= FCGI_HEADER_LEN + n + p[6]);
		if (p[1] == FCGI_STDOUT) {
			assert_false(closed);
			closed = n == 0;
			strbuf_add(content, p + FCGI_HEADER_LEN, n);
		} else {
			assert_int_equal(p[1], FCGI_END_REQUEST);
			assert_true(closed);
			assert_int_equal(n, 8);
			assert_int_equal(p[FCGI_HEADER_LEN + 4], FCGI_REQUEST_COMPLETE);
			ended = true;
		}
		p += FCGI_HEADER_LEN + n + p[6];
	}
	assert_true(ended);
}

static void an_answer_of_any_size_comes_back(void **state)
{
	static const size_t sizes[] = {0, 1, 0xfff7, 0xfff8, 0xfff9, 0xffff, 0x10000, 3 * 0xfff8, 300000};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(sizes); k++) {
		AUTO_STRBUF b = {0}, back = {0};
		char *body = malloc(sizes[k] + 1);

		assert_non_null(body);
		for (size_t i = 0; i < sizes[k]; i++)
			body[i] = (char)(i * 7 + i / 251);
		record_answer(&b, 0x1234, (struct span){"Status: 200 OK\r\n\r\n", 18}, (struct span){body, sizes[k]});
		read_back(&b, 0x1234, &back);
		assert_int_equal(back.n, 18 + sizes[k]);
		assert_memory_equal(back.p, "Status: 200 OK\r\n\r\n", 18);
		assert_memory_equal(back.p + 18, body, sizes[k]);
		free(body);
	}
}

static void an_abort_is_seen_behind_other_records_and_nothing_is_read_too_far(void **state)
{
	static const unsigned char stdin_end[] = {1, FCGI_STDIN, 0, 1, 0, 0, 0, 0};
	static const unsigned char padded[] = {1, FCGI_STDIN, 0, 1, 0, 2, 2, 0, FCGI_ABORT_REQUEST, 2, 2, 2};
	static const unsigned char abort_request[] = {1, FCGI_ABORT_REQUEST, 0, 1, 0, 0, 0, 0};
	unsigned char all[sizeof(stdin_end) + sizeof(padded) + sizeof(abort_request)];

	(void)state;
	assert_false(record_aborts(stdin_end, sizeof(stdin_end)));
	assert_false(record_aborts(padded, sizeof(padded)));
	assert_true(record_aborts(abort_request, sizeof(abort_request)));
	memcpy(all, stdin_end, sizeof(stdin_end));
	memcpy(all + sizeof(stdin_end), padded, sizeof(padded));
	memcpy(all + sizeof(stdin_end) + sizeof(padded), abort_request, sizeof(abort_request));
	assert_true(record_aborts(all, sizeof(all)));
	for (size_t n = 0; n < sizeof(all); n++) { /* on the heap: a byte too far is found */
		unsigned char *part = malloc(n + !n);

		assert_non_null(part);
		memcpy(part, all, n);
		assert_false(record_aborts(part, n));
		free(part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_of_any_size_comes_back),
		cmocka_unit_test(an_abort_is_seen_behind_other_records_and_nothing_is_read_too_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
