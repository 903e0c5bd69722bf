/* fuzz_http_head: whatever bytes come as a request: no crash, and the same outcome whole and in single bytes. */
// needs: ws/http_head.c /usr/share/llhttp/api.c /usr/share/llhttp/http.c /usr/share/llhttp/llhttp.c
#include "ws/http_head.h"
#include <stdlib.h>
#include <string.h>

#define MUST(cond) ((cond) ? (void)0 : abort())

static enum http_parsed feed(struct http_head *h, const uint8_t *p, size_t n, size_t piece)
{
	enum http_parsed rc = HTTP_MORE;

	for (size_t at = 0; at < n && rc == HTTP_MORE; at += piece) {
		size_t part = MIN_OF(piece, n - at), room;
		char *to = http_head_room(h, &room);

		while (part && room) {
			size_t now = MIN_OF(part, room);

			memcpy(to, p + at + (MIN_OF(piece, n - at) - part), now);
			http_head_came(h, now);
			part -= now;
			to = http_head_room(h, &room);
		}
		rc = http_head_parse(h);
	}
	return rc;
}

static void compare(const struct http_head *a, const struct http_head *b)
{
	static const char *const names[] = {"cookie", "authorization", "origin", "connection", "upgrade", "host"};
	char one[256], two[256];
	size_t n, m;
	const char *q = http_query(a, &n), *r = http_query(b, &m);

	MUST(n == m && !memcmp(q, r, n));
	MUST(http_is_get(a) == http_is_get(b) && http_is_last(a) == http_is_last(b));
	MUST(http_upgrades_to(a, "websocket") == http_upgrades_to(b, "websocket"));
	MUST(http_path_is(a, "/api/v1/events") == http_path_is(b, "/api/v1/events"));
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *x = http_header(a, names[i], one, sizeof(one)),
			   *y = http_header(b, names[i], two, sizeof(two));

		MUST(!x == !y && (!x || !strcmp(x, y)));
		MUST(!http_header_last(a, names[i], one, sizeof(one)) == !x);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_head *whole = http_head_new(), *bytes = http_head_new();
	size_t n = MIN_OF(size, (size_t)HTTP_HEAD_MAX - 1);
	enum http_parsed rc = feed(whole, data, n, n ? n : 1), single = feed(bytes, data, n, 1);

	/* one line too many that is broken as well: which of the two is seen first depends on the pieces */
	MUST(rc == single || (rc >= HTTP_TOO_LARGE && single >= HTTP_TOO_LARGE));
	if (rc == HTTP_WHOLE) {
		struct http_head *rest = http_head_rest(whole);

		compare(whole, bytes);
		if (rest)
			(void)http_head_parse(rest);
		http_head_free(&rest);
		MUST(!http_head_rest(bytes));
	}
	http_head_free(&whole);
	http_head_free(&bytes);
	return 0;
}
