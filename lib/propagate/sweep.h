// SPDX-License-Identifier: MIT
#ifndef CDP_SWEEP_H
#define CDP_SWEEP_H

#include "base/progress.h"
#include "io/labels.h"
#include "propagate/floors.h"
#include "propagate/propagate.h"

// The clusters of many thresholds, from one reading of the pairs.

// Sums over the true labels of the leaves below each node of a tree.
struct cdp_truth {
    const struct cdp_labels *labels;
    uint64_t items;      // with a label; the others are ignored
    uint32_t classes;    // labels that these have
    uint32_t *known;     // of each node: its items with a label
    double *same;        // of each node: the sum over the labels of their items' number squared
    double *recall;      // the same, divided by the number of the label's items anywhere
    double *inverse;     // the sum over the items of 1 / that number
    double *label_share; // of each label: 1 / the number of its items anywhere
    double class_pairs;  // ordered pairs of items with one label
};

// The labels must be those of the tree's items. Time: n log n. Memory: 56 bytes a leaf, 18 more
// while it works.
int cdp_truth_new(struct cdp_truth *truth, const struct cdp_tree *tree,
                  const struct cdp_labels *labels, struct cdp_err *err);
void cdp_truth_free(struct cdp_truth *truth);

struct cdp_outcome {
    uint64_t clusters;
    uint64_t items;  // in clusters
    uint64_t forced; // of these in components that were too large after the last round
    uint64_t largest;
    uint64_t linked; // items in clusters of two or more
    double squares;  // the sum of the squared sizes of these clusters
    // Where the truth is known, 0 to 1, with items in no cluster as clusters of their own;
    // otherwise, and where there is nothing to count, NaN.
    double precision, recall, fscore, bcubed;
};

// Propagates at each threshold, and there with each of `sizes` largest sizes of a cluster in
// place of the plan's: outcome[threshold x sizes + size]. `truth` may be NULL. Memory: 12 bytes a
// leaf for each thread, and where the plan merges 4 a label. One stage of progress.
int cdp_sweep(const struct cdp_tree *tree, const struct cdp_floors *floors,
              const struct cdp_propagate_plan *plan, const uint64_t *max_size, size_t sizes,
              const struct cdp_truth *truth, struct cdp_outcome *outcome, int threads,
              struct cdp_progress *progress, struct cdp_err *err);

// The first outcome whose largest cluster is larger than that of the next lower threshold and the
// same size, or `count` x `sizes`. Cutting thresholds begin at the lowest score left, so they
// differ between thresholds, and those of a higher one may skip scores at which a lower one cuts.
size_t cdp_sweep_rise(const struct cdp_outcome *outcome, size_t count, size_t sizes);

// The exponent by which `squares` grows with `linked` from one threshold to a lower one; infinite
// where only the former grows, NaN where neither does.
double cdp_sweep_growth(const struct cdp_outcome *higher, const struct cdp_outcome *lower);

// A threshold chosen without true labels, as an index of `outcome`, which must be a sweep of
// ascending thresholds with no limit on sizes. It starts where a tenth of the items in any pair are
// linked and goes down. It is the last one before `squares` grows faster than `linked`^3 for two
// thresholds in a row: true pairs link further items, false pairs merge clusters of linked ones.
size_t cdp_sweep_choose(const struct cdp_outcome *outcome, size_t count);

#endif
