// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_DUPLICATES_H
#define CDP_KNN_DUPLICATES_H

#include <stdint.h>

#include "base/err.h"
#include "io/matrix.h"

// Groups of equal rows, so that each distinct row is searched once: rows whose float32 numbers are
// equal, -0 and 0 being the same. A group goes by its first row, and groups are numbered in the
// order of these.
struct cdp_duplicates {
    uint64_t rows, groups;
    // NULL where all rows differ, and row i is group i:
    uint32_t *first;  // row of each group, ascending
    uint32_t *group;  // of each row
    uint64_t *start;  // of each group's members, and the end
    uint32_t *member; // rows, ascending in each group
};

// To be freed with cdp_duplicates_free, after an error too. Memory: 28 bytes a row at most while it
// searches, 20 afterwards, none where all rows differ.
int cdp_duplicates_find(struct cdp_duplicates *copies, const struct cdp_matrix *matrix, int threads,
                        struct cdp_err *err);
void cdp_duplicates_free(struct cdp_duplicates *copies);

static inline uint32_t cdp_duplicates_group(const struct cdp_duplicates *copies, uint64_t row)
{
    return copies->group ? copies->group[row] : (uint32_t)row;
}

static inline uint32_t cdp_duplicates_first(const struct cdp_duplicates *copies, uint64_t group)
{
    return copies->first ? copies->first[group] : (uint32_t)group;
}

// Rows of a group.
static inline uint64_t cdp_duplicates_size(const struct cdp_duplicates *copies, uint64_t group)
{
    return copies->start ? copies->start[group + 1] - copies->start[group] : 1;
}

// Groups whose first row is before `row`.
uint64_t cdp_duplicates_before(const struct cdp_duplicates *copies, uint64_t row);

// The k nearest rows of a row, or all others where there are fewer, nearest first, ties by smaller
// row, from the `found` nearest groups, without the row's own, which are ordered by key and then
// number: k of them or all. least: the key of equal rows. `target` and `out` receive rows and keys.
// Returns how many.
uint32_t cdp_duplicates_expand(const struct cdp_duplicates *copies, uint64_t row,
                               const uint32_t *groups, const double *key, uint32_t found,
                               double least, uint32_t k, uint32_t *target, double *out);

#endif
