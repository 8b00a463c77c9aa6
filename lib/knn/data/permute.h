// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_PERMUTE_H
#define CDP_KNN_PERMUTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// An array of lines of so many bytes.
struct cdp_array {
    void *first; // NULL: no array
    size_t size;
};

enum { CDP_PERMUTE_ARRAYS = 8 }; // arrays together, at most

// Puts the lines of some arrays, `count` lines each, in another order: line i becomes what line
// order[i] was, and each is that of one i. They change in place, since there may be no room for
// another array as large.
int cdp_permute(const struct cdp_array *arrays, size_t some, uint64_t count, const uint32_t *order,
                int threads, struct cdp_err *err);

#endif
