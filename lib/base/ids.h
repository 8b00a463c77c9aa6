// SPDX-License-Identifier: MIT
#ifndef CDP_IDS_H
#define CDP_IDS_H

#include <stdbool.h>
#include <stdint.h>

// Whether an id is among `count`: all are looked at, since short lists are searched faster by
// vectors than by branches.
static inline bool cdp_holds(const uint32_t *ids, uint64_t count, uint32_t id)
{
    unsigned there = 0;
    for (uint64_t i = 0; i < count; i++)
        there |= ids[i] == id;
    return there;
}

#endif
