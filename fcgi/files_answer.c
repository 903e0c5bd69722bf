/* files_answer: heads and bodies. Whatever is sent is a file of somebody's: no browser is to run any of it. */
#include "fcgi/files_private.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/chat/media.h"
#include "lib/http/uri.h"
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#define PREFLIGHT_S "600"
#define ALLOWED_HEADERS "content-type, if-none-match, x-amz-checksum-sha256"

const char *files_param(const struct files_request *q, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < q->n_params; i++)
		if (q->names[i].n == n && !memcmp(q->names[i].p, name, n))
			return q->values[i].p; /* a copy with a NUL behind it */
	return NULL;
}

const char *files_query(const struct files_request *q, const char *name)
{
	for (size_t i = 0; i < q->n_query; i++)
		if (!strcmp(q->query[i].name, name))
			return q->query[i].value;
	return NULL;
}

static bool visible(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			return false;
	return true;
}

void files_header(struct files_request *q, const char *name, const char *value)
{
	if (visible(value))
		strbuf_addf(&q->head, "%s: %s\r\n", name, value);
}

static const char *reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{200, "OK"},
		{204, "No Content"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{411, "Length Required"},
		{412, "Precondition Failed"},
		{413, "Content Too Large"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{507, "Insufficient Storage"},
	};

	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Internal Server Error";
}

void files_answer(struct files_request *q, int status, const char *type)
{
	q->state = FILES_READY;
	q->status = status;
	strbuf_reset(&q->head);
	strbuf_addf(&q->head, "Status: %d %s\r\n", status, reason(status));
	if (type)
		files_header(q, "Content-Type", type);
	strbuf_addf(&q->head, "x-amz-request-id: %s\r\n", q->id);
	strbuf_adds(&q->head, "X-Content-Type-Options: nosniff\r\n"
			      "Content-Security-Policy: sandbox; default-src 'none'\r\n"
			      "Cross-Origin-Resource-Policy: cross-origin\r\n"
			      "Referrer-Policy: no-referrer\r\n"
			      "Vary: Origin\r\n");
	if (q->from_site)
		strbuf_addf(&q->head,
			    "Access-Control-Allow-Origin: %s\r\n"
			    "Access-Control-Expose-Headers: ETag\r\n",
			    q->f->origin);
}

void files_answer_error(struct files_request *q, enum s3_err e)
{
	files_answer(q, s3_err_status(e), "application/xml");
	files_header(q, "Cache-Control", "no-store");
	strbuf_reset(&q->body);
	if (!q->method || strcmp(q->method, "HEAD") != 0)
		s3_err_render(&q->body, e, q->path ? q->path : "/", q->id);
	/* A HEAD tells it too: what goes wrong can be told apart by a program. */
	strbuf_addf(&q->head, "x-pulsechat-error: %s\r\n", s3_err_code(e));
}

/* ---- an object */

static bool etag_listed(const char *list, const char *etag)
{
	const char *hit;

	if (!list)
		return false;
	if (!strcmp(list, "*"))
		return true;
	hit = strstr(list, etag); /* its quotes are part of it */
	return hit != NULL;
}

/* attachment, unless it may be shown and nobody asks for a download; the name stays as it was signed. */
static void disposition(struct files_request *q, const char *type)
{
	const char *asked = files_query(q, "response-content-disposition"), *rest;

	if (!asked || !visible(asked)) {
		if (asked || !media_shown(type))
			files_header(q, "Content-Disposition", "attachment");
		return;
	}
	rest = asked + strcspn(asked, "; \t");
	if (strncasecmp(asked, "inline", 6) == 0 && rest == asked + 6 && media_shown(type))
		files_header(q, "Content-Disposition", asked);
	else
		strbuf_addf(&q->head, "Content-Disposition: attachment%s\r\n", rest);
}

static void checksum(struct files_request *q, const struct local_meta *m)
{
	const char *mode = files_param(q, "HTTP_X_AMZ_CHECKSUM_MODE");
	unsigned char text[48];

	if (!mode)
		mode = files_query(q, "x-amz-checksum-mode");
	if (!mode)
		mode = files_query(q, "X-Amz-Checksum-Mode");
	if (!mode || strcasecmp(mode, "ENABLED") != 0)
		return;
	EVP_EncodeBlock(text, m->sha256, sizeof(m->sha256));
	if (m->parts)
		strbuf_addf(&q->head, "x-amz-checksum-sha256: %s-%d\r\nx-amz-checksum-type: COMPOSITE\r\n", text,
			    m->parts);
	else
		strbuf_addf(&q->head, "x-amz-checksum-sha256: %s\r\nx-amz-checksum-type: FULL_OBJECT\r\n", text);
}

/* What may be shown keeps its type; text cannot do harm; anything else is bytes to a browser. */
static const char *type_told(const char *type)
{
	return media_shown(type) || !strcasecmp(type, "text/plain") ? type : "application/octet-stream";
}

void files_answer_object(struct files_request *q, const struct local_meta *m, const char *path)
{
	const char *asked = files_query(q, "response-content-type"), *type = asked ? asked : m->type;
	const char *cache = files_query(q, "response-cache-control");
	bool head = !strcmp(q->method, "HEAD");
	char etag[LOCAL_ETAG_SIZE];

	if (!cache || !visible(cache))
		cache = "private, max-age=300";
	local_etag(m->sha256, m->parts, etag);
	if (etag_listed(files_param(q, "HTTP_IF_NONE_MATCH"), etag)) {
		files_answer(q, 304, NULL);
		strbuf_addf(&q->head, "ETag: %s\r\nCache-Control: %s\r\n", etag, cache);
		return;
	}
	/* Only a program looks at a HEAD: it gets the truth. */
	files_answer(q, 200, head ? type : type_told(type));
	strbuf_addf(&q->head, "ETag: %s\r\nCache-Control: %s\r\n", etag, cache);
	disposition(q, type);
	checksum(q, m);
	if (head || !q->f->internal_path) /* nginx says so by itself, and once more */
		files_header(q, "Accept-Ranges", "bytes");
	if (head)
		strbuf_addf(&q->head, "Content-Length: %lld\r\n", (long long)m->size);
	else if (q->f->internal_path)
		strbuf_addf(&q->head, "%s: /.files/%s\r\n", q->f->sendfile, path + strlen("objects/"));
	else
		strbuf_addf(&q->head, "%s: %s/%s\r\n", q->f->sendfile, q->f->config->files.dir, path);
}

/* ---- what a browser asks before it sends */

static bool header_allowed(const char *name, size_t n)
{
	const char *at = ALLOWED_HEADERS;

	while (*at) {
		size_t len = strcspn(at, ",");

		if (len == n && !strncasecmp(at, name, n))
			return true;
		at += len;
		at += strspn(at, ", ");
	}
	return false;
}

static bool headers_allowed(const char *asked)
{
	while (asked && *asked) {
		size_t n = strcspn(asked, ", ");

		if (n && !header_allowed(asked, n))
			return false;
		asked += n;
		asked += strspn(asked, ", ");
	}
	return true;
}

void files_answer_preflight(struct files_request *q)
{
	const char *method = files_param(q, "HTTP_ACCESS_CONTROL_REQUEST_METHOD");

	if (!q->from_site || !method ||
	    (strcmp(method, "PUT") != 0 && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) ||
	    !headers_allowed(files_param(q, "HTTP_ACCESS_CONTROL_REQUEST_HEADERS"))) {
		files_answer_error(q, S3_FOREIGN);
		return;
	}
	files_answer(q, 200, NULL);
	strbuf_adds(&q->head, "Access-Control-Allow-Methods: GET, HEAD, PUT\r\n"
			      "Access-Control-Allow-Headers: " ALLOWED_HEADERS "\r\n"
			      "Access-Control-Max-Age: " PREFLIGHT_S "\r\n"
			      "Content-Length: 0\r\n");
}
