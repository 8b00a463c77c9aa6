// SPDX-License-Identifier: MIT
#ifndef CDP_MAP_H
#define CDP_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "io/labels.h"

// Clusters by the two-level map equation (Rosvall, Axelsson, Bergstrom: The map equation, European
// Physical Journal Special Topics 178, 2009). A random walker on the weighted graph of pairs is
// described by a code of two levels; the clusters are those that make its description short. Pairs
// between two clusters that few pairs join do not merge them, so one false pair joins no
// identities, and no threshold or size bounds a cluster.
//
// With w_ij the weight of a pair and s_i = 1 + sum over j of w_ij (each item visits itself with
// weight 1), W = sum of s_i, and for a cluster c: e_c = (weight of the pairs that leave c) / W, f_c
// = (sum of its s_i) / W, the codelength in bits is
//
//   L = p(sum e_c) - 2 sum p(e_c) + sum p(e_c + f_c) - sum p(s_i / W),  p(x) = x log2 x.
//
// The weight of a pair of score s, the probability that it is true, is -log10(1 - s), at most
// CDP_MAP_MOST: the decimal digits by which a false pair is ruled out. Scores of 0 and less weigh
// nothing.

// float32 scores below 1 go up to 1 - 2^-24, which weighs 7.2.
#define CDP_MAP_MOST 7.25

struct cdp_map;

// Collects pairs. Memory: 12 bytes a pair.
int cdp_map_new(struct cdp_map **map, struct cdp_err *err);
void cdp_map_free(struct cdp_map *map);

// Adds pairs of different items with scores of at most 1, in any order; of a repeated pair the
// highest score counts. An id of 2^32 - 2 or more is an error. Not thread-safe.
int cdp_map_add(struct cdp_map *map, const uint64_t *i, const uint64_t *j, const float *score,
                size_t pairs, struct cdp_err *err);

// Pairs of items that stay together, or apart, whatever their scores. Together has precedence.
int cdp_map_link(struct cdp_map *map, uint64_t i, uint64_t j, struct cdp_err *err);
int cdp_map_part(struct cdp_map *map, uint64_t i, uint64_t j, struct cdp_err *err);

// Fills label[0 .. items - 1] with numbers from 0 on, in order of first appearance, and
// CDP_NO_LABEL for items without a pair. Returns how many clusters there are, or -1. `items` must
// be above all ids. The codelength in bits goes to *codelength. Greedy (the core loop of Infomap):
// items move one by one to the cluster that shortens the code most, then clusters do, until nothing
// moves. The same result on every machine: weights are integers and logarithms are computed here.
// Takes the pairs' memory: another call needs other pairs. Memory: up to 28 bytes a pair, those of
// collecting included, and 100 an item. Time: near linear. The work that `progress` shows has
// begun; this adds stages.
int64_t cdp_map_cluster(struct cdp_map *map, uint64_t items, uint32_t *label, double *codelength,
                        int threads, struct cdp_progress *progress, struct cdp_err *err);

#endif
