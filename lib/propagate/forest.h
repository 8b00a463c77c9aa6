// SPDX-License-Identifier: MIT
#ifndef CDP_FOREST_H
#define CDP_FOREST_H

#include "propagate/propagate.h"

// A node's link to its parent, at the score that joins their components; a root's is -inf to
// itself. For every threshold t, the trees of the links with score >= t are the components of the
// pairs with score >= t.
//
// The jump is a shortcut: a node of the same component at threshold jump_score and below.
// Components only grow, so a jump stays true, if perhaps not the best one, whatever comes later.
struct cdp_link {
    uint32_t parent;
    float score;
    uint32_t jump;
    float jump_score;
};

// Nodes have places of their own here, in the order of their first pair: what is clustered together
// mostly comes together, and so lies together in memory, whatever its ids.
struct cdp_forest {
    uint32_t *place; // of each node; CDP_NO_PLACE before its first pair
    uint64_t nodes;
    size_t place_room;
    struct cdp_link *link; // by place
    uint64_t placed;
    size_t link_room;
    float floor; // lowest score of any pair; +inf before the first
};

#define CDP_NO_PLACE UINT32_MAX

#endif
