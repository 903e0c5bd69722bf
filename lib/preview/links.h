/* links: which link of a message is looked at. */
#pragma once
#include "lib/base/base.h"

#define LINK_MAX 1024 /* bytes */

/* The first http or https link of a message's text (valid UTF-8) that does not stand in code, of at most LINK_MAX
 * bytes, without the punctuation around it. False: there is none. */
bool link_find(const char *text, size_t n, struct span *link);
