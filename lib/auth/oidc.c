/* oidc: the provider's documents and the authorize, token and end-session endpoints. */
#include "lib/auth/oidc.h"
#include "lib/auth/oidc_private.h"
#include "lib/auth/access_jwt.h"
#include "lib/auth/documents.h"
#include "lib/auth/id_token.h"
#include "lib/auth/logout_token.h"
#include "lib/auth/pkce.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/http/client.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	TRIES = 2,
	RETRY_MS = 300,         /* between two tries */
	RETRY_MAX_MS = 2000,    /* a longer Retry-After is the person's to wait for */
	BUSY_RETRY_MS = 3000,   /* what those are told who find too many waiting */
	ISSUED_AGO_MAX_S = 240, /* besides the leeway: how old an ID token may be that comes for a code */
};
#define TOKEN_BYTES_MAX ((size_t)64 << 10)

struct oidc {
	const struct config *config;
	struct refreshed *discovery, *jwks;
	/* of the documents that are used now; their one fetcher's */
	char discovery_hash[DOCUMENT_HASH_MAX], jwks_hash[DOCUMENT_HASH_MAX];
	pthread_mutex_t lock;
	int inside, inside_max;
};

/* Whether to ask once more, after a pause. A POST that may have been worked on is not repeated: a code is good for one
 * time. */
static bool try_again(const struct http_request *q, const struct http_answer *a, bool failed, int tried)
{
	int64_t wait = RETRY_MS;

	if (tried >= TRIES)
		return false;
	if (failed) {
		if (q->body && !a->unsent)
			return false;
	} else if (a->status == 429 || a->status == 503) {
		if (a->retry_after_ms > RETRY_MAX_MS)
			return false;
		wait = MAX_OF(a->retry_after_ms, wait);
	} else if (q->body || a->status < 500) {
		return false;
	}
	return http_pause(wait);
}

int oidc_ask(const struct http_request *q, struct http_answer *a, struct err *e)
{
	for (int tried = 1;; tried++) {
		int rc = http_fetch(q, a, e);

		if (!try_again(q, a, rc < 0, tried))
			return rc;
		http_answer_release(a);
	}
}

/* GETs a document; 200 or an error. body: what it says. */
static int ask_document(const struct config *c, const char *url, size_t max, struct strbuf *body, int64_t *max_age_ms,
			struct err *e)
{
	struct http_request q = {.url = url, .timeout_ms = c->oidc.http_timeout, .max_bytes = max};
	struct http_answer a;
	int rc = oidc_ask(&q, &a, e);

	if (rc == 0 && a.status != 200)
		rc = err_set(e, ERR_UNAVAILABLE, NULL, "%.180s answered %d", url, a.status);
	if (rc == 0) {
		strbuf_add(body, strbuf_cstr(&a.body), a.body.n);
		*max_age_ms = a.max_age_ms;
	}
	http_answer_release(&a);
	return rc;
}

static int ask_discovery(void *arg, struct strbuf *body, int64_t *max_age_ms, struct err *e)
{
	struct oidc *o = arg;
	AUTO_STRBUF url = {.max = 4096};

	strbuf_addf(&url, "%s/.well-known/openid-configuration", o->config->oidc.issuer);
	return ask_document(o->config, strbuf_cstr(&url), DISCOVERY_BYTES_MAX, body, max_age_ms, e);
}

static struct shared *parse_discovery(void *arg, const char *p, size_t n, struct err *e)
{
	struct oidc *o = arg;

	return (struct shared *)discovery_parse(o->config->oidc.issuer, p, n, e);
}

static struct discovery *discovery(struct oidc *o, struct err *e)
{
	return (struct discovery *)refreshed_get(o->discovery, e);
}

static int ask_jwks(void *arg, struct strbuf *body, int64_t *max_age_ms, struct err *e)
{
	struct oidc *o = arg;
	struct discovery *d = discovery(o, e);
	int rc;

	if (!d)
		return -1;
	rc = ask_document(o->config, d->jwks, JWKS_BYTES_MAX, body, max_age_ms, e);
	shared_unref(&d->shared);
	return rc;
}

static struct shared *parse_jwks(void *arg, const char *p, size_t n, struct err *e)
{
	(void)arg;
	return (struct shared *)jwks_parse(p, n, e);
}

static struct shared *fetch_discovery(void *arg, bool newer, int64_t *max_age_ms, struct err *e)
{
	static const struct document_kind kind = {"discovery", ask_discovery, parse_discovery};
	struct oidc *o = arg;

	return document_get(o->config, &kind, o, newer, o->discovery_hash, max_age_ms, e);
}

static struct shared *fetch_jwks(void *arg, bool newer, int64_t *max_age_ms, struct err *e)
{
	static const struct document_kind kind = {"jwks", ask_jwks, parse_jwks};
	struct oidc *o = arg;

	return document_get(o->config, &kind, o, newer, o->jwks_hash, max_age_ms, e);
}

struct oidc *oidc_new(const struct config *c)
{
	struct oidc *o = xcalloc(1, sizeof(*o));

	o->config = c;
	o->inside_max = (int)MAX_OF(c->api.threads / 2, 1);
	pthread_mutex_init(&o->lock, NULL);
	o->discovery = refreshed_new("discovery", fetch_discovery, o);
	o->jwks = refreshed_new("jwks", fetch_jwks, o);
	return o;
}

void oidc_free(struct oidc **o)
{
	if (!*o)
		return;
	refreshed_free(&(*o)->jwks);
	refreshed_free(&(*o)->discovery);
	pthread_mutex_destroy(&(*o)->lock);
	free(*o);
	*o = NULL;
}

int oidc_enter(struct oidc *o, struct err *e)
{
	bool room;

	pthread_mutex_lock(&o->lock);
	room = o->inside < o->inside_max;
	o->inside += room;
	pthread_mutex_unlock(&o->lock);
	return room ? 0 : err_retry(e, ERR_BUSY, BUSY_RETRY_MS, "too many sign-ins are under way");
}

void oidc_leave(struct oidc *o)
{
	pthread_mutex_lock(&o->lock);
	o->inside--;
	pthread_mutex_unlock(&o->lock);
}

int oidc_ready(struct oidc *o, struct err *e)
{
	struct discovery *d = discovery(o, e);

	if (!d)
		return -1;
	shared_unref(&d->shared);
	return 0;
}

void oidc_redirect_uri(const struct config *c, struct strbuf *b)
{
	strbuf_addf(b, "%s/auth/callback", c->site.url);
}

void oidc_after_logout_uri(const struct config *c, struct strbuf *b)
{
	strbuf_addf(b, "%s/sign-in", c->site.url);
}

static void start_query(struct strbuf *url, const char *endpoint)
{
	strbuf_adds(url, endpoint);
	if (!strchr(endpoint, '?'))
		strbuf_addc(url, '?');
}

/* The values that OpenID Connect knows, as far as we can do something with the answer. */
bool oidc_prompt_known(const char *prompt)
{
	static const char *const known[] = {"none", "login", "consent", "select_account"};

	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (!strcmp(known[i], prompt))
			return true;
	return false;
}

int oidc_add_authorize(const struct config *c, const struct discovery *d, const struct oidc_attempt *a,
		       const struct oidc_wish *wish, struct strbuf *url, struct err *e)
{
	AUTO_STRBUF back = {.max = 1024};
	char challenge[PKCE_CHALLENGE_MAX];

	oidc_redirect_uri(c, &back);
	pkce_challenge(a->verifier, challenge);
	start_query(url, d->authorization);
	http_form_add(url, "response_type", "code");
	http_form_add(url, "client_id", c->oidc.client_id);
	http_form_add(url, "redirect_uri", strbuf_cstr(&back));
	http_form_add(url, "scope", c->oidc.scopes);
	http_form_add(url, "state", a->state);
	http_form_add(url, "nonce", a->nonce);
	http_form_add(url, "code_challenge", challenge);
	http_form_add(url, "code_challenge_method", "S256");
	if (wish->fidp && wish->fidp[0])
		http_form_add(url, "fidp", wish->fidp);
	if (wish->prompt && oidc_prompt_known(wish->prompt))
		http_form_add(url, "prompt", wish->prompt);
	if (wish->login_hint && wish->login_hint[0] && strlen(wish->login_hint) <= OIDC_HINT_MAX)
		http_form_add(url, "login_hint", wish->login_hint);
	return url->failed ? err_set(e, ERR_INTERNAL, NULL, "the provider's address is too long") : 0;
}

int oidc_authorize_url(struct oidc *o, const struct oidc_attempt *a, const struct oidc_wish *wish, struct strbuf *url,
		       struct err *e)
{
	struct discovery *d = discovery(o, e);
	int rc;

	if (!d)
		return -1;
	rc = oidc_add_authorize(o->config, d, a, wish, url, e);
	shared_unref(&d->shared);
	return rc;
}

int oidc_check_iss(struct oidc *o, const char *iss, struct err *e)
{
	struct discovery *d;
	bool promised;

	if (iss)
		return !strcmp(iss, o->config->oidc.issuer)
			       ? 0
			       : err_set(e, ERR_FORBIDDEN, "iss", "the answer is another provider's");
	d = discovery(o, e);
	if (!d)
		return -1;
	promised = d->iss_on_callback;
	shared_unref(&d->shared);
	return promised ? err_set(e, ERR_FORBIDDEN, "iss", "the provider names itself always, but not here") : 0;
}

/* What a refusal of the token endpoint means. */
static int refused(const struct http_answer *a, const json_t *doc, struct err *e)
{
	const char *error = json_string_value(json_object_get(doc, "error"));
	const char *text = json_string_value(json_object_get(doc, "error_description"));

	if (!error || a->status >= 500 || a->status == 429)
		return err_set(e, ERR_UNAVAILABLE, NULL, "the token endpoint answered %d", a->status);
	if (!strcmp(error, "invalid_grant"))
		return err_set(e, ERR_UNPROCESSABLE, NULL, "invalid_grant: %.200s", text ? text : "");
	return err_set(e, ERR_INTERNAL, NULL, "%.60s: %.160s", error, text ? text : "");
}

int oidc_redeem(const struct config *c, const struct discovery *d, const char *code, const char *verifier, json_t **doc,
		struct err *e)
{
	bool confidential = c->oidc.client_secret[0] != 0, basic = !strcmp(c->oidc.client_auth, "basic");
	struct strbuf form = {.max = 16384}, user = {.max = 4096}, password = {.max = 4096}, back = {.max = 1024};
	struct http_answer a;
	int rc;
	struct http_request q = {.url = d->token,
				 .type = "application/x-www-form-urlencoded",
				 .timeout_ms = c->oidc.http_timeout,
				 .max_bytes = TOKEN_BYTES_MAX};

	oidc_redirect_uri(c, &back);
	http_form_add(&form, "grant_type", "authorization_code");
	http_form_add(&form, "code", code);
	http_form_add(&form, "redirect_uri", strbuf_cstr(&back));
	http_form_add(&form, "code_verifier", verifier);
	if (confidential && basic) {
		/* RFC 6749, 2.3.1: form-encoded before base64 */
		http_form_encode(&user, c->oidc.client_id);
		http_form_encode(&password, c->oidc.client_secret);
		q.user = strbuf_cstr(&user);
		q.password = strbuf_cstr(&password);
	} else {
		http_form_add(&form, "client_id", c->oidc.client_id);
		if (confidential)
			http_form_add(&form, "client_secret", c->oidc.client_secret);
	}
	q.body = strbuf_cstr(&form);
	q.body_n = form.n;
	rc = oidc_ask(&q, &a, e);
	if (rc == 0) {
		if (jose_parse(strbuf_cstr(&a.body), a.body.n, doc) != JOSE_OK)
			*doc = NULL;
		if (a.status != 200)
			rc = refused(&a, *doc, e);
		else if (!*doc)
			rc = err_set(e, ERR_UNAVAILABLE, NULL, "the token endpoint's answer is no JSON object");
	}
	http_answer_release(&a);
	if (form.p)
		secret_wipe(form.p, form.cap);
	if (password.p)
		secret_wipe(password.p, password.cap);
	strbuf_release(&form);
	strbuf_release(&user);
	strbuf_release(&password);
	strbuf_release(&back);
	return rc;
}

static enum id_token_result verify(struct oidc *o, const struct id_token_rules *rules, const char *token,
				   json_t **claims, struct err *e)
{
	struct shared *keys = refreshed_get(o->jwks, e), *newer;
	enum id_token_result rc;

	if (!keys)
		return ID_TOKEN_UNKNOWN_KID;
	rc = id_token_verify(rules, (struct jwks *)keys, token, strlen(token), claims);
	if (rc == ID_TOKEN_UNKNOWN_KID && (newer = refreshed_newer(o->jwks, keys))) {
		rc = id_token_verify(rules, (struct jwks *)newer, token, strlen(token), claims);
		shared_unref(newer);
	}
	shared_unref(keys);
	return rc;
}

int oidc_exchange(struct oidc *o, const char *code, const char *verifier, const char *nonce, json_t **claims,
		  struct err *e)
{
	const struct config *c = o->config;
	struct discovery *d = discovery(o, e);
	struct id_token_rules rules = {.issuer = c->oidc.issuer,
				       .client_id = c->oidc.client_id,
				       .nonce = nonce,
				       .leeway_s = c->oidc.leeway / 1000};
	const char *token, *type;
	enum id_token_result result;
	json_t *doc = NULL;
	int rc = -1;

	*claims = NULL;
	if (!d)
		return -1;
	if (oidc_redeem(c, d, code, verifier, &doc, e) < 0)
		goto out;
	token = json_string_value(json_object_get(doc, "id_token"));
	type = json_string_value(json_object_get(doc, "token_type"));
	rules.access_token = json_string_value(json_object_get(doc, "access_token"));
	if (!token || !type || strcasecmp(type, "Bearer") != 0) {
		err_set(e, ERR_UNAVAILABLE, NULL, "the token endpoint's answer has no %s",
			token ? "token_type Bearer" : "id_token (is openid among the scopes?)");
		goto out;
	}
	rules.now_s = clock_now_us() / 1000000;
	result = verify(o, &rules, token, claims, e);
	if (result == ID_TOKEN_OK &&
	    json_integer_value(json_object_get(*claims, "iat")) < rules.now_s - rules.leeway_s - ISSUED_AGO_MAX_S) {
		/* it was made for this very request: older than this, one of the two clocks is wrong */
		json_decref(*claims);
		*claims = NULL;
		result = ID_TOKEN_IAT;
	}
	if (result == ID_TOKEN_OK)
		rc = 0;
	else if (!e->code)
		err_set(e, ERR_FORBIDDEN, id_token_result_name(result), "the ID token is refused: %s",
			id_token_result_name(result));
out:
	json_decref(doc);
	shared_unref(&d->shared);
	return rc;
}

const struct config *oidc_config(const struct oidc *o)
{
	return o->config;
}

int oidc_jwt(struct oidc *o, const char *token, struct jwt *j, struct err *e)
{
	struct shared *keys = refreshed_get(o->jwks, e), *newer;
	enum jwt_result rc;

	if (!keys)
		return -1;
	rc = jwt_verify((struct jwks *)keys, token, strlen(token), j);
	if (rc == JWT_UNKNOWN_KID && (newer = refreshed_newer(o->jwks, keys))) {
		rc = jwt_verify((struct jwks *)newer, token, strlen(token), j);
		shared_unref(newer);
	}
	shared_unref(keys);
	return rc == JWT_OK ? 0 : err_set(e, ERR_FORBIDDEN, "signature", "the token is not the provider's");
}

int oidc_logout_token(struct oidc *o, const char *token, json_t **claims, struct err *e)
{
	const struct config *c = o->config;
	const char *wrong;
	struct jwt j;

	*claims = NULL;
	if (oidc_jwt(o, token, &j, e) < 0)
		return -1;
	wrong = logout_token_check(&j, c->oidc.issuer, c->oidc.client_id, clock_now_us() / 1000000,
				   c->oidc.leeway / 1000);
	if (!wrong)
		*claims = json_incref(j.claims);
	jwt_release(&j);
	return wrong ? err_set(e, ERR_FORBIDDEN, wrong, "the logout token is refused: %s", wrong) : 0;
}

bool oidc_logout_url(struct oidc *o, struct strbuf *url)
{
	struct err ignored = {0};
	struct discovery *d = discovery(o, &ignored);
	AUTO_STRBUF back = {.max = 1024};
	bool has = d && d->end_session[0];

	if (has) {
		oidc_after_logout_uri(o->config, &back);
		start_query(url, d->end_session);
		http_form_add(url, "client_id", o->config->oidc.client_id);
		http_form_add(url, "post_logout_redirect_uri", strbuf_cstr(&back));
	}
	if (d)
		shared_unref(&d->shared);
	return has;
}
