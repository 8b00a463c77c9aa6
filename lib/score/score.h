// SPDX-License-Identifier: MIT
#ifndef CDP_SCORE_H
#define CDP_SCORE_H

#include <stdint.h>

#include "base/err.h"
#include "io/labels.h"
#include "stream/stream.h"

// From neighbour lists to scored pairs (Zhan et al., ECCV 2018, section 3.2).
//
// Everything here is about the edges of the base model's table, by their position in it: which are
// voted for, which are kept, and what pairs they make.

// Turns a table's distances into similarities in place: 1 - distance for cosine (and for tables of
// no metric); for other metrics 1 - distance / (the largest distance in the table). Single
// precision.
void cdp_similarities(struct cdp_table *table);

// Adds 1 to votes[e] for each base edge e = i -> j such that j is in the member's list of i. The
// tables must have the same number of rows. Threads as cdp_threads() takes them.
void cdp_vote_count(const struct cdp_table *base, const struct cdp_table *member, uint16_t *votes,
                    int threads);

// keep[e] = votes[e] >= accept and the similarity is above the threshold (in single precision).
void cdp_vote_keep(const struct cdp_table *base, const uint16_t *votes, unsigned accept,
                   float threshold, uint8_t *keep);

// keep[e] = both ends have the same label; similarities become 1.
void cdp_truth_keep(struct cdp_table *base, const struct cdp_labels *labels, uint8_t *keep);

// Receives pairs i < j, ascending. Returns 0, or -1 after filling err.
typedef int cdp_pair_sink(void *context, uint64_t i, uint64_t j, float score, struct cdp_err *err);

// The pairs that the kept edges make: i -> j and j -> i are one, with the score of the edge from
// the smaller id where that one is kept. Memory: 8 bytes a kept edge and 8 a row.
int cdp_pairs(const struct cdp_table *base, const uint8_t *keep, cdp_pair_sink *sink, void *context,
              struct cdp_err *err);

#endif
