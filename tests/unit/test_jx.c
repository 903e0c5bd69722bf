/* jx: hostile JSON is refused with the name of the member at fault (TX-1); typed getters keep their bounds. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/base/strbuf.h"
#include "lib/json/jx.h"
#include <stdlib.h>
#include <string.h>

/* Parses a copy of exactly that size, so that the sanitizers see a look beyond it. */
static int parse(const char *p, size_t n, json_t **out, struct err *e)
{
	char *copy = malloc(n ? n : 1);
	int rc;

	memcpy(copy, p, n);
	memset(e, 0, sizeof(*e));
	*out = NULL;
	rc = jx_parse(copy, n, out, e);
	free(copy);
	return rc;
}

static json_t *good(const char *text)
{
	struct err e;
	json_t *o;

	if (parse(text, strlen(text), &o, &e) < 0)
		fail_msg("%s: %s: %s", text, e.field, e.detail);
	return o;
}

#define CASE(text, field, says)                     \
	{                                           \
		text, sizeof(text) - 1, field, says \
	}

static void hostile_text_is_refused_by_the_name_of_its_member(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *field; /* "": of the whole */
		const char *says;
	} cases[] = {
		/* NUL */
		CASE("{\"body\":{\"text\":\"a\\u0000b\"}}", "body.text", "U+0000"),
		CASE("{\"body\":{\"text\":\"a\0b\"}}", "body.text", "U+0000"),
		CASE("{\"name\":\"x\\u0000\",\"topic\":\"y\"}", "name", "U+0000"),
		CASE("{\"topic\":\"y\",\"name\":\"x\\u0000\"}", "name", "U+0000"),
		CASE("{\"a\\u0000b\":1}", "a\\u0000b", "U+0000"),
		CASE("{}\0", "", "U+0000"),
		/* half a surrogate pair */
		CASE("{\"body\":{\"text\":\"\\ud83d\"}}", "body.text", "surrogate"),
		CASE("{\"body\":{\"text\":\"\\ud83d tail\"}}", "body.text", "surrogate"),
		CASE("{\"body\":{\"text\":\"\\ude00\"}}", "body.text", "surrogate"),
		CASE("{\"body\":{\"text\":\"\\ud83d\\u0041\"}}", "body.text", "surrogate"),
		CASE("{\"body\":{\"text\":\"\\ud83d\\ud83d\"}}", "body.text", "surrogate"),
		/* bytes that are no UTF-8 */
		CASE("{\"body\":{\"text\":\"\xed\xa0\xbd\"}}", "body.text", "UTF-8"),
		CASE("{\"body\":{\"text\":\"\xc3\"}}", "body.text", "UTF-8"),
		CASE("{\"body\":{\"text\":\"\xc0\x80\"}}", "body.text", "UTF-8"),
		CASE("{\"body\":{\"text\":\"\xf5\x80\x80\x80\"}}", "body.text", "UTF-8"),
		CASE("{\"client_id\":\"\xff\",\"body\":{}}", "client_id", "UTF-8"),
		CASE("{\"a\":1,\"b\xff\":1}", "a", "UTF-8"), /* of a key: the one before is named */
		/* the same key twice */
		CASE("{\"a\":1,\"a\":2}", "a", "twice"),
		CASE("{\"body\":{\"text\":\"x\",\"text\":\"y\"}}", "body.text", "twice"),
		CASE("{\"text\":\"x\",\"te\\u0078t\":\"y\"}", "te\\u0078t", "twice"),
		CASE("{\"body\":{},\"client_id\":\"x\",\"body\":{}}", "body", "twice"),
		/* numbers */
		CASE("{\"after\":9223372036854775808}", "after", "range"),
		CASE("{\"after\":-9223372036854775809}", "after", "range"),
		CASE("{\"after\":1e400}", "after", "range"),
		CASE("{\"a\":1,\"after\":-1e999,\"b\":2}", "after", "range"),
		CASE("{\"after\":NaN}", "after", "well formed"),
		CASE("{\"after\":01}", "after", "well formed"),
		CASE("{\"after\":+1}", "after", "well formed"),
		/* beginnings and ends */
		CASE("{} x", "", "after its end"),
		CASE("{}{}", "", "after its end"),
		CASE("", "", ""),
		CASE("{", "", "too early"),
		CASE("{\"body\":{\"text\":\"x", "body.text", "too early"),
		CASE("{\"body\":", "body", "too early"),
		CASE("[]", "", "expected a JSON object"),
		CASE("[{}]", "", "expected a JSON object"),
		CASE("\"x\"", "", ""),
		CASE("null", "", ""),
		CASE("\xef\xbb\xbf{}", "", ""),
		CASE("{\"a\":1,}", "", ""),
		CASE("{'a':1}", "", ""),
		CASE("{a:1}", "", ""),
		CASE("{\"a\":1 /* c */}", "a", ""),
		CASE("{\"a\":\"x\ny\"}", "a", ""),
		CASE("{\"a\":\"\\x41\"}", "a", ""),
		CASE("{\"a\":tru}", "a", ""),
		CASE("{\"members\":[1,2,\"\\ud800\"]}", "members", "surrogate"),
	};

	int wrong = 0;

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		struct err e;
		json_t *o;

		if (parse(cases[k].text, cases[k].n, &o, &e) == -1 && !o &&
		    e.code == (cases[k].field[0] ? ERR_BAD_FIELD : ERR_BAD_REQUEST) &&
		    !strcmp(e.field, cases[k].field) && strstr(e.detail, cases[k].says))
			continue;
		print_error("%s: %s, field %s, %s\n", cases[k].text, err_name(e.code), e.field, e.detail);
		json_decref(o);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void depth_is_bounded(void **state)
{
	AUTO_STRBUF b = {0};
	struct err e;
	json_t *o;

	(void)state;
	for (int depth = JX_DEPTH_MAX - 1; depth <= JX_DEPTH_MAX + 1; depth++)
		for (int arrays = 0; arrays < 2; arrays++) {
			strbuf_reset(&b);
			strbuf_adds(&b, "{\"a\":");
			for (int k = 1; k < depth; k++)
				strbuf_adds(&b, arrays ? "[" : "{\"a\":");
			strbuf_adds(&b, "1");
			for (int k = 1; k < depth; k++)
				strbuf_adds(&b, arrays ? "]" : "}");
			strbuf_adds(&b, "}");
			assert_int_equal(parse(b.p, b.n, &o, &e), depth > JX_DEPTH_MAX ? -1 : 0);
			json_decref(o);
		}
	assert_int_equal(e.code, ERR_BAD_REQUEST);
	strbuf_reset(&b);
	for (int k = 0; k < 100000; k++)
		strbuf_addc(&b, '[');
	assert_int_equal(parse(b.p, b.n, &o, &e), -1);
	assert_int_equal(e.code, ERR_BAD_REQUEST);
	assert_non_null(strstr(e.detail, "nested deeper than 32"));
	o = good("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[{{{{\"}"); /* brackets in a text
												   are none */
	json_decref(o);
}

static void what_is_cut_short_is_refused_wherever_it_is_cut(void **state)
{
	static const char text[] = "{\"client_id\":\"x\",\"n\":-1.5e3,\"body\":{\"text\":\"a\\ud83d\\ude00 "
				   "\\\"é\\\\\",\"l\":[1,null,true,{}]}}";
	struct err e;
	json_t *o;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++)
		assert_int_equal(parse(text, n, &o, &e), -1);
	assert_int_equal(parse(text, sizeof(text) - 1, &o, &e), 0);
	json_decref(o);
}

static void well_formed_json_is_taken(void **state)
{
	json_t *o = good(" {\"a\" : \"\\ud83d\\ude00\", \"b\":9223372036854775807 "
			 ",\"c\":-9223372036854775808,\"d\":1e308,\"é\":[] }\n");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(o, "a")), "😀");
	assert_int_equal(json_integer_value(json_object_get(o, "b")), INT64_MAX);
	assert_int_equal(json_integer_value(json_object_get(o, "c")), INT64_MIN);
	json_decref(o);
	o = good("{}");
	json_decref(o);
}

static void a_long_path_is_cut_between_names(void **state)
{
	struct err e;
	json_t *o;
	static const char text[] = "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":{"
				   "\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\":{\"c\":1e400}}}";

	(void)state;
	assert_int_equal(parse(text, sizeof(text) - 1, &o, &e), -1);
	assert_string_equal(e.field, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

/* ---- getters */

static void a_whole_number_is_within_its_bounds(void **state)
{
	static const struct {
		const char *text;
		int rc;
		int64_t value;
	} cases[] = {{"{\"n\":1}", 0, 1},      {"{\"n\":10}", 0, 10},   {"{\"n\":0}", -1, 0},
		     {"{\"n\":11}", -1, 0},    {"{\"n\":1.0}", -1, 0},  {"{\"n\":1e0}", -1, 0},
		     {"{\"n\":\"1\"}", -1, 0}, {"{\"n\":true}", -1, 0}, {"{\"n\":[1]}", -1, 0},
		     {"{\"n\":null}", -1, 0},  {"{}", -1, 0},           {"{\"n\":-9223372036854775808}", -1, 0}};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		struct err e = {0};
		json_t *o = good(cases[k].text);
		int64_t v = -7;

		if (jx_int(o, "page.", "n", JX_REQUIRED, 1, 10, &v, &e) != cases[k].rc)
			fail_msg("%s", cases[k].text);
		if (cases[k].rc < 0) {
			assert_int_equal(e.code, ERR_BAD_FIELD);
			assert_string_equal(e.field, "page.n");
			assert_int_equal(v, -7);
		} else {
			assert_int_equal(v, cases[k].value);
		}
		json_decref(o);
	}
}

static void an_optional_member_may_be_absent_or_null(void **state)
{
	static const char *const texts[] = {"{}", "{\"m\":null}"};
	struct err e = {0};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(texts); k++) {
		json_t *o = good(texts[k]);
		const json_t *sub = NULL;
		struct span s = {"kept", 4};
		int64_t v = 42, ids[1];
		size_t n = 9;

		assert_int_equal(jx_int(o, "", "m", JX_OPTIONAL, 0, 1, &v, &e), 0);
		assert_int_equal(v, 42);
		assert_int_equal(jx_string(o, "", "m", JX_OPTIONAL, 1, 2, &s, &e), 0);
		assert_string_equal(s.p, "kept");
		assert_int_equal(jx_object(o, "", "m", JX_OPTIONAL, &sub, &e), 0);
		assert_null(sub);
		assert_int_equal(jx_ids(o, "", "m", JX_OPTIONAL, ids, 1, &n, &e), 0);
		assert_int_equal(n, 0);
		assert_int_equal(jx_object(o, "", "m", JX_REQUIRED, &sub, &e), -1);
		assert_string_equal(e.field, "m");
		json_decref(o);
	}
}

static void a_string_is_counted_in_code_points(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} cases[] = {{"{\"s\":\"aaaaa\"}", 0},
		     {"{\"s\":\"ééééé\"}", 0},
		     {"{\"s\":\"😀😀😀😀😀\"}", 0},
		     {"{\"s\":\"\\ud83d\\ude00\"}", 0},
		     {"{\"s\":\"aaaaaa\"}", -1},
		     {"{\"s\":\"éééééé\"}", -1},
		     {"{\"s\":\"😀😀😀😀😀😀\"}", -1},
		     {"{\"s\":\"e\xcc\x81"
		      "e\xcc\x81"
		      "e\xcc\x81\"}",
		      -1},
		     {"{\"s\":\"\"}", -1},
		     {"{\"s\":5}", -1},
		     {"{\"s\":[\"a\"]}", -1},
		     {"{}", -1}};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		struct err e = {0};
		struct span s = {0};
		json_t *o = good(cases[k].text);

		if (jx_string(o, "body.", "s", JX_REQUIRED, 1, 5, &s, &e) != cases[k].rc)
			fail_msg("%s", cases[k].text);
		if (cases[k].rc < 0)
			assert_string_equal(e.field, "body.s");
		json_decref(o);
	}
}

static void ids_are_positive_and_not_too_many(void **state)
{
	static const struct {
		const char *text;
		int rc;
		size_t n;
	} cases[] = {{"{\"ids\":[]}", 0, 0},         {"{\"ids\":[1,2,9223372036854775807]}", 0, 3},
		     {"{\"ids\":[1,2,3,4]}", -1, 0}, {"{\"ids\":[0]}", -1, 0},
		     {"{\"ids\":[-1]}", -1, 0},      {"{\"ids\":[1.5]}", -1, 0},
		     {"{\"ids\":[\"1\"]}", -1, 0},   {"{\"ids\":[null]}", -1, 0},
		     {"{\"ids\":{}}", -1, 0},        {"{\"ids\":1}", -1, 0}};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		struct err e = {0};
		json_t *o = good(cases[k].text);
		int64_t ids[3];
		size_t n = 0;

		if (jx_ids(o, "", "ids", JX_REQUIRED, ids, 3, &n, &e) != cases[k].rc)
			fail_msg("%s", cases[k].text);
		if (cases[k].rc == 0)
			assert_int_equal(n, cases[k].n);
		else
			assert_string_equal(e.field, "ids");
		json_decref(o);
	}
}

static void a_uuid_is_canonical(void **state)
{
	json_t *o = good("{\"a\":\"01234567-89ab-cdef-0123-456789abcdef\",\"b\":\"01234567-89AB-cdef-0123-"
			 "456789abcdef\",\"c\":7}");
	unsigned char u[16];
	struct err e = {0};

	(void)state;
	assert_int_equal(jx_uuid(o, "", "a", u, &e), 0);
	assert_int_equal(u[0], 0x01);
	assert_int_equal(u[15], 0xef);
	for (const char *name = "bcd"; *name; name++) {
		char one[] = {*name, 0};

		assert_int_equal(jx_uuid(o, "x.", one, u, &e), -1);
		assert_int_equal(e.code, ERR_BAD_FIELD);
		assert_int_equal(e.field[2], *name);
	}
	json_decref(o);
}

static void unknown_members_are_named(void **state)
{
	static const char *const names[] = {"text", "mentions", NULL};
	static const char *const unspeakable[] = {
		"{\"\\u001b[31m\":1}", /* no escapes for somebody's terminal */
		"{\"\":1}",
		/* a cut within a character would make the answer no UTF-8 */
		"{\"ééééééééééééééééééééééééééééééééééééééééééééééééééééé\":1}",
	};
	json_t *o = good("{\"text\":1,\"txet\":2}");
	struct err e = {0};

	(void)state;
	assert_int_equal(jx_only(o, "body.", names, &e), -1);
	assert_string_equal(e.field, "body.txet");
	json_decref(o);
	o = good("{\"mentions\":1,\"text\":2}");
	assert_int_equal(jx_only(o, "body.", names, &e), 0);
	json_decref(o);
	o = good("{}");
	assert_int_equal(jx_only(o, "", names, &e), 0);
	json_decref(o);
	for (size_t k = 0; k < COUNT_OF(unspeakable); k++) {
		o = good(unspeakable[k]);
		assert_int_equal(jx_only(o, "body.", names, &e), -1);
		assert_string_equal(e.field, "body.?");
		json_decref(o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_text_is_refused_by_the_name_of_its_member),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(what_is_cut_short_is_refused_wherever_it_is_cut),
		cmocka_unit_test(well_formed_json_is_taken),
		cmocka_unit_test(a_long_path_is_cut_between_names),
		cmocka_unit_test(a_whole_number_is_within_its_bounds),
		cmocka_unit_test(an_optional_member_may_be_absent_or_null),
		cmocka_unit_test(a_string_is_counted_in_code_points),
		cmocka_unit_test(ids_are_positive_and_not_too_many),
		cmocka_unit_test(a_uuid_is_canonical),
		cmocka_unit_test(unknown_members_are_named),
	};

	return cmocka_run_group_tests_name("jx", tests, NULL, NULL);
}
