// SPDX-License-Identifier: MIT
#include "base/mem.h"

#include <stdint.h>
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

// Large pages where the system has them on request: fewer of them are to be cleared and looked up.
static void *wish(void *memory, size_t bytes)
{
    size_t page = (size_t)1 << 21, skip = -(uintptr_t)memory % page;
    if (memory && bytes >= 2 * page)
        madvise((char *)memory + skip, bytes - skip, MADV_HUGEPAGE);
    return memory;
}

void *cdp_alloc(size_t count, size_t size, const char *what, struct cdp_err *err)
{
    size_t bytes = product(count, size);
    void *memory = bytes == (size_t)-1 ? NULL : wish(malloc(bytes), bytes);
    return memory ? memory : fail(count, size, what, err);
}

void *cdp_zalloc(size_t count, size_t size, const char *what, struct cdp_err *err)
{
    size_t bytes = product(count, size);
    void *memory = bytes == (size_t)-1 ? NULL : wish(calloc(bytes, 1), bytes);
    return memory ? memory : fail(count, size, what, err);
}

void *cdp_alloc_aligned(size_t count, size_t size, const char *what, struct cdp_err *err)
{
    enum { LINE = 64 };
    size_t bytes = product(count, size), whole = (bytes + LINE - 1) / LINE * LINE;
    void *memory = bytes == (size_t)-1 ? NULL : wish(aligned_alloc(LINE, whole), bytes);
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
