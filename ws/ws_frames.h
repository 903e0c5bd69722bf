/* ws_frames: WebSocket frames (RFC 6455, section 5): heads of our own, and a client's frames read by wslay. Knows no
 * socket and no message. One thread. */
#pragma once
#include "lib/base/base.h"

enum ws_opcode { WS_CONTINUATION, WS_TEXT, WS_BINARY, WS_CLOSE = 8, WS_PING, WS_PONG };

#define WS_HEAD_MAX 10
#define WS_CONTROL_MAX 125 /* bytes of payload */

/* Writes the head of a whole, unmasked frame of n bytes into the bytes before `payload`. Returns its length. */
size_t ws_head(char *payload, enum ws_opcode opcode, size_t n);

/* What comes from one client. Zeroed: ready. Between frames it holds no memory. */
struct ws_reader {
	struct wslay_frame_context *wslay; /* NULL: between frames */
	const char *in;
	size_t in_n;
	uint64_t fed, eaten; /* bytes given to wslay, and bytes of frames that are whole */
	uint64_t at;         /* of the frame under way */
};

struct ws_piece { /* of a frame */
	enum ws_opcode opcode;
	bool first, last; /* of its frame */
	bool fin;         /* its frame ends a message */
	uint64_t frame_n; /* bytes of the frame's payload */
	const char *p;    /* unmasked; valid until the next call */
	size_t n;
};

/* p stays the caller's, and must stay until ws_reader_next() has returned 0. */
void ws_reader_feed(struct ws_reader *r, const char *p, size_t n);
/* 1: a piece; 0: all is read; -1: what came is no frame, or none that a client may send (close code 1002). */
int ws_reader_next(struct ws_reader *r, struct ws_piece *out);
void ws_reader_release(struct ws_reader *r);
/* Frees what stands ready for readers. */
void ws_frames_close(void);
