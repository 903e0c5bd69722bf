/* The provider's side: PKCE, key sets, discovery, shared documents, buttons, URLs. */
#include "lib/auth/buttons.h"
#include "lib/auth/discovery.h"
#include "lib/auth/jwks.h"
#include "lib/auth/pkce.h"
#include "lib/http/client.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void pkce_is_that_of_the_rfc(void **state)
{
	char challenge[PKCE_CHALLENGE_MAX];

	(void)state; /* RFC 7636, appendix B */
	pkce_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", challenge);
	assert_string_equal(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#define EC_X "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\""
#define EC_Y "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\""
#define EC(more) "{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X "," EC_Y more "}"
#define ED(more) "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"" more "}"

static struct jwks *set_of(const char *keys)
{
	struct err e = {0};
	char text[8192];
	struct jwks *s;

	snprintf(text, sizeof(text), "{\"keys\":[%s]}", keys);
	s = jwks_parse(text, strlen(text), &e);
	assert_non_null(s);
	return s;
}

static enum jwks_pick pick(const char *keys, const char *kid, enum jose_alg alg)
{
	struct jwks *s = set_of(keys);
	EVP_PKEY *key;
	enum jwks_pick p = jwks_pick(s, kid, alg, &key);

	assert_int_equal(p == JWKS_FOUND, key != NULL);
	jwks_unref(&s);
	return p;
}

static void a_key_is_chosen_beyond_doubt(void **state)
{
	(void)state;
	assert_int_equal(pick(EC(",\"kid\":\"a\""), "a", JOSE_ES256), JWKS_FOUND);
	assert_int_equal(
		pick(EC(",\"kid\":\"a\",\"alg\":\"ES256\",\"use\":\"sig\",\"key_ops\":[\"verify\"]"), "a", JOSE_ES256),
		JWKS_FOUND);
	assert_int_equal(pick(EC(",\"kid\":\"a\""), "b", JOSE_ES256), JWKS_UNKNOWN_KID);
	assert_int_equal(pick("", "b", JOSE_ES256), JWKS_UNKNOWN_KID);
	assert_int_equal(pick(EC(",\"kid\":\"a\""), "a", JOSE_RS256), JWKS_MISMATCH);
	assert_int_equal(pick(EC(",\"kid\":\"a\""), "a", JOSE_NONE), JWKS_MISMATCH);
	assert_int_equal(pick(EC(",\"kid\":\"a\",\"alg\":\"ES384\""), "a", JOSE_ES256), JWKS_MISMATCH);
	assert_int_equal(pick(EC(",\"kid\":\"a\",\"alg\":1"), "a", JOSE_ES256), JWKS_MISMATCH);
	assert_int_equal(pick(EC(",\"kid\":\"a\",\"use\":\"enc\""), "a", JOSE_ES256), JWKS_MISMATCH);
	assert_int_equal(pick(EC(",\"kid\":\"a\",\"key_ops\":[\"sign\"]"), "a", JOSE_ES256), JWKS_MISMATCH);
	assert_int_equal(pick(EC(",\"kid\":\"a\",\"key_ops\":\"verify\""), "a", JOSE_ES256), JWKS_MISMATCH);
	/* one kid for two kinds is allowed, two keys that fit are not tried */
	assert_int_equal(pick(EC(",\"kid\":\"a\"") "," ED(",\"kid\":\"a\""), "a", JOSE_EDDSA), JWKS_FOUND);
	assert_int_equal(pick(EC(",\"kid\":\"a\"") "," EC(",\"kid\":\"a\""), "a", JOSE_ES256), JWKS_MISMATCH);
	/* no kid */
	assert_int_equal(pick(EC(""), NULL, JOSE_ES256), JWKS_FOUND);
	assert_int_equal(pick(EC("") "," EC(",\"use\":\"enc\""), NULL, JOSE_ES256), JWKS_FOUND);
	assert_int_equal(pick(EC("") "," ED(""), NULL, JOSE_ES256), JWKS_NO_KID);
}

static void broken_keys_are_left_out(void **state)
{
	static const char *const broken[] = {
		"1",
		"null",
		"[]",
		"{}",
		"{\"kty\":\"EC\"}",
		"{\"kty\":1}",
		"{\"kty\":\"oct\",\"k\":\"AAAA\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-384\"," EC_X "," EC_Y "}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X ","
		"\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyA\"}", /* not on the curve */
		"{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X ","
		"\"y\":\"AAAA\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
		"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
		"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
		"{\"kty\":\"RSA\",\"n\":null,\"e\":\"AQAB\"}",
		EC(",\"kid\":7"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		struct jwks *s = set_of(broken[i]);

		if (jwks_usable(s) != 0)
			fail_msg("%s", broken[i]);
		jwks_unref(&s);
	}
}

static void no_set_is_an_error_and_a_large_one_is_cut(void **state)
{
	static const char *const bad[] = {
		"", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[]", "{\"keys\":[],\"keys\":[]}", "{\"keys\":[]}x"};
	struct strbuf many = {0};
	struct err e = {0};
	struct jwks *s;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_null(jwks_parse(bad[i], strlen(bad[i]), &e));
		assert_int_equal(e.code, ERR_UNAVAILABLE);
	}
	strbuf_adds(&many, "{\"keys\":[");
	for (int i = 0; i < JWKS_KEYS_MAX + 1; i++)
		strbuf_adds(&many, i ? "," ED("") : ED(""));
	strbuf_adds(&many, "]}");
	s = jwks_parse(many.p, many.n, &e);
	assert_int_equal(jwks_usable(s), JWKS_KEYS_MAX);
	jwks_unref(&s);
	strbuf_release(&many);
}

#define ENDPOINTS                                                                                  \
	"\"authorization_endpoint\":\"https://a.test/x?y=1\",\"token_endpoint\":\"https://a.test/" \
	"t\",\"jwks_uri\":\"https:\\/\\/a.test/j\""

static bool discovered(const char *text)
{
	struct err e = {0};
	struct discovery *d = discovery_parse("https://a.test/t", text, strlen(text), &e);

	if (d)
		shared_unref(&d->shared);
	else
		assert_int_equal(e.code, ERR_UNAVAILABLE);
	return d != NULL;
}

static void discovery_must_name_our_issuer(void **state)
{
	struct err e = {0};
	static const char full[] =
		"{\"issuer\":\"https://a.test/t\"," ENDPOINTS ",\"end_session_endpoint\":\"https://a.test/out\","
		"\"authorization_response_iss_parameter_supported\":true,"
		"\"code_challenge_methods_supported\":[\"plain\"],"
		"\"id_token_signing_alg_values_supported\":[\"RS384\",\"ES256\"]}";
	struct discovery *d;

	(void)state;
	assert_true(discovered("{\"issuer\":\"https://a.test/t\"," ENDPOINTS "}"));
	assert_false(discovered("{\"issuer\":\"https://a.test/t/\"," ENDPOINTS "}"));
	assert_false(discovered("{\"issuer\":\"https://a.test\"," ENDPOINTS "}"));
	assert_false(discovered("{\"issuer\":\"HTTPS://a.test/t\"," ENDPOINTS "}"));
	assert_false(discovered("{" ENDPOINTS "}"));
	assert_false(discovered("{\"issuer\":\"https://a.test/t\"}"));
	assert_false(discovered("{\"issuer\":\"https://a.test/t\",\"authorization_endpoint\":\"http://a.test/x\","
				"\"token_endpoint\":\"https://a.test/t\",\"jwks_uri\":\"https://a.test/j\"}"));
	assert_false(discovered("[]"));
	assert_false(discovered("{\"issuer\":\"https://a.test/t\",\"issuer\":\"https://a.test/t\"," ENDPOINTS "}"));
	d = discovery_parse("https://a.test/t", full, strlen(full), &e);
	assert_non_null(d);
	assert_string_equal(d->jwks, "https://a.test/j");
	assert_string_equal(d->end_session, "https://a.test/out");
	assert_true(d->iss_on_callback);
	assert_false(d->has_s256);
	assert_true(d->has_known_alg);
	assert_true(d->has_basic);
	shared_unref(&d->shared);
}

/* --- shared documents */

struct source {
	atomic_int fetches, newer;
	atomic_bool broken;
	atomic_int alive;
};
struct doc {
	struct shared shared;
	struct source *from;
};

static void doc_free(struct shared *s)
{
	((struct doc *)s)->from->alive--;
	free(s);
}

static struct shared *doc_fetch(void *arg, bool newer, int64_t *age, struct err *e)
{
	struct source *s = arg;
	struct doc *d;

	(void)age;
	s->fetches++;
	s->newer += newer;
	if (s->broken) {
		err_set(e, ERR_UNAVAILABLE, NULL, "broken");
		return NULL;
	}
	d = xcalloc(1, sizeof(*d));
	d->shared.refs = 1;
	d->shared.destroy = doc_free;
	d->from = s;
	s->alive++;
	return &d->shared;
}

static void a_document_is_fetched_once_and_anew_once_a_minute(void **state)
{
	struct source s = {0};
	struct refreshed *r = refreshed_new("test", doc_fetch, &s);
	struct err e = {0};
	struct shared *a, *b, *c;

	(void)state;
	s.broken = true;
	assert_null(refreshed_get(r, &e));
	assert_int_equal(e.code, ERR_UNAVAILABLE);
	s.broken = false;
	a = refreshed_get(r, &e);
	b = refreshed_get(r, &e);
	assert_ptr_equal(a, b);
	assert_int_equal(s.fetches, 2);
	/* a key change just after the first fetch is seen at once; what is unknown after that waits */
	c = refreshed_newer(r, a);
	assert_non_null(c);
	assert_ptr_not_equal(a, c);
	assert_int_equal(s.fetches, 3);
	for (int i = 0; i < 1000; i++)
		assert_null(refreshed_newer(r, c));
	assert_int_equal(s.fetches, 3);
	/* who has the older one gets the newer one without a fetch */
	shared_unref(c);
	c = refreshed_newer(r, a);
	assert_non_null(c);
	assert_int_equal(s.fetches, 3);
	shared_unref(a);
	shared_unref(b);
	shared_unref(c);
	refreshed_free(&r);
	assert_int_equal(s.alive, 0);
}

static void *reader(void *arg)
{
	struct refreshed *r = arg;
	struct err e = {0};

	for (int i = 0; i < 200; i++) {
		struct shared *a = refreshed_get(r, &e), *b = a ? refreshed_newer(r, a) : NULL;

		shared_unref(b);
		shared_unref(a);
	}
	return NULL;
}

static void threads_share_a_document(void **state)
{
	struct source s = {0};
	struct refreshed *r = refreshed_new("test", doc_fetch, &s);
	pthread_t t[8];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, reader, r), 0);
	for (size_t i = 0; i < COUNT_OF(t); i++)
		pthread_join(t[i], NULL);
	assert_int_equal(s.fetches, 2);
	assert_int_equal(s.newer, 1);
	refreshed_free(&r);
	assert_int_equal(s.alive, 0);
}

/* --- settings and URLs */

static void buttons_are_a_list_of_id_label_and_connection(void **state)
{
	static const char *const bad[] = {
		"google", ",",    "google:Google:Google,", "Google:Google:Google",
		":a:b",   "a::b", "a:b:c,a:d:e",           "a:123456789012345678901234567890123456789012:c"};
	struct buttons b;
	struct err e = {0};
	struct strbuf many = {0};

	(void)state;
	assert_int_equal(buttons_parse("", &b, &e), 0);
	assert_int_equal(b.n, 0);
	assert_int_equal(buttons_parse("google:Google:Google, github : Git Hub:urn:x, own:Own", &b, &e), 0);
	assert_int_equal(b.n, 3);
	assert_string_equal(buttons_find(&b, "github")->label, "Git Hub");
	assert_string_equal(buttons_find(&b, "github")->fidp, "urn:x");
	assert_string_equal(buttons_find(&b, "own")->fidp, "");
	assert_null(buttons_find(&b, "Google"));
	assert_null(buttons_find(&b, NULL));
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (buttons_parse(bad[i], &b, &e) == 0)
			fail_msg("%s", bad[i]);
		assert_string_equal(e.field, "buttons");
	}
	for (int i = 0; i < BUTTONS_MAX; i++)
		strbuf_addf(&many, "%sb%d:B:b", i ? "," : "", i);
	assert_int_equal(buttons_parse(strbuf_cstr(&many), &b, &e), 0);
	strbuf_adds(&many, ",x:y:z");
	assert_int_equal(buttons_parse(strbuf_cstr(&many), &b, &e), -1);
	strbuf_release(&many);
}

static void only_https_and_loopback_are_asked(void **state)
{
	static const char *const good[] = {"https://a.test/t",         "https://a.test",  "http://127.0.0.1:80/t",
					   "http://localhost/",        "http://[::1]:1/", "https://[2001:db8::1]/",
					   "https://a.test:8443/x?y=z"};
	static const char *const bad[] = {"http://a.test/t",
					  "ftp://a.test",
					  "https://",
					  "https:///a",
					  "https://a@b.test/",
					  "https://a.test/#x",
					  "https://a.test/ x",
					  "http://127.0.0.1.evil.test/",
					  "http://localhost.evil.test/",
					  "http://[::2]/",
					  "https://a.test\\@b/",
					  "",
					  "file:///etc/passwd",
					  "http://127.evil.test/"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		if (!http_url_allowed(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (http_url_allowed(bad[i]))
			fail_msg("%s", bad[i]);
}

static void forms_are_encoded(void **state)
{
	AUTO_STRBUF b = {0};

	(void)state;
	strbuf_adds(&b, "https://a.test/?");
	http_form_add(&b, "a", "x y&z=\xc3\xbc/+:%*-._~");
	http_form_add(&b, "b", "");
	assert_string_equal(strbuf_cstr(&b), "https://a.test/?a=x+y%26z%3D%C3%BC%2F%2B%3A%25*-._%7E&b=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pkce_is_that_of_the_rfc),
		cmocka_unit_test(a_key_is_chosen_beyond_doubt),
		cmocka_unit_test(broken_keys_are_left_out),
		cmocka_unit_test(no_set_is_an_error_and_a_large_one_is_cut),
		cmocka_unit_test(discovery_must_name_our_issuer),
		cmocka_unit_test(a_document_is_fetched_once_and_anew_once_a_minute),
		cmocka_unit_test(threads_share_a_document),
		cmocka_unit_test(buttons_are_a_list_of_id_label_and_connection),
		cmocka_unit_test(only_https_and_loopback_are_asked),
		cmocka_unit_test(forms_are_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
