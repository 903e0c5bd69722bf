/* access_token: personal access tokens for programs: "pct_" and a secret of 256 bits. Found by session_find(), ended by
 * session_revoke(). */
#pragma once
#include "lib/auth/session.h"
struct acting;
struct db;
struct jx;

#define ACCESS_TOKEN_PREFIX "pct_"

/* True for the form of one. */
bool access_token_valid(const char *s, size_t n);

#define ACCESS_TOKENS_MAX 50 /* live ones of one person */
#define ACCESS_TOKEN_TTL_MAX_MS ((int64_t)3650 * 86400000)

/* scopes: of SCOPE_ALL, at least one; each brings read along. ttl_ms: 0 for no end. token: shown once, wipe it after.
 * ERR_BAD_FIELD, ERR_UNPROCESSABLE (he has ACCESS_TOKENS_MAX), ERR_NOT_FOUND (no such active person), or the database's
 * errors. */
MUST_CHECK int access_token_create(struct db *d, const struct acting *who, int64_t user, const char *name,
				   unsigned scopes, int64_t ttl_ms, char token[SESSION_SECRET_MAX], int64_t *id,
				   struct err *e);
/* The live tokens of a person, rows of STMT_access_token_list. *out: PQclear() it. */
MUST_CHECK int access_token_list(struct db *d, int64_t user, PGresult **out, struct err *e);
/* The same from {"name","scopes","expires_in"?} as a client sends it; appends the answer with the token in it. */
MUST_CHECK int access_token_make(struct db *d, const struct acting *who, int64_t user, const struct jx *o,
				 struct strbuf *b, struct err *e);
/* Appends {"tokens":[…]}. */
MUST_CHECK int access_token_render(struct db *d, int64_t user, struct strbuf *b, struct err *e);
