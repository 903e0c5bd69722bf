/* media: which types of files may be shown inside a page: raster images, audio and video that every browser knows as
 * nothing else. All others are downloads: HTML, SVG, XML and PDF can run script. Any thread. */
#pragma once
#include "lib/base/base.h"

/* type: a media type as sent, "video/webm;codecs=vp9": parameters do not count. */
bool media_shown(const char *type);
