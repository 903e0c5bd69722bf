/* credential: cookie or bearer. */
#include "lib/auth/credential.h"
#include "lib/auth/access_token.h"
#include "lib/auth/cookie.h"
#include "lib/base/secret.h"
#include <string.h>
#include <strings.h>

bool credential_find(const struct config *c, const char *authorization, const char *cookie, struct credential *out)
{
	memset(out, 0, sizeof(*out));
	if (authorization) {
		size_t n = strnlen(authorization, 128);

		if (n < 7 || n >= 128 || strncasecmp(authorization, "Bearer ", 7) != 0 ||
		    !access_token_valid(authorization + 7, n - 7)) {
			out->malformed = true;
			return false;
		}
		memcpy(out->secret, authorization + 7, n - 7);
		return true;
	}
	out->by_cookie = cookie_find(c, COOKIE_SESSION, cookie, out->secret);
	return out->by_cookie;
}

void credential_wipe(struct credential *cr)
{
	secret_wipe(cr, sizeof(*cr));
}
