/* documents: the provider's documents (discovery, keys), fetched by one process and shared by all by way of the
 * database: a process that starts, or answers a single request, asks the database instead of the provider, and an
 * unknown key makes one fetch a minute, however many processes there are. Without a database each asks for itself.
 * Blocks; worker threads. */
#pragma once
#include "lib/auth/refreshed.h"
#include "lib/base/strbuf.h"
struct config;

#define DOCUMENT_HASH_MAX 65 /* SHA-256 in hex, with its NUL */

struct document_kind {
	const char *what; /* "discovery", "jwks" */
	/* Asks the provider. body: empty at first. *max_age_ms: -1 where none was named. */
	int (*ask)(void *arg, struct strbuf *body, int64_t *max_age_ms, struct err *e);
	/* The document, or NULL with an error: then it is not shared. */
	struct shared *(*parse)(void *arg, const char *p, size_t n, struct err *e);
};

/* have: the hash of the document that this process used last, "" for none; set anew. newer: something is missing in it,
 * so that only another one helps. NULL with an error. */
struct shared *document_get(const struct config *c, const struct document_kind *kind, void *arg, bool newer,
			    char have[DOCUMENT_HASH_MAX], int64_t *max_age_ms, struct err *e);
