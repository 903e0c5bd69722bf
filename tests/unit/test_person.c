/* person: names from claims, and text that must not deceive. */
#include "lib/auth/person.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct person from(const char *claims)
{
	json_t *o = json_loads(claims, 0, NULL);
	struct person p;

	assert_non_null(o);
	person_from_claims(o, NULL, &p);
	json_decref(o);
	return p;
}

static void a_name_is_the_best_that_there_is(void **state)
{
	static const struct {
		const char *claims, *name, *handle;
	} cases[] = {
		{"{\"iss\":\"i\",\"sub\":\"s\",\"name\":\"Alice Moreau\",\"preferred_username\":\"alice\"}",
		 "Alice Moreau", "alice"},
		{"{\"name\":\"\",\"given_name\":\"Alice\",\"family_name\":\"Moreau\",\"email\":\"am@x.test\"}",
		 "Alice Moreau", "am"},
		{"{\"name\":\"\\u200b\",\"given_name\":\"Alice\"}", "Alice", "Alice"},
		{"{\"username\":\"amira@example.test\"}", "amira", "amira"},
		{"{\"email\":\"bob.o@x.test\"}", "bob.o", "bob.o"},
		{"{\"nickname\":\"octo\",\"name\":\"The Octopus\"}", "The Octopus", "octo"},
		{"{\"name\":\"\\u592a\\u90ce\",\"email\":\"taro@x.test\"}", "\xe5\xa4\xaa\xe9\x83\x8e", "taro"},
		{"{\"name\":7,\"email\":{\"a\":1},\"username\":[\"x\"],\"nickname\":\"nick\"}", NULL, "nick"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct person p = from(cases[i].claims);

		if (cases[i].name)
			assert_string_equal(p.name, cases[i].name);
		assert_string_equal(p.handle, cases[i].handle);
	}
}

static void whoever_tells_nothing_has_a_name_of_his_own(void **state)
{
	struct person a = from("{\"iss\":\"i\",\"sub\":\"one\"}"), b = from("{\"iss\":\"i\",\"sub\":\"two\"}");
	struct person a2 = from("{\"iss\":\"i\",\"sub\":\"one\",\"name\":\"\\u202e\\u2066 \\u00ad\"}");

	(void)state;
	assert_memory_equal(a.name, "user-", 5);
	assert_int_equal(strlen(a.name), 13);
	assert_string_not_equal(a.name, b.name);
	assert_string_equal(a.name, a2.name);
	assert_string_equal(a.handle, a.name);
}

static void only_true_is_verified_and_only_https_is_a_picture(void **state)
{
	(void)state;
	assert_true(from("{\"email\":\"a@b\",\"email_verified\":true}").email_verified);
	assert_false(from("{\"email\":\"a@b\",\"email_verified\":\"true\"}").email_verified);
	assert_false(from("{\"email\":\"a@b\",\"email_verified\":\"false\"}").email_verified);
	assert_false(from("{\"email\":\"a@b\",\"email_verified\":1}").email_verified);
	assert_false(from("{\"email\":\"a@b\"}").email_verified);
	assert_false(from("{\"email\":\"\",\"email_verified\":true}").email_verified);
	assert_string_equal(from("{\"email\":\"no address\"}").email, "");
	assert_string_equal(from("{\"email\":\"a@b\\u0001\"}").email, "");
	assert_string_equal(from("{\"picture\":\"https://x.test/a.png\"}").picture, "https://x.test/a.png");
	assert_string_equal(from("{\"picture\":\"http://x.test/a.png\"}").picture, "");
	assert_string_equal(from("{\"picture\":\"javascript:alert(1)\"}").picture, "");
	assert_string_equal(from("{\"picture\":\"https://x.test/a b\"}").picture, "");
	assert_string_equal(from("{\"picture\":\"https://x.test/\\\"onerror=\"}").picture, "");
}

static void text_is_cleaned(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"  a \t\n b  ", "a b"},
		{"a\x01\x1b[31mb\x7f", "a[31mb"},
		{"\xe2\x80\xae"
		 "evil\xe2\x80\xac",
		 "evil"}, /* RLO, PDF */
		{"a\xe2\x80\x8b\xef\xbb\xbf\xc2\xad"
		 "b",
		 "ab"}, /* ZWSP, BOM, soft hyphen */
		{"a\xe3\x80\x80\xc2\xa0"
		 "b",
		 "a b"}, /* ideographic and no-break space */
		{"a\xff\xc0\x80"
		 "b\xed\xa0\x80",
		 "ab"},                           /* not UTF-8 */
		{"\xe3\x85\xa4\xe1\x85\x9f", ""}, /* Hangul fillers */
		{"\xf3\xa0\x81\x81x", "x"},       /* a tag character */
		{"O'Neill & M\xc3\xbcller \xf0\x9f\x98\x80", "O'Neill & M\xc3\xbcller \xf0\x9f\x98\x80"},
		{"<script>", "<script>"}, /* escaping is the page's task */
	};
	char out[PERSON_NAME_MAX], many[1001];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		person_clean(cases[i].in, PERSON_NAME_POINTS, out, sizeof(out));
		assert_string_equal(out, cases[i].out);
	}
	for (size_t i = 0; i < 1000; i += 4)
		memcpy(many + i, "\xf0\x9f\x98\x80", 4);
	many[1000] = 0;
	person_clean(many, PERSON_NAME_POINTS, out, sizeof(out));
	assert_int_equal(strlen(out), PERSON_NAME_POINTS * 4);
	person_clean("aaaa b", 5, out, sizeof(out));
	assert_string_equal(out, "aaaa");
}

static void names_that_mislead_are_passed_over(void **state)
{
	static const struct {
		const char *name;
		bool misleads;
	} cases[] = {
		{"Alice Moreau", false},
		{"\xd0\x90lice", true},                            /* Cyrillic A */
		{"Alic\xd0\xb5", true},                            /* Cyrillic e */
		{"\xce\x91lice", true},                            /* Greek Alpha */
		{"\xd0\x90\xd0\xbd\xd0\xbd\xd0\xb0", false},       /* a word of Cyrillic */
		{"\xd0\x90\xd0\xbd\xd0\xbd\xd0\xb0 Smith", false}, /* words of two scripts */
		{"\xd0\x90\xd0\xbd\xd0\xbd\xd0\xb0-Smith", true},  /* one word of two */
		{"\xf0\x9d\x93\x90lice", true},                    /* a mathematical A */
		{"\xef\xbc\xa1\xef\xbd\x8c", true},                /* full width */
		{"\xe5\xb1\xb1\xe7\x94\xb0 Taro", false},          /* Han and Latin */
		{"Acme\xe2\x84\xa2 \xe2\x84\x96 5", false},        /* trade mark, numero */
		{"Zo\xc3\xab \xc3\x98rsted-\xc5\x81ukasz", false},
		{"", false},
		{"\xff\xc0 x", false},
	};
	struct person p;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (person_misleads(cases[i].name) != cases[i].misleads)
			fail_msg("%zu: %s", i, cases[i].name);
	p = from("{\"iss\":\"i\",\"sub\":\"s\",\"name\":\"\\u0410lice\",\"username\":\"alice\"}");
	assert_string_equal(p.name, "alice");
	p = from("{\"iss\":\"i\",\"sub\":\"s\",\"name\":\"\\u0410lice\"}");
	assert_memory_equal(p.name, "user-", 5);
}

static void claims_may_be_named_by_configuration(void **state)
{
	static const struct person_claims first = {"profile.shown", "https://idp.test/nick", "photo"};
	json_t *o = json_loads("{\"iss\":\"i\",\"sub\":\"s\",\"name\":\"Other\",\"profile\":{\"shown\":\"Shown\"},"
			       "\"https://idp.test/nick\":\"nick\",\"photo\":\"https://x.test/p.png\","
			       "\"picture\":\"https://x.test/other.png\",\"a.b\":1,\"a\":{\"b\":2}}",
			       0, NULL);
	struct person p;

	(void)state;
	person_from_claims(o, &first, &p);
	assert_string_equal(p.name, "Shown");
	assert_string_equal(p.handle, "nick");
	assert_string_equal(p.picture, "https://x.test/p.png");
	assert_int_equal(json_integer_value(person_claim(o, "a.b")), 1); /* the name itself goes before the path */
	assert_null(person_claim(o, "profile.none"));
	assert_null(person_claim(o, "name.x"));
	assert_null(person_claim(o, ""));
	assert_null(person_claim(o, "."));
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_the_best_that_there_is),
		cmocka_unit_test(whoever_tells_nothing_has_a_name_of_his_own),
		cmocka_unit_test(only_true_is_verified_and_only_https_is_a_picture),
		cmocka_unit_test(text_is_cleaned),
		cmocka_unit_test(names_that_mislead_are_passed_over),
		cmocka_unit_test(claims_may_be_named_by_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
