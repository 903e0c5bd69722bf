/* headers: the one list. Without printf(): each poll has them. */
#include "lib/http/headers.h"

const struct headers headers_api = {
	.cache_control = "no-store",
	.policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	.referrer = "same-origin",
};

void headers_add(struct strbuf *b, const struct headers *h, const char *request_id)
{
	strbuf_adds(b, "Cache-Control: ");
	strbuf_adds(b, h->cache_control);
	strbuf_adds(b, "\r\nPulseChat-Request-Id: ");
	strbuf_adds(b, request_id);
	strbuf_adds(b, "\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: ");
	strbuf_adds(b, h->referrer);
	strbuf_adds(b, "\r\nContent-Security-Policy: ");
	strbuf_adds(b, h->policy);
	strbuf_adds(b, "\r\n");
}
