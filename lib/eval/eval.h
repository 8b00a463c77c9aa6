// SPDX-License-Identifier: MIT
#ifndef CDP_EVAL_H
#define CDP_EVAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/prf.h"
#include "io/labels.h"

// Metrics of a clustering against true classes.

// Metrics over one set of items.
struct cdp_scores {
    uint64_t items, clusters, classes;
    struct cdp_prf pairwise, bcubed; // base/prf.h
    double ari;                      // Hubert and Arabie, Journal of Classification 2 (1985)
    // Rosenberg and Hirschberg, EMNLP 2007. V equals NMI with the arithmetic mean of the entropies.
    double homogeneity, completeness, vmeasure;
};

enum { CDP_QUANTILES = 7 };

struct cdp_eval {
    struct cdp_scores removed; // items in a cluster only ("singular removed")
    struct cdp_scores kept;    // discarded items as singletons ("singular kept")
    uint64_t items;            // of known true label; all others are ignored
    uint64_t discarded;        // items in no cluster
    uint64_t clusters;
    uint64_t singletons;                   // clusters of one item
    double mean_size;                      // of the clusters; NaN = no clusters
    uint64_t size_quantile[CDP_QUANTILES]; // by nearest rank
};

// "min", "p10", "p25", "p50", "p75", "p90", "max".
extern const char *const cdp_quantile_names[CDP_QUANTILES];

// Both must have the same number of items. Items of unknown true label are ignored. Time and memory
// are linear: 16 bytes per item besides the labels.
int cdp_eval(const struct cdp_labels *predicted, const struct cdp_labels *truth,
             struct cdp_eval *result, struct cdp_err *err);

// Counts the pairs whose items have known true labels, and those with equal ones. Ids must be below
// truth->items.
struct cdp_pair_counts {
    uint64_t known, same;
};

void cdp_count_pairs(const struct cdp_labels *truth, const uint64_t *i, const uint64_t *j,
                     size_t pairs, struct cdp_pair_counts *counts);

#endif
