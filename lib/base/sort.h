// SPDX-License-Identifier: MIT
#ifndef CDP_SORT_H
#define CDP_SORT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Counting sorts.

// Grouping by a key below `groups`: count each item of group g in begin[g + 2], of groups + 2
// zeros; call this; put each item of group g at begin[g + 1]++. Then group g is from begin[g] to
// begin[g + 1] (excluded), in the order in which its items were put.
static inline void cdp_group_begins(uint64_t *begin, uint64_t groups)
{
    for (uint64_t g = 0; g < groups; g++)
        begin[g + 2] += begin[g + 1];
}

enum { CDP_RADIX_BITS = 11 };

// What a radix sort works on: the items, and memory for as many. They change places.
struct cdp_radix {
    void *items, *spare;
};

// Sorts `count` items of `size` bytes by a key, stably: a counting sort for each 11 bits of the
// largest key. Inlined, so that `size` and `key` are constants.
static inline __attribute__((always_inline)) void
cdp_radix_sort(struct cdp_radix *r, size_t count, size_t size, uint64_t (*key)(const void *))
{
    enum { DIGITS = 1 << CDP_RADIX_BITS };
    const unsigned char *from = r->items;
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++)
        all |= key(from + i * size);
    for (int shift = 0; shift < 64 && all >> shift; shift += CDP_RADIX_BITS) {
        uint64_t begin[DIGITS + 2] = {0};
        unsigned char *to = r->spare;
        from = r->items;
        for (size_t i = 0; i < count; i++)
            begin[(key(from + i * size) >> shift & (DIGITS - 1)) + 2]++;
        cdp_group_begins(begin, DIGITS);
        for (size_t i = 0; i < count; i++) {
            uint64_t at = begin[(key(from + i * size) >> shift & (DIGITS - 1)) + 1]++;
            memcpy(to + at * size, from + i * size, size);
        }
        r->spare = r->items;
        r->items = to;
    }
}

#endif
