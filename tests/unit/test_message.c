/* message: what a send must be, and one rendering for the live line, the stored row and the answer. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/base/config.h"
#include "lib/chat/mention.h"
#include "lib/chat/message.h"
#include "lib/json/jx.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define ID "01234567-89ab-4def-8123-456789abcdef"
#define BEARING(ids) "{\"client_id\":\"" ID "\",\"body\":{\"text\":\"x\",\"files\":" ids "}}"
#define NAMING(ids) "{\"client_id\":\"" ID "\",\"body\":{\"text\":\"x\",\"mentions\":" ids "}}"
#define TEN_IDS(d) d "1," d "2," d "3," d "4," d "5," d "6," d "7," d "8," d "9," d "0"
#define TEN "😀😀😀😀😀😀😀😀😀😀"

static char s3[] = "s3";
static struct config config = {.limits.message_chars = 20, .files = {.store = s3, .message_files = 3}};

static struct write_item *item_of(const char *text, struct err *e)
{
	struct write_item *item = NULL;
	struct jx *o = NULL;

	if (jx_parse(text, strlen(text), &o, e) < 0)
		return NULL;
	if (message_item(&config, o, 7, 42, &item, e) < 0)
		assert_null(item);
	jx_free(&o);
	return item;
}

static struct write_item *good(const char *text)
{
	struct err e = {0};
	struct write_item *item = item_of(text, &e);

	if (!item)
		fail_msg("%s: %s %s", text, e.field, e.detail);
	return item;
}

static void a_send_becomes_an_item(void **state)
{
	struct write_item *item = good("{\"client_id\":\"" ID "\",\"body\":{\"text\":\"say \\\"hi\\\" 😀\"}}");

	(void)state;
	assert_int_equal(item->kind, 's');
	assert_int_equal(item->channel, 7);
	assert_int_equal(item->sender, 42);
	assert_int_equal(item->epoch, -1);
	assert_int_equal(item->client_id[0], 0x01);
	assert_int_equal(item->client_id[15], 0xef);
	assert_string_equal(item->body, "{\"text\":\"say \\\"hi\\\" 😀\"}");
	assert_int_equal(item->body_n, strlen(item->body));
	assert_string_equal(item->tail, "\"sender\":42,\"client_id\":\"" ID
					"\",\"version\":1,\"body\":{\"text\":\"say \\\"hi\\\" 😀\"}}");
	assert_int_equal(item->tail_n, strlen(item->tail));
	write_item_free(&item);
}

static void what_a_send_must_not_be_is_named(void **state)
{
	static const struct {
		const char *text, *field;
	} cases[] = {
		{"{\"body\":{\"text\":\"x\"}}", "client_id"},
		{"{\"client_id\":\"" ID "x\",\"body\":{\"text\":\"x\"}}", "client_id"},
		{"{\"client_id\":\"01234567-89AB-4def-8123-456789abcdef\",\"body\":{\"text\":\"x\"}}", "client_id"},
		{"{\"client_id\":5,\"body\":{\"text\":\"x\"}}", "client_id"},
		{"{\"client_id\":\"" ID "\"}", "body"},
		{"{\"client_id\":\"" ID "\",\"body\":\"x\"}", "body"},
		{"{\"client_id\":\"" ID "\",\"body\":{}}", "body.text"},
		{"{\"client_id\":\"" ID "\",\"body\":{\"text\":5}}", "body.text"},
		{"{\"client_id\":\"" ID "\",\"body\":{\"text\":null}}", "body.text"},
		{"{\"client_id\":\"" ID "\",\"body\":{\"text\":\"\"}}", "body.text"},
		{"{\"client_id\":\"" ID "\",\"body\":{\"text\":\" \\n\\t \"}}", "body.text"},
		{"{\"client_id\":\"" ID "\",\"body\":{\"text\":\"\\u200b\\u202e\"}}", "body.text"},
		{"{\"client_id\":\"" ID "\",\"body\":{\"text\":\"a\\u0007b\"}}", "body.text"},
		{"{\"client_id\":\"" ID "\",\"body\":{\"text\":\"a\\u009bb\"}}", "body.text"},
		{"{\"client_id\":\"" ID "\",\"body\":{\"text\":\"\\uffff x\"}}", "body.text"},
		{"{\"client_id\":\"" ID "\",\"body\":{\"text\":\"aaaaaaaaaaaaaaaaaaaaa\"}}", "body.text"},
		{"{\"client_id\":\"" ID "\",\"body\":{\"text\":\"" TEN TEN "😀\"}}", "body.text"},
		{"{\"client_id\":\"" ID "\",\"body\":{\"text\":\"x\",\"html\":\"y\"}}", "body.html"},
		{NAMING("3"), "body.mentions"},
		{NAMING("[0]"), "body.mentions"},
		{NAMING("[-3]"), "body.mentions"},
		{NAMING("[1.5]"), "body.mentions"},
		{NAMING("[\"3\"]"), "body.mentions"},
		{NAMING("[3,7,3]"), "body.mentions"},
		{NAMING("[" TEN_IDS("1") "," TEN_IDS("2") "," TEN_IDS("3") "," TEN_IDS("4") "," TEN_IDS("5") ",9]"),
		 "body.mentions"},
		{BEARING("3"), "body.files"},
		{BEARING("[0]"), "body.files"},
		{BEARING("[3,3]"), "body.files"},
		{BEARING("[1,2,3,4]"), "body.files"},
		{"{\"client_id\":\"" ID "\",\"body\":{\"text\":\"\",\"files\":[]}}", "body.text"},
		{"{\"client_id\":\"" ID "\",\"body\":{\"files\":[5]}}", "body.text"},
	};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		struct err e = {0};

		if (item_of(cases[k].text, &e))
			fail_msg("%s was accepted", cases[k].text);
		assert_int_equal(e.code, ERR_BAD_FIELD);
		assert_string_equal(e.field, cases[k].field);
		assert_true(e.detail[0]);
	}
}

static void a_send_names_people(void **state)
{
	struct write_item *item = good(NAMING("[7,3]"));

	(void)state;
	assert_string_equal(item->body, "{\"text\":\"x\",\"mentions\":[7,3]}");
	assert_int_equal(item->named_n, 2);
	assert_int_equal(item->named[0], 7);
	assert_int_equal(item->named[1], 3);
	assert_non_null(strstr(item->tail, "\"body\":{\"text\":\"x\",\"mentions\":[7,3]}}"));
	write_item_free(&item);
	item = good(NAMING("[]"));
	assert_string_equal(item->body, "{\"text\":\"x\"}");
	assert_null(item->named);
	write_item_free(&item);
	item = good(NAMING("[" TEN_IDS("1") "," TEN_IDS("2") "," TEN_IDS("3") "," TEN_IDS("4") "," TEN_IDS("5") "]"));
	assert_int_equal(item->named_n, MENTIONS_MAX);
	write_item_free(&item);
}

static void a_send_names_several_at_once(void **state)
{
	struct write_item *item = good(NAMING("[\"here\",7,\"group:4\",\"channel\"]"));

	(void)state;
	assert_string_equal(item->body, "{\"text\":\"x\",\"mentions\":[7,\"here\",\"group:4\",\"channel\"]}");
	assert_int_equal(item->named_n, 1);
	assert_int_equal(item->calls_n, 3);
	assert_int_equal(item->calls[0], CALL_HERE);
	assert_int_equal(item->calls[1], 4);
	assert_int_equal(item->calls[2], CALL_CHANNEL);
	assert_false(message_renders(item));
	write_item_free(&item);
}

static void a_send_bears_files(void **state)
{
	struct write_item *item =
		good("{\"client_id\":\"" ID "\",\"body\":{\"text\":\"\",\"mentions\":[7],\"files\":[6,5]}}");
	struct write_item *other =
		good("{\"client_id\":\"" ID "\",\"body\":{\"text\":\"\",\"mentions\":[7],\"files\":[5,6]}}");
	static char none[] = "none";
	struct err e = {0};

	(void)state;
	assert_string_equal(item->body, "{\"text\":\"\",\"mentions\":[7]}"); /* the database adds them */
	assert_int_equal(item->files_n, 2);
	assert_int_equal(item->files[0], 6);
	assert_int_equal(item->files[1], 5);
	assert_string_equal(item->body, other->body);
	assert_memory_not_equal(item->digest, other->digest, sizeof(item->digest));
	assert_string_equal(item->tail + item->tail_n - 2, "}}");
	write_item_free(&item);
	write_item_free(&other);
	config.files.store = none;
	assert_null(item_of(BEARING("[5]"), &e));
	assert_string_equal(e.field, "body.files");
	config.files.store = s3;
}

static void a_send_refers_to_messages(void **state)
{
	static const struct {
		const char *body, *field;
	} bad[] = {
		{"{\"text\":\"x\",\"reply_to\":0}", "body.reply_to"},
		{"{\"text\":\"x\",\"reply_to\":\"1\"}", "body.reply_to"},
		{"{\"text\":\"\",\"reply_to\":1}", "body.text"},
		{"{\"text\":\"\",\"forward\":1}", "body.forward"},
		{"{\"text\":\"\",\"forward\":{\"channel\":1}}", "body.forward.seq"},
		{"{\"text\":\"\",\"forward\":{\"channel\":0,\"seq\":1}}", "body.forward.channel"},
		{"{\"text\":\"\",\"forward\":{\"channel\":1,\"seq\":1,\"text\":\"x\"}}", "body.forward.text"},
		{"{\"text\":\"\",\"forward\":{\"channel\":1,\"seq\":1},\"files\":[1]}", "body.files"},
	};
	struct write_item *quote = good("{\"client_id\":\"" ID "\",\"body\":{\"text\":\"x\",\"reply_to\":9}}");
	struct write_item *other = good("{\"client_id\":\"" ID "\",\"body\":{\"text\":\"x\",\"reply_to\":8}}");
	struct write_item *forward = good("{\"client_id\":\"" ID "\",\"body\":{\"text\":\"\",\"reply_to\":9,"
					  "\"forward\":{\"channel\":3,\"seq\":4}}}");
	char line[256];
	struct err e;

	(void)state;
	assert_string_equal(quote->body, "{\"text\":\"x\"}"); /* the database adds what is told of it */
	assert_int_equal(quote->refs_n, 2);
	assert_int_equal(quote->refs[0], 0);
	assert_int_equal(quote->refs[1], 9);
	assert_false(message_renders(quote));
	assert_memory_not_equal(quote->digest, other->digest, sizeof(quote->digest));
	assert_int_equal(forward->refs_n, 4);
	assert_int_equal(forward->refs[2], 3);
	assert_int_equal(forward->refs[3], 4);
	assert_string_equal(forward->body, "{\"text\":\"\"}");
	write_item_free(&quote);
	write_item_free(&other);
	write_item_free(&forward);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		snprintf(line, sizeof(line), "{\"client_id\":\"" ID "\",\"body\":%s}", bad[i].body);
		assert_null(item_of(line, &e));
		assert_string_equal(e.field, bad[i].field);
	}
}

static void the_longest_text_is_taken_whatever_it_weighs(void **state)
{
	static const char *const texts[] = {"aaaaaaaaaaaaaaaaaaaa",
					    "éééééééééé"
					    "éééééééééé",
					    TEN TEN, "a\\nb\\tc\\rd"};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(texts); k++) {
		AUTO_STRBUF b = {0};
		struct write_item *item;

		strbuf_addf(&b, "{\"client_id\":\"" ID "\",\"body\":{\"text\":\"%s\"}}", texts[k]);
		item = good(b.p);
		write_item_free(&item);
	}
}

static void the_digest_is_of_what_was_said_not_of_how(void **state)
{
	struct write_item *a = good("{\"client_id\":\"" ID "\",\"body\":{\"text\":\"aé\\n\"}}");
	struct write_item *b = good("{ \"body\" : {\"text\":\"\\u0061\\u00e9\\u000a\"}, \"client_id\":\"" ID "\" }");
	struct write_item *c = good("{\"client_id\":\"" ID "\",\"body\":{\"text\":\"aé\"}}");

	(void)state;
	assert_memory_equal(a->digest, b->digest, sizeof(a->digest));
	assert_string_equal(a->body, b->body);
	assert_memory_not_equal(a->digest, c->digest, sizeof(a->digest));
	write_item_free(&a);
	write_item_free(&b);
	write_item_free(&c);
}

/* ---- rendering */

/* A row as the statements of sql/queries/ give it, with two columns in front. NULL: null. */
static PGresult *row(const char *const v[10])
{
	static PGresAttDesc columns[12] = {{.name = (char *)"c"}};
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

	for (size_t k = 1; k < COUNT_OF(columns); k++)
		columns[k] = columns[0];
	assert_true(PQsetResultAttrs(r, COUNT_OF(columns), columns));
	for (int k = 0; k < 10; k++)
		assert_true(PQsetvalue(r, 0, k + 2, (char *)(uintptr_t)v[k], v[k] ? (int)strlen(v[k]) : -1));
	return r;
}

static json_t *object(struct strbuf *b)
{
	AUTO_STRBUF whole = {0};
	json_error_t je;
	json_t *o;

	strbuf_addf(&whole, "{%s}", strbuf_cstr(b));
	o = json_loads(whole.p, JSON_REJECT_DUPLICATES, &je);
	if (!o)
		fail_msg("%s: %s", whole.p, je.text);
	return o;
}

static void item_row_and_live_line_are_the_same(void **state)
{
	struct write_item *item = good("{\"client_id\":\"" ID "\",\"body\":{\"text\":\"say \\\"hi\\\" 😀\\n\\u2028\"}}");
	static const char *const stored[] = {
		"7",  "3", "99", "42", ID, "1795600000123000", "1", "{\"text\": \"say \\\"hi\\\" 😀\\n\\u2028\"}",
		NULL, NULL};
	PGresult *r = row(stored);
	AUTO_STRBUF a = {0};
	AUTO_STRBUF b = {0};
	AUTO_STRBUF line = {0};
	json_t *x, *y, *z;

	(void)state;
	item->seq = 3;
	item->id = 99;
	item->at_us = 1795600000123000;
	message_render_item(&a, item);
	message_render_row(&b, r, 0, 2);
	/* write_batch() puts this before the tail */
	strbuf_adds(&line, "\"channel\":7,\"seq\":3,\"id\":99,\"created_at\":\"2026-11-25T09:46:40.123Z\",");
	strbuf_add(&line, item->tail, item->tail_n - 1);
	x = object(&a);
	y = object(&b);
	z = object(&line);
	assert_true(json_equal(x, y));
	assert_true(json_equal(x, z));
	assert_string_equal(json_string_value(json_object_get(x, "created_at")), "2026-11-25T09:46:40.123Z");
	json_decref(x);
	json_decref(y);
	json_decref(z);
	PQclear(r);
	write_item_free(&item);
}

static void an_edited_message_says_when(void **state)
{
	static const char *const stored[] = {
		"7", "3", "99", "42", ID, "1795600000123000", "2", "{\"text\": \"x\"}", "1795600001000000", NULL};
	PGresult *r = row(stored);
	AUTO_STRBUF b = {0};
	json_t *o;

	(void)state;
	message_render_row(&b, r, 0, 2);
	o = object(&b);
	assert_int_equal(json_integer_value(json_object_get(o, "version")), 2);
	assert_string_equal(json_string_value(json_object_get(o, "edited_at")), "2026-11-25T09:46:41.000Z");
	json_decref(o);
	PQclear(r);
}

static void a_deleted_message_says_nothing_of_its_text(void **state)
{
	/* even where the row still held it */
	static const char *const stored[] = {
		"7", "3", "99", "42", ID, "1795600000123000", "3", "{\"text\": \"secret\"}", "1795600001000000", "5"};
	PGresult *r = row(stored);
	AUTO_STRBUF b = {0};
	json_t *o;

	(void)state;
	message_render_row(&b, r, 0, 2);
	assert_null(strstr(b.p, "secret"));
	o = object(&b);
	assert_true(json_is_true(json_object_get(o, "deleted")));
	assert_null(json_object_get(o, "body"));
	assert_null(json_object_get(o, "client_id"));
	assert_null(json_object_get(o, "edited_at"));
	assert_int_equal(json_integer_value(json_object_get(o, "deleted_by")), 5);
	assert_int_equal(json_object_size(o), 8);
	json_decref(o);
	PQclear(r);
}

static void a_line_tells_its_sender(void **state)
{
	static const char none[] = "{\"type\":\"member.left\",\"cursor\":\"abcdefgh.1\",\"channel\":7,\"user\":3}";
	struct write_item *item = good("{\"client_id\":\"" ID "\",\"body\":{\"text\":\",\\\"sender\\\":3,\"}}");
	AUTO_STRBUF b = {0};

	(void)state;
	strbuf_adds(&b, "{\"type\":\"message\",\"cursor\":\"abcdefgh.1\",");
	message_render_item(&b, item);
	strbuf_addc(&b, '}');
	assert_int_equal(message_sender((struct span){b.p, b.n}), 42);
	assert_int_equal(message_sender((struct span){none, sizeof(none) - 1}), 0);
	for (size_t n = 0; n < b.n; n++) {
		int64_t sender = message_sender((struct span){b.p, n});

		assert_true(sender == 0 || sender == 42);
	}
	write_item_free(&item);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_send_becomes_an_item),
		cmocka_unit_test(a_line_tells_its_sender),
		cmocka_unit_test(what_a_send_must_not_be_is_named),
		cmocka_unit_test(a_send_names_people),
		cmocka_unit_test(a_send_names_several_at_once),
		cmocka_unit_test(a_send_bears_files),
		cmocka_unit_test(a_send_refers_to_messages),
		cmocka_unit_test(the_longest_text_is_taken_whatever_it_weighs),
		cmocka_unit_test(the_digest_is_of_what_was_said_not_of_how),
		cmocka_unit_test(item_row_and_live_line_are_the_same),
		cmocka_unit_test(an_edited_message_says_when),
		cmocka_unit_test(a_deleted_message_says_nothing_of_its_text),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
