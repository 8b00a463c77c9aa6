// SPDX-License-Identifier: MIT
#ifndef CDP_MODULES_H
#define CDP_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"

// The two-level map equation (propagate/map.h) on one graph: which partition of its nodes has a
// short code.

struct cdp_flow_edge {
    uint32_t partner, weight;
};

// A symmetric graph without loops. Weights are integers, so that sums do not depend on their order.
// A partner may be repeated: the weights count together.
struct cdp_flow {
    uint32_t nodes;
    int threads;
    uint64_t *offset; // nodes + 1: the edges of node i are edge[offset[i] .. offset[i + 1] - 1]
    struct cdp_flow_edge *edge; // weights above 0
    uint64_t *strength;         // of each node: its share of all visits
    uint64_t total;             // of all strengths; below 2^63
    // Pairs of nodes that must not be in one module; NULL: none.
    uint64_t *apart_offset; // nodes + 1
    uint32_t *apart;
};

void cdp_flow_free(struct cdp_flow *flow);

// Moves nodes one by one to the module, of those of their partners and an empty one, that shortens
// the code most, until none does; a node is tried again after a partner has moved. The nodes of a
// module on entry must not be apart. module[i] < nodes. Returns the number of moves, or -1. One
// stage of progress.
int64_t cdp_modules_move(const struct cdp_flow *flow, uint32_t *module,
                         struct cdp_progress *progress, struct cdp_err *err);

// Numbers modules 0, 1, ... in order of their first node; returns how many, or -1.
int64_t cdp_modules_number(uint32_t *module, uint32_t nodes, struct cdp_err *err);

// The graph whose nodes are the modules 0 .. modules - 1 of another.
int cdp_modules_merge(const struct cdp_flow *flow, const uint32_t *module, uint32_t modules,
                      struct cdp_flow *merged, struct cdp_err *err);

// The part of the codelength that depends on the modules, L + sum of p(s_i / W), in bits, if each
// node is a module.
double cdp_modules_length(const struct cdp_flow *flow);

#endif
