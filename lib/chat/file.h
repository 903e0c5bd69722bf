/* file: files that are there: who may have them, lists, erasing, care (doc/files.md). */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/chat/acting.h"
#include "lib/chat/page.h"
struct config;
struct db;
struct store;

/* Where a reader gets a file from; lasts_s as store_get_url(). download: as an attachment, whatever it is.
 * ERR_NOT_FOUND: none that he may have. */
MUST_CHECK int file_address(struct db *d, const struct store *s, int64_t reader, int64_t file, bool download,
			    struct strbuf *url, int64_t *lasts_s, struct err *e);

/* Erases one, or finds it erased, and appends the Message that bears it; nothing where it is in none. loose: only where
 * it is in none. Errors as access_code() says. */
MUST_CHECK int file_erase(struct db *d, const struct acting *who, int64_t file, bool loose, struct strbuf *b,
			  struct err *e);
/* Erases all of a person's. Errors as access_code() says. */
MUST_CHECK int files_erase_all(struct db *d, const struct acting *who, int64_t person, struct err *e);
/* Appends {"files":[…],"bytes":n,"next":…}, newest first. ERR_NOT_FOUND: no such person. */
MUST_CHECK int file_list(struct db *d, int64_t person, int64_t before, int64_t limit, struct strbuf *b, struct page *p,
			 struct err *e);

/* Appends {"files":[…],"next":…}: of a channel, those of `limit` messages below the seq `before`, the newest first.
 * which: "images", "others" or "all". Errors as access_read() says. */
MUST_CHECK int file_list_channel(struct db *d, int64_t channel, int64_t reader, int64_t before, int64_t limit,
				 const char *which, struct strbuf *b, struct page *p, struct err *e);

/* One round of care: erases what nobody has sent in a message, deletes objects of erased files from the store, forgets
 * rows. Any number of processes may do so at once. pause_ms: how soon what failed is tried again at first. *more: there
 * is more to do right now. Failures of the store are logged, and no error. */
struct files_cared {
	int64_t collected, deleted, failed;
	bool more;
};
MUST_CHECK int files_care(struct db *d, const struct config *c, const struct store *s, int64_t pause_ms,
			  struct files_cared *out, struct err *e);
/* How long to wait between two rounds, in milliseconds. */
int64_t files_care_each(const struct config *c);
