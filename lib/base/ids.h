// SPDX-License-Identifier: MIT
#ifndef CDP_IDS_H
#define CDP_IDS_H

#include <stdbool.h>
#include <stdint.h>

// Whether an id is among `count` ids. Branch-free: the compiler vectorizes it, which is faster for
// short lists.
static inline bool cdp_holds(const uint32_t *ids, uint64_t count, uint32_t id)
{
    unsigned there = 0;
    for (uint64_t i = 0; i < count; i++)
        there |= ids[i] == id;
    return there;
}

#endif
