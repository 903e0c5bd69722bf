/* headers: the one list. */
#include "lib/http/headers.h"

const struct headers headers_api = {
	.cache_control = "no-store",
	.policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	.referrer = "same-origin",
};

void headers_add(struct strbuf *b, const struct headers *h, const char *request_id)
{
	strbuf_addf(b,
		    "Cache-Control: %s\r\nPulseChat-Request-Id: %s\r\nX-Content-Type-Options: nosniff\r\n"
		    "Referrer-Policy: %s\r\nContent-Security-Policy: %s\r\n",
		    h->cache_control, request_id, h->referrer, h->policy);
}
