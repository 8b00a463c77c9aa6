// SPDX-License-Identifier: MIT
#ifndef CDP_SETS_H
#define CDP_SETS_H

#include <stdbool.h>
#include <stdint.h>

// Union-find over items 0 .. n - 1, in an array `parent` of n. The root of a set is its smallest
// item, so that the result does not depend on the order of joins. Paths are halved (Tarjan, van
// Leeuwen: Worst-case analysis of set union algorithms, J. ACM 31 (1984)). Not thread-safe.

static inline void cdp_sets_init(uint32_t *parent, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        parent[i] = i;
}

// The root of an item's set.
static inline uint32_t cdp_sets_find(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

// Joins the sets of two items; false if they were one.
static inline bool cdp_sets_join(uint32_t *parent, uint32_t i, uint32_t j)
{
    i = cdp_sets_find(parent, i);
    j = cdp_sets_find(parent, j);
    if (i < j)
        parent[j] = i;
    else
        parent[i] = j;
    return i != j;
}

#endif
