/* control: lines about the stream itself (doc/protocol.md, section 5), without a line end. */
#pragma once
#include "lib/base/strbuf.h"

void control_reset(struct strbuf *b, const char *cursor, const char *reason);
/* The last line of a poll's answer. */
void control_cursor(struct strbuf *b, const char *cursor, int64_t retry_after_ms);
