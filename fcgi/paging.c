/* paging: queries and links. */
#include "fcgi/paging.h"
#include "lib/http/link.h"
#include <stdio.h>

int paging_read(const struct request *q, enum history_mode *mode, int64_t *seq, struct err *e)
{
	static const struct {
		const char *name;
		enum history_mode mode;
	} modes[] = {{"before", HISTORY_BEFORE}, {"after", HISTORY_AFTER}, {"around", HISTORY_AROUND}};
	bool given = false;

	*mode = HISTORY_BEFORE;
	*seq = REQUEST_NUMBER_MAX;
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		if (!request_query(q, modes[i].name))
			continue;
		if (given)
			return err_set(e, ERR_BAD_FIELD, modes[i].name, "only one of before, after and around");
		if (request_query_int(q, modes[i].name, modes[i].mode == HISTORY_AFTER ? 0 : 1, REQUEST_NUMBER_MAX, seq,
				      e) < 0)
			return -1;
		*mode = modes[i].mode;
		given = true;
	}
	return 0;
}

void paging_headers(struct response *r, const char *place, const struct history *h, int64_t seq, int64_t limit)
{
	AUTO_STRBUF links = {.max = 1024};
	char target[160];

	response_header(r, "PulseChat-Cursor", h->page.cursor);
	if (h->has_before) {
		snprintf(target, sizeof(target), "%s?before=%lld&limit=%lld", place,
			 (long long)(h->first ? h->first : seq + 1), (long long)limit);
		link_add(&links, target, "prev");
	}
	if (h->has_after) {
		snprintf(target, sizeof(target), "%s?after=%lld&limit=%lld", place,
			 (long long)(h->last ? h->last : seq - 1), (long long)limit);
		link_add(&links, target, "next");
	}
	if (links.n)
		response_header(r, "Link", strbuf_cstr(&links));
}
