/* files_judge: what a request is about, and whether it is signed. */
#include "fcgi/files_private.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/utf8.h"
#include "lib/http/uri.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

#define QUERY_MAX 40

/* By the name that CGI has for it (RFC 3875, 4.1.18). */
static const char *header(void *arg, const char *name)
{
	char cgi[128] = "HTTP_";
	size_t at = 5;

	if (!strcmp(name, "content-type"))
		return files_param(arg, "CONTENT_TYPE");
	if (!strcmp(name, "content-length"))
		return files_param(arg, "CONTENT_LENGTH");
	if (strlen(name) >= sizeof(cgi) - at)
		return NULL;
	for (; *name; name++)
		cgi[at++] = *name == '-' ? '_' : (char)toupper((unsigned char)*name);
	cgi[at] = 0;
	return files_param(arg, cgi);
}

enum s3_err files_take_target(struct files_request *q)
{
	size_t prefix = strlen(FILES_PREFIX), n = strcspn(q->uri, "?");
	struct err e = {0};
	char *path, *slash;

	if (strncmp(q->uri, FILES_PREFIX, prefix) != 0)
		return S3_NO_BUCKET;
	path = arena_strndup(q->arena, q->uri + prefix, n - MIN_OF(n, prefix));
	n = strlen(path);
	if (!percent_decode(path, &n, false) || !utf8_valid(path, n) || utf8_has_control(path, n, ""))
		return S3_BAD_URI;
	q->path = arena_printf(q->arena, FILES_PREFIX "%s", path);
	slash = strchr(path, '/');
	q->bucket = path;
	q->key = slash ? slash + 1 : "";
	if (slash)
		*slash = 0;
	if (strlen(q->key) > LOCAL_KEY_MAX)
		return S3_KEY_TOO_LONG;
	n = strcspn(q->uri, "?");
	q->query = arena_alloc(q->arena, QUERY_MAX * sizeof(*q->query));
	if (q->uri[n] &&
	    uri_query(q->arena, q->uri + n + 1, strlen(q->uri + n + 1), q->query, QUERY_MAX, &q->n_query, &e) < 0)
		return S3_BAD_QUERY;
	return S3_OK;
}

/* Whether list, "a;b;c", has name. */
static bool listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (; *list; list += strcspn(list, ";"), list += *list == ';')
		if (!strncmp(list, name, n) && (list[n] == ';' || !list[n]))
			return true;
	return false;
}

enum s3_err files_judge(struct files_request *q, bool sends)
{
	struct sigv4_arrived arrived = {
		.method = q->method,
		.uri = q->uri,
		.host = files_param(q, "HTTP_HOST"),
		.header = header,
		.arg = q,
		.now = clock_now_us() / 1000000,
	};
	AUTO_STRBUF names = {.max = 4096};

	switch (sigv4_verify(&arrived, &q->f->keys, &names)) {
	case SIGV4_OK:
		break;
	case SIGV4_MALFORMED:
		return files_query(q, "X-Amz-Signature") ? S3_BAD_QUERY : S3_ACCESS_DENIED;
	case SIGV4_UNKNOWN_KEY:
		return S3_UNKNOWN_KEY;
	case SIGV4_EXPIRED:
		return S3_EXPIRED;
	case SIGV4_DIFFERS:
		return S3_SIGNATURE;
	}
	if (sends && !listed(strbuf_cstr(&names), "content-length"))
		return S3_UNSIGNED_LENGTH;
	return strcmp(q->bucket, q->f->config->files.bucket) != 0 ? S3_NO_BUCKET : S3_OK;
}

enum s3_err files_take_length(struct files_request *q)
{
	const char *length = files_param(q, "CONTENT_LENGTH");

	if (files_param(q, "HTTP_TRANSFER_ENCODING") || !length || !length[0] ||
	    !int_parse(length, strlen(length), INT64_MAX, &q->size))
		return S3_NO_LENGTH;
	return S3_OK;
}
