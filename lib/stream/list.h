// SPDX-License-Identifier: MIT
#ifndef CDP_LIST_H
#define CDP_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stream/header.h"

// Edges in memory, to be sorted into a stream's order. Initialize with {0}; free `edge` with
// free().
struct cdp_edge {
    uint64_t source, target;
    float value;
};

struct cdp_list {
    struct cdp_edge *edge;
    size_t count, room;
    uint64_t self_pairs; // dropped edges from an item to itself
    uint64_t head_lines; // skipped header lines of text
    uint64_t clamped;    // scores outside 0 .. 1 by a rounding error
};

int cdp_list_add(struct cdp_list *list, uint64_t source, uint64_t target, float value,
                 struct cdp_err *err);

// Sorts into the order of `type`: knn by source, stable; pairs by smaller and larger id, keeping
// the highest value of a repeated pair. Memory: a second array of edges while it runs, unless they
// are in that order.
int cdp_list_sort(struct cdp_list *list, enum cdp_type type, struct cdp_err *err);

// Converts values to scores: `distance` replaces them by 1 - value; `rescale` then maps their range
// to 0 .. 1. Without `rescale`, rounding errors are clamped (base/clamp.h), and a score outside 0
// .. 1 is an error that gives the range. NaN is an error.
int cdp_list_scores(struct cdp_list *list, bool distance, bool rescale, struct cdp_err *err);

#endif
