/* search: how texts are cut and folded, what queries mean, where they match, what is shown of it. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/search/document.h"
#include "lib/search/match.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tokens of a text with | between, + in front of one that is joined to the one before. */
static const char *cut(const char *text)
{
	static char out[4096];
	struct tokens t = {0};
	size_t n = 0;

	tokens_of(&t, text, strlen(text));
	out[0] = 0;
	for (size_t i = 0; i < t.n; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s%.*s", i ? "|" : "", t.list[i].joined ? "+" : "",
				      (int)t.list[i].n, token_text(&t, i));
	tokens_release(&t);
	return out;
}

static void texts_are_cut_and_folded(void **state)
{
	static const char *const cases[][2] = {
		{"Hello, World-wide web_2", "hello|world|wide|web|2"},
		{"STRASSE straße Stra\u1e9ee", "strasse|strasse|strasse"},
		{"Café cafe\u0301 ÅNGSTRÖM \u212b", "cafe|cafe|angstrom|a"},
		{"İstanbul ılık IŞIK", "istanbul|ilik|isik"},
		{"λόγος ΛΟΓΟΣ", "λογοσ|λογοσ"},
		{"Ёлка Йод", "елка|иод"},
		{"smørrebrød Œuvre Łódź þing", "smorrebrod|oeuvre|lodz|thing"},
		{"ﬁne ２０２６ ｆｕｌｌ ①", "fine|2026|full|1"},
		{"上海Tower东边。家", "上|+海|tower|东|+边|家"},
		{"バッタ", "\u3099ハ|+ッ|+タ"},
		{"ﾊﾞｯﾀ", "\u3099ハ|+ッ|+タ"},
		{"서울", "\u1109\u1165|+\u110b\u116e\u11af"},
		{"\u1109\u1165\u110b\u116e\u11af", "\u1109\u1165|+\u110b\u116e\u11af"},
		{"ที่นี่", "ท\u0e35\u0e48|+น\u0e35\u0e48"},
		{"नमस्ते", "नमस्ते"},
		{"مُحَمَّدـــ", "محمد"},
		{"שָׁלוֹם", "שלום"},
		{"👍🏽👩\u200d💻 ok\ufe0f", "👍|👩|💻|ok"},
		{"co\u00adoperate", "cooperate"},
		{"don't", "don|t"},
		{"!?… — ", ""},
		{"", ""},
		{"\u0301\u3099x", "x"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_string_equal(cut(cases[i][0]), cases[i][1]);
}

static void a_token_is_bounded(void **state)
{
	char text[1001];
	struct tokens t = {0};

	(void)state;
	memset(text, 'a', 1000);
	text[1000] = 0;
	tokens_of(&t, text, 1000);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.list[0].n, TOKEN_BYTES_MAX);
	assert_int_equal(t.list[0].to, 1000);
	/* marks without end */
	memcpy(text, "\xe3\x82\xab", 3);
	for (size_t i = 3; i + 3 <= 1000; i += 3)
		memcpy(text + i, "\xe3\x82\x99", 3);
	tokens_of(&t, text, 999);
	assert_int_equal(t.n, 1);
	assert_in_range(t.list[0].n, 3, TOKEN_BYTES_MAX);
	tokens_release(&t);
}

static const char *template(const char *text)
{
	static char out[4096];
	struct search_query q;
	struct strbuf b = {0};
	struct err e = {0};

	if (search_query_parse(text, strlen(text), &q, &e) < 0)
		fail_msg("%s: %s", text, e.detail);
	search_query_template(&q, "{7,8}", "{}", &b);
	snprintf(out, sizeof(out), "%s", strbuf_cstr(&b));
	strbuf_release(&b);
	search_query_release(&q);
	return out;
}

static void the_index_is_asked_for_what_matches(void **state)
{
	static const char *const cases[][2] = {
		{"Lunch", "'%wlunch':*"},
		{"\"Lunch\"", "'%wlunch'"},
		{"lunch friday", "'%wlunch':*&'%wfriday':*"},
		{"world-wide", "'%wworld'&'%wwide':*"},
		{"don't", "'%wdon'&'%wt'"},
		{"a", "'%wa'"},
		{"家", "'%w家':*"},
		{"\"家\"", "'%w家':*"},
		{"上海", "'%w上海':*"},
		{"\"上海\"", "'%w上海'"},
		{"上海东", "'%w上海'&'%w海东':*"},
		{"上海Tower", "'%w上海'&'%wtower':*"},
		{"👍 has:link", "'%w👍':*&'%hlink'"},
		{"from:x", ""},
		{"“two words” has:file has:mention", "'%wtwo'&'%wwords'&'%hfile'&'%hmention'"},
		{"x\"two words\"y", "'%wx'&'%wtwo'&'%wwords'&'%wy'"},
		{"http://a.test", "'%whttp'&'%wa'&'%wtest':*"},
	};
	char want[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		snprintf(want, sizeof(want), "%s%s('%%r7'|'%%r8')", cases[i][1], cases[i][1][0] ? "&" : "");
		assert_string_equal(template(cases[i][0]), want);
	}
}

static void what_is_wrong_is_said(void **state)
{
	static const char *const cases[][2] = {
		{"", "must not be empty"},
		{" \t ", "must not be empty"},
		{"!!", "holds no letter, digit or emoji"},
		{"\"\"", "holds no letter, digit or emoji"},
		{"is:open", "is: expects thread"},
		{"has:wings", "has: expects link, file or mention"},
		{"from:", "a filter has nothing behind its colon"},
		{"a\x07", "contains a control character"},
		{"before:2026-02-29", "before: expects a day, like 2026-11-25"},
		{"after:2026-13-01", "after: expects a day, like 2026-11-25"},
		{"after:2026-01-01x", "after: expects a day, like 2026-11-25"},
		{"after:2026-01-01 after:2026-01-01", "after: stands there twice"},
		{"in:a in:b in:c in:d in:e in:f in:g in:h in:i", "too many names"},
		{"a b c d e f g h i j k l m n o p q", "too many words"},
	};
	char longest[SEARCH_QUERY_CHARS + 2];
	struct search_query q;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err e = {0};

		assert_int_equal(search_query_parse(cases[i][0], strlen(cases[i][0]), &q, &e), -1);
		assert_int_equal(e.code, ERR_BAD_FIELD);
		assert_string_equal(e.field, "q");
		assert_string_equal(e.detail, cases[i][1]);
		search_query_release(&q);
	}
	for (size_t n = SEARCH_QUERY_CHARS; n <= SEARCH_QUERY_CHARS + 1; n++) {
		struct err e = {0};

		memset(longest, 'x', n);
		assert_int_equal(search_query_parse(longest, n, &q, &e), n > SEARCH_QUERY_CHARS ? -1 : 0);
		search_query_release(&q);
	}
}

static void filters_are_read(void **state)
{
	static const char text[] =
		"from:@Ada in:#general in:\"two words\" in:@bob before:2024-02-29 after:2000-01-01 ok From:x";
	struct search_query q;
	struct err e = {0};

	(void)state;
	assert_int_equal(search_query_parse(text, strlen(text), &q, &e), 0);
	assert_int_equal(q.senders_n, 1);
	assert_string_equal(q.senders[0], "Ada");
	assert_int_equal(q.rooms_n, 3);
	assert_string_equal(q.rooms[0], "general");
	assert_string_equal(q.rooms[1], "two words");
	assert_string_equal(q.rooms[2], "@bob");
	assert_string_equal(q.before, "2024-02-29");
	assert_string_equal(q.after, "2000-01-01");
	assert_int_equal(q.terms_n, 2); /* "From:x" is no filter */
	search_query_release(&q);
}

/* The snippet of text for a query, or "no". */
static const char *show(const char *query, const char *text)
{
	static char out[8192];
	struct search_query q;
	struct tokens t = {0};
	struct strbuf b = {0};
	struct match m;
	struct err e = {0};

	if (search_query_parse(query, strlen(query), &q, &e) < 0)
		fail_msg("%s: %s", query, e.detail);
	tokens_of(&t, text, strlen(text));
	if (match_text(&q, &t, &m))
		match_snippet(&b, text, strlen(text), &m);
	else
		strbuf_adds(&b, "no");
	snprintf(out, sizeof(out), "%s", strbuf_cstr(&b));
	strbuf_release(&b);
	tokens_release(&t);
	search_query_release(&q);
	return out;
}

static void hits_are_marked_where_they_stand(void **state)
{
	(void)state;
	assert_string_equal(show("strasse", "Die <b>Straße</b>"),
			    "[{\"text\":\"Die <b>\"},{\"text\":\"Straße\",\"hit\":true},{\"text\":\"</b>\"}]");
	assert_string_equal(show("海东", "上海东边"),
			    "[{\"text\":\"上\"},{\"text\":\"海东\",\"hit\":true},{\"text\":\"边\"}]");
	assert_string_equal(show("海 海东", "上海东"), "[{\"text\":\"上\"},{\"text\":\"海东\",\"hit\":true}]");
	assert_string_equal(show("\"b a\"", "a, b! A"), "[{\"text\":\"a, \"},{\"text\":\"b! A\",\"hit\":true}]");
	assert_string_equal(show("\"b a\"", "a b c a"), "no");
	assert_string_equal(show("上海", "上 海"), "no");
	assert_string_equal(show("カ", "ガ"), "no");
	assert_string_equal(show("has:link", "a\tb"), "[{\"text\":\"a b\"}]");
	assert_string_equal(show("from:x", ""), "[]");
}

static void a_long_text_is_cut_around_its_first_hit(void **state)
{
	struct strbuf text = {0};
	const char *shown;

	(void)state;
	for (int i = 0; i < 300; i++)
		strbuf_adds(&text, "äöü ");
	strbuf_adds(&text, "needle ");
	for (int i = 0; i < 300; i++)
		strbuf_adds(&text, "日本");
	shown = show("needle", strbuf_cstr(&text));
	assert_memory_equal(shown, "[{\"text\":\"…äöü äöü", strlen("[{\"text\":\"…äöü äöü"));
	assert_non_null(strstr(shown, "{\"text\":\"needle\",\"hit\":true},{\"text\":\" 日本"));
	assert_non_null(strstr(shown, "…\"}]"));
	strbuf_release(&text);
}

static void a_document_is_what_a_body_holds(void **state)
{
	static const struct {
		const char *body, *vector;
	} cases[] = {
		{"{\"text\": \"Hi hi\"}", "'%r5' '%s6' '%whi' '%whi'"},
		{"{\"text\": \"see HTTPS://x\", \"mentions\": [3]}",
		 "'%hlink' '%hmention' '%r5' '%s6' '%wsee' '%whttps' '%wx'"},
		{"{\"text\": \"\", \"files\": [{\"id\": 1}]}", "'%hfile' '%r5' '%s6'"},
		{"{\"files\": [], \"mentions\": [], \"text\": \"上海 x\"}", "'%r5' '%s6' '%w上海' '%w海' '%wx'"},
		{"{\"text\": 5}", "'%r5' '%s6'"},
		{"not json", "'%r5' '%s6'"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct strbuf b = {0};
		struct tokens t = {0};
		struct document d;

		document_read(cases[i].body, strlen(cases[i].body), false, &d);
		tokens_of(&t, d.text.p, d.text.n);
		document_vector(&b, &d, &t, 5, 6);
		assert_string_equal(strbuf_cstr(&b), cases[i].vector);
		strbuf_release(&b);
		tokens_release(&t);
		document_release(&d);
	}
}

static void whole_words_side_by_side_in_a_short_text_come_first(void **state)
{
	static const char *const best_first[] = {"quick fox", "the quick fox is what I saw here today",
						 "quick and fox, as ever more words",
						 "quickly, foxes are seen there at night"};
	int last = 1000;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(best_first); i++) {
		struct search_query q;
		struct tokens t = {0};
		struct match m;
		struct err e = {0};

		assert_int_equal(search_query_parse("quick fox", 9, &q, &e), 0);
		tokens_of(&t, best_first[i], strlen(best_first[i]));
		assert_true(match_text(&q, &t, &m));
		assert_true(m.score < last);
		last = m.score;
		tokens_release(&t);
		search_query_release(&q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_cut_and_folded),
		cmocka_unit_test(a_token_is_bounded),
		cmocka_unit_test(the_index_is_asked_for_what_matches),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(filters_are_read),
		cmocka_unit_test(hits_are_marked_where_they_stand),
		cmocka_unit_test(a_long_text_is_cut_around_its_first_hit),
		cmocka_unit_test(a_document_is_what_a_body_holds),
		cmocka_unit_test(whole_words_side_by_side_in_a_short_text_come_first),
	};

	return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
