// SPDX-License-Identifier: MIT
#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// The number of bytes, or -1 (as size_t: SIZE_MAX) where it does not fit.
static size_t product(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > (size_t)-1 / 2)
        return (size_t)-1;
    return bytes ? bytes : 1;
}

static void *fail(size_t count, size_t size, const char *what, struct cdp_err *err)
{
    cdp_fail(err, "out of memory: %s needs %zu x %zu bytes", what, count, size);
    return NULL;
}

void *cdp_alloc(size_t count, size_t size, const char *what, struct cdp_err *err)
{
    size_t bytes = product(count, size);
    void *memory = bytes == (size_t)-1 ? NULL : malloc(bytes);
    return memory ? memory : fail(count, size, what, err);
}

void *cdp_zalloc(size_t count, size_t size, const char *what, struct cdp_err *err)
{
    size_t bytes = product(count, size);
    void *memory = bytes == (size_t)-1 ? NULL : calloc(bytes, 1);
    return memory ? memory : fail(count, size, what, err);
}

void *cdp_alloc_aligned(size_t count, size_t size, const char *what, struct cdp_err *err)
{
    size_t bytes = product(count, size);
    // Large pages where the system has them on request: rows are read in any order.
    size_t page = (size_t)1 << 21, unit = bytes < 2 * page ? 64 : page;
    bool fits = bytes <= (size_t)-1 / 2 - page;
    void *memory = fits ? aligned_alloc(unit, (bytes + unit - 1) / unit * unit) : NULL;
    if (memory && unit == page)
        madvise(memory, bytes, MADV_HUGEPAGE); // a wish
    return memory ? memory : fail(count, size, what, err);
}

int cdp_grow(void *array, size_t *room, size_t want, size_t size, const char *what,
             struct cdp_err *err)
{
    if (want <= *room)
        return 0;
    size_t more = *room < 32 ? 64 : *room * 2;
    if (more < want)
        more = want;
    size_t bytes = product(more, size);
    void *old;
    memcpy(&old, array, sizeof old);
    void *memory = bytes == (size_t)-1 ? NULL : realloc(old, bytes);
    if (!memory) {
        fail(more, size, what, err);
        return -1;
    }
    memcpy(array, &memory, sizeof memory);
    *room = more;
    return 0;
}
