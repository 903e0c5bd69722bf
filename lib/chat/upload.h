/* upload: files on their way (doc/files.md): begun, sent to the store by the client, checked. The rules of states and
 * quotas are in sql/functions/80_files.sql. Blocks in the store, so for worker threads. */
#pragma once
#include "lib/base/strbuf.h"
#include "lib/chat/media.h"
#include "lib/store/store.h"
struct config;
struct db;
struct jx;

#define UPLOAD_PARTS_ASKED 100 /* of one request */
#define UPLOAD_DIMENSION_MAX 1000000

/* Who asks, and of what. */
struct upload_desk {
	struct db *db;
	const struct config *config;
	const struct store *store; /* NULL: the site keeps no files, and everything is ERR_UNPROCESSABLE */
	int64_t user;
};

/* Begins one, or finds it begun by the same client_id (*again). Errors: ERR_BAD_FIELD, ERR_TOO_LARGE,
 * ERR_CLIENT_ID_REUSED, ERR_QUOTA_EXCEEDED, those of access_code(), ERR_STORE_UNAVAILABLE. */
MUST_CHECK int upload_begin(const struct upload_desk *d, const struct jx *o, int64_t *upload, bool *again,
			    struct err *e);
/* Appends the Upload, with an address where it is to be sent to; *checked (NULL: not asked for): it is ready, in a
 * message, or an emoji. ERR_NOT_FOUND: not his, or none. */
MUST_CHECK int upload_render(const struct upload_desk *d, int64_t upload, bool *checked, struct strbuf *b,
			     struct err *e);
/* Appends all bytes of one that is ready and has max at most; *got false: it is none such, or not his. */
MUST_CHECK int upload_bytes(const struct upload_desk *d, int64_t upload, int64_t max, bool *got, struct strbuf *b,
			    struct err *e);
/* Reads {"parts":[{"number","sha256"}]} and appends {"parts":[…]} with an address for each. */
MUST_CHECK int upload_parts(const struct upload_desk *d, int64_t upload, const struct jx *o, struct strbuf *b,
			    struct err *e);

enum upload_claim {
	UPLOAD_CLAIMED,  /* it is ours to check */
	UPLOAD_CHECKING, /* somebody is at it */
	UPLOAD_DONE,
};
/* Takes it to be checked. ERR_UPLOAD_DIFFERS: it was found to differ before; ERR_NOT_FOUND. */
MUST_CHECK int upload_claim(const struct upload_desk *d, int64_t upload, enum upload_claim *out, int64_t *checks,
			    struct err *e);
/* Gives it back unchecked. */
void upload_unclaim(const struct upload_desk *d, int64_t upload, int64_t checks);

/* Checks a claimed one as far as its bytes are to be read, and writes down what came of it. go_on (NULL: always) is
 * asked now and then. 0: ready. Errors: ERR_UPLOAD_MISSING and those of the store: it is pending again;
 * ERR_UPLOAD_DIFFERS: it is erased. */
MUST_CHECK int upload_check(const struct upload_desk *d, struct media_sniffer *m, int64_t upload, int64_t checks,
			    bool (*go_on)(void *arg), void *arg, struct err *e);
