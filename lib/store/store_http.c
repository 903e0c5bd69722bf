/* store_http: what the server asks of the store by itself, by libcurl, with presigned addresses of its own. */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/store/store_private.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TRIES 3
#define PAUSE_MS 200 /* before the second try, twice that before the third; half of it at random */
#define ASK_EXPIRES 900
#define ASK_TIMEOUT_MS 20000
#define CONNECT_MS 5000
#define AGAIN_WITHIN_MS 8000 /* a thread waits for this: no new try after so long */
#define STALL_MS 30000
#define ERROR_BYTES_MAX ((size_t)64 << 10)
#define RETRY_AFTER_MS 5000

int store_presign(const struct store *s, struct sigv4_request *r, struct strbuf *url, struct err *e)
{
	r->endpoint = s->endpoint;
	r->path_style = s->path_style;
	r->bucket = s->bucket;
	r->payload_query = s->payload_query;
	if (!r->at)
		r->at = clock_now_us() / 1000000;
	return sigv4_presign(r, &s->keys, url, e);
}

/* Whether anything of the body has been handed on: then it cannot begin anew. */
struct reading {
	const struct store_ask *q;
	bool began;
};

static bool on_piece(void *arg, const uint8_t *p, size_t n)
{
	struct reading *r = arg;

	r->began = true;
	return r->q->read(r->q->arg, p, n);
}

static void on_header(void *arg, const char *name, const char *value)
{
	struct reading *r = arg;

	if (r->q->header)
		r->q->header(r->q->arg, name, value);
}

static bool try_again(const struct store_ask *q, const struct reading *r, const struct http_answer *a, bool failed)
{
	if (r->began)
		return false;
	if (a->status == 503 || a->status == 429) /* "slow down": it did nothing */
		return true;
	return failed ? a->unsent || !q->once : a->status >= 500 && !q->once;
}

static void pause_ms(uint32_t ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

int store_ask(const struct store *s, const struct store_ask *q, struct http_answer *a, struct err *e)
{
	struct sigv4_request r = {.method = q->method,
				  .key = q->key,
				  .headers = q->headers,
				  .n_headers = q->n_headers,
				  .query = q->query,
				  .n_query = q->n_query,
				  .expires = ASK_EXPIRES};
	struct http_header headers[16];
	struct reading reading = {.q = q};
	int64_t end = clock_mono_ms() + AGAIN_WITHIN_MS;
	struct http_request h = {.method = q->method,
				 .body = q->body,
				 .body_n = q->body_n,
				 .headers = headers,
				 .timeout_ms = q->read         ? 0
					       : q->timeout_ms ? q->timeout_ms
							       : ASK_TIMEOUT_MS,
				 .connect_ms = CONNECT_MS,
				 .stall_ms = STALL_MS,
				 .max_bytes = q->max_bytes ? q->max_bytes : ERROR_BYTES_MAX,
				 .as_is = true,
				 .sink = q->read ? on_piece : NULL,
				 .header = on_header,
				 .arg = &reading};

	memset(a, 0, sizeof(*a));
	for (size_t i = 0; i < q->n_headers + q->n_plain; i++) {
		bool is_signed = i < q->n_headers;

		if (h.n_headers == COUNT_OF(headers))
			return err_set(e, ERR_INTERNAL, NULL, "too many headers");
		headers[h.n_headers++] = is_signed ? (struct http_header){q->headers[i].name, q->headers[i].value}
						   : q->plain[i - q->n_headers];
	}
	for (int tried = 1;; tried++) {
		AUTO_STRBUF url = {.max = HTTP_URL_SIGNED_MAX};
		struct err why = {0};
		bool failed;

		if (store_presign(s, &r, &url, e) < 0)
			return -1;
		h.url = strbuf_cstr(&url);
		failed = http_fetch(&h, a, &why) < 0;
		if (tried == TRIES || clock_mono_ms() > end || !try_again(q, &reading, a, failed)) {
			if (!failed)
				return 0;
			http_answer_release(a);
			log_warning("store.failed", "method=%s key=%s why=%s", q->method, log_quote(q->key),
				    log_quote(why.detail));
			return err_retry(e, ERR_STORE_UNAVAILABLE, RETRY_AFTER_MS, "the object store does not answer");
		}
		http_answer_release(a);
		pause_ms(((uint32_t)PAUSE_MS << (tried - 1)) / 2 + rand_below(((uint32_t)PAUSE_MS << (tried - 1)) / 2));
	}
}

static void on_code(void *arg, const char *parent, const char *name, const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.";
	char *code = arg;
	size_t n = strlen(text);

	if (!strcmp(parent, "Error") && !strcmp(name, "Code") && n < STORE_CODE_SIZE && strspn(text, letters) == n)
		snprintf(code, STORE_CODE_SIZE, "%s", text);
}

void store_code(struct http_answer *a, char code[STORE_CODE_SIZE])
{
	code[0] = 0;
	if (a->body.n && !store_xml(a->body.p, a->body.n, on_code, code))
		code[0] = 0;
}

int store_refused(const struct store_ask *q, struct http_answer *a, struct err *e)
{
	char code[STORE_CODE_SIZE];

	store_code(a, code);
	log_error("store.refused", "method=%s key=%s status=%d code=%s", q->method, log_quote(q->key), a->status,
		  log_quote(code));
	return err_retry(e, ERR_STORE_UNAVAILABLE, RETRY_AFTER_MS, "the object store refused: %d %s", a->status, code);
}

int store_ask_gone(const struct store *s, const struct store_ask *q, struct err *e)
{
	struct http_answer a;
	char code[STORE_CODE_SIZE];
	int rc = 0;

	if (store_ask(s, q, &a, e) < 0)
		return -1;
	store_code(&a, code);
	if (a.status / 100 != 2 && (a.status != 404 || !strcmp(code, "NoSuchBucket")))
		rc = store_refused(q, &a, e);
	http_answer_release(&a);
	return rc;
}
