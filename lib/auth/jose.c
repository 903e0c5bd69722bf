/* jose: the shared small parts. */
#include "lib/auth/jose.h"
#include "lib/base/codec.h"
#include <stdlib.h>
#include <string.h>

enum jose_alg jose_alg(const char *name)
{
	static const struct {
		const char *name;
		enum jose_alg alg;
	} known[] = {{"RS256", JOSE_RS256}, {"PS256", JOSE_PS256}, {"ES256", JOSE_ES256}, {"EdDSA", JOSE_EDDSA}};

	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (!strcmp(known[i].name, name))
			return known[i].alg;
	return JOSE_NONE;
}

/* jansson's own limit is about 2048 levels, too many for a stack that others share. Brackets in strings do not count.
 */
static bool depth_within(const char *p, size_t n, size_t max)
{
	size_t depth = 0;
	bool text = false;

	for (size_t i = 0; i < n; i++) {
		char c = p[i];

		if (text) {
			if (c == '\\')
				i++;
			else if (c == '"')
				text = false;
		} else if (c == '"') {
			text = true;
		} else if (c == '{' || c == '[') {
			if (++depth > max)
				return false;
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
	}
	return true;
}

enum jose_json jose_parse(const char *p, size_t n, json_t **out)
{
	json_error_t error;

	*out = NULL;
	if (!depth_within(p, n, JOSE_DEPTH_MAX))
		return JOSE_MALFORMED;
	*out = json_loadb(p, n, JSON_REJECT_DUPLICATES, &error);
	if (!*out)
		return json_error_code(&error) == json_error_duplicate_key ? JOSE_DUPLICATE : JOSE_MALFORMED;
	if (json_is_object(*out))
		return JOSE_OK;
	json_decref(*out);
	*out = NULL;
	return JOSE_MALFORMED;
}

long jose_bytes(const json_t *o, const char *name, unsigned char *out, size_t max)
{
	const json_t *v = json_object_get(o, name);
	size_t n;

	if (!json_is_string(v))
		return -1;
	n = json_string_length(v);
	if (n > BASE64URL_LEN(max) || n * 3 / 4 > max)
		return -1;
	return base64url_decode(out, json_string_value(v), n);
}
