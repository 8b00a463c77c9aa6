// SPDX-License-Identifier: MIT
#ifndef CDP_SCORE_H
#define CDP_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "io/labels.h"
#include "io/matrix.h"
#include "stream/stream.h"

// From neighbour lists to scored pairs (Zhan et al., ECCV 2018, section 3.2).
//
// All functions refer to the edges of the base model's table by their position in it.

// Replaces a table's distances by similarities in single precision: 1 - distance / scale, and
// -INFINITY, which no threshold keeps, for distances above the scale. With scale 0: 1 - distance.
void cdp_similarities(struct cdp_table *table, float scale);

// The median of the last distances of the non-empty lists, rounded down by up to 1 %; 0 if all are
// empty. To be called before cdp_similarities. Memory: 256 KiB.
int cdp_median_radius(const struct cdp_table *table, float *median, struct cdp_err *err);

// Adds 1 to votes[e] for each base edge e = i -> j such that j is in the member's list of i. The
// tables must have the same number of rows. Threads as cdp_threads() takes them.
void cdp_vote_count(const struct cdp_table *base, const struct cdp_table *member, uint32_t *votes,
                    int threads);

// keep[e] = votes[e] >= accept and the similarity is above the threshold (in single precision).
void cdp_vote_keep(const struct cdp_table *base, const uint32_t *votes, unsigned accept,
                   float threshold, uint8_t *keep);

// keep[e] = both items have the same known label; similarities become 1.
void cdp_truth_keep(struct cdp_table *base, const struct cdp_labels *labels, uint8_t *keep);

// Receives pairs i < j, ascending, each with its values. Returns 0, or -1 after filling err.
typedef int cdp_pair_sink(void *context, uint64_t i, uint64_t j, const float *values,
                          struct cdp_err *err);

// Emits the pairs of the kept edges, or of all edges if keep is NULL, whose smaller id is in
// rows[0] .. rows[1] - 1. i -> j and j -> i are one pair; its score is that of the edge from the
// smaller id if that one is kept. Memory: that of cdp_pair_lists_new (score/pairs.h).
int cdp_pairs(const struct cdp_table *base, const uint8_t *keep, const uint64_t rows[2],
              cdp_pair_sink *sink, void *context, struct cdp_err *err);

// A model: its neighbour lists and its features of the same items.
struct cdp_model {
    const struct cdp_table *lists;
    const struct cdp_matrix *features;
    double *length; // of each row; owned
    float *spread;  // the mean distance of each list; owned
};

// Computes the lengths and spreads. A number that is not finite is an error that names its row.
int cdp_model_init(struct cdp_model *model, const struct cdp_table *lists,
                   const struct cdp_matrix *features, int threads, struct cdp_err *err);
void cdp_model_free(struct cdp_model *model);

// The number of columns for a base (model 0) and count - 1 members, and their names:
// relationship1.., affinity0.., structure0.., and with `extra` those described below.
unsigned cdp_feature_columns(unsigned count, bool extra);
void cdp_feature_names(unsigned count, bool extra, char (*names)[CDP_COLUMN_NAME]);

// Emits the pairs of all edges of model 0 whose smaller id is in rows[0] .. rows[1] - 1, with their
// features (section 3.3 of the paper) in the order of the names:
//
//   relationship  for each member: 1 if one item is in the other's list, otherwise 0;
//   affinity      for each model: the cosine of the two items; 0 if one of them is all zeros;
//   structure     for each model: the number of ids that the two lists share, each list including
//                 its own item;
//
// and with `extra`, which is not in the paper, for each model:
//
//   nearer, farther   the larger and the smaller of 1 / rank of the two in each other's list, 0
//                     if absent;
//   tighter, looser   the smaller and the larger of the mean distances of their lists.
//
// Each model needs the lists of all rows. Pairs are taken model after model, each in the order of
// cdp_order_by_lists, so that rows come from memory about once. Memory: that of
// cdp_pair_lists_new, 16 bytes an item, 17 rows and one bit per item for each thread, and pair
// features of 16 MiB or of a quarter of the models' features, whichever is more.
int cdp_features(const struct cdp_model *models, unsigned count, bool extra, const uint64_t rows[2],
                 cdp_pair_sink *sink, void *context, int threads, struct cdp_progress *progress,
                 struct cdp_err *err);

#endif
