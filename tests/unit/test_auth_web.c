/* What a browser's request brings and may do: cookies, credentials, the rules of origin, return_to (AU-2, TR-5). */
#include "lib/auth/access_token.h"
#include "lib/auth/jwt.h"
#include "lib/auth/cookie.h"
#include "lib/auth/device.h"
#include "lib/auth/credential.h"
#include "lib/auth/origin.h"
#include "lib/auth/return_to.h"
#include "lib/base/config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define S43 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define T43 "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static char https_url[] = "https://chat.example.org", odd_url[] = "https://Chat.Example.org:443",
	    http_url[] = "http://127.0.0.1:8080";
static char nobody[] = "", audience[] = "https://chat.example.test/api";
static const struct config secure = {.site.url = https_url, .oidc.access_audience = nobody},
			   provider = {.site.url = https_url, .oidc.access_audience = audience};
static const struct config odd = {.site.url = odd_url}, local = {.site.url = http_url};

static void a_cookie_is_found_among_others(void **state)
{
	static const struct {
		const char *header;
		bool found;
	} cases[] = {
		{"__Host-pulsechat=" S43, true},
		{"a=b; __Host-pulsechat=" S43 "; c=d", true},
		{"a=b;__Host-pulsechat=" S43 " ;c=d", true},
		{"__Host-pulsechat=" S43 "; __Host-pulsechat=" S43, true},
		{"__Host-pulsechat=" S43 "; __Host-pulsechat=" T43, false},
		{"__Host-pulsechat=" S43 "; __Host-pulsechat=x", false},
		{"__Host-pulsechat=\"" S43 "\"", false},
		{"__Host-pulsechat=" S43 "A", false},
		{"__Host-pulsechat=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh", false},
		{"__Host-pulsechat=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9", false}, /* unused bits */
		{"__Host-pulsechat=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd/h8", false},
		{"__host-pulsechat=" S43, false},
		{"x__Host-pulsechat=" S43, false},
		{"__Host-pulsechat =" S43, false},
		{"__Host-pulsechat_login=" S43, false},
		{"pulsechat_443=" S43, false},
		{"__Host-pulsechat=", false},
		{"__Host-pulsechat", false},
		{"", false},
		{";;; ;", false},
		{NULL, false},
	};
	char value[SESSION_SECRET_MAX], huge[COOKIE_HEADER_MAX + 100];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (cookie_find(&secure, COOKIE_SESSION, cases[i].header, value) != cases[i].found)
			fail_msg("%s", cases[i].header);
		assert_string_equal(value, cases[i].found ? S43 : "");
	}
	memset(huge, 'a', sizeof(huge));
	memcpy(huge, "__Host-pulsechat=" S43 "; a=", sizeof("__Host-pulsechat=" S43 "; a=") - 1);
	huge[COOKIE_HEADER_MAX] = 0;
	assert_true(cookie_find(&secure, COOKIE_SESSION, huge, value));
	huge[COOKIE_HEADER_MAX] = 'a';
	huge[COOKIE_HEADER_MAX + 1] = 0;
	assert_false(cookie_find(&secure, COOKIE_SESSION, huge, value));
}

static void cookies_have_the_attributes_of_their_site(void **state)
{
	AUTO_STRBUF b = {0};
	char value[SESSION_SECRET_MAX];

	(void)state;
	cookie_set(&b, &secure, COOKIE_SESSION, S43, 60);
	assert_string_equal(strbuf_cstr(&b),
			    "__Host-pulsechat=" S43 "; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
	strbuf_reset(&b);
	cookie_set(&b, &local, COOKIE_SESSION, S43, 60);
	assert_string_equal(strbuf_cstr(&b), "pulsechat_8080=" S43 "; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
	strbuf_reset(&b);
	cookie_set(&b, &local, COOKIE_LOGIN, "secret", 0);
	assert_string_equal(strbuf_cstr(&b), "pulsechat_8080_login=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
	assert_true(cookie_find(&local, COOKIE_LOGIN, "pulsechat_8080=" T43 "; pulsechat_8080_login=" S43, value));
	assert_string_equal(value, S43);
}

static void a_credential_is_a_cookie_or_a_bearer_token(void **state)
{
	static const char cookie[] = "__Host-pulsechat=" S43;
	struct credential cr;

	(void)state;
	assert_true(credential_find(&secure, NULL, cookie, &cr));
	assert_true(cr.by_cookie);
	assert_string_equal(cr.secret, S43);
	assert_true(credential_find(&secure, "bearer pct_" S43, cookie, &cr));
	assert_false(cr.by_cookie);
	assert_string_equal(cr.secret, "pct_" S43);
	assert_false(credential_find(&secure, NULL, NULL, &cr));
	assert_false(cr.malformed);
	{
		/* a session's secret is no bearer token, and a token no cookie */
		static const char *const bad[] = {"Bearer " S43,      "Basic cGN0Og==",      "Bearer",         "",
						  "Bearer  pct_" S43, "Bearer pct_" S43 " ", "Bearer PCT_" S43};

		for (size_t i = 0; i < COUNT_OF(bad); i++) {
			assert_false(credential_find(&secure, bad[i], cookie, &cr));
			assert_true(cr.malformed);
			assert_string_equal(cr.secret, "");
		}
	}
	assert_false(credential_find(&secure, NULL, "__Host-pulsechat=pct_" S43, &cr));
	/* a provider's token, where they are wanted */
	assert_false(credential_find(&secure, "Bearer aa.bb.c-_", cookie, &cr));
	assert_true(credential_find(&provider, "Bearer aa.bb.c-_", cookie, &cr));
	assert_string_equal(credential_text(&cr), "aa.bb.c-_");
	assert_false(cr.by_cookie);
	assert_true(credential_find(&provider, "Bearer pct_" S43, NULL, &cr));
	assert_null(cr.jwt);
	assert_string_equal(credential_text(&cr), "pct_" S43);
	{
		static const char *const bad[] = {"Bearer aa.bb", "Bearer aa.bb.cc.dd", "Bearer aa.b=.cc",
						  "Bearer aa.bb.cc "};
		char *longest = xmalloc(JWT_MAX + 10);

		for (size_t i = 0; i < COUNT_OF(bad); i++)
			assert_false(credential_find(&provider, bad[i], NULL, &cr));
		memset(longest, 'a', JWT_MAX + 9);
		memcpy(longest, "Bearer a.b.", 11);
		longest[JWT_MAX + 8] = 0;
		assert_false(credential_find(&provider, longest, NULL, &cr));
		longest[JWT_MAX + 7] = 0;
		assert_true(credential_find(&provider, longest, NULL, &cr));
		free(longest);
	}
	credential_wipe(&cr);
}

static void the_rules_of_origin(void **state)
{
	static const struct {
		enum origin_kind kind;
		const char *method;
		bool by_cookie;
		const char *origin, *sec_fetch_site, *client;
		bool allowed;
	} cases[] = {
		/* a token has no rules */
		{ORIGIN_API, "POST", false, "https://evil.test", "cross-site", NULL, true},
		{ORIGIN_SOCKET, "GET", false, NULL, NULL, NULL, true},
		/* what changes something */
		{ORIGIN_API, "POST", true, "https://chat.example.org", NULL, NULL, true},
		{ORIGIN_API, "POST", true, NULL, "same-origin", "web", false},
		{ORIGIN_API, "DELETE", true, "https://evil.test", NULL, NULL, false},
		{ORIGIN_API, "PUT", true, "null", NULL, NULL, false},
		{ORIGIN_API, "PATCH", true, "", NULL, NULL, false},
		{ORIGIN_API, "POST", true, "https://chat.example.org.evil.test", NULL, NULL, false},
		{ORIGIN_API, "POST", true, "https://chat.example.org:8443", NULL, NULL, false},
		{ORIGIN_API, "POST", true, "http://chat.example.org", NULL, NULL, false},
		{ORIGIN_API, "POST", true, "https://chat.example.org/", NULL, NULL, false},
		{ORIGIN_API, "POST", true, "https://chat.example.or", NULL, NULL, false},
		{ORIGIN_API, "OPTIONS", true, NULL, "same-origin", NULL, false},
		{ORIGIN_PAGE, "POST", true, "https://chat.example.org", NULL, NULL, true},
		{ORIGIN_PAGE, "POST", true, NULL, "same-origin", NULL, false},
		{ORIGIN_LOGIN, "POST", true, NULL, NULL, NULL, false},
		/* what reads */
		{ORIGIN_API, "GET", true, NULL, "same-origin", NULL, true},
		{ORIGIN_API, "HEAD", true, NULL, "same-origin", NULL, true},
		{ORIGIN_API, "GET", true, NULL, "same-site", NULL, false},
		{ORIGIN_API, "GET", true, NULL, "cross-site", NULL, false},
		{ORIGIN_API, "GET", true, NULL, "none", NULL, false},
		{ORIGIN_API, "GET", true, NULL, NULL, NULL, false},
		{ORIGIN_API, "GET", true, NULL, NULL, "web/1", true},
		{ORIGIN_API, "GET", true, NULL, NULL, "", false},
		{ORIGIN_API, "GET", true, "https://chat.example.org", NULL, NULL, true},
		{ORIGIN_API, "GET", true, "https://evil.test", "same-origin", "web/1", false},
		{ORIGIN_PAGE, "GET", true, NULL, "none", NULL, true},
		{ORIGIN_PAGE, "GET", true, NULL, "cross-site", NULL, false},
		{ORIGIN_LOGIN, "GET", true, NULL, "cross-site", NULL, true},
		/* a handshake */
		{ORIGIN_SOCKET, "GET", true, "https://chat.example.org", NULL, NULL, true},
		{ORIGIN_SOCKET, "GET", true, NULL, "same-origin", "web/1", false},
		{ORIGIN_SOCKET, "GET", true, "https://evil.test", NULL, NULL, false},
		{ORIGIN_SOCKET, "GET", true, "null", NULL, NULL, false},
	};
	const struct config *sites[] = {&secure, &odd};

	(void)state;
	for (size_t s = 0; s < COUNT_OF(sites); s++)
		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			struct origin_request r = {cases[i].kind,   cases[i].method,         cases[i].by_cookie,
						   cases[i].origin, cases[i].sec_fetch_site, cases[i].client};
			struct err e = {0};

			if ((origin_check(sites[s], &r, &e) == 0) != cases[i].allowed)
				fail_msg("case %zu of site %zu", i, s);
			assert_int_equal(e.code, cases[i].allowed ? ERR_NONE : ERR_ORIGIN_REFUSED);
		}
}

static void return_to_leads_nowhere_else(void **state)
{
	static const char *const good[] = {
		"/",         "/c/42?x=1#m7", "/c/42",      "/c/42/",       "/c/42?next=//evil.test",
		"/c/%C3%BC", "/authors",     "/c/1#/a//b", "/sign-inside", "/a..b/..c"};
	static const char *const bad[] = {
		"//evil.test",
		"/\\evil.test",
		"/%2fevil.test",
		"/%2Fevil.test",
		"/%5cevil.test",
		"https://evil.test",
		"https:evil.test",
		"javascript:alert(1)",
		"/\tevil.test",
		"/\nevil.test",
		"/\r\nSet-Cookie: a=b",
		"/a/..//evil.test",
		"/a/../b",
		"/./a",
		"/a/.",
		"/..",
		"",
		"evil.test",
		"\\\\evil.test",
		" /a",
		"/a b",
		"/a\"b",
		"/<script>",
		"/%00",
		"/%0d%0aa",
		"/%252fevil.test",
		"/%2e%2e/a",
		"/a//b",
		"/a%2",
		"/\xc3\xbc",
		"/\x7f",
		"/auth/login",
		"/auth",
		"/AUTH/callback?x",
		"/auth?x",
		"/api/v1/me",
		"/sign-in",
		"/sign-in?return_to=/",
		"///",
		"/@evil.test//",
		"?a",
		"#a",
	};
	char out[RETURN_TO_MAX], longest[5001];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		return_to_check(good[i], out);
		assert_string_equal(out, good[i]);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		return_to_check(bad[i], out);
		if (strcmp(out, "/") != 0)
			fail_msg("%s gave %s", bad[i], out);
	}
	return_to_check(NULL, out);
	assert_string_equal(out, "/");
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[5000] = 0;
	return_to_check(longest, out);
	assert_string_equal(out, "/");
	longest[RETURN_TO_MAX] = 0;
	return_to_check(longest, out);
	assert_string_equal(out, "/");
	longest[RETURN_TO_MAX - 1] = 0;
	return_to_check(longest, out);
	assert_string_equal(out, longest);
}

static void secrets_are_new_and_well_formed(void **state)
{
	char a[SESSION_SECRET_MAX], b[SESSION_SECRET_MAX], hash[SESSION_HASH_MAX];

	(void)state;
	session_new_secret(a);
	session_new_secret(b);
	assert_true(session_secret_valid(a, strlen(a)));
	assert_string_not_equal(a, b);
	session_secret_hash("abc", hash);
	assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(access_token_valid("pct_" S43, 47));
	assert_false(access_token_valid("pct_" S43, 46));
	assert_false(access_token_valid(S43, 43));
}

static void devices_have_names(void **state)
{
	static const struct {
		const char *agent, *name;
	} known[] = {
		{"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0", "Firefox on Linux"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 "
		 "Safari/537.36",
		 "Chrome on Windows"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0",
		 "Edge on Windows"},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 (KHTML, like Gecko) Version/17.1 "
		 "Safari/605",
		 "Safari on macOS"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1 Version/17.1 Mobile "
		 "Safari/604.1",
		 "Safari on iPhone"},
		{"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
		 "Chrome on Android"},
		{"curl/7.88.1", "curl"},
		{"Mozilla/5.0 (X11; Linux x86_64)", "Linux"},
		{"\"><script>", "Unknown device"},
		{"", "Unknown device"},
	};
	char name[DEVICE_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		device_name(known[i].agent, name);
		assert_string_equal(name, known[i].name);
	}
}

static void scopes_have_names(void **state)
{
	const char *names[SCOPE_NAMES_MAX];
	unsigned scopes;

	(void)state;
	assert_true(scope_parse("admin,read", ",", &scopes));
	assert_int_equal(scopes, SCOPE_ADMIN | SCOPE_READ);
	assert_int_equal(scope_names(scopes | SCOPE_ACCOUNT, names), 2);
	assert_string_equal(names[0], "read");
	assert_string_equal(names[1], "admin");
	assert_false(scope_parse("", ",", &scopes));
	assert_false(scope_parse("read,,write", ",", &scopes));
	assert_false(scope_parse("account", ",", &scopes));
	assert_false(scope_parse("rea", ",", &scopes));
	assert_string_equal(scope_missing(SCOPE_READ | SCOPE_FILES, SCOPE_READ), "files");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cookie_is_found_among_others),
		cmocka_unit_test(cookies_have_the_attributes_of_their_site),
		cmocka_unit_test(a_credential_is_a_cookie_or_a_bearer_token),
		cmocka_unit_test(the_rules_of_origin),
		cmocka_unit_test(return_to_leads_nowhere_else),
		cmocka_unit_test(secrets_are_new_and_well_formed),
		cmocka_unit_test(devices_have_names),
		cmocka_unit_test(scopes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
