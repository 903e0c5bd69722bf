/* upload_private: an upload's row, for upload.c and upload_check.c. */
#pragma once
#include "lib/chat/upload.h"
#include "lib/db/result.h"

#define UPLOAD_LEASE_MS 30000 /* a check of which nothing is heard for so long is taken over */

struct upload_row {
	PGresult *r; /* the strings are its */
	int64_t id, channel, size, part_size;
	const char *client_id, *state, *file, *key, *type, *sha256, *upload_id; /* "" : none */
};

/* put_ms not 0: it gets an address. ERR_NOT_FOUND. */
MUST_CHECK int upload_row_get(const struct upload_desk *d, int64_t upload, int64_t put_ms, struct upload_row *u,
			      struct err *e);
void upload_row_release(struct upload_row *u);
bool upload_row_is(const struct upload_row *u, const char *state);
int64_t upload_row_parts(const struct upload_row *u);                     /* how many; 0: in one piece */
int64_t upload_row_part_size(const struct upload_row *u, int64_t number); /* of that part */
