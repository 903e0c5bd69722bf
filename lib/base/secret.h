/* secret: bytes that must not stay in memory or reach a core dump. */
#pragma once
#include "lib/base/base.h"

void secret_wipe(void *p, size_t n); /* not optimised away */
/* No core dump holds this process's memory (PR_SET_DUMPABLE, RLIMIT_CORE). Called first in each main(). */
void secret_no_core(void);
/* SHA-256 (FIPS 180-4). */
void sha256(const void *p, size_t n, unsigned char out[32]);
