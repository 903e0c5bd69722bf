/* store_check: each step says what it found. What goes wrong at first is what the rest would fail by, so it ends there.
 */
#include "lib/store/store_check.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/rand.h"
#include "lib/base/secret.h"
#include "lib/store/store_check_private.h"
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SKEW_MAX_S 60
#define TIMEOUT_MS 20000
#define HEADERS_MAX 8
#define NAME "pulsechat doctor.txt"

bool check_say(struct check *k, bool ok, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	k->ok = k->ok && ok;
	k->say(k->arg, ok, text);
	return ok;
}

/* What to do about an error of the store; need: what it takes there. */
static const char *remedy(const char *code, const char *need)
{
	static const struct {
		const char *code, *what;
	} known[] = {
		{"NoSuchBucket", "there is no such bucket: make it, or see [files] bucket, endpoint and path_style"},
		{"InvalidAccessKeyId", "the store does not know [files] access_key"},
		{"SignatureDoesNotMatch",
		 "[files] secret_key is not that of access_key (or a proxy changes what is asked)"},
		{"RequestTimeTooSkewed", "the clock of this machine is wrong: have it kept by NTP"},
		{"RequestExpired", "the clock of this machine is wrong: have it kept by NTP"},
		{"ExpiredToken", "[files] session_token has run out"},
		{"InvalidToken", "[files] session_token is not one of access_key"},
		{"AuthorizationHeaderMalformed", "[files] region is not the bucket's"},
		{"AuthorizationQueryParametersError", "[files] region is not the bucket's"},
		{"PermanentRedirect", "the bucket is in another region: see [files] endpoint and region"},
		{"TemporaryRedirect", "the bucket is in another region: see [files] endpoint and region"},
		{"NotImplemented", "the store cannot do this"},
	};

	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (strstr(code, known[i].code))
			return known[i].what;
	return need;
}

static void on_header(void *arg, const char *name, const char *value)
{
	struct check_seen *s = arg;
	const struct {
		const char *name;
		char *to;
		size_t size;
	} wanted[] = {{"access-control-allow-origin", s->allow_origin, sizeof(s->allow_origin)},
		      {"access-control-allow-methods", s->allow_methods, sizeof(s->allow_methods)},
		      {"access-control-allow-headers", s->allow_headers, sizeof(s->allow_headers)},
		      {"content-disposition", s->disposition, sizeof(s->disposition)},
		      {"content-type", s->type, sizeof(s->type)},
		      {"x-content-type-options", s->nosniff, sizeof(s->nosniff)},
		      {"content-security-policy", s->policy, sizeof(s->policy)}};

	for (size_t i = 0; i < COUNT_OF(wanted); i++)
		if (!strcasecmp(wanted[i].name, name))
			snprintf(wanted[i].to, wanted[i].size, "%s", value);
}

/* One request as a browser sends it. False: no answer. */
bool check_ask(const struct http_request *like, struct check_seen *seen, struct http_answer *a)
{
	struct http_request q = *like;
	struct err e = {0};

	memset(seen, 0, sizeof(*seen));
	q.timeout_ms = TIMEOUT_MS;
	q.max_bytes = (size_t)64 << 10;
	q.as_is = true;
	q.header = on_header;
	q.arg = seen;
	return http_fetch(&q, a, &e) == 0;
}

/* What the server asks first: an object that is not there. */
static bool check_reach(struct check *k)
{
	struct store_ask q = {.method = "GET", .key = k->key};
	int64_t before = clock_now_us() / 1000000, now, skew;
	char code[STORE_CODE_SIZE];
	struct http_answer a;
	struct err e = {0};
	bool clock_wrong;

	if (store_ask(k->s, &q, &a, &e) < 0)
		return check_say(
			k, false,
			"no answer from %s: is it right, does it run, and is its certificate one that this machine "
			"takes?",
			k->s->endpoint);
	now = clock_now_us() / 1000000;
	skew = !a.date_s ? 0 : a.date_s < before ? a.date_s - before : a.date_s > now ? a.date_s - now : 0;
	clock_wrong = llabs(skew) > SKEW_MAX_S;
	if (clock_wrong)
		check_say(k, false, "clock: the store's is %lld s %s ours: is the time of this machine kept by NTP?",
			  llabs((long long)skew), skew > 0 ? "ahead of" : "behind");
	else
		check_say(k, true, "clock: ours and the store's agree within %d s", SKEW_MAX_S);
	store_code(&a, code);
	if (a.status == 404 && strcmp(code, "NoSuchBucket") != 0)
		check_say(k, true, "the store knows our key, and the bucket");
	else if (a.status >= 500)
		check_say(k, false, "the store is not well: %d %s: %s", a.status, code,
			  config_files_local(k->c)
				  ? "does pulsechat-api --files run, and may the web server connect to it?"
				  : "see its log");
	else
		check_say(k, false, "the store refuses us: %d %s: %s", a.status, code,
			  clock_wrong
				  ? "the clock is wrong"
				  : remedy(code,
					   "its policy must let access_key do s3:GetObject, and s3:ListBucket so that "
					   "what is not there is 404 (conf/s3/user-policy.json)"));
	http_answer_release(&a);
	return k->ok;
}

/* Upload addresses as clients get them. NULL: said. */
static json_t *put_of(struct check *k, const char *key, const uint8_t sum[32], const char *upload_id)
{
	struct store_put p = {.key = key, .type = "text/plain", .size = CHECK_BODY_SIZE, .sha256 = sum};
	AUTO_STRBUF b = {0};
	struct err e = {0};

	if (upload_id) {
		p.upload_id = upload_id;
		p.number = 1;
	}
	if (store_put_render(k->s, &p, &b, &e) == 0)
		return json_loads(strbuf_cstr(&b), 0, NULL);
	check_say(k, false, "no address can be signed: %s %s", e.field, e.detail);
	return NULL;
}

/* Sends body to it from the site's origin; the status, 0: no answer. */
static int put(struct check *k, json_t *how, size_t n, struct check_seen *seen, char code[STORE_CODE_SIZE])
{
	struct http_header headers[HEADERS_MAX] = {{"Origin", k->c->site.url}};
	struct http_request q = {.method = "PUT",
				 .url = json_string_value(json_object_get(how, "url")),
				 .headers = headers,
				 .n_headers = 1,
				 .body = (const char *)k->body,
				 .body_n = n};
	struct http_answer a;
	const char *name;
	json_t *value;
	int status;

	json_object_foreach(json_object_get(how, "headers"), name, value)
	{
		if (q.n_headers < HEADERS_MAX)
			headers[q.n_headers++] = (struct http_header){name, json_string_value(value)};
	}
	code[0] = 0;
	status = check_ask(&q, seen, &a) ? a.status : 0;
	if (status)
		store_code(&a, code);
	http_answer_release(&a);
	return status;
}

static bool check_upload(struct check *k)
{
	json_t *how = put_of(k, k->key, k->sum, NULL);
	char code[STORE_CODE_SIZE];
	struct check_seen seen;
	bool cors;
	int status;

	if (!how)
		return false;
	cors = check_cors(k, json_string_value(json_object_get(how, "url")));
	status = put(k, how, CHECK_BODY_SIZE - 1, &seen, code);
	if (status / 100 == 2)
		check_say(k, false, "upload: a body of another size is taken: this is no store for PulseChat");
	status = put(k, how, CHECK_BODY_SIZE, &seen, code);
	if (status != 200) {
		check_say(k, false, "upload: %d %s: %s", status, code,
			  remedy(code, "its policy must let access_key do s3:PutObject (conf/s3/user-policy.json)"));
		json_decref(how);
		return false;
	}
	if (cors && !check_origin_allowed(&seen, k->c->site.url))
		check_say(k, false,
			  "CORS: the preflight is well, but the answer to PUT has no Access-Control-Allow-Origin");
	check_say(k, true, "upload: an object of %d bytes is there", CHECK_BODY_SIZE);
	status = put(k, how, CHECK_BODY_SIZE, &seen, code);
	if (status == 412 || status == 409)
		check_say(k, true, "upload: a second one by the same address is refused");
	else
		check_say(k, false,
			  "upload: a second one by the same address has %d %s, not 412: the store does not know "
			  "If-None-Match, and an address overwrites as long as it holds",
			  status, code);
	json_decref(how);
	return true;
}

static void check_head(struct check *k)
{
	struct store_object o;
	struct err e = {0};

	if (store_head(k->s, k->key, &o, &e) < 0)
		check_say(
			k, false, "look: %s: %s", e.detail,
			remedy(e.detail, "its policy must let access_key do s3:GetObject (conf/s3/user-policy.json)"));
	else if (o.size != CHECK_BODY_SIZE || strncmp(o.type, "text/plain", 10) != 0)
		check_say(k, false, "look: the object is of %lld bytes and %s, not as it was sent", (long long)o.size,
			  o.type);
	else if (o.has_sha256 && memcmp(o.sha256, k->sum, 32) != 0)
		check_say(k, false, "look: the store tells another checksum than it was sent");
	else
		check_say(k, true, "look: size and type are as sent, the checksum is %s",
			  o.has_sha256 ? "told" : "not told");
}

/* Without a signature nothing may come. */
static void check_closed(struct check *k, const char *url, const char *what, const char *then)
{
	char bare[2048];
	struct http_request q = {.url = bare};
	struct http_answer a;
	struct check_seen seen;

	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(url, "?"), url);
	if (check_ask(&q, &seen, &a) && a.status / 100 != 2)
		check_say(k, true, "%s: nothing without a signature (%d)", what, a.status);
	else
		check_say(k, false, "%s: whoever knows an object's name may read it: %s", what, then);
	http_answer_release(&a);
}

static void check_download(struct check *k)
{
	struct store_get g = {.key = k->key, .name = NAME, .type = "application/octet-stream"};
	struct http_header origin = {"Origin", k->c->site.url};
	struct http_request q = {.headers = &origin, .n_headers = 1};
	bool cloudfront = k->s->cloudfront != NULL;
	const char *by = cloudfront ? "download by CloudFront" : "download";
	char code[STORE_CODE_SIZE];
	AUTO_STRBUF url = {0};
	struct err e = {0};
	struct http_answer a;
	struct check_seen seen;
	int64_t lasts;

	if (store_get_url(k->s, &g, &url, &lasts, &e) < 0) {
		check_say(k, false, "%s: %s", by, e.detail);
		return;
	}
	q.url = strbuf_cstr(&url);
	if (!check_ask(&q, &seen, &a))
		check_say(k, false, "%s: no answer from %s", by, store_download_origin(k->s));
	else if (store_code(&a, code), a.status != 200)
		check_say(
			k, false, "%s: %d %s: %s", by, a.status, code,
			cloudfront
				? "is cloudfront_key_id in the key group of the distribution, cloudfront_key_file its "
				  "private "
				  "key, and may the distribution read the bucket (conf/s3/bucket-policy.json)?"
				: remedy(code, "its policy must let access_key do s3:GetObject"));
	else if (a.body.n != CHECK_BODY_SIZE || memcmp(a.body.p, k->body, CHECK_BODY_SIZE) != 0)
		check_say(k, false, "%s: other bytes than were sent", by);
	else if (strncmp(seen.disposition, "attachment; filename=\"" NAME "\"", strlen(NAME) + 22) != 0 ||
		 strcmp(seen.type, g.type) != 0)
		check_say(k, false, "%s: it comes as \"%s\", %s, not as was asked%s", by, seen.disposition, seen.type,
			  cloudfront ? ": the cache policy must pass on response-content-disposition and "
				       "response-content-type"
				     : "");
	else if ((cloudfront || config_files_local(k->c)) &&
		 (strcasecmp(seen.nosniff, "nosniff") != 0 || !strstr(seen.policy, "sandbox")))
		check_say(k, false,
			  "%s: without X-Content-Type-Options: nosniff and Content-Security-Policy: sandbox%s", by,
			  cloudfront ? ": give the distribution conf/s3/response-headers-policy.json" : "");
	else
		check_say(k, true, "%s: the same bytes, as an attachment under their name", by);
	http_answer_release(&a);
	check_closed(k, q.url, by,
		     cloudfront ? "let the distribution restrict viewers to the key group" : "close the bucket");
}

/* Whether the store holds bodies against their checksums, and [files] verifies says so. */
static void check_verifies(struct check *k)
{
	char key[STORE_KEY_SIZE], code[STORE_CODE_SIZE];
	struct err e = {0};
	struct check_seen seen;
	uint8_t other[32];
	json_t *how;
	int status;

	store_key(k->s, key);
	sha256("another body", 12, other);
	how = put_of(k, key, other, NULL);
	if (!how)
		return;
	status = put(k, how, CHECK_BODY_SIZE, &seen, code);
	json_decref(how);
	if (status == 200 && store_verifies(k->s))
		check_say(k, false,
			  "checksum: the store keeps a body that its checksum does not fit: set [files] verifies = no, "
			  "or "
			  "files "
			  "that were damaged on their way go unseen");
	else if (status == 200)
		check_say(k, true,
			  "checksum: the store does not look; uploads are read once more and hashed (verifies = no)");
	else if (status == 400)
		check_say(k, true, "checksum: a body that does not fit is refused%s",
			  store_verifies(k->s) ? "" : "; [files] verifies = yes would spare a reading of each upload");
	else
		check_say(k, false, "checksum: a body that does not fit has %d %s, neither 200 nor 400", status, code);
	if (status == 200 && store_delete(k->s, key, &e) < 0)
		check_say(k, false, "delete: %s (%s stays)", e.detail, key);
}

static void check_parts(struct check *k)
{
	const char *need = "its policy must let access_key do s3:PutObject, s3:ListMultipartUploadParts and "
			   "s3:AbortMultipartUpload (conf/s3/user-policy.json)";
	char key[STORE_KEY_SIZE], code[STORE_CODE_SIZE], *id = NULL;
	struct store_part *parts = NULL;
	struct err e = {0}, undo = {0};
	struct check_seen seen;
	int status = 0;
	json_t *how;
	size_t n = 0;
	bool ok;

	store_key(k->s, key);
	if (store_multipart_begin(k->s, key, "text/plain", &id, &e) < 0) {
		check_say(k, false, "parts: %s: %s", e.detail, remedy(e.detail, need));
		return;
	}
	how = put_of(k, key, k->sum, id);
	if (how)
		status = put(k, how, CHECK_BODY_SIZE, &seen, code);
	json_decref(how);
	ok = status == 200 && store_multipart_parts(k->s, key, id, &parts, &n, &e) == 0 && n == 1 &&
	     parts[0].size == CHECK_BODY_SIZE;
	free(parts);
	if (store_multipart_abort(k->s, key, id, &undo) < 0)
		check_say(k, false, "parts: an upload cannot be given up: %s: %s", undo.detail,
			  remedy(undo.detail, need));
	else if (status != 200)
		check_say(k, false, "parts: %d %s: %s", status, code, remedy(code, need));
	else if (!ok)
		check_say(k, false, "parts: what was sent is not listed: %s: %s", e.detail, remedy(e.detail, need));
	else
		check_say(k, true, "parts: an upload was begun, had a part, and was given up");
	free(id);
}

static void check_delete(struct check *k)
{
	struct store_object o;
	struct err e = {0};

	if (store_delete(k->s, k->key, &e) < 0)
		check_say(k, false, "delete: %s (%s stays): %s", e.detail, k->key,
			  remedy(e.detail,
				 "its policy must let access_key do s3:DeleteObject (conf/s3/user-policy.json)"));
	else if (store_head(k->s, k->key, &o, &e) == 0)
		check_say(k, false, "delete: the object is still there");
	else if (e.code != ERR_UPLOAD_MISSING)
		check_say(k, false, "delete: %s: what is not there must be 404: allow s3:ListBucket", e.detail);
	else
		check_say(k, true, "delete: the object is gone");
}

bool store_check(const struct config *c, void (*tell)(void *arg, bool ok, const char *text), void *arg)
{
	struct check k = {.c = c, .say = tell, .arg = arg, .ok = true};
	struct err e = {0};

	if (store_new(c, &k.s, &e) < 0)
		return check_say(&k, false, "%s", e.detail);
	if (!k.s)
		return check_say(&k, true, "[files] store = none: messages bear no files");
	check_say(&k, true, "%s at %s, bucket %s, region %s", c->files.store, k.s->endpoint, k.s->bucket,
		  k.s->keys.region);
	if (!strcmp(store_download_origin(k.s), c->site.url))
		check_say(&k, true,
			  "files come from the site's own origin: another host name for [files] url is safer");
	rand_bytes(k.body, sizeof(k.body));
	sha256(k.body, sizeof(k.body), k.sum);
	store_key(k.s, k.key);
	if (check_reach(&k) && check_upload(&k)) {
		check_page(&k);
		check_head(&k);
		check_download(&k);
		check_verifies(&k);
		check_parts(&k);
		check_delete(&k);
	}
	store_free(&k.s);
	return k.ok;
}
