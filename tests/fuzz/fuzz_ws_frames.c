/* fuzz_ws_frames: whatever bytes come on a WebSocket, cut anywhere: no crash, and what is taken are whole frames whose
 * pieces add up. */
// needs: ws/ws_frames.c
#include "ws/ws_frames.h"
#include <stdlib.h>

#define MUST(cond) ((cond) ? (void)0 : abort())

struct seen {
	uint64_t at, frame_n;
	enum ws_opcode opcode;
	bool fin;
};

static void check_piece(struct seen *s, const struct ws_piece *f)
{
	MUST(f->first == (s->at == 0));
	if (f->first)
		*s = (struct seen){.frame_n = f->frame_n, .opcode = f->opcode, .fin = f->fin};
	MUST(f->frame_n == s->frame_n && f->opcode == s->opcode && f->fin == s->fin);
	MUST(f->opcode <= WS_BINARY || (f->opcode >= WS_CLOSE && f->opcode <= WS_PONG));
	MUST(f->opcode < WS_CLOSE || (f->fin && f->frame_n <= WS_CONTROL_MAX));
	s->at += f->n;
	MUST(s->at <= f->frame_n && f->last == (s->at == f->frame_n));
	if (f->last)
		s->at = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t step = n ? (size_t)data[0] % 64 + 1 : 1;
	struct ws_reader r = {0};
	struct seen s = {0};
	struct ws_piece f;
	int rc = 0;

	for (size_t at = 1; at < n && rc == 0; at += step) {
		ws_reader_feed(&r, (const char *)data + at, MIN_OF(step, n - at));
		while ((rc = ws_reader_next(&r, &f)) == 1)
			check_piece(&s, &f);
		MUST(rc < 0 || r.in_n == 0);
	}
	ws_reader_release(&r);
	return 0;
}
