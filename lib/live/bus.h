/* bus: what keeps a process's struct live fed: a LISTEN connection of its own, the epoch, a self-test that shows
 * whether notifications arrive, and reading the log where they do not. Knows no loop: its owner watches the descriptor,
 * and calls bus_ready() and bus_tick(). One thread, that of live. */
#pragma once
#include "lib/db/pgconn.h"
struct config;
struct live;

struct bus;

struct bus_hooks {
	void (*watch)(void *arg, int fd, int events); /* as the hook of pgconn.h */
	struct pgconn *(*pick)(void *arg);            /* a connection for a question */
	/* The self-test had no answer: pgconn_reset_silent() for each that pick() may name. */
	void (*reset_silent)(void *arg, int64_t now, int64_t ms, bool idle);
	void (*renewed)(void *arg); /* another epoch has begun; NULL is fine */
};

/* name: of the connection. live's hooks doubt and test lead to bus_doubt() and bus_test(). */
struct bus *bus_new(const struct config *c, struct live *live, const char *name, const struct bus_hooks *hooks,
		    void *arg);
/* Its questions under way are not answered any more: the connections that pick() named are closed with it. */
void bus_free(struct bus **b);

void bus_ready(struct bus *b, int events);
int64_t bus_tick(struct bus *b, int64_t now); /* as pgconn_tick(); at least once in a few 100 ms */
bool bus_hears(const struct bus *b);          /* the last self-test came in: else the log is read every second */

void bus_doubt(struct bus *b);
void bus_test(struct bus *b, int64_t number);
