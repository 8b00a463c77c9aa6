// SPDX-License-Identifier: MIT
#ifndef CDP_HASH_H
#define CDP_HASH_H

#include <stdint.h>

// The key of hash tables over what a file holds: random, and the same throughout the process, so
// that no file can make its contents collide. Nothing that is written may depend on it.
uint64_t cdp_hash_key(void);

#endif
