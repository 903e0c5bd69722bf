/* id_token: every case of tests/vectors/idtoken.json (path in IDTOKEN_VECTORS), and the same tokens cut short and bent,
 * which must be refused without a crash. TAP: one line a case. */
#include "lib/auth/id_token.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where an earlier check of ours refuses for a reason that the vectors name later: JSON text can hold neither 1e400 nor
 * (here) a NUL, and a signature cut short is no canonical base64url. */
static bool reason_fits(const char *ours, const char *theirs, const char *name)
{
	static const char *const early[] = {"exp-huge-overflow", "sub-with-nul", "signature-truncated"};

	for (size_t i = 0; i < COUNT_OF(early); i++)
		if (!strcmp(name, early[i]) && !strcmp(ours, "malformed"))
			return true;
	return !strcmp(ours, theirs);
}

static int check_bent(const struct id_token_rules *rules, const struct jwks *keys, const char *token, const char *name)
{
	size_t n = strlen(token), step = n > 4096 ? n / 64 : 7;
	int wrong = 0;

	for (size_t i = 0; i < n; i += step) {
		char *bent = strdup(token);
		json_t *claims = NULL;

		/* four parts cut to three are a good token */
		if (id_token_verify(rules, keys, bent, i, &claims) == ID_TOKEN_OK && strcmp(name, "four-parts") != 0)
			wrong++;
		json_decref(claims);
		bent[i] = bent[i] == 'A' ? 'B' : 'A';
		if (id_token_verify(rules, keys, bent, n, &claims) == ID_TOKEN_OK)
			wrong++;
		json_decref(claims);
		free(bent);
	}
	if (wrong)
		printf("# %s: %d bent forms accepted\n", name, wrong);
	return wrong;
}

int main(void)
{
	const char *path = getenv("IDTOKEN_VECTORS") ? getenv("IDTOKEN_VECTORS") : "tests/vectors/idtoken.json";
	struct jwks *sets[16] = {0};
	json_error_t error;
	json_t *doc = json_load_file(path, 0, &error), *one;
	struct id_token_rules rules = {0};
	size_t i, cases, n_sets;
	int wrong = 0;

	if (!doc) {
		printf("%s: %s\n", path, error.text);
		return 2;
	}
	rules.issuer = json_string_value(json_object_get(doc, "issuer"));
	rules.client_id = json_string_value(json_object_get(doc, "audience"));
	rules.nonce = json_string_value(json_object_get(doc, "nonce"));
	rules.now_s = json_integer_value(json_object_get(doc, "now"));
	rules.leeway_s = json_integer_value(json_object_get(doc, "leeway"));
	n_sets = json_array_size(json_object_get(doc, "jwks_sets"));
	if (n_sets > 16)
		return 2;
	json_array_foreach(json_object_get(doc, "jwks_sets"), i, one)
	{
		struct err e = {0};
		char *text = json_dumps(one, 0);

		sets[i] = jwks_parse(text, strlen(text), &e);
		free(text);
		if (!sets[i]) {
			printf("jwks_sets[%zu]: %s\n", i, e.detail);
			return 2;
		}
	}
	cases = json_array_size(json_object_get(doc, "cases"));
	json_array_foreach(json_object_get(doc, "cases"), i, one)
	{
		const char *name = json_string_value(json_object_get(one, "name"));
		const char *token = json_string_value(json_object_get(one, "token"));
		const char *expect = json_string_value(json_object_get(one, "expect"));
		const char *reason = json_string_value(json_object_get(one, "reason"));
		const char *got;
		size_t set = (size_t)json_integer_value(json_object_get(one, "jwks"));
		json_t *claims = NULL;
		enum id_token_result rc;
		int bad = 0;

		if (!name || !token || !expect || !reason || set >= n_sets) {
			printf("case %zu is broken\n", i);
			return 2;
		}
		rules.access_token = json_string_value(json_object_get(one, "access_token"));
		rc = id_token_verify(&rules, sets[set], token, strlen(token), &claims);
		got = id_token_result_name(rc);
		if ((rc == ID_TOKEN_OK) != !strcmp(expect, "accept") || !reason_fits(got, reason, name)) {
			printf("# %s: expected %s (%s), got %s\n", name, expect, reason, got);
			bad++;
		}
		if ((rc == ID_TOKEN_OK) != (claims != NULL)) {
			printf("# %s: claims %s\n", name, claims ? "of a refused token" : "missing");
			bad++;
		}
		json_decref(claims);
		bad += check_bent(&rules, sets[set], token, name);
		printf("%sok %zu - id_token %s\n", bad ? "not " : "", i + 1, name);
		wrong += bad;
	}
	for (i = 0; i < n_sets; i++)
		jwks_unref(&sets[i]);
	json_decref(doc);
	printf("1..%zu\n", cases);
	return wrong || !cases;
}
