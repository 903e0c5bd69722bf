/* picture: how many pixels a browser makes of a picture, as its bytes say before anything is unpacked. Any thread. */
#pragma once
#include "lib/base/base.h"

struct picture_size {
	uint32_t width, height;
};

/* Of the n bytes at p, all of the file: the largest of what its headers name (of a GIF each frame may be larger than
 * the whole, of a WebP what stands within its canvas). False: no PNG, GIF, WebP or JPEG, or cut off before it says. */
bool picture_size(const void *p, size_t n, struct picture_size *out);
