// SPDX-License-Identifier: MIT
#ifndef CDP_FOREST_H
#define CDP_FOREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// A maximum spanning forest that pairs are added to one by one: what their components are at every
// threshold at once, in memory for the items alone, however many pairs there are. Neither their
// order nor their repetition matters.
struct cdp_forest;

// Grows with the ids that it is given; at most 2^32 - 2 nodes. `pairs`: it remembers which pairs it
// is made of, for 8 bytes a node more; of pairs with one score those with the smaller first id are
// preferred, then those with the smaller second one, so that the forest of the forests of parts is
// that of the whole.
int cdp_forest_new(struct cdp_forest **forest, bool pairs, struct cdp_err *err);
void cdp_forest_free(struct cdp_forest *forest);

// Makes room for nodes 0 .. nodes - 1.
int cdp_forest_reserve(struct cdp_forest *forest, uint64_t nodes, struct cdp_err *err);
uint64_t cdp_forest_nodes(const struct cdp_forest *forest);

// Adds pairs of different nodes with finite scores; an id of 2^32 - 2 or more is an error. The time
// of a pair grows with the logarithm of the size of its component, expected over a fixed random
// order of the nodes. Memory: 20 bytes a node. Not thread-safe.
int cdp_forest_add(struct cdp_forest *forest, const uint64_t *i, const uint64_t *j,
                   const float *score, size_t pairs, struct cdp_err *err);

// An edge of the forest: two components join at this score. Where the forest remembers pairs its
// ends are those of a pair, the smaller first; otherwise any two items of the components, by their
// places.
struct cdp_forest_edge {
    float score;
    uint32_t end[2];
};

#define CDP_NO_PLACE UINT32_MAX

// What a forest becomes.
struct cdp_forest_edges {
    uint32_t *place; // of each node, or CDP_NO_PLACE
    uint64_t nodes;
    uint32_t placed; // items that are in a pair; places are numbers in the order of the first pair
    bool pairs;      // ends are ids
    uint32_t count;
    struct cdp_forest_edge *edge;
};

// By descending score, pairs of one score by their ids; or, where pairs are remembered, by ids.
enum cdp_forest_order { CDP_BY_SCORE, CDP_BY_PAIR };

// Takes the forest's memory and leaves it empty, after a failure too. Memory: 12 bytes a node more
// while it sorts.
int cdp_forest_take(struct cdp_forest *forest, enum cdp_forest_order order,
                    struct cdp_forest_edges *edges, struct cdp_err *err);
void cdp_forest_edges_free(struct cdp_forest_edges *edges);

#endif
