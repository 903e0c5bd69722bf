/* fuzz_jx: whatever bytes come as JSON: no crash, every refusal has a code and a text that may be shown, and what is
 * accepted can be stored and told: valid UTF-8 without NUL that reads back as the same. */
#include "lib/base/config.h"
#include "lib/base/strbuf.h"
#include "lib/base/utf8.h"
#include "lib/chat/message.h"
#include "lib/json/jx.h"
#include <stdlib.h>
#include <string.h>

#define MUST(cond) ((cond) ? (void)0 : abort())

static void check_error(const struct err *e)
{
	MUST(e->code == ERR_BAD_REQUEST || e->code == ERR_BAD_FIELD);
	MUST(e->detail[0]);
	MUST((e->code == ERR_BAD_FIELD) == (e->field[0] != 0));
	MUST(utf8_valid(e->field, strlen(e->field)) && !utf8_has_control(e->field, strlen(e->field), ""));
}

static void check_strings(const json_t *v, int depth)
{
	const char *key;
	json_t *child;
	size_t i;

	MUST(depth <= JX_DEPTH_MAX + 1);
	if (json_is_string(v)) {
		MUST(utf8_valid(json_string_value(v), json_string_length(v)));
		MUST(!memchr(json_string_value(v), 0, json_string_length(v)));
	}
	json_object_foreach((json_t *)(uintptr_t)v, key, child)
	{
		MUST(utf8_valid(key, strlen(key)));
		check_strings(child, depth + 1);
	}
	json_array_foreach(v, i, child) check_strings(child, depth + 1);
}

/* A send that is accepted says in its body what was sent, and nothing else. */
static void check_send(const json_t *o)
{
	static const struct config c = {.limits.message_chars = 100};
	struct write_item *item = NULL;
	struct err e = {0};
	json_t *body, *line;
	struct strbuf b = {0};

	if (message_item(&c, o, 1, 2, &item, &e) < 0) {
		check_error(&e);
		return;
	}
	MUST(jx_parse(item->body, item->body_n, &body, &e) == 0);
	MUST(json_equal(body, json_object_get(o, "body")));
	strbuf_adds(&b, "{");
	message_render_item(&b, item);
	strbuf_adds(&b, "}");
	MUST(jx_parse(b.p, b.n, &line, &e) == 0);
	MUST(json_equal(json_object_get(line, "body"), body));
	MUST(!memchr(b.p, '\n', b.n)); /* a line of a payload */
	strbuf_release(&b);
	json_decref(line);
	json_decref(body);
	write_item_free(&item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct err e = {0};
	json_t *o = NULL, *again = NULL;
	int64_t v, ids[4];
	struct span s;
	const json_t *sub;
	char *text;

	if (jx_parse((const char *)data, n, &o, &e) < 0) {
		MUST(!o);
		check_error(&e);
		return 0;
	}
	MUST(utf8_valid((const char *)data, n));
	check_strings(o, 1);
	text = json_dumps(o, JSON_COMPACT);
	MUST(text && jx_parse(text, strlen(text), &again, &e) == 0 && json_equal(o, again));
	free(text);
	json_decref(again);
	if (jx_int(o, "", "n", JX_OPTIONAL, -5, 5, &v, &e) < 0)
		check_error(&e);
	if (jx_string(o, "", "s", JX_OPTIONAL, 1, 5, &s, &e) < 0)
		check_error(&e);
	if (jx_ids(o, "", "ids", JX_REQUIRED, ids, 4, &n, &e) < 0)
		check_error(&e);
	if (jx_object(o, "", "body", JX_OPTIONAL, &sub, &e) < 0)
		check_error(&e);
	if (jx_only(o, "", (const char *const[]){"client_id", "body", NULL}, &e) < 0)
		check_error(&e);
	check_send(o);
	json_decref(o);
	return 0;
}
