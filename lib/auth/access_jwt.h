/* access_jwt: the provider's own access tokens, for programs (RFC 9068), where [oidc] access_audience is set. One that
 * is good becomes a row of its own among the sessions, found by its hash from then on until its end. Any thread. */
#pragma once
#include "lib/auth/jwt.h"
#include "lib/db/result.h"
struct config;
struct db;
struct oidc;

struct access_jwt {
	char subject[SUBJECT_MAX + 1];
	char client[81]; /* which program it was given to, cut */
	unsigned scopes; /* of enum scope */
	int64_t until_s;
};

/* True for the form of one, and they are wanted. */
bool access_jwt_possible(const struct config *c, const char *s, size_t n);
/* NULL with *out where the claims are good at now_s, else which are not: a word for the log. */
const char *access_jwt_check(const struct config *c, const struct jwt *j, int64_t now_s, struct access_jwt *out);
/* Looks it over, asking the provider for its keys where they are not known: blocks. ERR_UNAUTHENTICATED,
 * ERR_UNAVAILABLE, ERR_BUSY. */
MUST_CHECK int access_jwt_verify(struct oidc *o, const char *token, struct access_jwt *out, struct err *e);
/* [oidc] access_scopes: "chat.read=read chat.write=write", or empty. ERR_BAD_FIELD. */
MUST_CHECK int access_jwt_scopes_check(const char *map, struct err *e);
/* Makes a session of one that is good; then session_find() knows it. Twice is once. ERR_UNAUTHENTICATED: its subject
 * has no account here. For worker threads. */
MUST_CHECK int access_jwt_admit(struct db *d, const struct config *c, const char *token, const struct access_jwt *a,
				struct err *e);
/* For those who wait for nothing: an answer of STMT_access_admit. */
MUST_CHECK int access_jwt_admitted(const PGresult *r, struct err *e);
