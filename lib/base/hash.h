// SPDX-License-Identifier: MIT
#ifndef CDP_HASH_H
#define CDP_HASH_H

#include <stdint.h>

// The random key of hash tables over file content, constant in a process: no file can be made to
// cause collisions. Output must not depend on it.
uint64_t cdp_hash_key(void);

#endif
