/* s3_err: a table, and XML. */
#include "lib/store/s3_err.h"

static const struct {
	const char *code, *message;
	int status;
} errors[] = {
#define S3_ERR(symbol, code, status, message) [S3_##symbol] = {code, message, status},
#include "lib/store/s3_err.def"
#undef S3_ERR
};

const char *s3_err_code(enum s3_err e)
{
	return errors[e].code;
}

int s3_err_status(enum s3_err e)
{
	return errors[e].status;
}

void s3_err_render(struct strbuf *b, enum s3_err e, const char *resource, const char *request_id)
{
	strbuf_addf(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>", errors[e].code);
	strbuf_add_markup(b, errors[e].message);
	strbuf_adds(b, "</Message><Resource>");
	strbuf_add_markup(b, resource);
	strbuf_addf(b, "</Resource><RequestId>%s</RequestId></Error>\n", request_id);
}
