/* siphash: SipHash-2-4 (Aumasson, Bernstein 2012) of 16 bytes: a keyed hash for tables whose keys strangers choose. */
#pragma once
#include "lib/base/base.h"

/* The same as of the 16 bytes a, b in little-endian order. */
uint64_t siphash(const uint64_t key[2], uint64_t a, uint64_t b);
