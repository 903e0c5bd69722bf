/* picture_file: what a file must be to become a picture that the site shows by itself: of an emoji, or of a person
 * (doc/files.md). */
#pragma once
#include "lib/base/err.h"
struct upload_desk;

#define PICTURE_BYTES ((int64_t)262144)
#define PICTURE_SIDE 1024 /* pixels, of the longer one */

/* Looks into an upload of the desk's user: blocks. What is no file of his, or has too many bytes, the statement says
 * that takes it. ERR_UNPROCESSABLE (file): no picture; ERR_TOO_LARGE (file): too many pixels; as the store. */
MUST_CHECK int picture_file_check(const struct upload_desk *d, int64_t file, struct err *e);
