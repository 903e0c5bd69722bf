/* refreshed: a document of the provider (its discovery, its keys) that all threads share: parsed once, immutable,
 * counted; fetched anew by one thread at a time. Any thread. */
#pragma once
#include "lib/base/err.h"
#include <stdatomic.h>

#define REFRESHED_AGE_MIN_MS 600000              /* a document is used so long at least, */
#define REFRESHED_AGE_MAX_MS ((int64_t)86400000) /* and so long at most, whatever Cache-Control says */
#define REFRESHED_RETRY_MS 60000 /* after a fetch that failed, and between two fetches by refreshed_newer() */

/* First member of what is shared. */
struct shared {
	atomic_int refs; /* 1 at first: the maker's */
	void (*destroy)(struct shared *s);
};
struct shared *shared_ref(struct shared *s);
void shared_unref(struct shared *s); /* NULL is fine */

struct refreshed;

/* Asks the provider; blocks; no lock is held. newer: something is missing in what we have. *max_age_ms: -1 where none
 * was named. NULL with an error. */
typedef struct shared *(*refreshed_fetch)(void *arg, bool newer, int64_t *max_age_ms, struct err *e);
struct refreshed *refreshed_new(const char *name, refreshed_fetch fetch, void *arg);
void refreshed_free(struct refreshed **r);

/* The document to use now; the caller's reference. One that is due is fetched anew; where that fails, the old one goes
 * on. NULL with the fetch's error where there is none at all: then those who waited for a failed fetch fail with it. */
struct shared *refreshed_get(struct refreshed *r, struct err *e);
/* After something was missing in `seen`: a newer one, or NULL where there is none, fetching at most once in
 * REFRESHED_RETRY_MS. */
struct shared *refreshed_newer(struct refreshed *r, const struct shared *seen);
