// SPDX-License-Identifier: MIT
#ifndef CDP_MEM_H
#define CDP_MEM_H

#include <stddef.h>

#include "base/err.h"

// Checked allocation of `count` elements of `size` bytes. The error names `what` and the number of
// bytes. NULL after an error or an overflow; otherwise, also for a count of 0, the caller frees the
// memory with free().
void *cdp_alloc(size_t count, size_t size, const char *what, struct cdp_err *err);
void *cdp_zalloc(size_t count, size_t size, const char *what, struct cdp_err *err); // zeroed

// The same, aligned to 64 bytes for vector code.
void *cdp_alloc_aligned(size_t count, size_t size, const char *what, struct cdp_err *err);

// Prefetches memory: its first 1,024 bytes at most.
static inline __attribute__((always_inline)) void cdp_fetch(const void *at, size_t bytes)
{
    for (size_t byte = 0; byte < bytes && byte < 1024; byte += 64)
        __builtin_prefetch((const char *)at + byte);
}

// Grows *array, of capacity *room, to a capacity of at least `want` elements by doubling. Keeps the
// contents; after a failure the old array is valid and still the caller's.
int cdp_grow(void *array, size_t *room, size_t want, size_t size, const char *what,
             struct cdp_err *err);

#endif
