/* eventlog: rows of the log to events. */
#include "lib/bus/eventlog.h"
#include "lib/chat/message.h"
#include <string.h>

enum column { /* of both statements */
	      COL_HEAD,
	      COL_FIRST,
	      COL_MARK,
	      COL_FOUND,
	      COL_ROW_LIMIT,
	      COL_ID,
	      COL_KIND,
	      COL_TYPE,
	      COL_CHANNEL,
	      COL_AUDIENCE,
	      COL_SUBJECT,
	      COL_TAIL,
	      COL_MESSAGE,
	      COLUMNS = COL_MESSAGE + MESSAGE_COLUMNS
};

bool log_window_read(const PGresult *r, int64_t after, int64_t upto, struct log_window *out)
{
	int64_t found;

	memset(out, 0, sizeof(*out));
	if (!r || result_rows(r) < 1 || PQnfields(r) != COLUMNS ||
	    !cursor_mark_valid(result_text(r, 0, COL_MARK), result_length(r, 0, COL_MARK)))
		return false;
	memcpy(out->mark, result_text(r, 0, COL_MARK), CURSOR_MARK_LEN);
	out->head = result_int(r, 0, COL_HEAD);
	out->first = result_int(r, 0, COL_FIRST);
	out->rows = result_null(r, 0, COL_ID) ? 0 : result_rows(r);
	found = result_int(r, 0, COL_FOUND);
	if (out->rows < found || (out->rows && out->rows == result_int(r, 0, COL_ROW_LIMIT)))
		out->covered = result_int(r, out->rows - 1, COL_ID); /* cut: there may be more up to upto */
	else
		out->covered = MAX_OF(after, MIN_OF(upto, out->head));
	return true;
}

void event_line_start(struct strbuf *b, const char *type, const char *mark, int64_t id)
{
	char cursor[CURSOR_TEXT_MAX];

	strbuf_adds(b, "{\"type\":\"");
	strbuf_adds(b, type);
	strbuf_adds(b, "\",\"cursor\":\"");
	strbuf_adds(b, cursor_text(cursor, mark, id));
	strbuf_addc(b, '"');
}

void log_window_event(const PGresult *r, int row, const struct log_window *w, struct strbuf *b, struct event *out)
{
	const char *type = result_text(r, row, COL_TYPE);
	const char *tail = result_text(r, row, COL_TAIL);
	size_t tail_n = result_length(r, row, COL_TAIL);

	*out = (struct event){
		.id = result_int(r, row, COL_ID),
		.kind = result_text(r, row, COL_KIND)[0],
		.channel = result_int(r, row, COL_CHANNEL),
		.audience = result_int(r, row, COL_AUDIENCE),
		.subject = result_int(r, row, COL_SUBJECT),
	};
	strbuf_reset(b);
	event_line_start(b, type, w->mark, out->id);
	if (!strncmp(type, "message", 7)) {
		strbuf_addc(b, ',');
		message_render_row(b, r, row, COL_MESSAGE);
		strbuf_addc(b, '}');
	} else if (tail_n > 1) {
		strbuf_addc(b, ',');
		strbuf_add(b, tail, tail_n);
	} else { /* nothing to tell beside the type */
		strbuf_addc(b, '}');
	}
	out->json = (struct span){b->p, b->n};
}
