// SPDX-License-Identifier: MIT
#ifndef CDP_CONSTRAINTS_H
#define CDP_CONSTRAINTS_H

#include "propagate/graph.h"
#include "propagate/tree.h"

// Receives the items of a shortest path of must-links between the two items of a cannot-link pair,
// from its first to its second.
typedef void cdp_contradiction_sink(void *context, const uint32_t *item, size_t items);

// Finds the pairs of `cannot` that lie in one component of `must`, the graph of the pairs that must
// stay together; hands each to the sink in its order. Returns their number, or -1. Ids beyond the
// graph's are in no component. Memory: 12 bytes an item.
int64_t cdp_contradictions(const struct cdp_graph *must, const struct cdp_list *cannot,
                           cdp_contradiction_sink *sink, void *context, struct cdp_err *err);

#endif
