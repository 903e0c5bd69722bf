/* store: settings, names, addresses, and the XML that a store answers with. What goes over the network is in
 * tests/files. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/secret.h"
#include "lib/store/store_private.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW INT64_C(1800000123)

#define LOCAL "store = local\nurl = https://files.example.test\nsecret_key = 0123456789abcdef\n"
#define S3                                                                                                   \
	"store = s3\nendpoint = https://s3.eu-central-1.amazonaws.com\nregion = eu-central-1\naccess_key = " \
	"AK\nsecret_key = sk\n"

static char key_file[64]; /* of the vectors' throw-away key */

/* [files] as these lines say, for store_new. */
static int open_store(const char *lines, struct store **s, struct err *e)
{
	char path[] = "/tmp/pulsechat-test-store-XXXXXX";
	int fd = mkstemp(path), rc;
	struct config *c = NULL;

	assert_true(fd >= 0);
	assert_true(dprintf(fd, "[site]\nurl = https://chat.example.test\n[database]\ndsn = dbname=x\n[files]\n%s",
			    lines) > 0);
	close(fd);
	rc = config_load(path, &c, e);
	if (rc == 0)
		rc = store_new(c, s, e);
	config_free(&c);
	unlink(path);
	return rc;
}

static struct store *store_of(const char *lines)
{
	struct store *s = NULL;
	struct err e = {0};

	if (open_store(lines, &s, &e) < 0)
		fail_msg("%s: %s", e.field, e.detail);
	return s;
}

static void none_is_no_store(void **state)
{
	(void)state;
	assert_null(store_of("store = none\n"));
	assert_null(store_of(""));
}

static void settings_are_checked_by_name(void **state)
{
	static const struct {
		const char *lines, *field;
	} bad[] = {
		{"store = local\nsecret_key = 0123456789abcdef\n", "url"},
		{"store = local\nurl = https://files.example.test/x\nsecret_key = 0123456789abcdef\n", "url"},
		{"store = local\nurl = http://files.example.test\nsecret_key = 0123456789abcdef\n", "url"},
		{"store = local\nurl = files.example.test\nsecret_key = 0123456789abcdef\n", "url"},
		{"store = local\nurl = https://files.example.test\n", "secret_key"},
		{"store = local\nurl = https://files.example.test\nsecret_key = short\n", "secret_key"},
		{LOCAL "bucket = a\n", "bucket"},
		{LOCAL "bucket = A_B_C\n", "bucket"},
		{LOCAL "prefix = /files\n", "prefix"},
		{LOCAL "prefix = files/\n", "prefix"},
		{LOCAL "prefix = a//b\n", "prefix"},
		{LOCAL "prefix = Files\n", "prefix"},
		{LOCAL "prefix = ../x\n", "prefix"},
		{LOCAL "region = eu central\n", "region"},
		{"store = s3\naccess_key = AK\nsecret_key = sk\n", "endpoint"},
		{S3 "path_style = maybe\n", "path_style"},
		{"store = s3\nendpoint = ftp://x\naccess_key = AK\nsecret_key = sk\n", "endpoint"},
		{"store = s3\nendpoint = http://s3.example.test\naccess_key = AK\nsecret_key = sk\n", "endpoint"},
		{"store = s3\nendpoint = https://s3.example.test?a=b\naccess_key = AK\nsecret_key = sk\n", "endpoint"},
		{"store = s3\nendpoint = https://10.0.0.1\naccess_key = AK\nsecret_key = sk\npath_style = no\n",
		 "path_style"},
		{S3 "bucket = a.b.c\npath_style = no\n", "path_style"},
		{"store = s3\nendpoint = https://s3.example.test\nsecret_key = sk\n", "access_key"},
		{"store = s3\nendpoint = https://s3.example.test\naccess_key = AK\n", "secret_key"},
		{S3 "cloudfront_url = https://d1.cloudfront.net\n", "cloudfront_key_id"},
		{S3 "cloudfront_key_id = K1\n", "cloudfront_url"},
		{S3 "cloudfront_url = https://d1.cloudfront.net\ncloudfront_key_id = K1\n", "cloudfront_key_file"},
		{S3 "cloudfront_url = https://d1.cloudfront.net\ncloudfront_key_id = K1\ncloudfront_key_file = "
		    "/nowhere/x\n",
		 "cloudfront_key_file"},
		{S3 "cloudfront_url = https://d1.cloudfront.net\ncloudfront_key_id = K1\ncloudfront_key_file = "
		    "/etc/passwd\n",
		 "cloudfront_key_file"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct store *s = NULL;
		struct err e = {0};

		if (open_store(bad[i].lines, &s, &e) == 0)
			fail_msg("taken: %s", bad[i].lines);
		assert_null(s);
		assert_int_equal(e.code, ERR_BAD_FIELD);
		assert_string_equal(e.field, bad[i].field);
		assert_non_null(strstr(e.detail, "[files]"));
	}
}

static void origins(void **state)
{
	static const struct {
		const char *lines, *upload;
		bool verifies;
	} good[] = {
		{LOCAL, "https://files.example.test", true},
		{"store = local\nurl = http://127.0.0.1:8081\nsecret_key = 0123456789abcdef\n", "http://127.0.0.1:8081",
		 true},
		{S3, "https://s3.eu-central-1.amazonaws.com", false},
		{S3 "verifies = yes\npath_style = no\n", "https://pulsechat.s3.eu-central-1.amazonaws.com", true},
		{"store = s3\nendpoint = https://s3.example.test:443/base/\naccess_key = AK\nsecret_key = sk\n",
		 "https://s3.example.test", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct store *s = store_of(good[i].lines);

		assert_string_equal(store_upload_origin(s), good[i].upload);
		assert_string_equal(store_download_origin(s), good[i].upload);
		assert_int_equal(store_verifies(s), good[i].verifies);
		store_free(&s);
	}
}

static void keys_are_random_names(void **state)
{
	struct store *s = store_of(LOCAL "prefix = prod/files\n"), *bare = store_of(LOCAL "prefix =\n");
	char a[STORE_KEY_SIZE], b[STORE_KEY_SIZE];
	bool seen[128] = {0};
	int distinct = 0;

	(void)state;
	store_key(bare, a);
	assert_int_equal(strlen(a), 29);
	for (int i = 0; i < 200; i++) {
		store_key(s, a);
		store_key(s, b);
		assert_string_not_equal(a, b);
		assert_int_equal(strlen(a), strlen("prod/files/") + 29);
		assert_true(!strncmp(a, "prod/files/", 11) && a[13] == '/' && !strncmp(a + 11, a + 14, 2));
		assert_int_equal(strspn(a + 14, "abcdefghijklmnopqrstuvwxyz234567"), 26);
		for (const char *p = a + 14; *p; p++) {
			distinct += !seen[(int)*p];
			seen[(int)*p] = true;
		}
	}
	assert_int_equal(distinct, 32);
	store_free(&s);
	store_free(&bare);
}

struct sent {
	json_t *headers;
	const char *length;
};

static const char *header(void *arg, const char *name)
{
	struct sent *s = arg;

	return !strcmp(name, "content-length") ? s->length : json_string_value(json_object_get(s->headers, name));
}

/* The put as JSON; its address holds for its headers and that length. */
static json_t *rendered(struct store *s, struct store_put *p, const char *length, enum sigv4_verdict verdict)
{
	const struct sigv4_credentials keys = {"local", "0123456789abcdef", "", "us-east-1"};
	AUTO_STRBUF b = {0}, names = {0};
	struct err e = {0};
	json_t *put;
	struct sent sent = {.length = length};
	struct sigv4_arrived in = {
		.method = "PUT", .host = "files.example.test", .header = header, .arg = &sent, .now = NOW + 10};

	assert_int_equal(store_put_render(s, p, &b, &e), 0);
	put = json_loads(strbuf_cstr(&b), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(put);
	sent.headers = json_object_get(put, "headers");
	in.uri = strchr(json_string_value(json_object_get(put, "url")) + 8, '/');
	assert_int_equal(sigv4_verify(&in, &keys, &names), verdict);
	if (verdict == SIGV4_OK)
		assert_string_equal(strbuf_cstr(&names),
				    p->number ? "content-length;host;x-amz-checksum-sha256"
					      : "content-length;content-type;host;if-none-match;x-amz-checksum-sha256");
	return put;
}

static void a_put_is_rendered(void **state)
{
	struct store *s = store_of(LOCAL "upload_expires = 10m\n");
	uint8_t sum[32];
	struct store_put p = {.key = "files/ab/abcd", .type = "image/png", .size = 4, .sha256 = sum};
	struct err e = {0};
	AUTO_STRBUF b = {0};
	json_t *put, *h;

	(void)state;
	sha256("test", 4, sum);
	clock_set_for_test(NOW * 1000000);
	put = rendered(s, &p, "4", SIGV4_OK);
	h = json_object_get(put, "headers");
	assert_int_equal(json_object_size(put), 4);
	assert_int_equal(json_object_size(h), 3);
	assert_string_equal(json_string_value(json_object_get(put, "method")), "PUT");
	assert_string_equal(json_string_value(json_object_get(put, "expires_at")), "2027-01-15T08:12:03.000Z");
	assert_int_equal(p.expires_at, NOW + 600);
	assert_string_equal(json_string_value(json_object_get(h, "content-type")), "image/png");
	assert_string_equal(json_string_value(json_object_get(h, "if-none-match")), "*");
	assert_string_equal(json_string_value(json_object_get(h, "x-amz-checksum-sha256")),
			    "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=");
	assert_non_null(strstr(json_string_value(json_object_get(put, "url")),
			       "https://files.example.test/s3/pulsechat/files/ab/abcd?"));
	json_decref(put);
	json_decref(rendered(s, &p, "5", SIGV4_DIFFERS));
	p.number = 3;
	p.upload_id = "an/id +";
	put = rendered(s, &p, "4", SIGV4_OK);
	assert_int_equal(json_object_size(json_object_get(put, "headers")), 1);
	assert_non_null(
		strstr(json_string_value(json_object_get(put, "url")), "&partNumber=3&uploadId=an%2Fid%20%2B&"));
	json_decref(put);
	p.number = STORE_PARTS_MAX + 1;
	assert_int_equal(store_put_render(s, &p, &b, &e), -1);
	assert_string_equal(e.field, "number");
	p.number = 0;
	p.type = "image/png\r\nx: y";
	assert_int_equal(store_put_render(s, &p, &b, &e), -1);
	assert_string_equal(e.field, "type");
	assert_int_equal(b.n, 0);
	clock_set_for_test(0);
	store_free(&s);
}

static void a_download_goes_by_its_name(void **state)
{
	struct store *s = store_of(S3 "download_expires = 90s\n");
	struct store_get g = {.key = "files/ab/abcd",
			      .name = "../\xe2\x80\xae"
				      "a b.html",
			      .type = "text/\r\nhtml"};
	AUTO_STRBUF b = {0};
	struct err e = {0};
	int64_t lasts = 0;

	(void)state;
	clock_set_for_test(NOW * 1000000);
	assert_int_equal(store_get_url(s, &g, &b, &lasts, &e), 0);
	assert_int_equal(lasts, 90);
	assert_non_null(
		strstr(strbuf_cstr(&b), "response-content-disposition=attachment%3B%20filename%3D%22a%20b.html%22&"));
	assert_non_null(strstr(strbuf_cstr(&b), "response-content-type=application%2Foctet-stream"));
	assert_non_null(strstr(strbuf_cstr(&b), "&X-Amz-Expires=90&"));
	clock_set_for_test(0);
	store_free(&s);
}

/* One address from a UTC midnight to the next, good for a day more. */
static void what_everybody_sees_has_a_steady_address(void **state)
{
	static const char front[] =
		"cloudfront_url = https://d1.cloudfront.net/\ncloudfront_key_id = K1\ncloudfront_key_file = ";
	const int64_t midnight = INT64_C(1800000000) / 86400 * 86400;
	struct store_get g = {
		.key = "files/ab/abcd", .name = "a.png", .type = "image/png", .show = true, .steady = true};

	(void)state;
	for (int cloudfront = 0; cloudfront < 2; cloudfront++) {
		AUTO_STRBUF first = {0}, again = {0}, lines = {0};
		struct store *s;
		struct err e = {0};
		int64_t lasts = 0;

		strbuf_adds(&lines, S3);
		if (cloudfront)
			strbuf_addf(&lines, "%s%s\n", front, key_file);
		s = store_of(strbuf_cstr(&lines));
		clock_set_for_test((midnight + 1) * 1000000);
		assert_int_equal(store_get_url(s, &g, &first, &lasts, &e), 0);
		assert_int_equal(lasts, 2 * 86400 - 1);
		assert_int_equal(strstr(strbuf_cstr(&first), "&response-cache-control=private%2C%20max-age%3D86400") !=
					 NULL,
				 !cloudfront);
		clock_set_for_test((midnight + 86399) * 1000000);
		assert_int_equal(store_get_url(s, &g, &again, &lasts, &e), 0);
		assert_int_equal(lasts, 86401);
		assert_string_equal(strbuf_cstr(&again), strbuf_cstr(&first));
		clock_set_for_test((midnight + 86400) * 1000000);
		strbuf_reset(&again);
		assert_int_equal(store_get_url(s, &g, &again, &lasts, &e), 0);
		assert_string_not_equal(strbuf_cstr(&again), strbuf_cstr(&first));
		clock_set_for_test(0);
		store_free(&s);
	}
}

static void cloudfront_addresses_stand_on_a_grid(void **state)
{
	char lines[512];
	struct store *s;
	struct store_get g = {.key = "files/ab/abcd", .name = "a.png", .type = "image/png", .show = true};
	AUTO_STRBUF first = {0}, again = {0};
	struct err e = {0};
	int64_t lasts = 0;

	(void)state;
	snprintf(lines, sizeof(lines),
		 S3 "cloudfront_url = https://d1.cloudfront.net/\ncloudfront_key_id = K1\ncloudfront_key_file = %s\n",
		 key_file);
	s = store_of(lines);
	assert_string_equal(store_upload_origin(s), "https://s3.eu-central-1.amazonaws.com");
	assert_string_equal(store_download_origin(s), "https://d1.cloudfront.net");
	/* 1800000000 is a multiple of 300; 300 s more than now, rounded up */
	clock_set_for_test(INT64_C(1800000001) * 1000000);
	assert_int_equal(store_get_url(s, &g, &first, &lasts, &e), 0);
	assert_int_equal(lasts, 599);
	assert_non_null(
		strstr(strbuf_cstr(&first),
		       "https://d1.cloudfront.net/files/ab/abcd?response-content-disposition=inline%3B%20filename%3D%22"
		       "a.png%22&response-content-type=image%2Fpng&Expires=1800000600&Signature="));
	assert_non_null(strstr(strbuf_cstr(&first), "&Key-Pair-Id=K1"));
	clock_set_for_test(INT64_C(1800000300) * 1000000);
	assert_int_equal(store_get_url(s, &g, &again, &lasts, &e), 0);
	assert_int_equal(lasts, 300);
	assert_string_equal(strbuf_cstr(&again), strbuf_cstr(&first));
	clock_set_for_test(INT64_C(1800000301) * 1000000);
	strbuf_reset(&again);
	assert_int_equal(store_get_url(s, &g, &again, &lasts, &e), 0);
	assert_int_equal(lasts, 599);
	assert_string_not_equal(strbuf_cstr(&again), strbuf_cstr(&first));
	clock_set_for_test(0);
	store_free(&s);
}

/* "parent>name=text;" of each element */
static void collect(void *arg, const char *parent, const char *name, const char *text)
{
	strbuf_addf(arg, "%s>%s=%s;", parent, name, text);
}

static bool xml(const char *s, struct strbuf *out)
{
	strbuf_reset(out);
	return store_xml(s, strlen(s), collect, out);
}

static void xml_is_read(void **state)
{
	AUTO_STRBUF b = {0}, deep = {0}, large = {0};

	(void)state;
	assert_true(
		xml("<?xml version=\"1.0\"?>\n <E xmlns=\"urn:x\"><C a=\"b\">A &amp; &quot;B&quot;</C><D/></E> ", &b));
	assert_string_equal(strbuf_cstr(&b), "E>C=A & \"B\";E>D=;>E=;");
	for (size_t i = 0; i < 3; i++) {
		static const char *const bad[] = {"", "<E>", "text"};

		assert_false(xml(bad[i], &b));
	}
	assert_false(xml("<!DOCTYPE E [<!ENTITY a \"b\">]><E>&a;</E>", &b));
	assert_int_equal(b.n, 0);
	assert_false(xml("<E>&unknown;</E>", &b));
	for (int i = 0; i < 9; i++)
		strbuf_adds(&deep, "<a>");
	for (int i = 0; i < 9; i++)
		strbuf_adds(&deep, "</a>");
	assert_false(xml(strbuf_cstr(&deep), &b));
	/* a name too long, of an element without content: its end is told of all the same */
	assert_false(xml("<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/>", &b));
	assert_int_equal(b.n, 0);
	/* a text too long to be anything is left out, the rest is told */
	strbuf_adds(&large, "<E><A>");
	for (int i = 0; i < 5000; i++)
		strbuf_addc(&large, 'x');
	strbuf_adds(&large, "</A><B>b</B></E>");
	assert_true(xml(strbuf_cstr(&large), &b));
	assert_string_equal(strbuf_cstr(&b), "E>B=b;>E=;");
}

static int make_key_file(void **state)
{
	json_t *doc = json_load_file("tests/vectors/cloudfront.json", 0, NULL);
	int fd;

	(void)state;
	snprintf(key_file, sizeof(key_file), "/tmp/pulsechat-test-key-XXXXXX");
	fd = mkstemp(key_file);
	if (!doc || fd < 0)
		return -1;
	dprintf(fd, "%s", json_string_value(json_object_get(doc, "test_private_key_pem")));
	close(fd);
	json_decref(doc);
	return 0;
}

static int remove_key_file(void **state)
{
	(void)state;
	return unlink(key_file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_is_no_store),
		cmocka_unit_test(settings_are_checked_by_name),
		cmocka_unit_test(origins),
		cmocka_unit_test(keys_are_random_names),
		cmocka_unit_test(a_put_is_rendered),
		cmocka_unit_test(a_download_goes_by_its_name),
		cmocka_unit_test(what_everybody_sees_has_a_steady_address),
		cmocka_unit_test(cloudfront_addresses_stand_on_a_grid),
		cmocka_unit_test(xml_is_read),
	};

	return cmocka_run_group_tests_name("store", tests, make_key_file, remove_key_file);
}
