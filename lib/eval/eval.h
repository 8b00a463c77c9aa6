// SPDX-License-Identifier: MIT
#ifndef CDP_EVAL_H
#define CDP_EVAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/prf.h"
#include "io/labels.h"

// How well a clustering finds the true classes.

// Measures over one set of items.
struct cdp_scores {
    uint64_t items, clusters, classes;
    struct cdp_prf pairwise, bcubed; // base/prf.h
    double ari;                      // Hubert and Arabie, Journal of Classification 2 (1985)
    // Rosenberg and Hirschberg, EMNLP 2007; V is also the mutual information over the arithmetic
    // mean of the entropies, which many call NMI.
    double homogeneity, completeness, vmeasure;
};

enum { CDP_QUANTILES = 7 };

struct cdp_eval {
    struct cdp_scores removed; // only the items that are in a cluster ("singular removed")
    struct cdp_scores kept;    // each discarded item a cluster of its own ("singular kept")
    uint64_t items;            // whose true label is known; all others are left out of everything
    uint64_t discarded;        // items in no cluster
    uint64_t clusters;
    uint64_t singletons;                   // clusters of one item
    double mean_size;                      // of the clusters; NaN where there are none
    uint64_t size_quantile[CDP_QUANTILES]; // by nearest rank
};

// "min", "p10", "p25", "p50", "p75", "p90", "max".
extern const char *const cdp_quantile_names[CDP_QUANTILES];

// Both sets must have the same number of items. The result is that of the files without the lines
// of items of unknown true label. Time and memory are linear in it: some 16 bytes an
// item beside the labels.
int cdp_eval(const struct cdp_labels *predicted, const struct cdp_labels *truth,
             struct cdp_eval *result, struct cdp_err *err);

// Adds up the pairs whose items have known true labels, and those where these are the same. Ids
// must be below truth->items.
struct cdp_pair_counts {
    uint64_t known, same;
};

void cdp_count_pairs(const struct cdp_labels *truth, const uint64_t *i, const uint64_t *j,
                     size_t pairs, struct cdp_pair_counts *counts);

#endif
