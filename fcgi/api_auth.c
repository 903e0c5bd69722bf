/* api_auth: signing in by way of the provider, and out (doc/protocol.md, section 4). What goes wrong in a browser's way
 * is told by a page; there is always a way on, and no redirect that could go round in circles. */
#include "fcgi/app.h"
#include "fcgi/handlers.h"
#include "fcgi/page.h"
#include "lib/auth/buttons.h"
#include "lib/auth/cookie.h"
#include "lib/auth/invite.h"
#include "lib/auth/login.h"
#include "lib/auth/oidc.h"
#include "lib/auth/rate.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/http/client.h"
#include "lib/json/jx.h"
#include <string.h>
#include <strings.h>

#define AUTHORIZE_URL_MAX ((size_t)8192)
#define CODE_MAX 2048

/* Absolute, so that no path can be taken for another host. */
static void go(struct request *q, struct response *r, int status, const char *path)
{
	response_redirect(r, status, arena_printf(q->arena, "%s%s", q->config->site.url, path));
}

/* The address that begins a sign-in anew and ends where this one was to end. prompt: NULL for none. */
static const char *again_url(struct request *q, const char *return_to, const char *prompt)
{
	AUTO_STRBUF b = {.max = AUTHORIZE_URL_MAX};

	strbuf_adds(&b, "/auth/login?");
	if (return_to && strcmp(return_to, "/") != 0)
		http_form_add(&b, "return_to", return_to);
	if (prompt)
		http_form_add(&b, "prompt", prompt);
	if (b.p[b.n - 1] == '?')
		b.p[--b.n] = 0;
	return arena_strdup(q->arena, strbuf_cstr(&b));
}

/* Tells of a failed step; what happened inside is in the log alone. Always 0: the page is the answer. */
static int tell(struct request *q, struct response *r, const struct err *e, const char *step, const char *return_to)
{
	struct page p = {.link = again_url(q, return_to, NULL), .link_text = "Start again"};

	if (e->code != ERR_RATE_LIMITED) /* or the log would grow by what is kept out */
		log_warning("login.failed", "step=%s code=%s field=%s detail=%s", step, err_name(e->code),
			    log_quote(e->field), log_quote(e->detail));
	p.status = err_status(e->code);
	p.retry_after_s = (e->retry_after_ms + 999) / 1000;
	switch (e->code) {
	case ERR_NOT_FOUND:
		p.status = 400;
		p.title = "This sign-in has ended";
		p.text = "It was finished before, was begun in another browser, or took longer than ten minutes.";
		break;
	case ERR_UNPROCESSABLE:
		p.status = 400;
		p.title = "This sign-in took too long";
		p.text = "The provider does not honour it any more.";
		break;
	case ERR_FORBIDDEN:
		if (!strcmp(e->field, "exp") || !strcmp(e->field, "nbf") || !strcmp(e->field, "iat")) {
			/* nobody can do anything about it by this request */
			log_error("login.clocks", "detail=\"our clock and the provider's differ by minutes\"");
			p.status = 503;
			p.title = "The clocks do not agree";
			p.text =
				"By this site's clock, what the provider says is not of now: one of the two clocks is "
				"wrong by minutes. Tell those who run this site; signing in works again once the clock "
				"is right.";
			break;
		}
		p.title = "You could not be signed in";
		p.text = "The provider's answer did not pass our checks. If this happens again, tell those who run "
			 "this site.";
		break;
	case ERR_RATE_LIMITED:
		p.title = "Too many sign-ins from your network";
		p.text = "Please try again in a minute.";
		if (!strcmp(step, "callback")) {
			p.link = "";
			p.link_text = "Try again";
		}
		break;
	case ERR_BUSY:
		p.status = 503;
		p.title = "Many people are signing in just now";
		p.text = "Please try again in a few seconds.";
		if (!strcmp(step, "callback")) { /* nothing is used up yet */
			p.link = "";
			p.link_text = "Try again";
		}
		break;
	case ERR_UNAVAILABLE:
	case ERR_UNCERTAIN:
		p.title = "Signing in does not work just now";
		p.text = "Something that is needed for it does not answer. Please try again in a minute.";
		p.retry_after_s = MAX_OF(p.retry_after_s, 5);
		break;
	default:
		/* our own settings, or a fault: 503 all the same, since nobody can do anything about it by this request
		 */
		log_error("login.broken", "step=%s code=%s detail=%s", step, err_name(e->code), log_quote(e->detail));
		p.status = 503;
		p.title = "Signing in is out of order";
		p.text = "Those who run this site find the cause in its log.";
	}
	page_render(r, q, &p);
	return 0;
}

struct start {
	const char *provider, *prompt, *login_hint; /* NULL: none */
	const char *invite;                         /* the code; NULL: none */
	char return_to[RETURN_TO_MAX];
};

/* Stores an attempt; url is the provider's address for it. */
static int begin(struct request *q, struct response *r, const struct start *s, struct strbuf *url, struct err *e)
{
	struct oidc_wish wish = {.prompt =
					 s->prompt && oidc_prompt_known(s->prompt) ? s->prompt : q->config->oidc.prompt,
				 .login_hint = s->login_hint};
	char browser[SESSION_SECRET_MAX];
	const struct button *button;
	struct buttons buttons;
	struct err ignored = {0};
	struct login login = {0};
	int rc;

	if (buttons_parse(q->config->oidc.buttons, &buttons, &ignored) < 0)
		memset(&buttons, 0, sizeof(buttons));
	/* a button of a page from before a change of settings: then the provider asks which way */
	button = buttons_find(&buttons, s->provider);
	wish.fidp = button ? button->fidp : NULL;
	/* one cookie for all tabs: each attempt has its own state */
	if (!cookie_find(q->config, COOKIE_LOGIN, request_env(q, "HTTP_COOKIE"), browser))
		session_new_secret(browser);

	rc = oidc_enter(q->app->oidc, e);
	if (rc == 0) {
		/* the provider's address first: no attempt is stored while it is away */
		rc = oidc_ready(q->app->oidc, e);
		oidc_leave(q->app->oidc);
	}
	if (rc == 0)
		rc = login_begin(q->db, browser, s->return_to, invite_code_valid(s->invite) ? s->invite : NULL, &login,
				 e);
	if (rc == 0) {
		struct oidc_attempt attempt = {login.state, login.nonce, login.verifier};

		rc = oidc_authorize_url(q->app->oidc, &attempt, &wish, url, e);
	}
	if (rc == 0)
		response_cookie(r, q->config, COOKIE_LOGIN, browser, LOGIN_TTL_MS);
	login_wipe(&login);
	secret_wipe(browser, sizeof(browser));
	return rc;
}

int handle_auth_login(struct request *q, struct response *r, struct err *e)
{
	struct start s = {.provider = request_query(q, "provider"),
			  .prompt = request_query(q, "prompt"),
			  .login_hint = request_query(q, "login_hint")};
	struct strbuf url = {.max = AUTHORIZE_URL_MAX};

	return_to_check(request_query(q, "return_to"), s.return_to);
	if (rate_address(q->app->rate, RATE_LOGIN, request_address(q), &q->rate, e) < 0 || begin(q, r, &s, &url, e) < 0)
		tell(q, r, e, "login", s.return_to);
	else
		response_redirect(r, 302, strbuf_cstr(&url));
	strbuf_release(&url);
	return 0;
}

/* The same for who has an invitation: its code is worth something and has no place in an address. */
int handle_auth_login_invited(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"invite", "provider", "return_to", NULL};
	struct origin_request origin = request_origin(q, ORIGIN_PAGE);
	struct span invite, provider = {0}, wish = {.p = "/", .n = 1};
	struct strbuf url = {.max = AUTHORIZE_URL_MAX};
	struct start s = {0};
	int rc = -1;

	/* with or without a cookie: nobody is led by another site's page to an account that it has chosen a way to */
	origin.by_cookie = true;
	if (rate_address(q->app->rate, RATE_LOGIN, request_address(q), &q->rate, e) == 0 &&
	    origin_check(q->config, &origin, e) == 0 && jx_only(q->json, "", names, e) == 0 &&
	    jx_string(q->json, "", "invite", JX_REQUIRED, 1, 100, &invite, e) == 0 &&
	    jx_string(q->json, "", "provider", JX_OPTIONAL, 1, 100, &provider, e) == 0 &&
	    jx_string(q->json, "", "return_to", JX_OPTIONAL, 0, RETURN_TO_MAX, &wish, e) == 0) {
		s.invite = invite.p;
		s.provider = provider.p;
		return_to_check(wish.p, s.return_to);
		rc = begin(q, r, &s, &url, e);
	}
	if (rc == 0)
		response_lead(r, strbuf_cstr(&url));
	strbuf_release(&url);
	return rc;
}

/* Errors that the provider sends a browser back with (OpenID Connect Core 3.1.2.6, RFC 6749 4.1.2.1). */
static int tell_refusal(struct request *q, struct response *r, const char *error, const char *return_to)
{
	static const struct {
		const char *error;
		int status;
		const char *title, *text;
	} known[] = {
		{"access_denied", 403, "You are not signed in",
		 "The sign-in was cancelled, or the provider refused it."},
		{"login_required", 403, "You are not signed in", "The provider wants you to sign in there first."},
		{"interaction_required", 403, "You are not signed in",
		 "The provider wants to ask you something first."},
		{"account_selection_required", 403, "You are not signed in",
		 "The provider wants to know which account."},
		{"consent_required", 403, "You are not signed in", "The provider needs your consent first."},
		{"server_error", 503, "Signing in does not work just now",
		 "The provider has trouble. Please try again in a minute."},
		{"temporarily_unavailable", 503, "Signing in does not work just now",
		 "The provider has trouble. Please try again in a minute."},
	};
	struct page p = {
		.status = 400,
		.title = "You could not be signed in",
		.text = "The provider refused the request. If this happens again, tell those who run this site.",
		.link = again_url(q, return_to, NULL),
		.link_text = "Start again"};
	const char *description = request_query(q, "error_description");

	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (!strcmp(known[i].error, error)) {
			p.status = known[i].status;
			p.title = known[i].title;
			p.text = known[i].text;
			p.retry_after_s = p.status == 503 ? 5 : 0;
		}
	log_info("login.refused", "error=%s description=%s", log_quote(error),
		 log_quote(description ? description : ""));
	page_render(r, q, &p);
	return 0;
}

/* A callback without an attempt of this browser: a reload, "back", another browser's link. Whoever is signed in goes
 * on. */
static int no_attempt(struct request *q, struct response *r, const char *current, struct err *e)
{
	struct session session;
	struct err why = {0};

	if (current[0]) {
		if (session_find(q->db, current, &session, &why) == 0) {
			go(q, r, 303, "/");
			return 0;
		}
		if (why.code != ERR_UNAUTHENTICATED)
			return tell(q, r, &why, "session", NULL);
	}
	return tell(q, r, e, "attempt", NULL);
}

/* Who is known to the provider and gets no account here: why, and what he can do. */
static int tell_no_account(struct request *q, struct response *r, const char *why, const char *return_to)
{
	static const struct {
		const char *why, *title, *text;
	} known[] = {
		{"deactivated", "This account is deactivated",
		 "Ask those who run this site if you think that this is a mistake."},
		{"invite_needed", "You need an invitation",
		 "This site takes in new people by invitation. Ask somebody there for a link, and open it."},
		{"invite_unknown", "This invitation is not valid",
		 "Its link may be cut short. Ask for a new one, and open all of it."},
		{"invite_used_up", "This invitation is used up",
		 "As many people as it was made for have joined by it. Ask for a new one."},
		{"invite_expired", "This invitation has expired", "Ask for a new one."},
		{"invite_revoked", "This invitation was withdrawn", "Ask for a new one."},
		{"domain", "You cannot join with this account",
		 "This site takes in people whose e-mail address is of certain organisations. Sign in with such an "
		 "account, or ask for an invitation."},
		{"unverified", "Your e-mail address is not confirmed",
		 "Confirm it at the provider that you signed in with, then sign in here again."},
	};
	struct page p = {.status = 403,
			 .title = "You cannot join with this account",
			 .text = "Ask those who run this site if you think that this is a mistake.",
			 .link = again_url(q, return_to, "login"),
			 .link_text = "Sign in as someone else"};

	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (!strcmp(known[i].why, why)) {
			p.title = known[i].title;
			p.text = known[i].text;
		}
	log_info("login.no_account", "why=%s", log_quote(why));
	page_render(r, q, &p);
	return 0;
}

/* What a code is worth: claims, account, session. */
static int finish(struct request *q, struct response *r, const struct login *login, const char *code,
		  const char *current, struct err *e)
{
	struct login_done done = {0};
	json_t *claims = NULL;

	if (oidc_check_iss(q->app->oidc, request_query(q, "iss"), e) < 0 ||
	    oidc_exchange(q->app->oidc, code, login->verifier, login->nonce, &claims, e) < 0)
		return tell(q, r, e, "exchange", login->return_to);
	if (login_finish(q->db, q->config, login, claims, current[0] ? current : NULL,
			 request_env(q, "HTTP_USER_AGENT"), &done, e) == 0) {
		log_info("login.done", "user=%lld session=%lld renewed=%d", (long long)done.user,
			 (long long)done.session, done.renewed);
		response_cookie(r, q->config, COOKIE_SESSION, done.secret, q->config->session.absolute);
		go(q, r, 303, login->return_to);
	} else if (e->code == ERR_FORBIDDEN) {
		tell_no_account(q, r, e->field, login->return_to);
	} else {
		tell(q, r, e, "finish", login->return_to);
	}
	secret_wipe(&done, sizeof(done));
	json_decref(claims);
	return 0;
}

int handle_auth_callback(struct request *q, struct response *r, struct err *e)
{
	const char *state = request_query(q, "state"), *code = request_query(q, "code"),
		   *error = request_query(q, "error");
	char browser[SESSION_SECRET_MAX], current[SESSION_SECRET_MAX];
	bool has_browser = cookie_find(q->config, COOKIE_LOGIN, request_env(q, "HTTP_COOKIE"), browser);
	struct login login = {0};

	/* before anything is used up, so that trying again is possible */
	if (rate_address(q->app->rate, RATE_LOGIN, request_address(q), &q->rate, e) < 0)
		return tell(q, r, e, "callback", NULL);
	cookie_find(q->config, COOKIE_SESSION, request_env(q, "HTTP_COOKIE"), current);
	if (q->head) { /* a link checker must not use the code up */
		r->status = 204;
		goto out;
	}
	if (!state || !session_secret_valid(state, strlen(state)) || !has_browser) {
		err_set(e, ERR_NOT_FOUND, NULL, has_browser ? "no state" : "no cookie of a sign-in");
		no_attempt(q, r, current, e);
		goto out;
	}
	/* before the attempt is used up, so that trying again is possible */
	if (oidc_enter(q->app->oidc, e) < 0) {
		tell(q, r, e, "callback", NULL);
		goto out;
	}
	if (login_take(q->db, state, browser, &login, e) < 0) {
		if (e->code == ERR_NOT_FOUND)
			no_attempt(q, r, current, e);
		else
			tell(q, r, e, "attempt", NULL);
	} else if (error) {
		tell_refusal(q, r, error, login.return_to);
	} else if (!code || !code[0] || strlen(code) > CODE_MAX) {
		tell_refusal(q, r, "no code", login.return_to);
	} else {
		finish(q, r, &login, code, current, e);
	}
	oidc_leave(q->app->oidc);
out:
	login_wipe(&login);
	secret_wipe(browser, sizeof(browser));
	secret_wipe(current, sizeof(current));
	return 0;
}

static bool wants_json(const struct request *q)
{
	const char *accept = request_env(q, "HTTP_ACCEPT");

	return accept && strcasestr(accept, "application/json");
}

int handle_auth_logout(struct request *q, struct response *r, struct err *e)
{
	struct origin_request origin = request_origin(q, ORIGIN_PAGE);
	char secret[SESSION_SECRET_MAX];
	struct strbuf url = {.max = AUTHORIZE_URL_MAX};
	struct session session = {0};
	int rc;

	/* with or without a cookie: the answer takes cookies away, and leads to the provider */
	origin.by_cookie = true;
	if (origin_check(q->config, &origin, e) < 0)
		return -1;
	if (cookie_find(q->config, COOKIE_SESSION, request_env(q, "HTTP_COOKIE"), secret)) {
		rc = session_find(q->db, secret, &session, e);
		secret_wipe(secret, sizeof(secret));
		if (rc < 0 && e->code != ERR_UNAUTHENTICATED)
			return -1; /* the cookie stays, so that it can be tried again */
		memset(e, 0, sizeof(*e));
		if (session.state == SESSION_LIVE) {
			if (session_revoke(q->db, session.id, e) < 0)
				return -1;
			log_info("logout", "user=%lld session=%lld", (long long)session.user, (long long)session.id);
		}
	}
	/* the session here is over already; only who had one by the provider is led there */
	if (session.state != SESSION_LIVE || !session.by_provider || oidc_enter(q->app->oidc, e) < 0) {
		oidc_after_logout_uri(q->config, &url);
	} else {
		if (!oidc_logout_url(q->app->oidc, &url))
			oidc_after_logout_uri(q->config, &url);
		oidc_leave(q->app->oidc);
	}
	memset(e, 0, sizeof(*e));
	response_cookie(r, q->config, COOKIE_SESSION, "", 0);
	response_cookie(r, q->config, COOKIE_LOGIN, "", 0);
	if (wants_json(q)) {
		response_lead(r, strbuf_cstr(&url));
	} else {
		response_redirect(r, 303, strbuf_cstr(&url));
	}
	strbuf_release(&url);
	return 0;
}
