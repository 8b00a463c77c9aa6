// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_DUPLICATES_H
#define CDP_KNN_DUPLICATES_H

#include <stdint.h>

#include "base/err.h"
#include "io/matrix.h"

// Groups of equal rows, each of which is searched once. Rows are equal if their float32 numbers
// are; -0 equals 0. Groups are numbered by their first rows, ascending.
struct cdp_duplicates {
    uint64_t rows, groups;
    // NULL if all rows differ: row i is group i.
    uint32_t *first;  // row of each group, ascending
    uint32_t *group;  // of each row
    uint64_t *start;  // groups + 1: group g is member[start[g]] to member[start[g + 1] - 1]
    uint32_t *member; // rows, ascending in each group
};

// Finds the groups. Free them also after an error. Memory: at most 28 bytes a row during the call,
// 20 afterwards, none if all rows differ.
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

// The number of rows of a group.
static inline uint64_t cdp_duplicates_size(const struct cdp_duplicates *copies, uint64_t group)
{
    return copies->start ? copies->start[group + 1] - copies->start[group] : 1;
}

// The number of groups whose first row is before `row`.
uint64_t cdp_duplicates_before(const struct cdp_duplicates *copies, uint64_t row);

// Expands a list of groups to the k nearest rows of a row, or to all other rows if there are fewer:
// nearest first, ties by smaller row. `groups` are the `found` nearest groups without the row's
// own, by key, then number; found is k, or all. min_key: the key of equal rows. `target` and `out`
// receive rows and keys. Returns their number.
uint32_t cdp_duplicates_expand(const struct cdp_duplicates *copies, uint64_t row,
                               const uint32_t *groups, const double *key, uint32_t found,
                               double min_key, uint32_t k, uint32_t *target, double *out);

#endif
