/* store_multipart: uploads in parts. */
#include "lib/base/codec.h"
#include "lib/store/store_private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES_MAX ((size_t)2 << 20) /* 1000 parts a page */
#define PAGES_MAX 20
#define COMPLETE_TIMEOUT_MS 300000 /* the store may put gigabytes together */
#define XML_START "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define XML_NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"

static void on_begun(void *arg, const char *parent, const char *name, const char *text)
{
	char **id = arg;

	if (!strcmp(parent, "InitiateMultipartUploadResult") && !strcmp(name, "UploadId") && text[0] &&
	    strlen(text) <= STORE_UPLOAD_ID_MAX) {
		free(*id);
		*id = xstrdup(text);
	}
}

int store_multipart_begin(const struct store *s, const char *key, const char *type, char **upload_id, struct err *e)
{
	struct sigv4_pair query = {"uploads", ""};
	/* S3 takes checksums of parts only where it was told so at first */
	struct sigv4_pair headers[] = {{"content-type", type}, {"x-amz-checksum-algorithm", "SHA256"}};
	struct store_ask q = {.method = "POST",
			      .key = key,
			      .query = &query,
			      .n_query = 1,
			      .headers = headers,
			      .n_headers = COUNT_OF(headers),
			      .body = "",
			      .once = true};
	struct http_answer a;
	int rc = 0;

	*upload_id = NULL;
	if (store_ask(s, &q, &a, e) < 0)
		return -1;
	if (a.status != 200 || !store_xml(strbuf_cstr(&a.body), a.body.n, on_begun, upload_id) || !*upload_id) {
		rc = store_refused(&q, &a, e);
		free(*upload_id);
		*upload_id = NULL;
	}
	http_answer_release(&a);
	return rc;
}

struct listing {
	struct store_part *parts, part;
	size_t n, cap;
	int64_t next;
	bool more, broken;
};

static void on_listed(void *arg, const char *parent, const char *name, const char *text)
{
	struct listing *l = arg;
	size_t n = strlen(text);
	int64_t v = 0;

	if (!strcmp(name, "IsTruncated")) {
		l->more = !strcmp(text, "true");
	} else if (!strcmp(name, "NextPartNumberMarker")) {
		if (int_parse(text, n, STORE_PARTS_MAX, &v))
			l->next = v;
	} else if (!strcmp(parent, "Part") && !strcmp(name, "PartNumber")) {
		l->broken = l->broken || !int_parse(text, n, STORE_PARTS_MAX, &v);
		l->part.number = (int)v;
	} else if (!strcmp(parent, "Part") && !strcmp(name, "Size")) {
		l->broken = l->broken || !int_parse(text, n, INT64_MAX - 10, &l->part.size);
	} else if (!strcmp(parent, "Part") && !strcmp(name, "ETag")) {
		snprintf(l->part.etag, sizeof(l->part.etag), "%s", n < sizeof(l->part.etag) ? text : "");
	} else if (!strcmp(parent, "Part") && !strcmp(name, "ChecksumSHA256")) {
		snprintf(l->part.sha256, sizeof(l->part.sha256), "%s", n < sizeof(l->part.sha256) ? text : "");
	} else if (!strcmp(name, "Part")) {
		if (l->part.number < 1 || !l->part.etag[0] || l->n == STORE_PARTS_MAX ||
		    (l->n && l->parts[l->n - 1].number >= l->part.number)) {
			l->broken = true;
			return;
		}
		if (l->n == l->cap) {
			l->cap = l->cap ? 2 * l->cap : 64;
			l->parts = xrealloc(l->parts, l->cap * sizeof(*l->parts));
		}
		l->parts[l->n++] = l->part;
		memset(&l->part, 0, sizeof(l->part));
	}
}

/* What is said of an upload that is not there. */
static int missing(struct http_answer *a, struct err *e)
{
	char code[STORE_CODE_SIZE];

	store_code(a, code);
	if (a->status != 404 || !strcmp(code, "NoSuchBucket"))
		return 0;
	return err_set(e, ERR_UPLOAD_MISSING, NULL, "the store has no such upload");
}

int store_multipart_parts(const struct store *s, const char *key, const char *upload_id, struct store_part **parts,
			  size_t *n, struct err *e)
{
	struct listing l = {.next = 0};
	int rc = 0;

	*parts = NULL;
	*n = 0;
	for (int page = 0; rc == 0 && page < PAGES_MAX; page++) {
		char marker[16];
		struct sigv4_pair query[] = {{"uploadId", upload_id}, {"part-number-marker", marker}};
		struct store_ask q = {.method = "GET",
				      .key = key,
				      .query = query,
				      .n_query = l.next ? 2 : 1,
				      .max_bytes = PAGE_BYTES_MAX};
		int64_t last = l.next;
		struct http_answer a;

		snprintf(marker, sizeof(marker), "%d", (int)l.next);
		l.more = false;
		if (store_ask(s, &q, &a, e) < 0) {
			rc = -1;
			break;
		}
		if (a.status != 200)
			rc = missing(&a, e) < 0 ? -1 : store_refused(&q, &a, e);
		else if (!store_xml(strbuf_cstr(&a.body), a.body.n, on_listed, &l) || l.broken ||
			 (l.more && (l.next <= last || page == PAGES_MAX - 1)))
			rc = store_refused(&q, &a, e);
		http_answer_release(&a);
		if (!l.more)
			break;
	}
	if (rc < 0) {
		free(l.parts);
		return -1;
	}
	*parts = l.parts ? l.parts : xcalloc(1, sizeof(*l.parts));
	*n = l.n;
	return 0;
}

static void add_escaped(struct strbuf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '&' || *s == '<' || *s == '>' || *s == '"')
			strbuf_addf(b, "&#%d;", *s);
		else
			strbuf_addc(b, *s);
	}
}

static void add_parts(struct strbuf *b, const struct store_part *parts, size_t n)
{
	strbuf_adds(b, XML_START "<CompleteMultipartUpload xmlns=\"" XML_NAMESPACE "\">");
	for (size_t i = 0; i < n; i++) {
		strbuf_addf(b, "<Part><PartNumber>%d</PartNumber><ETag>", parts[i].number);
		add_escaped(b, parts[i].etag);
		strbuf_adds(b, "</ETag>");
		if (parts[i].sha256[0]) {
			strbuf_adds(b, "<ChecksumSHA256>");
			add_escaped(b, parts[i].sha256);
			strbuf_adds(b, "</ChecksumSHA256>");
		}
		strbuf_adds(b, "</Part>");
	}
	strbuf_adds(b, "</CompleteMultipartUpload>");
}

/* Whether the upload has become its object: an earlier try may have got there without our hearing of it, and the key is
 * this upload's alone. ERR_UPLOAD_MISSING: neither is there. */
static int completed_before(const struct store *s, const char *key, struct err *e)
{
	struct store_object o;

	return store_head(s, key, &o, e);
}

/* A store may fail (radosgw does) over an upload that is not there any more. */
static bool upload_is_gone(const struct store *s, const char *key, const char *upload_id)
{
	struct sigv4_pair query[] = {{"uploadId", upload_id}, {"max-parts", "1"}};
	struct store_ask q = {.method = "GET", .key = key, .query = query, .n_query = COUNT_OF(query)};
	struct http_answer a;
	struct err e = {0};
	bool gone;

	if (store_ask(s, &q, &a, &e) < 0)
		return false;
	gone = missing(&a, &e) < 0;
	http_answer_release(&a);
	return gone;
}

int store_multipart_complete(const struct store *s, const char *key, const char *upload_id,
			     const struct store_part *parts, size_t n, struct err *e)
{
	static const char *const of_parts[] = {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML"};
	struct sigv4_pair query = {"uploadId", upload_id};
	AUTO_STRBUF body = {.max = (size_t)4 << 20};
	struct store_ask q = {
		.method = "POST", .key = key, .query = &query, .n_query = 1, .timeout_ms = COMPLETE_TIMEOUT_MS};
	char code[STORE_CODE_SIZE];
	struct http_answer a;
	bool of_part = false;
	int rc;

	add_parts(&body, parts, n);
	q.body = strbuf_cstr(&body);
	q.body_n = body.n;
	if (body.failed || !n || n > STORE_PARTS_MAX)
		return err_set(e, ERR_UPLOAD_MISSING, NULL, "expected 1 to %d parts", STORE_PARTS_MAX);
	if (store_ask(s, &q, &a, e) < 0)
		return -1;
	/* it begins to answer before it knows: 200 may bear an <Error> */
	store_code(&a, code);
	for (size_t i = 0; i < COUNT_OF(of_parts); i++)
		of_part = of_part || !strcmp(code, of_parts[i]);
	if (a.status == 200 && !code[0] && strstr(strbuf_cstr(&a.body), "CompleteMultipartUploadResult"))
		rc = 0;
	else if (of_part)
		rc = err_set(e, ERR_UPLOAD_MISSING, NULL, "the store has not all of its parts");
	else if (missing(&a, e) < 0 || (a.status >= 500 && upload_is_gone(s, key, upload_id)))
		rc = completed_before(s, key, e);
	else
		rc = store_refused(&q, &a, e);
	http_answer_release(&a);
	return rc;
}

int store_multipart_abort(const struct store *s, const char *key, const char *upload_id, struct err *e)
{
	struct sigv4_pair query = {"uploadId", upload_id};
	struct store_ask q = {.method = "DELETE", .key = key, .query = &query, .n_query = 1};

	return store_ask_gone(s, &q, e);
}
