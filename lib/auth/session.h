/* session: who is asking. A browser session or a personal access token is one row with one id; its secret is known to
 * the holder alone, the database has its SHA-256. Any thread. */
#pragma once
#include "lib/auth/scope.h"
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/db/result.h"
struct acting;
struct config;
struct db;

#define SESSION_SECRET_LEN 43 /* 256 bits in base64url */
#define SESSION_SECRET_MAX 64 /* room for any credential: a secret or "pct_" and one, with its NUL */
#define SESSION_HASH_MAX 65   /* SHA-256 in hex, with its NUL */

enum session_state {
	SESSION_NONE = 0,    /* no such credential (a stream closes with 4001) */
	SESSION_LIVE,        /* the only one that lets anyone in */
	SESSION_ENDED,       /* revoked, past its end or unused for too long (4001) */
	SESSION_DEACTIVATED, /* the person is (4003) */
};

struct session {
	enum session_state state;
	int64_t id, user;
	bool is_token;      /* a program's token, not a browser session */
	bool by_provider;   /* opened at the provider, so there is something to sign out of there */
	unsigned scopes;    /* of enum scope */
	int64_t expires_us; /* the absolute end; 0: none. May have moved since: look again before a stream is closed for
			       it */
	int64_t left_ms;    /* until then, by the database's clock: ours may be wrong, or be set. 0: for ever */
	bool stale;         /* session_touch is due */
	char role[8];       /* owner, admin, member, guest */
};

/* --- for those who wait for nothing (realtime): hash, run STMT_session_find with it, read the row */

/* SHA-256 of the credential's text, in hex. */
void session_secret_hash(const char *secret, char hex[SESSION_HASH_MAX]);
/* Reads an answer of STMT_session_find (no row: SESSION_NONE). Where out->stale, run STMT_session_touch with the id and
 * forget its answer; a long-lived stream does so once a minute, lest its session count as unused. */
enum session_state session_from_row(const PGresult *r, struct session *out);
/* What the holder is told: ERR_UNAUTHENTICATED, unless the state is SESSION_LIVE. */
MUST_CHECK int session_check(const struct session *s, struct err *e);

/* --- for worker threads */

/* Finds the live session of a credential, and touches it when due. -1: ERR_UNAUTHENTICATED (out->state says why), or
 * the database's errors. Not inside a transaction. */
MUST_CHECK int session_find(struct db *d, const char *secret, struct session *out, struct err *e);

/* A new browser session. agent: the browser, cleaned and cut here; issuer: the provider's, NULL for a password of this
 * site; sid: the provider's session id, NULL for none.
 * secret: for the cookie; wipe it after use. ERR_FORBIDDEN: the person is deactivated. */
MUST_CHECK int session_create(struct db *d, const struct config *c, int64_t user, const char *agent, const char *issuer,
			      const char *sid, char secret[SESSION_SECRET_MAX], int64_t *id, struct err *e);
/* The same person signed in again: the session lives as long as a new one, under a new secret. current: the secret that
 * it has. ERR_UNAUTHENTICATED: it has ended meanwhile, or has another secret by now. */
MUST_CHECK int session_renew(struct db *d, const struct config *c, int64_t id, const char *current, const char *issuer,
			     const char *sid, char secret[SESSION_SECRET_MAX], struct err *e);
/* Ends a session or token; its streams end by the event session.revoked. Again is harmless. */
MUST_CHECK int session_revoke(struct db *d, int64_t id, struct err *e);

/* --- one's own */

/* Appends {"sessions":[…]}: a person's browser sessions, `current` marked. */
MUST_CHECK int session_list(struct db *d, int64_t user, int64_t current, struct strbuf *b, struct err *e);
/* Ends one of a person (0: whose it is). kind: "session" or "token", NULL any. ended: false where it had ended already;
 * may be NULL. ERR_NOT_FOUND: there is none of that id. */
MUST_CHECK int session_revoke_by(struct db *d, const struct acting *who, int64_t user, int64_t id, const char *kind,
				 bool *ended, struct err *e);
/* Ends all of his browser sessions but `spared` (0: none is). */
MUST_CHECK int session_revoke_others(struct db *d, int64_t user, int64_t spared, struct err *e);

/* A new secret of 256 bits. */
void session_new_secret(char secret[SESSION_SECRET_MAX]);
/* True for the form of one: 43 characters of base64url that decode strictly. */
bool session_secret_valid(const char *s, size_t n);
