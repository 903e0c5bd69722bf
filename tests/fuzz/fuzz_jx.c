/* fuzz_jx: whatever bytes come as JSON: no crash, every refusal has a code and a text that may be shown, and what is
 * accepted can be stored and told: valid UTF-8 without NUL that reads back as the same. jansson must be of one mind
 * with us about each text. */
#include "lib/base/config.h"
#include "lib/base/strbuf.h"
#include "lib/base/utf8.h"
#include "lib/chat/message.h"
#include "lib/json/jx_value.h"
#include <jansson.h>
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

static void check_same(const json_t *theirs, const struct jx *ours);

static void check_same_members(const json_t *theirs, const struct jx *ours)
{
	const struct jx *member = jx_first(ours);
	json_t *child;
	const char *key;

	MUST(json_object_size(theirs) == ours->count);
	for (; member; member = jx_next(ours, member)) { /* jansson's order may be another */
		child = json_object_get(theirs, member->name.p);
		MUST(child && strlen(member->name.p) == member->name.n);
		check_same(child, member);
	}
	json_object_foreach((json_t *)(uintptr_t)theirs, key, child) MUST(jx_get(ours, key));
}

static void check_same_elements(const json_t *theirs, const struct jx *ours)
{
	const struct jx *element = jx_first(ours);

	MUST(json_array_size(theirs) == ours->count);
	for (size_t i = 0; element; element = jx_next(ours, element), i++)
		check_same(json_array_get(theirs, i), element);
}

/* Another parser's document says the same. */
static void check_same(const json_t *theirs, const struct jx *ours)
{
	switch (ours->kind) {
	case JX_NULL:
		MUST(json_is_null(theirs));
		break;
	case JX_BOOL:
		MUST(json_is_boolean(theirs) && json_is_true(theirs) == ours->truth);
		break;
	case JX_INT:
		MUST(json_is_integer(theirs) && json_integer_value(theirs) == ours->number);
		break;
	case JX_REAL:
		MUST(json_is_real(theirs) && json_real_value(theirs) == strtod(ours->text.p, NULL));
		break;
	case JX_STRING:
		MUST(json_is_string(theirs) && json_string_length(theirs) == ours->text.n &&
		     !memcmp(json_string_value(theirs), ours->text.p, ours->text.n + 1));
		break;
	case JX_ARRAY:
		MUST(json_is_array(theirs));
		check_same_elements(theirs, ours);
		break;
	case JX_OBJECT:
		MUST(json_is_object(theirs));
		check_same_members(theirs, ours);
		break;
	}
}

/* What jansson thinks of the text, by our rules. */
static json_t *second_opinion(const char *p, size_t n)
{
	json_t *o = memchr(p, 0, n) ? NULL : json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(o))
		return o;
	json_decref(o);
	return NULL;
}

/* A send that is accepted says in its body what was sent, and nothing else. */
static void check_send(const struct jx *o, const json_t *sent)
{
	static const struct config c = {.limits.message_chars = 100, .files.store = "none"};
	struct write_item *item = NULL;
	struct err e = {0};
	json_t *body, *line;
	struct strbuf b = {0};

	if (message_item(&c, o, 1, 2, &item, &e) < 0) {
		check_error(&e);
		return;
	}
	MUST((body = second_opinion(item->body, item->body_n)));
	MUST(json_equal(body, json_object_get(sent, "body")));
	strbuf_adds(&b, "{");
	message_render_item(&b, item);
	strbuf_adds(&b, "}");
	MUST((line = second_opinion(b.p, b.n)));
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
	json_t *theirs = second_opinion((const char *)data, n);
	struct jx *o = NULL, *again = NULL;
	struct strbuf text = {0};
	int64_t v, ids[4];
	struct span s;
	const struct jx *sub;

	if (jx_parse((const char *)data, n, &o, &e) < 0) {
		MUST(!o);
		check_error(&e);
		MUST(!theirs || strstr(e.detail, "nested deeper"));
		json_decref(theirs);
		return 0;
	}
	MUST(theirs);
	MUST(utf8_valid((const char *)data, n));
	check_strings(theirs, 1);
	check_same(theirs, o);
	jx_write(&text, o);
	MUST(jx_parse(text.p, text.n, &again, &e) == 0);
	check_same(theirs, again);
	strbuf_release(&text);
	jx_free(&again);
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
	check_send(o, theirs);
	jx_free(&o);
	json_decref(theirs);
	return 0;
}
