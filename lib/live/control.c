/* control: one renderer for every transport. */
#include "lib/live/control.h"

void control_reset(struct strbuf *b, const char *cursor, const char *reason)
{
	strbuf_addf(b, "{\"type\":\"reset\",\"cursor\":\"%s\",\"reason\":\"%s\"}", cursor, reason);
}

void control_cursor(struct strbuf *b, const char *cursor, int64_t retry_after_ms)
{
	strbuf_adds(b, "{\"type\":\"cursor\",\"cursor\":\"");
	strbuf_adds(b, cursor);
	strbuf_adds(b, "\",\"retry_after\":");
	if (retry_after_ms % 1000)
		strbuf_addf(b, "%g", (double)retry_after_ms / 1000);
	else /* by far the most */
		strbuf_addi(b, retry_after_ms / 1000);
	strbuf_addc(b, '}');
}
