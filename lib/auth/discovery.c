/* discovery: one document, checked. */
#include "lib/auth/discovery.h"
#include "lib/auth/jose.h"
#include "lib/http/client.h"
#include <stdlib.h>
#include <string.h>

static void destroy(struct shared *s)
{
	free(s);
}

static int take_url(const json_t *doc, const char *name, bool needed, char out[DISCOVERY_URL_MAX], struct err *e)
{
	const json_t *v = json_object_get(doc, name);
	const char *url = json_string_value(v);

	if (!v && !needed)
		return 0;
	if (!url || strlen(url) >= DISCOVERY_URL_MAX || !http_url_allowed(url)) {
		if (!needed)
			return 0;
		return err_set(e, ERR_UNAVAILABLE, name,
			       "the provider's discovery document has no %s that is an https URL", name);
	}
	memcpy(out, url, strlen(url) + 1);
	return 0;
}

/* True where the list is absent or has one of the values (b may be NULL). */
static bool lists(const json_t *doc, const char *name, const char *a, const char *b)
{
	const json_t *list = json_object_get(doc, name), *one;
	size_t i;

	if (!json_is_array(list))
		return true;
	json_array_foreach((json_t *)list, i, one)
	{
		const char *s = json_string_value(one);

		if (s && (!strcmp(s, a) || (b && !strcmp(s, b))))
			return true;
	}
	return false;
}

static bool lists_known_alg(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "id_token_signing_alg_values_supported"), *one;
	size_t i;

	if (!json_is_array(list))
		return true;
	json_array_foreach((json_t *)list, i,
			   one) if (json_is_string(one) && jose_alg(json_string_value(one)) != JOSE_NONE) return true;
	return false;
}

struct discovery *discovery_parse(const char *issuer, const char *p, size_t n, struct err *e)
{
	struct discovery *d = xcalloc(1, sizeof(*d));
	json_t *doc = NULL;
	const char *named;

	d->shared.refs = 1;
	d->shared.destroy = destroy;
	if (n > DISCOVERY_BYTES_MAX || jose_parse(p, n, &doc) != JOSE_OK) {
		err_set(e, ERR_UNAVAILABLE, NULL, "the provider's discovery document is no JSON object");
		goto fail;
	}
	named = json_string_value(json_object_get(doc, "issuer"));
	if (!named || strcmp(named, issuer) != 0) {
		err_set(e, ERR_UNAVAILABLE, "issuer",
			"the provider calls itself %.100s, the setting oidc.issuer says %.100s",
			named ? named : "nothing", issuer);
		goto fail;
	}
	if (take_url(doc, "authorization_endpoint", true, d->authorization, e) < 0 ||
	    take_url(doc, "token_endpoint", true, d->token, e) < 0 || take_url(doc, "jwks_uri", true, d->jwks, e) < 0 ||
	    take_url(doc, "end_session_endpoint", false, d->end_session, e) < 0)
		goto fail;
	d->iss_on_callback = json_is_true(json_object_get(doc, "authorization_response_iss_parameter_supported"));
	d->has_s256 = lists(doc, "code_challenge_methods_supported", "S256", NULL);
	d->has_basic = lists(doc, "token_endpoint_auth_methods_supported", "client_secret_basic", NULL);
	d->has_post = lists(doc, "token_endpoint_auth_methods_supported", "client_secret_post", NULL);
	d->has_known_alg = lists_known_alg(doc);
	json_decref(doc);
	return d;
fail:
	json_decref(doc);
	free(d);
	return NULL;
}
