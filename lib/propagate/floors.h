// SPDX-License-Identifier: MIT
#ifndef CDP_FLOORS_H
#define CDP_FLOORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// The floor of a threshold T: the lowest score above T, where propagation of the pairs above T
// begins to cut. Of a repeated pair only the highest score counts. Repeats can be recognised only
// by remembering all pairs, so that is done only where pairs may repeat.
struct cdp_floors {
    size_t count;
    float *threshold; // count, ascending
    float *floor;     // count; infinite where no pair is above
    struct cdp_floors_pairs *pairs;
};

// `count` thresholds: first, first + step, ... Until cdp_floors_repeats is called, pairs must
// ascend, by the smaller id, then the larger one, as in one stream: then none repeats.
int cdp_floors_new(struct cdp_floors *floors, double first, double step, size_t count,
                   struct cdp_err *err);
void cdp_floors_free(struct cdp_floors *floors);

// Pairs may come in any order from now on. Memory: 12 bytes for each pair. To be called before the
// first pair, or any time while no more than 2^18 pairs were added: as many are always remembered.
void cdp_floors_repeats(struct cdp_floors *floors);

// Takes pairs of different items below 2^32 - 1 into account. A score of INFINITY (must-link) sets
// no floor, and hides all other scores of its pair. Fails where a pair may repeat one that was not
// remembered.
int cdp_floors_add(struct cdp_floors *floors, const uint64_t *i, const uint64_t *j,
                   const float *score, size_t pairs, struct cdp_err *err);

// Takes a score into account whose pair is not known, as the floor of a forest stream.
int cdp_floors_add_score(struct cdp_floors *floors, float score, struct cdp_err *err);

// Fills `floor`, after the last pair. Memory, where pairs were out of order: 8 bytes a pair and 12
// an item more.
int cdp_floors_settle(struct cdp_floors *floors, struct cdp_err *err);

#endif
