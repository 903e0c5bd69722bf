/* load: what the parts of the load generator share (tests/bench/load.c has its commands). One thread. */
#pragma once
#include "tests/bench/net.h"

enum {
	ROOMS_MAX = 4096,
	CPU_MAX = 16,
	SERIES_MAX = 600,
	STAMP = 1 + 16 + 1 + 4 + 1 + 8 + 1, /* "@TIME PUBLISHER COUNT ", what a text begins with */
};

enum kind { KIND_WS, KIND_POLL, KIND_HTTP };
enum state { DEAD, CONNECTING, GREETING, OPEN };

struct conn {
	int fd;
	enum kind kind;
	enum state state;
	bool publisher, polling_out, witness, waits, upgraded;
	int room, number; /* number: among the publishers */
	unsigned count;   /* messages sent */
	char *token;
	int64_t last; /* seq; -1: none yet */
	int64_t t0;   /* of the request or op under way */
	unsigned char *part, *out;
	size_t part_n, part_room, out_n, out_room;
	unsigned life; /* how many connections it has had */
	char cursor[64], instance[40];
};

struct room {
	int64_t id, top; /* top: the highest seq seen or acknowledged */
	int64_t acked;   /* in this run */
};

/* --- what is asked for (load.c) */

struct load_options {
	const char *target, *host;
	size_t body;
	bool browser;
	int wait;
};
extern struct load_options opt;
extern struct conn *conns, **publishers;
extern size_t conns_n, publishers_n;
extern unsigned *seen_of; /* by publisher: the last count its room's witness saw */
extern struct room rooms[ROOMS_MAX];
extern int rooms_n, loop; /* loop: of epoll */

/* Looks at what is ready, commands too; waits at most us for it. */
void loop_turn(int64_t us);

/* --- what is measured (load_measure.c) */

/* A histogram with 1/64 of relative error, in microseconds. */
struct hist {
	uint64_t n, at[64 * 40];
	int64_t max;
};

struct measures {
	int64_t from, to; /* the window: messages due in it count */
	bool closed;
	enum { REST_NONE, REST_HISTORY, REST_SEND, REST_GET } rest;
	uint64_t sent, acked, refused, arrived, delivered, gaps, backward, foreign, unordered, resets, byes, closes,
		answers, bad_answers, bytes;
	int64_t late;
	struct hist delivery, ack;
	unsigned series[SERIES_MAX];
	char trouble[256];
};
extern struct measures m;

/* The processes whose CPU time is looked at; the last one is ourselves. */
extern struct cpu_watch cpu[CPU_MAX + 1];
extern size_t cpu_n;
struct look {
	struct cpu_watch cpu[CPU_MAX + 1];
	int64_t at, busy, stolen;
};

void hist_add(struct hist *h, int64_t us);
/* Keeps the first thing that went wrong, for the report. */
void note(const char *what, const void *p, size_t n);
/* Something sent at `due` was answered. */
void count_ack(int64_t due, int64_t now);
/* Forgets all; the window begins after warm_us. */
void measure_begin(int64_t warm_us, int64_t seconds_us);
void look(struct look *l);
/* Prints what there was between two looks. left: messages that did not come. */
void report(const struct look *a, const struct look *b, uint64_t left);

/* --- connections (load_conn.c) */

extern size_t opening, open_n;
void conn_start(struct conn *c);
void conn_opened(struct conn *c);
void conn_dead(struct conn *c);
void conn_lost(struct conn *c, const char *why); /* nobody wanted it to end */
void conn_watch(struct conn *c, bool out);
void conn_put(struct conn *c, const void *p, size_t n);
void conn_writable(struct conn *c);
/* Keeps what is no whole frame or answer yet. */
void conn_keep(struct conn *c, const unsigned char *p, size_t n);

/* --- what clients send (load_ask.c) */

void ask_init(void); /* before the first of these */
void next_id(char out[40]);
void ask_handshake(struct conn *c);
void ask_poll(struct conn *c);
void ask_rest(struct conn *c); /* what m.rest says */
void send_op(struct conn *c, int64_t due);

/* --- what comes (load_lines.c, load_wire.c) */

#define STARTS(p, n, lit) starts(p, n, lit, sizeof(lit) - 1)
bool starts(const char *p, size_t n, const char *with, size_t with_n);
void on_lines(struct conn *c, const char *p, size_t n, int64_t now);
void wire_connected(struct conn *c);
void wire_readable(struct conn *c, int64_t *now); /* *now moves on where that took long */
