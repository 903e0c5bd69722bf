/* rand: random bytes for keys and ids (getrandom), and cheap jitter. Any thread. */
#pragma once
#include "lib/base/base.h"

/* Fills p with cryptographic random bytes; aborts where the kernel has none. */
void rand_bytes(void *p, size_t n);
/* Uniform in 0..below-1; below >= 1. */
uint32_t rand_below(uint32_t below);
/* A UUID, version 4, lower case, NUL-terminated. */
void rand_uuid(char out[37]);
