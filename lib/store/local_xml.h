/* local_xml: what S3 says and is told about multipart uploads in XML. */
#pragma once
#include "lib/store/local.h"

/* The body of CompleteMultipartUpload, read as it comes. */
struct local_complete;
struct local_complete *local_complete_new(void);
void local_complete_free(struct local_complete **c);
/* The next bytes; last: there are no more. Errors: S3_BAD_XML, also for a DOCTYPE and over STORE_PARTS_MAX parts. */
MUST_CHECK enum s3_err local_complete_add(struct local_complete *c, const char *p, size_t n, bool last);
const struct local_wanted *local_complete_parts(const struct local_complete *c, size_t *n);

void local_xml_initiated(struct strbuf *b, const char *bucket, const char *key, const char *upload);
/* Up to max of those with a number above after. */
void local_xml_parts(struct strbuf *b, const char *bucket, const char *key, const char *upload,
		     const struct local_part *parts, size_t n, int after, size_t max);
void local_xml_completed(struct strbuf *b, const char *location, const char *bucket, const char *key,
			 const struct local_meta *m);
