/* password: libargon2. */
#include "lib/auth/password.h"
#include "lib/base/rand.h"
#include "lib/base/utf8.h"
#include <argon2.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SALT_BYTES = 16, HASH_BYTES = 32, LANES = 1 };

/* Of a password that nobody has; at today's cost. */
#define NOBODY "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

int password_check(const char *password, struct err *e)
{
	/* the commonest of ten characters and more */
	static const char *const common[] = {"1234567890",   "12345678910",
					     "123123123123", "password123",
					     "qwertyuiop",   "1q2w3e4r5t",
					     "password12",   "iloveyou123",
					     "1234567891",   "0123456789",
					     "0987654321",   "qwerty12345",
					     "passw0rd123",  "correcthorsebatterystaple"};
	size_t n = strnlen(password, PASSWORD_BYTES_MAX + 1), points;

	if (n > PASSWORD_BYTES_MAX)
		return err_set(e, ERR_BAD_FIELD, "password", "must be %d characters at most", PASSWORD_CHARS_MAX);
	if (!utf8_valid(password, n) || utf8_has_control(password, n, ""))
		return err_set(e, ERR_BAD_FIELD, "password", "must be one line of text");
	points = utf8_length(password, n);
	if (points > PASSWORD_CHARS_MAX)
		return err_set(e, ERR_BAD_FIELD, "password", "must be %d characters at most", PASSWORD_CHARS_MAX);
	if (points < PASSWORD_CHARS_MIN)
		return err_set(e, ERR_BAD_FIELD, "password", "must be %d characters at least", PASSWORD_CHARS_MIN);
	for (size_t i = 0; i < COUNT_OF(common); i++)
		if (!strcasecmp(common[i], password))
			return err_set(e, ERR_BAD_FIELD, "password", "is one of the commonest");
	for (size_t i = 1; password[i] == password[0]; i++)
		if (i + 1 == n)
			return err_set(e, ERR_BAD_FIELD, "password", "is one character again and again");
	return 0;
}

int password_hash(const char *password, char hash[PASSWORD_HASH_MAX], struct err *e)
{
	unsigned char salt[SALT_BYTES];
	int rc;

	rand_bytes(salt, sizeof(salt));
	rc = argon2id_hash_encoded(PASSWORD_ROUNDS, PASSWORD_KIB, LANES, password, strlen(password), salt, sizeof(salt),
				   HASH_BYTES, hash, PASSWORD_HASH_MAX);
	return rc == ARGON2_OK ? 0 : err_set(e, ERR_INTERNAL, NULL, "argon2: %s", argon2_error_message(rc));
}

bool password_verify(const char *hash, const char *password)
{
	bool fits = argon2id_verify(hash ? hash : NOBODY, password, strlen(password)) == ARGON2_OK;

	return hash && fits;
}

bool password_outdated(const char *hash)
{
	char now[64];

	snprintf(now, sizeof(now), "$argon2id$v=19$m=%d,t=%d,p=%d$", PASSWORD_KIB, PASSWORD_ROUNDS, LANES);
	return strncmp(hash, now, strlen(now)) != 0;
}
