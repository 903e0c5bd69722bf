/* jwt: a signed JSON Web Token (RFC 7519, 7515), made stricter where common libraries are lenient; what all kinds of it
 * have in common. Pure: keys and time come from the caller. Any thread. */
#pragma once
#include "lib/auth/jwks.h"

#define JWT_MAX 16384
#define SUBJECT_MAX 255 /* bytes */

enum jwt_result {
	JWT_OK,
	JWT_TOO_LARGE,
	JWT_MALFORMED,
	JWT_DUPLICATE,
	JWT_ALG,
	JWT_CRIT,
	JWT_NO_KID,
	JWT_UNKNOWN_KID,
	JWT_KEY,
	JWT_SIGNATURE,
};

struct jwt {
	json_t *header, *claims;
	enum jose_alg alg;
};

/* JWT_OK with *out for jwt_release(), or the first check that fails and nothing to release. After JWT_UNKNOWN_KID the
 * caller may try once more with a newer set. */
enum jwt_result jwt_verify(const struct jwks *keys, const char *token, size_t n, struct jwt *out);
void jwt_release(struct jwt *j);

/* True for a string that is just this. v may be NULL. */
bool jwt_text_is(const json_t *v, const char *want);
/* aud is `want`, or a list of strings with it. */
bool jwt_has_audience(const json_t *claims, const char *want);
/* Seconds since 1970 as a JSON integer that no sum can make overflow. */
bool jwt_date(const json_t *claims, const char *name, int64_t *out);
enum jwt_dates { JWT_DATES_OK, JWT_DATES_EXP, JWT_DATES_NBF, JWT_DATES_IAT };
/* exp and iat must be there; what is wrong first. */
enum jwt_dates jwt_check_dates(const json_t *claims, int64_t now_s, int64_t leeway_s);
const char *jwt_dates_claim(enum jwt_dates wrong); /* "exp"; NULL for JWT_DATES_OK */
/* The header's typ is `want` (with or without "application/"), "JWT", or not there. */
bool jwt_type_is(const json_t *header, const char *want);
