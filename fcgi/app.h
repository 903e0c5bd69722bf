/* app: what all workers of one pulsechat-api process share. Made in main, constant after. */
#pragma once
#include "lib/base/err.h"
struct checker;
struct config;
struct events;
struct files_thread;
struct oidc;
struct rate;
struct store;
struct typing_gate;
struct write_item;

#define PULSECHAT_VERSION_DEFAULT "0.1.0"
#ifndef PULSECHAT_VERSION
#define PULSECHAT_VERSION PULSECHAT_VERSION_DEFAULT
#endif

/* How a handler's writes reach the database: by the writer thread's group commit, or in CGI mode by a writer of its
 * own.
 */
struct write_gate {
	/* Hands n items in together, in their order, and blocks until the outcome of each is known (items[i] is the
	 * caller's again: write_item_free) or not to be waited for any longer (items[i] is NULL, errs[i] says why:
	 * ERR_UNAVAILABLE or ERR_BUSY). An item that is gone may be stored all the same: its client id makes a retry
	 * safe. */
	void (*write)(struct write_gate *g, struct write_item **items, size_t n, struct err *errs);
	bool (*is_up)(struct write_gate *g); /* for /healthz */
};

struct app {
	const struct config *config;
	struct write_gate *gate;
	struct oidc *oidc;     /* for /auth */
	struct events *events; /* NULL: polls are plain (CGI) */
	struct typing_gate *typing;
	struct rate *rate;
	struct store *store;       /* NULL: this site keeps no files */
	struct checker *checker;   /* NULL: uploads are checked where they are completed (CGI), or there is no store */
	struct files_thread *care; /* NULL: `pulsechat maintain` sees to it (CGI), or there is no store */
};
