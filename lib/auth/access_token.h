/* access_token: personal access tokens for programs: "pct_" and a secret of 256 bits. Made and listed by the
 * `pulsechat` command; found by session_find(), ended by session_revoke(). */
#pragma once
#include "lib/auth/session.h"
struct db;

#define ACCESS_TOKEN_PREFIX "pct_"

/* True for the form of one. */
bool access_token_valid(const char *s, size_t n);

/* scopes: of enum session_scope, at least one; write implies read. ttl_ms: 0 for no end. token: shown once, wipe it
 * after. ERR_BAD_FIELD, ERR_NOT_FOUND (no such active person), or the database's errors. */
MUST_CHECK int access_token_create(struct db *d, int64_t user, const char *name, unsigned scopes, int64_t ttl_ms,
				   char token[SESSION_SECRET_MAX], int64_t *id, struct err *e);
/* The live tokens of a person, rows of STMT_access_token_list. *out: PQclear() it. */
MUST_CHECK int access_token_list(struct db *d, int64_t user, PGresult **out, struct err *e);
