/* problem: RFC 9457. */
#include "lib/http/problem.h"
#include "lib/base/clock.h"
#include <string.h>

void problem_render(struct strbuf *b, const struct err *e, const char *request_id)
{
	strbuf_adds(b, "{\"type\":\"about:blank\",\"title\":");
	strbuf_add_json(b, err_title(e->code), strlen(err_title(e->code)));
	strbuf_addf(b, ",\"status\":%d,\"code\":\"%s\"", err_status(e->code), err_name(e->code));
	if (e->field[0]) {
		strbuf_adds(b, ",\"field\":");
		strbuf_add_json(b, e->field, strlen(e->field));
	}
	strbuf_adds(b, ",\"detail\":");
	strbuf_add_json(b, e->detail, strlen(e->detail));
	if (e->until_us) {
		char until[TIME_TEXT_MAX];

		time_text(e->until_us, until);
		strbuf_addf(b, ",\"until\":\"%s\"", until);
	}
	strbuf_adds(b, ",\"request_id\":");
	strbuf_add_json(b, request_id, strlen(request_id));
	strbuf_addc(b, '}');
}

int problem_retry_after(const struct err *e)
{
	int status = err_status(e->code);

	if (e->retry_after_ms > 0)
		return (e->retry_after_ms + 999) / 1000;
	return status == 429 || status == 503 ? 1 : 0;
}

void problem_headers(struct strbuf *b, const struct err *e)
{
	int seconds = problem_retry_after(e), status = err_status(e->code);

	if (seconds)
		strbuf_addf(b, "Retry-After: %d\r\n", seconds);
	if (status == 401)
		strbuf_adds(b, "WWW-Authenticate: Bearer realm=\"pulsechat\"\r\n");
	if (status == 426)
		strbuf_adds(b, "Upgrade: websocket\r\n");
}
