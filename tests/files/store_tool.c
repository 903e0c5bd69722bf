/* store_tool: lib/store at the hand of tests: a JSON object a line on standard input, {"do":"head","key":"…"}, answered
 * by a line on standard output, {"ok":…} or {"error":CODE,"field","detail"}.   store_tool CONFIGURATION */
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/store/store.h"
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text(json_t *q, const char *name)
{
	return json_string_value(json_object_get(q, name));
}

static int64_t number(json_t *q, const char *name)
{
	return json_integer_value(json_object_get(q, name));
}

static json_t *parsed(struct strbuf *b)
{
	return json_loads(strbuf_cstr(b), 0, NULL);
}

static json_t *do_put(const struct store *s, json_t *q, struct err *e)
{
	uint8_t sum[32];
	const char *hex = text(q, "sha256");
	struct store_put p = {.key = text(q, "key"),
			      .type = text(q, "type"),
			      .size = number(q, "size"),
			      .sha256 = hex && hex_decode(sum, hex, 64) ? sum : NULL,
			      .upload_id = text(q, "upload_id"),
			      .number = (int)number(q, "number")};
	AUTO_STRBUF b = {0};

	return store_put_render(s, &p, &b, e) < 0 ? NULL : parsed(&b);
}

static json_t *do_get(const struct store *s, json_t *q, struct err *e)
{
	struct store_get g = {.key = text(q, "key"),
			      .name = text(q, "name"),
			      .type = text(q, "type"),
			      .show = json_is_true(json_object_get(q, "show"))};
	AUTO_STRBUF b = {0};
	int64_t lasts;

	if (store_get_url(s, &g, &b, &lasts, e) < 0)
		return NULL;
	return json_pack("{s:s,s:I}", "url", strbuf_cstr(&b), "lasts", (json_int_t)lasts);
}

static json_t *do_head(const struct store *s, json_t *q, struct err *e)
{
	struct store_object o;
	char hex[65] = "";

	if (store_head(s, text(q, "key"), &o, e) < 0)
		return NULL;
	if (o.has_sha256)
		hex_encode(hex, o.sha256, 32);
	return json_pack("{s:I,s:s,s:s}", "size", (json_int_t)o.size, "type", o.type, "sha256", hex);
}

struct reading {
	EVP_MD_CTX *md;
	int64_t n, stop; /* stop: after so many bytes; 0: never */
};

static bool on_piece(void *arg, const uint8_t *p, size_t n)
{
	struct reading *r = arg;

	EVP_DigestUpdate(r->md, p, n);
	r->n += (int64_t)n;
	return !r->stop || r->n < r->stop;
}

static json_t *do_read(const struct store *s, json_t *q, struct err *e)
{
	struct reading r = {.md = EVP_MD_CTX_new(), .stop = number(q, "stop")};
	unsigned char sum[32];
	char hex[65];
	json_t *out = NULL;

	EVP_DigestInit_ex(r.md, EVP_sha256(), NULL);
	if (store_read(s, text(q, "key"), number(q, "offset"), number(q, "n"), on_piece, &r, e) == 0) {
		EVP_DigestFinal_ex(r.md, sum, NULL);
		hex_encode(hex, sum, 32);
		out = json_pack("{s:I,s:s}", "size", (json_int_t)r.n, "sha256", hex);
	}
	EVP_MD_CTX_free(r.md);
	return out;
}

static json_t *do_begin(const struct store *s, json_t *q, struct err *e)
{
	char *id = NULL;
	json_t *out;

	if (store_multipart_begin(s, text(q, "key"), text(q, "type"), &id, e) < 0)
		return NULL;
	out = json_pack("{s:s}", "upload_id", id);
	free(id);
	return out;
}

static json_t *do_parts(const struct store *s, json_t *q, struct err *e)
{
	json_t *out = json_array();
	struct store_part *parts;
	size_t n;

	if (store_multipart_parts(s, text(q, "key"), text(q, "upload_id"), &parts, &n, e) < 0) {
		json_decref(out);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		json_array_append_new(out, json_pack("{s:i,s:I,s:s,s:s}", "number", parts[i].number, "size",
						     (json_int_t)parts[i].size, "etag", parts[i].etag, "sha256",
						     parts[i].sha256));
	free(parts);
	return out;
}

/* All the parts that are there, or those that the test names. */
static json_t *do_complete(const struct store *s, json_t *q, struct err *e)
{
	json_t *named = json_object_get(q, "parts"), *one;
	struct store_part *parts = NULL;
	size_t n = 0, i;
	int rc;

	if (named) {
		n = json_array_size(named);
		parts = xcalloc(n + 1, sizeof(*parts));
		json_array_foreach(named, i, one)
		{
			parts[i].number = (int)number(one, "number");
			snprintf(parts[i].etag, sizeof(parts[i].etag), "%s", text(one, "etag"));
		}
	} else if (store_multipart_parts(s, text(q, "key"), text(q, "upload_id"), &parts, &n, e) < 0) {
		return NULL;
	}
	rc = store_multipart_complete(s, text(q, "key"), text(q, "upload_id"), parts, n, e);
	free(parts);
	return rc < 0 ? NULL : json_true();
}

static json_t *do_abort(const struct store *s, json_t *q, struct err *e)
{
	return store_multipart_abort(s, text(q, "key"), text(q, "upload_id"), e) < 0 ? NULL : json_true();
}

static json_t *do_delete(const struct store *s, json_t *q, struct err *e)
{
	return store_delete(s, text(q, "key"), e) < 0 ? NULL : json_true();
}

static json_t *do_key(const struct store *s, json_t *q, struct err *e)
{
	char key[STORE_KEY_SIZE];

	(void)q;
	(void)e;
	store_key(s, key);
	return json_string(key);
}

static json_t *do_about(const struct store *s, json_t *q, struct err *e)
{
	(void)q;
	(void)e;
	return json_pack("{s:b,s:s,s:s}", "verifies", store_verifies(s), "upload_origin", store_upload_origin(s),
			 "download_origin", store_download_origin(s));
}

static json_t *act(const struct store *s, json_t *q, struct err *e)
{
	static const struct {
		const char *name;
		json_t *(*run)(const struct store *s, json_t *q, struct err *e);
	} verbs[] = {{"put", do_put},     {"get", do_get},       {"head", do_head},         {"read", do_read},
		     {"begin", do_begin}, {"parts", do_parts},   {"complete", do_complete}, {"abort", do_abort},
		     {"key", do_key},     {"delete", do_delete}, {"about", do_about}};
	const char *what = text(q, "do");

	for (size_t i = 0; what && i < COUNT_OF(verbs); i++)
		if (!strcmp(verbs[i].name, what))
			return verbs[i].run(s, q, e);
	err_set(e, ERR_BAD_REQUEST, "do", "no such thing to do");
	return NULL;
}

static void answer(json_t *ok, const struct err *e)
{
	json_t *out =
		ok ? json_pack("{s:o}", "ok", ok)
		   : json_pack("{s:s,s:s,s:s}", "error", err_name(e->code), "field", e->field, "detail", e->detail);

	json_dumpf(out, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(out);
}

int main(int argc, char **argv)
{
	struct config *c = NULL;
	struct store *s = NULL;
	struct err e = {0};
	char *line = NULL;
	size_t size = 0;

	log_init("store_tool", LOG_INFO);
	if (argc != 2 || config_load(argv[1], &c, &e) < 0 || store_new(c, &s, &e) < 0) {
		answer(NULL, &e);
		config_free(&c);
		return 1;
	}
	while (getline(&line, &size, stdin) > 0) {
		json_t *q = json_loads(line, 0, NULL);

		memset(&e, 0, sizeof(e));
		answer(act(s, q, &e), &e);
		json_decref(q);
	}
	free(line);
	store_free(&s);
	config_free(&c);
	return 0;
}
