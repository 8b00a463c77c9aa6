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
// Everything here is about the edges of the base model's table, by their position in it: which are
// voted for, which are kept, and what pairs they make.

// Turns a table's distances into similarities in place, in single precision: 1 - distance / scale,
// and -INFINITY, which no threshold keeps, for distances above the scale. With scale 0 they are 1 -
// distance.
void cdp_similarities(struct cdp_table *table, float scale);

// The median of the last distances of the lists that are not empty, or up to 1 % less; 0 without
// any. Before cdp_similarities. Memory: 256 KiB.
int cdp_median_radius(const struct cdp_table *table, float *median, struct cdp_err *err);

// Adds 1 to votes[e] for each base edge e = i -> j such that j is in the member's list of i. The
// tables must have the same number of rows. Threads as cdp_threads() takes them.
void cdp_vote_count(const struct cdp_table *base, const struct cdp_table *member, uint32_t *votes,
                    int threads);

// keep[e] = votes[e] >= accept and the similarity is above the threshold (in single precision).
void cdp_vote_keep(const struct cdp_table *base, const uint32_t *votes, unsigned accept,
                   float threshold, uint8_t *keep);

// keep[e] = both ends have the same label, which is known; similarities become 1.
void cdp_truth_keep(struct cdp_table *base, const struct cdp_labels *labels, uint8_t *keep);

// Receives pairs i < j, ascending, each with its values. Returns 0, or -1 after filling err.
typedef int cdp_pair_sink(void *context, uint64_t i, uint64_t j, const float *values,
                          struct cdp_err *err);

// The pairs of the kept edges, or of all edges where keep is NULL, whose smaller id is in rows[0]
// .. rows[1] - 1: i -> j and j -> i are one pair, with the score of the edge from the smaller id
// where that one is kept. Memory: 8 bytes for each of the edges from the larger id, and 8 a row.
int cdp_pairs(const struct cdp_table *base, const uint8_t *keep, const uint64_t rows[2],
              cdp_pair_sink *sink, void *context, struct cdp_err *err);

// A model of the committee: its lists, and its features of the same items.
struct cdp_model {
    const struct cdp_table *lists;
    const struct cdp_matrix *features;
    double *length; // of each row; owned
    float *spread;  // the mean distance of each list; owned
};

// Measures the rows. A number that is not finite is an error that names its row.
int cdp_model_init(struct cdp_model *model, const struct cdp_table *lists,
                   const struct cdp_matrix *features, int threads, struct cdp_err *err);
void cdp_model_free(struct cdp_model *model);

// Values that the pair features of a base and count - 1 members have, and the names of them, of
// CDP_COLUMN_NAME bytes each: relationship1.., affinity0.., structure0... Model 0 is the base. With
// `extra` there are more of them.
unsigned cdp_feature_columns(unsigned count, bool extra);
void cdp_feature_names(unsigned count, bool extra, char (*names)[CDP_COLUMN_NAME]);

// The pairs of all edges of model 0 whose smaller id is in rows[0] .. rows[1] - 1, with their
// features (section 3.3 of the paper) in the order of the names:
//
//   relationship  1 where either is in the other's list, for each member;
//   affinity      the cosine of the two items, for each model; 0 where one of them is all zeros;
//   structure     how many ids the two lists share, each with its own item in it, for each model;
//
// and with `extra`, which is not of the paper, for each model:
//
//   nearer, farther   the larger and the smaller of 1 / rank of the two in each other's list, 0
//                     where one is not in it;
//   tighter, looser   the smaller and the larger of the mean distances of their lists.
//
// A pair needs the lists of both items: the lists must be those of all rows, in every model.
// Memory: that of cdp_pairs, two rows and a bit an item for each thread, and the features of
// CDP_BLOCK_EDGES pairs.
int cdp_features(const struct cdp_model *models, unsigned count, bool extra, const uint64_t rows[2],
                 cdp_pair_sink *sink, void *context, int threads, struct cdp_progress *progress,
                 struct cdp_err *err);

#endif
