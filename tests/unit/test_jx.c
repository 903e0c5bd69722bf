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
static int parse(const char *p, size_t n, struct jx **out, struct err *e)
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

static struct jx *good(const char *text)
{
	struct err e;
	struct jx *o;

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
		CASE("{} \"x", "", "after its end"),
		CASE("{} \"x\"", "", "after its end"),
		CASE("{} 12", "", "after its end"),
		CASE("{} tr", "", "after its end"),
		CASE("{} /", "", "after its end"),
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
		CASE("{\"a\":{\"b\":1,}}", "a", "well formed"),
		CASE("{\"a\":{\"b\":}}", "a.b", "well formed"),
		CASE("{\"a\":{\"b\" : }}", "a.b", "well formed"),
		CASE("{\"a\":{\"b\"}}", "a", "well formed"),
		CASE("{\"a\":\v1}", "a", "well formed"), /* blanks elsewhere */
		CASE("{\"a\":\f1}", "a", "well formed"),
		CASE("{\"a\":1e400", "a", "range"),
		CASE("{\"a\":12", "a", "too early"),
		CASE("{\"a\":\"\\\\\\ud83d\"}", "a", "surrogate"),
		CASE("1", "", "expected a JSON object"),
		CASE("{'a':1}", "", ""),
		CASE("{a:1}", "", ""),
		CASE("{\"a\":1 /* c */}", "a", ""),
		CASE("{\"a\":\"x\ny\"}", "a", ""),
		CASE("{\"a\":\"\\x41\"}", "a", ""),
		CASE("{\"a\":tru}", "a", ""),
		CASE("{\"members\":[1,2,\"\\ud800\"]}", "members", "surrogate"),
		CASE("{\"s\":[{\"n\":\"a,b\"},{\"n\":\"\\ud800\"}]}", "s[1].n", "surrogate"),
		CASE("{\"a\":[{\"b\":[1,{},{\"c\":\"\\ud800\"}]}]}", "a[0].b[2].c", "surrogate"),
		CASE("[{\"b\":\"\\ud800\"}]", "b", "surrogate"),
	};

	int wrong = 0;

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		struct err e;
		struct jx *o;

		if (parse(cases[k].text, cases[k].n, &o, &e) == -1 && !o &&
		    e.code == (cases[k].field[0] ? ERR_BAD_FIELD : ERR_BAD_REQUEST) &&
		    !strcmp(e.field, cases[k].field) && strstr(e.detail, cases[k].says))
			continue;
		print_error("%s: %s, field %s, %s\n", cases[k].text, err_name(e.code), e.field, e.detail);
		jx_free(&o);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void depth_is_bounded(void **state)
{
	AUTO_STRBUF b = {0};
	struct err e;
	struct jx *o;

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
			jx_free(&o);
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
	jx_free(&o);
}

static void what_is_cut_short_is_refused_wherever_it_is_cut(void **state)
{
	static const char text[] = "{\"client_id\":\"x\",\"n\":-1.5e3,\"body\":{\"text\":\"a\\ud83d\\ude00 "
				   "\\\"é\\\\\",\"l\":[1,null,true,{}]}}";
	struct err e;
	struct jx *o;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++)
		assert_int_equal(parse(text, n, &o, &e), -1);
	assert_int_equal(parse(text, sizeof(text) - 1, &o, &e), 0);
	jx_free(&o);
}

static void well_formed_json_is_taken(void **state)
{
	struct jx *o = good(" {\"a\" : \"\\ud83d\\ude00\", \"b\":9223372036854775807 "
			    ",\"c\":-9223372036854775808,\"d\":1e308,\"é\":[] }\n");

	(void)state;
	assert_string_equal(jx_text(jx_get(o, "a")), "😀");
	assert_int_equal(jx_number(jx_get(o, "b")), INT64_MAX);
	assert_int_equal(jx_number(jx_get(o, "c")), INT64_MIN);
	jx_free(&o);
	o = good("{}");
	jx_free(&o);
	o = good("{\"\\u0061\\n\":\"\\\\ud83d\\\\\", \"empty\":\"\"}"); /* an escaped backslash, no surrogate */
	assert_string_equal(jx_text(jx_get(o, "a\n")), "\\ud83d\\");
	assert_string_equal(jx_text(jx_get(o, "empty")), "");
	jx_free(&o);
}

static void what_was_parsed_is_written_as_it_was(void **state)
{
	static const char text[] =
		"{\"s\":\"a\\\"\\\\/\\n\\t\",\"e\":\"\\u00e9\\ud83d\\ude00\",\"n\":[1,-0.5e-3,{}],\"o\":{\"t\":true,"
		"\"f\":false,\"z\":null,\"a\":[]},\"last\":-9223372036854775808}";
	static const char written[] = "{\"s\":\"a\\\"\\\\/\\n\\t\",\"e\":\"é😀\",\"n\":[1,-0.5e-3,{}],\"o\":{\"t\":true,"
				      "\"f\":false,\"z\":null,\"a\":[]},\"last\":-9223372036854775808}";
	struct jx *o = good(text);
	AUTO_STRBUF b = {0};

	(void)state;
	jx_write(&b, o);
	assert_string_equal(strbuf_cstr(&b), written);
	assert_true(jx_is(jx_get(o, "n"), JX_ARRAY));
	assert_true(jx_is(jx_get(jx_get(o, "o"), "z"), JX_NULL));
	assert_null(jx_get(jx_get(o, "o"), "none"));
	assert_null(jx_get(jx_get(o, "s"), "none"));
	assert_null(jx_get(NULL, "none"));
	assert_null(jx_text(jx_get(o, "n")));
	assert_int_equal(jx_number(jx_get(o, "s")), 0);
	jx_free(&o);
	assert_null(o);
}

/* Few names of an object are compared each with each, many are sorted. */
static void a_name_given_twice_is_found_among_many(void **state)
{
	struct err e;
	struct jx *o;

	(void)state;
	for (int n = 2; n <= 3000; n = n < 40 ? n + 1 : n * 3)
		for (int twice = 0; twice < 2; twice++) {
			AUTO_STRBUF b = {0};

			strbuf_addc(&b, '{');
			for (int k = 0; k < n; k++)
				strbuf_addf(&b, "\"name%d\":%d,", (k * 7919) % n, k);
			strbuf_adds(&b, twice ? "\"name\\u0031\":0}" : "\"name\":0}");
			assert_int_equal(parse(b.p, b.n, &o, &e), twice ? -1 : 0);
			if (twice)
				assert_string_equal(e.field, "name\\u0031");
			jx_free(&o);
		}
}

static void a_long_path_is_cut_between_names(void **state)
{
	struct err e;
	struct jx *o;
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
		struct jx *o = good(cases[k].text);
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
		jx_free(&o);
	}
}

static void an_optional_member_may_be_absent_or_null(void **state)
{
	static const char *const texts[] = {"{}", "{\"m\":null}"};
	struct err e = {0};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(texts); k++) {
		struct jx *o = good(texts[k]);
		const struct jx *sub = NULL;
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
		jx_free(&o);
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
		struct jx *o = good(cases[k].text);

		if (jx_string(o, "body.", "s", JX_REQUIRED, 1, 5, &s, &e) != cases[k].rc)
			fail_msg("%s", cases[k].text);
		if (cases[k].rc < 0)
			assert_string_equal(e.field, "body.s");
		jx_free(&o);
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
		struct jx *o = good(cases[k].text);
		int64_t ids[3];
		size_t n = 0;

		if (jx_ids(o, "", "ids", JX_REQUIRED, ids, 3, &n, &e) != cases[k].rc)
			fail_msg("%s", cases[k].text);
		if (cases[k].rc == 0)
			assert_int_equal(n, cases[k].n);
		else
			assert_string_equal(e.field, "ids");
		jx_free(&o);
	}
}

static void texts_are_strings_and_not_too_many(void **state)
{
	static const struct {
		const char *text;
		int rc;
		size_t n;
	} cases[] = {{"{\"l\":[\"a\"]}", 0, 1},
		     {"{\"l\":[\"a\",\"\\u00e9\",\"\"]}", 0, 3},
		     {"{\"l\":[]}", -1, 0},
		     {"{\"l\":[\"a\",\"b\",\"c\",\"d\"]}", -1, 0},
		     {"{\"l\":[\"a\",1]}", -1, 0},
		     {"{\"l\":[[\"a\"]]}", -1, 0},
		     {"{\"l\":\"a\"}", -1, 0},
		     {"{\"l\":null}", -1, 0},
		     {"{}", -1, 0}};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		struct err e = {0};
		struct jx *o = good(cases[k].text);
		const char *texts[3];
		size_t n = 0;

		if (jx_texts(o, "", "l", texts, COUNT_OF(texts), &n, &e) != cases[k].rc)
			fail_msg("%s", cases[k].text);
		if (cases[k].rc == 0)
			assert_int_equal(n, cases[k].n);
		else
			assert_string_equal(e.field, "l");
		if (n == 3)
			assert_string_equal(texts[1], "é");
		jx_free(&o);
	}
}

static void a_uuid_is_canonical(void **state)
{
	struct jx *o = good("{\"a\":\"01234567-89ab-cdef-0123-456789abcdef\",\"b\":\"01234567-89AB-cdef-0123-"
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
	jx_free(&o);
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
	struct jx *o = good("{\"text\":1,\"txet\":2}");
	struct err e = {0};

	(void)state;
	assert_int_equal(jx_only(o, "body.", names, &e), -1);
	assert_string_equal(e.field, "body.txet");
	jx_free(&o);
	o = good("{\"mentions\":1,\"text\":2}");
	assert_int_equal(jx_only(o, "body.", names, &e), 0);
	jx_free(&o);
	o = good("{}");
	assert_int_equal(jx_only(o, "", names, &e), 0);
	jx_free(&o);
	for (size_t k = 0; k < COUNT_OF(unspeakable); k++) {
		o = good(unspeakable[k]);
		assert_int_equal(jx_only(o, "body.", names, &e), -1);
		assert_string_equal(e.field, "body.?");
		jx_free(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_text_is_refused_by_the_name_of_its_member),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(what_is_cut_short_is_refused_wherever_it_is_cut),
		cmocka_unit_test(well_formed_json_is_taken),
		cmocka_unit_test(what_was_parsed_is_written_as_it_was),
		cmocka_unit_test(a_name_given_twice_is_found_among_many),
		cmocka_unit_test(a_long_path_is_cut_between_names),
		cmocka_unit_test(a_whole_number_is_within_its_bounds),
		cmocka_unit_test(an_optional_member_may_be_absent_or_null),
		cmocka_unit_test(a_string_is_counted_in_code_points),
		cmocka_unit_test(ids_are_positive_and_not_too_many),
		cmocka_unit_test(texts_are_strings_and_not_too_many),
		cmocka_unit_test(a_uuid_is_canonical),
		cmocka_unit_test(unknown_members_are_named),
	};

	return cmocka_run_group_tests_name("jx", tests, NULL, NULL);
}
