/* frame: lines joined for a write, as they are and as server-sent events. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/bus/payload.h"
#include "lib/live/frame.h"
#include <string.h>

#define HEADROOM 16
#define LOGGED "{\"type\":\"message\",\"cursor\":\"abcdefgh.7\",\"seq\":1}"
#define PLAIN "{\"type\":\"error\",\"code\":\"x\"}"
#define STATE "{\"type\": \"read\", \"channel\": 1}"

static struct line *line_of(const char *text)
{
	return line_new(text, strlen(text));
}

static void assert_frame(struct frame_cache *c, struct line *const *lines, size_t n, const char *expected)
{
	size_t len = 0;
	char *p = frame_get(c, lines, n, &len);

	assert_int_equal(len, strlen(expected));
	assert_memory_equal(p, expected, len);
	memset(p - HEADROOM, 'h', HEADROOM); /* the headroom is there */
}

static void a_cursor_is_found_only_where_it_stands(void **state)
{
	struct span cursor;

	(void)state;
	assert_true(event_line_cursor((struct span){LOGGED, strlen(LOGGED)}, &cursor));
	assert_int_equal(cursor.n, 10);
	assert_memory_equal(cursor.p, "abcdefgh.7", 10);
	assert_false(event_line_cursor((struct span){STATE, strlen(STATE)}, &cursor));
	for (size_t n = 0; n < strlen("{\"type\":\"message\",\"cursor\":\"abcdefgh.7\""); n++)
		assert_false(event_line_cursor((struct span){LOGGED, n}, &cursor));
	assert_false(
		event_line_cursor((struct span){"{\"type\":\"ack\",\"ref\":\"x\",\"cursor\":\"y\"}", 37}, &cursor));
}

static void lines_are_joined_as_they_are(void **state)
{
	struct frame_cache *c = frame_cache_new(HEADROOM, 1 << 16);
	struct line *lines[] = {line_of(LOGGED), line_of(STATE)};

	(void)state;
	assert_frame(c, lines, 2, LOGGED "\n" STATE "\n");
	assert_frame(c, lines, 1, LOGGED "\n");
	frame_cache_free(&c);
	line_unref(&lines[0]);
	line_unref(&lines[1]);
}

static void each_line_is_an_event_with_its_cursor_as_id(void **state)
{
	struct frame_cache *c = frame_cache_new_sse(HEADROOM, 1 << 16);
	struct line *lines[] = {line_of(LOGGED), line_of(STATE), line_of(PLAIN)};

	(void)state;
	assert_frame(c, lines, 3, "id: abcdefgh.7\ndata: " LOGGED "\n\ndata: " STATE "\n\ndata: " PLAIN "\n\n");
	frame_cache_free(&c);
	for (size_t i = 0; i < 3; i++)
		line_unref(&lines[i]);
}

static void a_list_is_joined_once_until_it_is_cleared_also_beyond_the_caches_bytes(void **state)
{
	struct frame_cache *c = frame_cache_new_sse(HEADROOM, 64);
	struct line *lines[] = {line_of(LOGGED), line_of(LOGGED)};
	struct frame_stats s;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_frame(c, lines + 1, 1, "id: abcdefgh.7\ndata: " LOGGED "\n\n"); /* over 64 bytes: by scratch */
	frame_cache_stats(c, &s);
	assert_int_equal(s.joined, 3);
	frame_cache_free(&c);
	c = frame_cache_new_sse(HEADROOM, 1 << 16);
	for (int i = 0; i < 3; i++)
		assert_frame(c, lines, 2, "id: abcdefgh.7\ndata: " LOGGED "\n\nid: abcdefgh.7\ndata: " LOGGED "\n\n");
	frame_cache_clear(c);
	assert_frame(c, lines, 1, "id: abcdefgh.7\ndata: " LOGGED "\n\n");
	frame_cache_stats(c, &s);
	assert_int_equal(s.asked, 4);
	assert_int_equal(s.joined, 2);
	frame_cache_free(&c);
	line_unref(&lines[0]);
	line_unref(&lines[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cursor_is_found_only_where_it_stands),
		cmocka_unit_test(lines_are_joined_as_they_are),
		cmocka_unit_test(each_line_is_an_event_with_its_cursor_as_id),
		cmocka_unit_test(a_list_is_joined_once_until_it_is_cleared_also_beyond_the_caches_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
