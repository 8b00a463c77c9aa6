// SPDX-License-Identifier: MIT
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// The number of bytes; SIZE_MAX on overflow.
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

enum {
    LINE = 64,
    PAGE = 1 << 21,   // bytes of a large page
    LARGE = PAGE / 2, // arrays of at least so many bytes are aligned to large pages
};

// Requests large pages where the system has them: fewer page faults, less clearing, fewer TLB
// misses.
static void wish(void *memory, size_t bytes)
{
    size_t skip = -(uintptr_t)memory % PAGE;
    if (memory && bytes >= skip + PAGE)
        (void)madvise((char *)memory + skip, bytes - skip, MADV_HUGEPAGE);
}

static void *alloc(size_t count, size_t size, size_t unit, const char *what, struct cdp_err *err)
{
    size_t bytes = product(count, size);
    void *memory = NULL;
    if (bytes != (size_t)-1) {
        unit = bytes < LARGE ? unit : PAGE;
        bytes = (bytes + unit - 1) / unit * unit;
        memory = unit > 1 ? aligned_alloc(unit, bytes) : malloc(bytes);
        wish(memory, bytes);
    }
    return memory ? memory : fail(count, size, what, err);
}

void *cdp_alloc(size_t count, size_t size, const char *what, struct cdp_err *err)
{
    return alloc(count, size, 1, what, err);
}

void *cdp_alloc_aligned(size_t count, size_t size, const char *what, struct cdp_err *err)
{
    return alloc(count, size, LINE, what, err);
}

void *cdp_zalloc(size_t count, size_t size, const char *what, struct cdp_err *err)
{
    size_t bytes = product(count, size);
    void *memory = bytes == (size_t)-1 ? NULL : calloc(bytes, 1);
    wish(memory, bytes);
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
