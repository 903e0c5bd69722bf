/* oidc_check: for `pulsechat doctor`. The provider itself is asked, not what the database keeps of it. Two probes
 * change nothing there: a silent sign-in (prompt=none), which a provider refuses by sending us back to the redirect
 * URI, or does not where it knows it not; and a code that is none, which it refuses once it has taken our client's
 * word. */
#include "lib/auth/access_jwt.h"
#include "lib/auth/buttons.h"
#include "lib/auth/discovery.h"
#include "lib/auth/jwks.h"
#include "lib/auth/oidc_private.h"
#include "lib/auth/roles.h"
#include "lib/auth/session.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/http/client.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SKEW_MAX_S 30 /* before the leeway is used up, and about what a Date header can tell */

struct check {
	const struct config *c;
	void (*say)(void *arg, bool ok, const char *text);
	void *arg;
	bool ok;
};

int oidc_settings_check(const struct config *c, struct err *e)
{
	struct buttons buttons;

	if (buttons_parse(c->oidc.buttons, &buttons, e) < 0 || roles_check(c->oidc.roles, e) < 0 ||
	    access_jwt_scopes_check(c->oidc.access_scopes, e) < 0)
		return -1;
	if (c->oidc.prompt[0] && !oidc_prompt_known(c->oidc.prompt))
		return err_set(e, ERR_BAD_FIELD, "prompt",
			       "[oidc] prompt = %.40s: expected none, login, consent or select_account",
			       c->oidc.prompt);
	return 0;
}

static bool say(struct check *k, bool ok, const char *fmt, ...) PRINTF_LIKE(3, 4);
static bool say(struct check *k, bool ok, const char *fmt, ...)
{
	char text[DISCOVERY_URL_MAX + 512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	k->ok = k->ok && ok;
	k->say(k->arg, ok, text);
	return ok;
}

static void check_settings(struct check *k)
{
	const struct config *c = k->c;
	AUTO_STRBUF uri = {.max = 1024};
	struct err e = {0};

	say(k, http_url_allowed(c->oidc.issuer), "oidc.issuer is %s", c->oidc.issuer);
	say(k, c->oidc.client_id[0] && strcmp(c->oidc.client_id, "changeme") != 0, "oidc.client_id is %s",
	    c->oidc.client_id[0] ? c->oidc.client_id : "not set");
	if (oidc_settings_check(c, &e) < 0)
		say(k, false, "%s", e.detail);
	oidc_redirect_uri(c, &uri);
	say(k, true, "redirect URI to register: %s", strbuf_cstr(&uri));
	strbuf_reset(&uri);
	oidc_after_logout_uri(c, &uri);
	say(k, true, "post-logout redirect URI to register: %s", strbuf_cstr(&uri));
	say(k, true, "back-channel logout URI to register: %s/auth/backchannel-logout", c->site.url);
}

static void check_clock(struct check *k, int64_t date_s, int64_t before_s)
{
	int64_t now = clock_now_us() / 1000000, skew;

	if (!date_s) {
		say(k, true, "clock: the provider does not say what time it is");
		return;
	}
	/* the answer was made between the two looks at our clock */
	skew = date_s < before_s ? date_s - before_s : date_s > now ? date_s - now : 0;
	if (llabs(skew) <= SKEW_MAX_S)
		say(k, true, "clock: ours and the provider's agree within %d s", SKEW_MAX_S);
	else
		say(k, false,
		    "clock: the provider's is %lld s %s ours; sign-ins fail beyond %lld s: is the time of this machine "
		    "kept by NTP?",
		    llabs((long long)skew), skew > 0 ? "ahead of" : "behind", (long long)k->c->oidc.leeway / 1000);
}

static struct discovery *check_discovery(struct check *k)
{
	const struct config *c = k->c;
	AUTO_STRBUF url = {.max = 4096};
	struct http_request q = {.timeout_ms = c->oidc.http_timeout, .max_bytes = DISCOVERY_BYTES_MAX};
	int64_t before = clock_now_us() / 1000000;
	struct discovery *d = NULL;
	struct http_answer a;
	struct err e = {0};

	strbuf_addf(&url, "%s/.well-known/openid-configuration", c->oidc.issuer);
	q.url = strbuf_cstr(&url);
	if (oidc_ask(&q, &a, &e) == 0 && a.status != 200)
		err_set(&e, ERR_UNAVAILABLE, NULL, "%.180s answered %d: is oidc.issuer right?", q.url, a.status);
	if (!e.code)
		d = discovery_parse(c->oidc.issuer, strbuf_cstr(&a.body), a.body.n, &e);
	say(k, d != NULL, "discovery: %s", d ? "found, and its issuer is ours" : e.detail);
	if (a.status)
		check_clock(k, a.date_s, before);
	http_answer_release(&a);
	return d;
}

static void check_abilities(struct check *k, const struct discovery *d)
{
	const struct config *c = k->c;
	bool basic = !strcmp(c->oidc.client_auth, "basic"), taken = basic ? d->has_basic : d->has_post;

	say(k, d->has_s256, "the provider %s PKCE with S256", d->has_s256 ? "knows" : "does not name");
	say(k, d->has_known_alg, "the provider signs by %s",
	    d->has_known_alg ? "an algorithm that we know" : "none of RS256, PS256, ES256, EdDSA");
	if (c->oidc.client_secret[0])
		say(k, taken, "oidc.client_auth = %s is %s the provider", c->oidc.client_auth,
		    taken ? "taken by" : "not among the methods of");
	else
		say(k, true, "no client secret: a public client, by PKCE alone");
	say(k, true, "sign-out at the provider: %s", d->end_session[0] ? d->end_session : "it has no page for it");
}

static void check_keys(struct check *k, const struct discovery *d)
{
	struct http_request q = {.url = d->jwks, .timeout_ms = k->c->oidc.http_timeout, .max_bytes = JWKS_BYTES_MAX};
	struct jwks *keys = NULL;
	struct http_answer a;
	struct err e = {0};

	if (oidc_ask(&q, &a, &e) == 0 && a.status != 200)
		err_set(&e, ERR_UNAVAILABLE, NULL, "%.180s answered %d", q.url, a.status);
	if (!e.code)
		keys = jwks_parse(strbuf_cstr(&a.body), a.body.n, &e);
	if (keys)
		say(k, jwks_usable(keys) > 0, "keys: %zu that we can use", jwks_usable(keys));
	else
		say(k, false, "keys: %s", e.detail);
	jwks_unref(&keys);
	http_answer_release(&a);
}

/* Where a browser would end that asks for a silent sign-in. */
static void check_redirect(struct check *k, const struct discovery *d)
{
	char state[SESSION_SECRET_MAX], nonce[SESSION_SECRET_MAX], verifier[SESSION_SECRET_MAX];
	const struct oidc_attempt attempt = {state, nonce, verifier};
	const struct oidc_wish wish = {.prompt = "none"};
	AUTO_STRBUF url = {.max = 8192}, back = {.max = 1024};
	struct http_request q = {.timeout_ms = k->c->oidc.http_timeout, .max_bytes = (size_t)256 << 10};
	struct http_answer a;
	struct err e = {0};
	size_t n;

	session_new_secret(state);
	session_new_secret(nonce);
	session_new_secret(verifier);
	oidc_redirect_uri(k->c, &back);
	if (oidc_add_authorize(k->c, d, &attempt, &wish, &url, &e) < 0) {
		say(k, false, "redirect URI: %s", e.detail);
		return;
	}
	q.url = strbuf_cstr(&url);
	n = back.n;
	if (oidc_ask(&q, &a, &e) < 0) {
		say(k, false, "redirect URI: the authorization endpoint gives no answer: %s", e.detail);
	} else if (!strncmp(a.location, strbuf_cstr(&back), n) && (a.location[n] == '?' || a.location[n] == '#')) {
		bool refused = strstr(a.location, "error=unauthorized_client") ||
			       strstr(a.location, "error=invalid_scope") ||
			       strstr(a.location, "error=invalid_request") ||
			       strstr(a.location, "error=unsupported_response_type");

		say(k, !refused, "redirect URI: the provider leads back to it%s%.200s",
		    refused ? ", but refuses us: " : "", refused ? strpbrk(a.location, "?#") + 1 : "");
	} else if (a.status >= 400 || strstr(a.location, "error")) {
		say(k, false,
		    "redirect URI: the provider answers %d and does not lead back: is %s registered there for this "
		    "client, and oidc.client_id right?",
		    a.status, strbuf_cstr(&back));
	} else {
		say(k, true, "redirect URI: cannot be told, the provider answers %d with a page of its own", a.status);
	}
	http_answer_release(&a);
}

static void check_client(struct check *k, const struct discovery *d)
{
	char code[SESSION_SECRET_MAX], verifier[SESSION_SECRET_MAX];
	json_t *doc = NULL;
	struct err e = {0};
	const char *error;

	session_new_secret(code);
	session_new_secret(verifier);
	if (oidc_redeem(k->c, d, code, verifier, &doc, &e) == 0)
		err_set(&e, ERR_INTERNAL, NULL, "it takes a code that is none");
	error = json_string_value(json_object_get(doc, "error"));
	if (e.code == ERR_UNPROCESSABLE)
		say(k, true, "client: the provider knows oidc.client_id%s",
		    k->c->oidc.client_secret[0] ? ", and takes its secret" : "");
	else if (error && (!strcmp(error, "invalid_client") || !strcmp(error, "unauthorized_client")))
		say(k, false,
		    "client: the provider refuses us (%s): check oidc.client_id, the secret and oidc.client_auth",
		    e.detail);
	else
		say(k, e.code == ERR_INTERNAL && error, "client: cannot be told: %s", e.detail);
	json_decref(doc);
}

bool oidc_check(const struct config *c, void (*tell)(void *arg, bool ok, const char *text), void *arg)
{
	struct check k = {.c = c, .say = tell, .arg = arg, .ok = true};
	struct discovery *d;

	if (!c->oidc.issuer[0] && config_local_accounts(c))
		return say(&k, true, "there is no provider, people sign in by passwords of this site");
	if (!c->oidc.issuer[0])
		return say(&k, false, "oidc.issuer is not set, and [local] accounts = no: nobody can sign in");
	check_settings(&k);
	if (!k.ok)
		return false;
	d = check_discovery(&k);
	if (!d)
		return false;
	check_abilities(&k, d);
	check_keys(&k, d);
	check_redirect(&k, d);
	check_client(&k, d);
	shared_unref(&d->shared);
	return k.ok;
}
