/* credential: cookie or bearer. */
#include "lib/auth/credential.h"
#include "lib/auth/access_jwt.h"
#include "lib/auth/access_token.h"
#include "lib/auth/cookie.h"
#include "lib/base/secret.h"
#include <string.h>
#include <strings.h>

bool credential_find(const struct config *c, const char *authorization, const char *cookie, struct credential *out)
{
	memset(out, 0, sizeof(*out));
	if (authorization) {
		size_t n = strnlen(authorization, JWT_MAX + 8);
		bool bearer = n > 7 && n < JWT_MAX + 8 && !strncasecmp(authorization, "Bearer ", 7);

		if (bearer && access_token_valid(authorization + 7, n - 7))
			memcpy(out->secret, authorization + 7, n - 7);
		else if (bearer && access_jwt_possible(c, authorization + 7, n - 7))
			out->jwt = authorization + 7;
		else
			out->malformed = true;
		return !out->malformed;
	}
	out->by_cookie = cookie_find(c, COOKIE_SESSION, cookie, out->secret);
	return out->by_cookie;
}

const char *credential_text(const struct credential *cr)
{
	return cr->jwt ? cr->jwt : cr->secret;
}

void credential_wipe(struct credential *cr)
{
	secret_wipe(cr, sizeof(*cr));
}
