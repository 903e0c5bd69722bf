/* sigv4: S3 requests signed by Signature Version 4 in the query string ("presigned"), payload hash UNSIGNED-PAYLOAD;
 * made, and checked for the local store. Any thread. */
#pragma once
#include "lib/base/base.h"
#include "lib/base/err.h"
#include "lib/base/strbuf.h"

#define SIGV4_EXPIRES_MAX 604800 /* seconds */

struct sigv4_pair {
	const char *name, *value; /* as they are, not encoded */
};

struct sigv4_credentials {
	const char *access_key, *secret_key;
	const char *session_token; /* "" or NULL: none */
	const char *region;
};

struct sigv4_request {
	const char *method;
	const char *endpoint; /* scheme://host[:port][/path] */
	bool path_style;
	const char *bucket, *key;         /* key "": the bucket itself */
	const struct sigv4_pair *headers; /* those that are signed and must be sent so, without host */
	size_t n_headers;
	const struct sigv4_pair *query; /* further parameters, such as partNumber */
	size_t n_query;
	int64_t at;         /* seconds since 1970 */
	int64_t expires;    /* seconds, 1 to SIGV4_EXPIRES_MAX */
	bool payload_query; /* X-Amz-Content-Sha256=UNSIGNED-PAYLOAD in the query */
};

/* Appends the URL. Errors: ERR_BAD_FIELD with the member's name. */
MUST_CHECK int sigv4_presign(const struct sigv4_request *r, const struct sigv4_credentials *k, struct strbuf *url,
			     struct err *e);

/* A request as it arrived. uri is the raw request target, undecoded (REQUEST_URI); header: the value of a header by its
 * lower-case name, NULL: not sent. */
struct sigv4_arrived {
	const char *method, *uri, *host;
	const char *(*header)(void *arg, const char *name);
	void *arg;
	int64_t now; /* seconds since 1970 */
};

enum sigv4_verdict {
	SIGV4_OK,
	SIGV4_MALFORMED,   /* AuthorizationQueryParametersError: something is missing, given twice, or broken */
	SIGV4_UNKNOWN_KEY, /* InvalidAccessKeyId */
	SIGV4_EXPIRED,     /* AccessDenied, "Request has expired"; also what is dated more than 15 min ahead */
	SIGV4_DIFFERS,     /* SignatureDoesNotMatch */
};

/* Whether the request bears a signature of these credentials that holds now, and signs host; compares in constant time.
 * signed_names (may be NULL) gets the list of signed headers, "content-length;content-type;host". */
enum sigv4_verdict sigv4_verify(const struct sigv4_arrived *a, const struct sigv4_credentials *k,
				struct strbuf *signed_names);
