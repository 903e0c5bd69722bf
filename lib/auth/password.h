/* password: argon2id (RFC 9106), in the encoded form "$argon2id$v=19$m=…". A check takes PASSWORD_KIB of memory and
 * some tens of milliseconds on purpose. Any thread. */
#pragma once
#include "lib/base/err.h"

#define PASSWORD_KIB 19456 /* memory; with PASSWORD_ROUNDS what OWASP asks for at least */
#define PASSWORD_ROUNDS 2
#define PASSWORD_HASH_MAX 128
#define PASSWORD_CHARS_MIN 10
#define PASSWORD_CHARS_MAX 1024
#define PASSWORD_BYTES_MAX (4 * PASSWORD_CHARS_MAX) /* of so many characters */

/* ERR_BAD_FIELD: too short, too long, no text, or one of the commonest. */
MUST_CHECK int password_check(const char *password, struct err *e);
MUST_CHECK int password_hash(const char *password, char hash[PASSWORD_HASH_MAX], struct err *e);
/* hash NULL: nobody's; takes as long as any other and is false. */
bool password_verify(const char *hash, const char *password);
/* True where the hash was made at another cost than today's. */
bool password_outdated(const char *hash);
