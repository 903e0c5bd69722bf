/* device: a name for a browser that its person knows it by, from what it says it is. Any thread. */
#pragma once
#include "lib/base/base.h"

#define DEVICE_NAME_MAX 64

/* "Firefox on Linux", "Safari on iPhone"; "Unknown device" where nothing in it is known. agent: a User-Agent's value.
 */
void device_name(const char *agent, char out[DEVICE_NAME_MAX]);
