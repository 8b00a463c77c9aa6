// SPDX-License-Identifier: MIT
#ifndef CDP_POINTS_H
#define CDP_POINTS_H

#include "mediate/examples.h"

// Operating points: metrics of thresholds on labelled pairs. The thresholds are 1/8 apart in log
// odds, from 1 : 1096 to 442,413 : 1, so that they are dense near 1, where scores saturate; the
// smaller of the threshold and its complement is rounded to two digits.
enum { CDP_POINTS = 161, CDP_POINT_EVEN = 56 }; // their number; index of 0.5

// Shares; 0 if the denominator is 0. A pair is true if its items have the same label.
struct cdp_point {
    float threshold;
    float precision;      // of the pairs above it: the true ones
    float recall;         // of the true pairs: those above it
    float kept;           // of all pairs: those above it
    float item_precision; // of the items with a pair above it: those without a false one
    float item_recall;    // of the items with a true pair: those with one above it
    float fscore;         // pairwise F of the clusters of the pairs above it; set by the caller
};

// Computes all points, but for `fscore`, from the probabilities of the examples. Pairs count by
// weight; items if counted[their group] is set. All ids are below labels->items. Memory: 8 bytes
// per item.
int cdp_points(const struct cdp_examples *examples, const float *probability,
               const struct cdp_labels *labels, const uint8_t *counted,
               struct cdp_point point[CDP_POINTS], struct cdp_err *err);

// The point of the highest F, the lowest of several. Clusters are the criterion, since a false pair
// merges two of them, however large.
const struct cdp_point *cdp_point_best(const struct cdp_point point[CDP_POINTS]);

// The lowest point of at least this precision of pairs, or NULL.
const struct cdp_point *cdp_point_precision(const struct cdp_point point[CDP_POINTS],
                                            double precision);

#endif
