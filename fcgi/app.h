/* app: what all workers of one pulsechat-api process share. Made in main, constant after. */
#pragma once
#include "lib/base/err.h"
struct config;
struct oidc;
struct write_item;

#define PULSECHAT_VERSION_DEFAULT "0.1.0"
#ifndef PULSECHAT_VERSION
#define PULSECHAT_VERSION PULSECHAT_VERSION_DEFAULT
#endif

/* How a handler's write reaches the database: by the writer thread's group commit, or in CGI mode by a writer of its
 * own. */
struct write_gate {
	/* Blocks until the item's outcome is known (0, and *item is the caller's again: write_item_free) or not to be
	 * waited for any longer (-1: the item is gone, ERR_UNAVAILABLE or ERR_BUSY). The item may be stored all the
	 * same: its client id makes a retry safe. */
	int (*write)(struct write_gate *g, struct write_item **item, struct err *e);
	bool (*is_up)(struct write_gate *g); /* for /healthz */
};

struct app {
	const struct config *config;
	struct write_gate *gate;
	struct oidc *oidc; /* for /auth */
};
