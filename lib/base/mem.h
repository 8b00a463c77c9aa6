// SPDX-License-Identifier: MIT
#ifndef CDP_MEM_H
#define CDP_MEM_H

#include <stddef.h>

#include "base/err.h"

// Checked allocation: `count` elements of `size` bytes each, for `what` (named in the error, with
// the number of bytes asked for). NULL after an error or an overflow; otherwise the caller frees
// the memory with free(), a count of 0 included.
void *cdp_alloc(size_t count, size_t size, const char *what, struct cdp_err *err);
void *cdp_zalloc(size_t count, size_t size, const char *what, struct cdp_err *err); // zeroed

// An array of 64-byte aligned rows for vector code; freed with free().
void *cdp_alloc_aligned(size_t count, size_t size, const char *what, struct cdp_err *err);

// Asks the cache for memory, or for the beginning of much.
static inline __attribute__((always_inline)) void cdp_fetch(const void *at, size_t bytes)
{
    for (size_t byte = 0; byte < bytes && byte < 1024; byte += 64)
        __builtin_prefetch((const char *)at + byte);
}

// Makes room for at least `want` elements in *array, which now has room for *room, by doubling.
// The contents stay; on failure the old array stays valid and is still the caller's.
int cdp_grow(void *array, size_t *room, size_t want, size_t size, const char *what,
             struct cdp_err *err);

#endif
