// SPDX-License-Identifier: MIT
// Sizes that overflow are refused, never wrapped.
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>

#include "tap.h"

static struct cdp_err err;

static void refuses(const char *name, void *memory, size_t count, size_t size)
{
    char wanted[128];
    snprintf(wanted, sizeof wanted, "out of memory: rows needs %zu x %zu bytes", count, size);
    ok(!memory, "%s of %zu x %zu is refused", name, count, size);
    is_text(err.text, wanted, "and told");
    free(memory);
}

int main(void)
{
    // Products that are small once they have wrapped, or above what a pointer can span.
    static const size_t sizes[][2] = {
        {SIZE_MAX / 2 + 2, 2}, {((size_t)1 << 62) + 1, 4},
        {SIZE_MAX, SIZE_MAX},  {SIZE_MAX / 2 + 1, 1},
        {1, SIZE_MAX},         {((size_t)1 << 32) + 1, (size_t)1 << 32}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t count = sizes[i][0], size = sizes[i][1];
        refuses("an array", cdp_alloc(count, size, "rows", &err), count, size);
        refuses("a zeroed array", cdp_zalloc(count, size, "rows", &err), count, size);
        refuses("an aligned array", cdp_alloc_aligned(count, size, "rows", &err), count, size);
        uint16_t *grown = NULL;
        size_t room = 0;
        ok(cdp_grow(&grown, &room, count, size, "rows", &err) < 0 && !grown && !room,
           "growing to %zu x %zu is refused", count, size);
    }
    void *none = cdp_alloc(0, 8, "rows", &err);
    ok(none != NULL, "no elements are some memory");
    free(none);
    return done();
}
