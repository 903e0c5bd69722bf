/* media: types of files (doc/files.md): how a declared one is written, which are shown in a page, and what the first
 * bytes say (libmagic). Any thread; a sniffer one at a time. */
#pragma once
#include "lib/base/err.h"
#include "lib/store/store.h"

#define MEDIA_HEAD_BYTES 16384 /* of a file that are looked at */

/* A declared type as it is kept: lower case, without parameters, "" is application/octet-stream, and names that only
 * some use are those of the registry. ERR_BAD_FIELD, field type. */
MUST_CHECK int media_type(struct span declared, char out[STORE_TYPE_SIZE], struct err *e);

bool media_is_picture(const char *type); /* a raster image that browsers show */
/* Inline: pictures, audio, video; all else is an attachment. As sent, "video/webm;codecs=vp9": parameters do not count.
 */
bool media_shown(const char *type);
/* The type that it is told to be when it comes down: what is not shown and a browser could run is octets. */
const char *media_served(const char *type);

struct media_sniffer;
struct media_sniffer *media_sniffer_new(void); /* aborts where libmagic has no database */
void media_sniffer_free(struct media_sniffer **m);
/* Whether a file that begins so is what it was declared to be; type gets what it is. ERR_UPLOAD_DIFFERS, field type. */
MUST_CHECK int media_judge(struct media_sniffer *m, const char *declared, const void *head, size_t n,
			   char type[STORE_TYPE_SIZE], struct err *e);
