/* disposition: names of files, as they are kept and as Content-Disposition tells them (RFC 6266, RFC 8187). Any thread.
 */
#pragma once
#include "lib/base/strbuf.h"

#define FILE_NAME_SIZE 256 /* 255 bytes and a NUL */

/* A name that shows what it is: of a path the last part; without control characters, line ends, bidirectional marks and
 * overrides, other invisible characters (but the joiners that scripts and emoji need), blanks at its ends and dots at
 * its end. What is not UTF-8 is "_". Longer ones are cut before their extension. Where nothing is left: "file". */
void file_name_clean(const char *name, size_t n, char out[FILE_NAME_SIZE]);

/* Appends inline or attachment with the name in ASCII, and in UTF-8 where that is not the same. name: a clean one. */
void disposition_add(struct strbuf *b, bool attachment, const char *name);
