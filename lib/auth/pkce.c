/* pkce: one hash. */
#include "lib/auth/pkce.h"
#include "lib/base/secret.h"
#include <string.h>

void pkce_challenge(const char *verifier, char out[PKCE_CHALLENGE_MAX])
{
	unsigned char hash[32];

	sha256(verifier, strlen(verifier), hash);
	base64url_encode(out, hash, sizeof(hash));
}
