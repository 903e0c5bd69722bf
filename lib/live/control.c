/* control: one renderer for every transport. */
#include "lib/live/control.h"

void control_reset(struct strbuf *b, const char *cursor, const char *reason)
{
	strbuf_addf(b, "{\"type\":\"reset\",\"cursor\":\"%s\",\"reason\":\"%s\"}", cursor, reason);
}

void control_cursor(struct strbuf *b, const char *cursor, int64_t retry_after_ms)
{
	strbuf_addf(b, "{\"type\":\"cursor\",\"cursor\":\"%s\",\"retry_after\":%g}", cursor,
		    (double)retry_after_ms / 1000);
}
