// SPDX-License-Identifier: MIT
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

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
    void *memory = bytes == (size_t)-1 ? NULL : aligned_alloc(64, (bytes + 63) / 64 * 64);
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
