// SPDX-License-Identifier: MIT
#ifndef CDP_LIST_H
#define CDP_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stream/header.h"

// Edges in memory, to be brought into a stream's order. Begin with {0}; free `edge` with free().
struct cdp_edge {
    uint64_t source, target;
    float value;
};

struct cdp_list {
    struct cdp_edge *edge;
    size_t count, room;
    uint64_t self_pairs; // edges from an item to itself, which were left out
    uint64_t head_lines; // first lines of text that were left out
    uint64_t clamped;    // scores that were rounding errors outside of 0 to 1
};

int cdp_list_add(struct cdp_list *list, uint64_t source, uint64_t target, float value,
                 struct cdp_err *err);

// The order of `type`: knn by source, each source's edges staying in the order in which they were
// added; pairs by smaller and larger id, the highest value of a repeated pair staying. Memory: as
// much again as the list has while it runs.
int cdp_list_sort(struct cdp_list *list, enum cdp_type type, struct cdp_err *err);

// Makes values scores of pairs: `distance` replaces them by 1 - value; `rescale` then maps the
// least of them to 0 and the greatest to 1. Without it, rounding errors are clamped (base/clamp.h),
// and a score that is not from 0 to 1 is an error that gives the range. NaN is an error in any
// case.
int cdp_list_scores(struct cdp_list *list, bool distance, bool rescale, struct cdp_err *err);

#endif
