/* s3_err: the errors of an S3 server, and how they are said. */
#pragma once
#include "lib/base/strbuf.h"

enum s3_err {
#define S3_ERR(symbol, code, status, message) S3_##symbol,
#include "lib/store/s3_err.def"
#undef S3_ERR
};

const char *s3_err_code(enum s3_err e);
int s3_err_status(enum s3_err e);
/* Appends <Error>…</Error>. resource: the path, as it is. */
void s3_err_render(struct strbuf *b, enum s3_err e, const char *resource, const char *request_id);
