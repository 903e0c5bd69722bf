/* cloudfront: every case of tests/vectors/cloudfront.json (another file of that schema: CLOUDFRONT_VECTORS), and what
 * is refused. TAP: one line a case. */
#include "lib/store/cloudfront.h"
#include "lib/http/uri.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tests, wrong;

static void result(bool ok, const char *what, const char *name)
{
	printf("%sok %d - cloudfront %s%s\n", ok ? "" : "not ", ++tests, what, name);
	wrong += !ok;
}

/* The URL as it is requested: key and query encoded. */
static void url_of(json_t *one, struct strbuf *b)
{
	const char *key = json_string_value(json_object_get(one, "key")), *name;
	json_t *value;
	char mark = '?';

	strbuf_addf(b, "https://%s/", json_string_value(json_object_get(one, "domain")));
	for (const char *p = key; *p;) {
		size_t n = strcspn(p, "/");

		uri_encode(b, p, n);
		p += n;
		if (*p)
			strbuf_addc(b, *p++);
	}
	json_object_foreach(json_object_get(one, "query"), name, value)
	{
		strbuf_addc(b, mark);
		uri_encode(b, name, strlen(name));
		strbuf_addc(b, '=');
		uri_encode(b, json_string_value(value), json_string_length(value));
		mark = '&';
	}
}

static void check_vector(json_t *one, const char *pem)
{
	const char *name = json_string_value(json_object_get(one, "name"));
	const char *want = json_string_value(json_object_get(json_object_get(one, "expect"), "url"));
	AUTO_STRBUF plain = {0}, url = {0};
	struct cloudfront_key *k = NULL;
	struct cloudfront_policy p = {.expires = json_integer_value(json_object_get(one, "expires")),
				      .not_before = json_integer_value(json_object_get(one, "not_before")),
				      .ip = json_string_value(json_object_get(one, "ip")),
				      .resource = json_string_value(json_object_get(one, "resource_override"))};
	struct err e = {0};
	bool ok;

	url_of(one, &plain);
	p.url = strbuf_cstr(&plain);
	ok = cloudfront_key_new(json_string_value(json_object_get(one, "key_pair_id")), pem, strlen(pem), &k, &e) ==
		     0 &&
	     cloudfront_sign(k, &p, &url, &e) == 0 && want && !strcmp(strbuf_cstr(&url), want);
	if (!ok)
		printf("# expected %s\n# got      %s %s\n", want, strbuf_cstr(&url), e.detail);
	result(ok, "", name ? name : "?");
	cloudfront_key_free(&k);
}

static void key_refused(const char *id, const char *pem, const char *field, const char *name)
{
	struct cloudfront_key *k = NULL;
	struct err e = {0};

	result(cloudfront_key_new(id, pem, strlen(pem), &k, &e) < 0 && !k && !strcmp(e.field, field), "refuses ", name);
}

static void refused(const struct cloudfront_key *k, struct cloudfront_policy p, const char *field, const char *name)
{
	AUTO_STRBUF url = {0};
	struct err e = {0};

	result(cloudfront_sign(k, &p, &url, &e) < 0 && !url.n && !strcmp(e.field, field), "refuses ", name);
}

static const char ec_key[] = "-----BEGIN PRIVATE KEY-----\n"
			     "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
			     "-----END PRIVATE KEY-----\n";

static void check_refusals(const char *pem, const char *public_pem)
{
	struct cloudfront_key *k = NULL;
	struct err e = {0};
	struct cloudfront_policy good = {.url = "https://d.test/a", .expires = 1800000000}, p;

	key_refused("", pem, "cloudfront_key_id", "no key id");
	key_refused("K&a=b", pem, "cloudfront_key_id", "a key id that would be another parameter");
	key_refused("K1", "", "cloudfront_key_file", "no key");
	key_refused("K1", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cloudfront_key_file",
		    "a broken key");
	key_refused("K1", public_pem, "cloudfront_key_file", "a public key");
	key_refused("K1", ec_key, "cloudfront_key_file", "an Ed25519 key");
	if (cloudfront_key_new("K1", pem, strlen(pem), &k, &e) < 0)
		abort();
	p = good;
	p.url = "ftp://d.test/a";
	refused(k, p, "url", "another scheme");
	p.url = "https://d.test/a\"b";
	refused(k, p, "url", "a quote in the URL");
	p.url = "https://d.test/a b";
	refused(k, p, "url", "a blank in the URL");
	p = good;
	p.resource = "https://d.test/\"},*";
	refused(k, p, "resource", "a quote in the resource");
	p = good;
	p.ip = "10.0.0.1\",";
	refused(k, p, "ip", "a quote in the address");
	p = good;
	p.expires = 0;
	refused(k, p, "expires", "no expiry");
	cloudfront_key_free(&k);
}

int main(void)
{
	const char *path =
		getenv("CLOUDFRONT_VECTORS") ? getenv("CLOUDFRONT_VECTORS") : "tests/vectors/cloudfront.json";
	json_error_t error;
	json_t *doc = json_load_file(path, 0, &error), *one;
	const char *pem = json_string_value(json_object_get(doc, "test_private_key_pem"));
	const char *public_pem = json_string_value(json_object_get(doc, "test_public_key_pem"));
	size_t i, cases = json_array_size(json_object_get(doc, "cases"));

	if (!doc || !cases || !pem) {
		printf("%s: %s\n", path, doc ? "no cases, or no key" : error.text);
		json_decref(doc);
		return 2;
	}
	json_array_foreach(json_object_get(doc, "cases"), i, one) check_vector(one, pem);
	check_refusals(pem, public_pem ? public_pem : "");
	json_decref(doc);
	printf("1..%d\n", tests);
	return wrong > 0;
}
