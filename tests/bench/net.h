/* net: what the load generator and the floor share: addresses, WebSocket frames, the clock, CPU times. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t now_us(void); /* monotonic */
void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* "HOST:PORT" (an IPv4 address) or the path of a Unix socket. Non-blocking; connect returns with the connection under
 * way. */
int net_listen(const char *where);
int net_connect(const char *where);
void net_files(size_t wanted); /* raises the limit of descriptors, or dies */

enum { WS_HEAD_MAX = 14, WS_TEXT = 1, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

/* Writes a final frame's header; mask NULL: from the server. Returns its length. */
size_t ws_head(unsigned char *out, int opcode, size_t n, const unsigned char *mask);
void ws_mask(unsigned char *p, size_t n, const unsigned char mask[4]);

struct ws_frame {
	int opcode;
	bool fin;
	unsigned char *p;
	size_t n, whole; /* payload, and with its header */
};

/* Reads a frame at p and unmasks it in place. 1, 0 (more bytes are needed), or -1 (no frame that may be). */
int ws_parse(unsigned char *p, size_t n, struct ws_frame *out);

/* CPU nanoseconds of a process and all below it, those that were there at the last call with the same name included
 * though they may have ended. */
struct cpu_watch {
	char name[32];
	int pid;
	bool below; /* its children too */
	int64_t ns; /* set by cpu_look() */
};
void cpu_look(struct cpu_watch *w, size_t n);
/* All processors: busy and stolen nanoseconds since boot. */
void cpu_machine(int64_t *busy, int64_t *stolen);
