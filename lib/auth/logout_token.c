/* logout_token: the checks beside those of jwt.c. */
#include "lib/auth/logout_token.h"
#include <string.h>

static const char event[] = "http://schemas.openid.net/event/backchannel-logout";

static bool text_within(const json_t *v, size_t max)
{
	return json_is_string(v) && json_string_length(v) && json_string_length(v) <= max;
}

const char *logout_token_check(const struct jwt *j, const char *issuer, const char *client_id, int64_t now_s,
			       int64_t leeway_s)
{
	const json_t *sid = json_object_get(j->claims, "sid"), *sub = json_object_get(j->claims, "sub");
	const char *wrong;

	/* an ID token must not pass for one: it has a nonce and no event */
	if (!jwt_type_is(j->header, "logout+jwt"))
		return "typ";
	if (!jwt_text_is(json_object_get(j->claims, "iss"), issuer))
		return "iss";
	if (!jwt_has_audience(j->claims, client_id))
		return "aud";
	wrong = jwt_dates_claim(jwt_check_dates(j->claims, now_s, leeway_s));
	if (wrong)
		return wrong;
	if (!json_is_object(json_object_get(json_object_get(j->claims, "events"), event)))
		return "events";
	if (json_object_get(j->claims, "nonce"))
		return "nonce";
	if (!text_within(json_object_get(j->claims, "jti"), LOGOUT_ID_MAX))
		return "jti";
	if ((sid && !text_within(sid, LOGOUT_ID_MAX)) || (sub && !text_within(sub, SUBJECT_MAX)) || (!sid && !sub))
		return "sid or sub";
	return NULL;
}
