/* ws_frames: wslay reads heads, lengths and masks; here is checked what it leaves to its user. Its context is 4 KB, so
 * a client has one only while a frame of his is under way; some that are between two frames stand ready. */
#include "ws/ws_frames.h"
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#define MASK_BYTES 4
#define SPARES_MAX 16

static struct wslay_frame_context *spares[SPARES_MAX];
static size_t spares_n;
static struct ws_reader *reading; /* whose bytes on_recv() gives */

size_t ws_head(char *payload, enum ws_opcode opcode, size_t n)
{
	size_t head = n < 126 ? 2 : n < 65536 ? 4 : 10;
	char *p = payload - head;

	p[0] = (char)(0x80 | (int)opcode);
	if (head == 2) {
		p[1] = (char)n;
	} else if (head == 4) {
		uint16_t be = htobe16((uint16_t)n);

		p[1] = 126;
		memcpy(p + 2, &be, sizeof(be));
	} else {
		uint64_t be = htobe64(n);

		p[1] = 127;
		memcpy(p + 2, &be, sizeof(be));
	}
	return head;
}

static ssize_t on_recv(uint8_t *to, size_t n, int flags, void *arg)
{
	struct ws_reader *r = reading;
	size_t take = MIN_OF(n, r->in_n);

	(void)flags;
	(void)arg;
	memcpy(to, r->in, take);
	r->in += take;
	r->in_n -= take;
	r->fed += take;
	return take ? (ssize_t)take : -1; /* wslay: to be called again with more */
}

void ws_reader_feed(struct ws_reader *r, const char *p, size_t n)
{
	static const struct wslay_frame_callbacks callbacks = {.recv_callback = on_recv};

	r->in = p;
	r->in_n = n;
	if (!r->wslay && spares_n)
		r->wslay = spares[--spares_n];
	if (!r->wslay && wslay_frame_context_init(&r->wslay, &callbacks, NULL) != 0)
		abort(); /* no memory */
}

void ws_reader_release(struct ws_reader *r)
{
	if (r->wslay)
		wslay_frame_context_free(r->wslay);
	memset(r, 0, sizeof(*r));
}

static bool is_allowed(const struct wslay_frame_iocb *f)
{
	return f->mask && !f->rsv && (f->opcode <= WS_BINARY || (f->opcode >= WS_CLOSE && f->opcode <= WS_PONG));
}

static uint64_t frame_bytes(uint64_t payload)
{
	return (payload < 126 ? 2 : payload < 65536 ? 4 : 10) + MASK_BYTES + payload;
}

int ws_reader_next(struct ws_reader *r, struct ws_piece *out)
{
	struct wslay_frame_iocb f;
	ssize_t rc;

	reading = r;
	do
		rc = wslay_frame_recv(r->wslay, &f);
	while (rc == WSLAY_ERR_WANT_READ && r->in_n);
	if (rc == WSLAY_ERR_WANT_READ) {
		if (r->fed == r->eaten && spares_n < SPARES_MAX) { /* it holds nothing */
			spares[spares_n++] = r->wslay;
			r->wslay = NULL;
		}
		if (r->fed == r->eaten)
			ws_reader_release(r);
		return 0;
	}
	if (rc < 0 || !is_allowed(&f))
		return -1;
	out->opcode = (enum ws_opcode)f.opcode;
	out->fin = f.fin;
	out->first = r->at == 0;
	out->frame_n = f.payload_length;
	out->p = (const char *)f.data;
	out->n = f.data_length;
	r->at += f.data_length;
	out->last = r->at == f.payload_length;
	if (out->last) {
		r->eaten += frame_bytes(f.payload_length);
		r->at = 0;
	}
	return 1;
}

void ws_frames_close(void)
{
	while (spares_n)
		wslay_frame_context_free(spares[--spares_n]);
}
