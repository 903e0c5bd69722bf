/* files_request: what is asked for, and the doing of it. */
#include "fcgi/files_private.h"
#include "fcgi/record.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/http/uri.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_LIMIT ((size_t)512 << 10) /* the parameters are at most 64 KiB, and are in there twice */
#define PARAMS_MAX 256
#define COMPLETE_MAX ((int64_t)4 << 20)
#define LIST_MAX 1000
#define JOIN_STEP ((int64_t)32 << 20) /* bytes that are copied before others have their turn */

/* subresource: the parameter that makes it another operation; "" for the object itself. */
struct files_op {
	const char *method, *subresource;
	void (*begin)(struct files_request *q);
	void (*add)(struct files_request *q, const struct iovec *pieces, size_t n);
	void (*end)(struct files_request *q);
};

struct files_request *files_request_new(struct files *f)
{
	struct files_request *q = xcalloc(1, sizeof(*q));
	unsigned char random[8];

	rand_bytes(random, sizeof(random));
	hex_encode(q->id, random, sizeof(random));
	q->f = f;
	q->arena = arena_new(ARENA_LIMIT);
	q->head.max = 64 << 10;
	q->body.max = 1 << 20;
	q->began = clock_mono_ms();
	return q;
}

static void drop(struct files_request *q)
{
	local_write_free(&q->write);
	local_complete_free(&q->complete);
	local_join_free(&q->join);
}

void files_request_free(struct files_request **qp)
{
	struct files_request *q = *qp;

	if (!q)
		return;
	drop(q);
	strbuf_release(&q->head);
	strbuf_release(&q->body);
	arena_free(&q->arena);
	free(q);
	*qp = NULL;
}

void files_request_fail(struct files_request *q, enum s3_err e)
{
	if (q->state == FILES_READY)
		return;
	drop(q);
	log_info("files.refused", "req_id=%s method=%s code=%s got=%lld of=%lld", q->id,
		 q->method ? log_quote(q->method) : "-", s3_err_code(e), (long long)q->got, (long long)q->size);
	files_answer_error(q, e);
}

/* Whether all is well; else it has been answered. */
static bool well(struct files_request *q, enum s3_err e)
{
	if (e != S3_OK)
		files_request_fail(q, e);
	return e == S3_OK;
}

/* ---- PUT */

static bool sha256_given(struct files_request *q, unsigned char out[32], bool *given)
{
	const char *text = files_param(q, "HTTP_X_AMZ_CHECKSUM_SHA256");
	unsigned char raw[36], again[48];

	*given = text != NULL;
	if (!text)
		return true;
	if (strlen(text) != 44 || EVP_DecodeBlock(raw, (const unsigned char *)text, 44) != 33)
		return false;
	EVP_EncodeBlock(again, raw, 32);
	if (strcmp((char *)again, text) != 0)
		return false;
	memcpy(out, raw, 32);
	return true;
}

static void put_begin(struct files_request *q)
{
	unsigned char expected[32];
	bool given;

	if (!sha256_given(q, expected, &given)) {
		files_request_fail(q, S3_INVALID);
		return;
	}
	if (q->size > q->f->config->files.max_size) {
		files_request_fail(q, S3_TOO_LARGE);
		return;
	}
	well(q, local_write_new(q->f->local, q->size, given ? expected : NULL, &q->write));
}

static void put_add(struct files_request *q, const struct iovec *pieces, size_t n)
{
	well(q, local_write_add(q->write, pieces, n));
}

static const char *type_sent(struct files_request *q)
{
	const char *type = files_param(q, "CONTENT_TYPE");

	if (!type || !type[0])
		return "binary/octet-stream";
	for (const char *p = type; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			return NULL;
	return strlen(type) < STORE_TYPE_SIZE ? type : NULL;
}

static void object_begin(struct files_request *q)
{
	struct local_meta m;
	enum s3_err there;

	q->type = type_sent(q);
	if (!q->type) {
		files_request_fail(q, S3_INVALID);
		return;
	}
	/* Said before the body comes; the rename says it for certain. */
	there = local_look(q->f->local, q->bucket, q->key, &m, NULL);
	if (there == S3_NO_KEY)
		put_begin(q);
	else
		files_request_fail(q, there == S3_OK ? S3_PRECONDITION : there);
}

static void put_done(struct files_request *q, const char *etag)
{
	log_info("files.put", "req_id=%s key=%s part=%d bytes=%lld ms=%lld", q->id, log_quote(q->key), q->number,
		 (long long)q->size, (long long)(clock_mono_ms() - q->began));
	files_answer(q, 200, NULL);
	strbuf_addf(&q->head, "ETag: %s\r\nContent-Length: 0\r\n", etag);
}

static void object_end(struct files_request *q)
{
	struct local_meta m;
	char etag[LOCAL_ETAG_SIZE];

	if (!well(q, local_write_object(q->write, q->bucket, q->key, q->type, &m)))
		return;
	local_write_free(&q->write);
	local_etag(m.sha256, 0, etag);
	put_done(q, etag);
}

static void part_begin(struct files_request *q)
{
	const char *number = files_query(q, "partNumber");
	int64_t n = 0;

	q->upload = files_query(q, "uploadId");
	if (!q->upload || !int_parse(number, strlen(number), STORE_PARTS_MAX, &n) || n < 1) {
		files_request_fail(q, S3_ARGUMENT);
		return;
	}
	q->number = (int)n;
	if (well(q, local_upload_look(q->f->local, q->bucket, q->key, q->upload, NULL)))
		put_begin(q);
}

static void part_end(struct files_request *q)
{
	char etag[LOCAL_ETAG_SIZE];

	if (!well(q, local_write_part(q->write, q->upload, q->number, etag)))
		return;
	local_write_free(&q->write);
	put_done(q, etag);
}

/* ---- GET, HEAD, DELETE */

static void get(struct files_request *q)
{
	struct local_meta m;
	char path[LOCAL_PATH_SIZE];

	if (well(q, local_look(q->f->local, q->bucket, q->key, &m, path)))
		files_answer_object(q, &m, path);
}

static void delete (struct files_request *q)
{
	if (!well(q, local_delete(q->f->local, q->bucket, q->key)))
		return;
	log_info("files.deleted", "req_id=%s key=%s", q->id, log_quote(q->key));
	files_answer(q, 204, NULL);
}

/* ---- multipart uploads */

static void initiate(struct files_request *q)
{
	char upload[LOCAL_ID_LEN + 1];
	const char *type = type_sent(q);

	if (!well(q, !type ? S3_INVALID : local_upload_new(q->f->local, q->bucket, q->key, type, upload)))
		return;
	files_answer(q, 200, "application/xml");
	local_xml_initiated(&q->body, q->bucket, q->key, upload);
}

static bool number_asked(struct files_request *q, const char *name, int64_t max, int64_t *n)
{
	const char *text = files_query(q, name);

	return !text || int_parse(text, strlen(text), max, n);
}

static void list_parts(struct files_request *q)
{
	const char *upload = files_query(q, "uploadId");
	struct local_part *parts = NULL;
	int64_t after = 0, max = LIST_MAX;
	size_t n = 0;

	if (!number_asked(q, "part-number-marker", INT32_MAX, &after) ||
	    !number_asked(q, "max-parts", INT32_MAX, &max)) {
		files_request_fail(q, S3_ARGUMENT);
		return;
	}
	max = MIN_OF(max, (int64_t)LIST_MAX);
	if (well(q, local_upload_look(q->f->local, q->bucket, q->key, upload, NULL)) &&
	    well(q,
		 local_parts(q->f->local, upload, (int)after, (size_t)max + 1, &parts, &n))) { /* 1: are there more */
		files_answer(q, 200, "application/xml");
		local_xml_parts(&q->body, q->bucket, q->key, upload, parts, n, (int)after, (size_t)max);
	}
	free(parts);
}

static void abort_upload(struct files_request *q)
{
	if (well(q, local_upload_abort(q->f->local, q->bucket, q->key, files_query(q, "uploadId"))))
		files_answer(q, 204, NULL);
}

static void complete_begin(struct files_request *q)
{
	q->upload = files_query(q, "uploadId");
	if (q->size > COMPLETE_MAX)
		files_request_fail(q, S3_TOO_LARGE);
	else
		q->complete = local_complete_new();
}

static void complete_add(struct files_request *q, const struct iovec *pieces, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!well(q, local_complete_add(q->complete, pieces[i].iov_base, pieces[i].iov_len, false)))
			return;
}

static void complete_end(struct files_request *q)
{
	const struct local_wanted *wanted;
	size_t n;

	if (!well(q, local_complete_add(q->complete, NULL, 0, true)))
		return;
	wanted = local_complete_parts(q->complete, &n);
	if (!well(q, local_join_new(q->f->local, q->bucket, q->key, q->upload, wanted, n, q->f->config->files.max_size,
				    &q->join)))
		return;
	local_complete_free(&q->complete);
	q->state = FILES_WORK;
}

void files_request_work(struct files_request *q)
{
	struct local_meta m;
	bool done;

	if (!well(q, local_join_step(q->join, JOIN_STEP, &done, &m)) || !done)
		return;
	local_join_free(&q->join);
	log_info("files.joined", "req_id=%s key=%s parts=%d bytes=%lld ms=%lld", q->id, log_quote(q->key), m.parts,
		 (long long)m.size, (long long)(clock_mono_ms() - q->began));
	files_answer(q, 200, "application/xml");
	local_xml_completed(&q->body, q->path, q->bucket, q->key, &m);
}

static const struct files_op ops[] = {
	{"PUT", "", object_begin, put_add, object_end},
	{"PUT", "partNumber", part_begin, put_add, part_end},
	{"GET", "", get, NULL, NULL},
	{"HEAD", "", get, NULL, NULL},
	{"DELETE", "", delete, NULL, NULL},
	{"POST", "uploads", initiate, NULL, NULL},
	{"POST", "uploadId", complete_begin, complete_add, complete_end},
	{"GET", "uploadId", list_parts, NULL, NULL},
	{"DELETE", "uploadId", abort_upload, NULL, NULL},
};

/* ---- which it is */

/* Copies FastCGI's parameters, each with a NUL behind it. */
static bool take_params(struct files_request *q, const char *p, size_t n)
{
	const char *end = p + n;
	struct span name, value;

	q->names = arena_alloc(q->arena, PARAMS_MAX * sizeof(*q->names));
	q->values = arena_alloc(q->arena, PARAMS_MAX * sizeof(*q->values));
	while (p < end) {
		if (q->n_params == PARAMS_MAX || !record_param(&p, end, &name, &value))
			return false;
		q->names[q->n_params].p = arena_strndup(q->arena, name.p, name.n);
		q->names[q->n_params].n = name.n;
		q->values[q->n_params].p = arena_strndup(q->arena, value.p, value.n);
		q->values[q->n_params++].n = value.n;
	}
	return true;
}

/* Parameters that change nothing, and those that the operations know. Others ask for what is not done here. */
static bool known(const char *name)
{
	static const char *const names[] = {"partNumber", "uploadId", "uploads", "max-parts", "part-number-marker"};

	if (!strncasecmp(name, "x-", 2) || !strncmp(name, "response-", 9))
		return true;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static enum s3_err choose(struct files_request *q)
{
	const char *subresource = "";

	for (size_t i = 0; i < q->n_query; i++)
		if (!known(q->query[i].name))
			return S3_NOT_IMPLEMENTED;
	if (files_query(q, "partNumber") && !strcmp(q->method, "PUT"))
		subresource = "partNumber";
	else if (files_query(q, "uploadId"))
		subresource = "uploadId";
	else if (files_query(q, "uploads"))
		subresource = "uploads";
	for (size_t i = 0; i < COUNT_OF(ops); i++)
		if (!strcmp(ops[i].method, q->method) && !strcmp(ops[i].subresource, subresource))
			q->op = &ops[i];
	return q->op && q->key[0] ? S3_OK : S3_METHOD;
}

static enum s3_err begin(struct files_request *q)
{
	bool sends = !strcmp(q->method, "PUT");
	enum s3_err rc = files_take_target(q);

	if (rc == S3_OK && (sends || !strcmp(q->method, "POST")))
		rc = files_take_length(q);
	if (rc == S3_OK)
		rc = files_judge(q, sends);
	return rc == S3_OK ? choose(q) : rc;
}

void files_request_begin(struct files_request *q, const char *params, size_t n)
{
	const char *origin;

	if (!take_params(q, params, n)) {
		files_request_fail(q, S3_INVALID);
		return;
	}
	q->method = files_param(q, "REQUEST_METHOD");
	q->uri = files_param(q, "REQUEST_URI");
	origin = files_param(q, "HTTP_ORIGIN");
	q->from_site = origin && !strcmp(origin, q->f->origin);
	if (!q->method || !q->uri) {
		files_request_fail(q, S3_INVALID);
		return;
	}
	if (!strcmp(q->method, "OPTIONS")) {
		files_answer_preflight(q);
		return;
	}
	if (well(q, begin(q)))
		q->op->begin(q);
}

void files_request_add(struct files_request *q, const char *p, size_t n)
{
	if (q->state != FILES_BODY)
		return;
	q->got += (int64_t)n;
	if (q->got > q->size)
		files_request_fail(q, S3_INCOMPLETE); /* more than was declared */
	if (q->state != FILES_BODY || !n)
		return;
	q->pieces[q->n_pieces++] = (struct iovec){.iov_base = (void *)(uintptr_t)p, .iov_len = n};
	if (q->n_pieces == FILES_PIECES)
		files_request_flush(q);
}

void files_request_flush(struct files_request *q)
{
	size_t n = q->n_pieces;

	q->n_pieces = 0;
	if (n && q->state == FILES_BODY && q->op->add)
		q->op->add(q, q->pieces, n);
}

void files_request_end(struct files_request *q)
{
	files_request_flush(q);
	if (q->state != FILES_BODY)
		return;
	if (q->got != q->size)
		files_request_fail(q, S3_INCOMPLETE);
	else
		q->op->end(q);
}
