// SPDX-License-Identifier: MIT
#ifndef CDP_EVAL_H
#define CDP_EVAL_H

#include <stdint.h>

#include "base/err.h"
#include "io/labels.h"

// How well a clustering finds the true classes.

struct cdp_prf {
    double precision, recall, fscore; // 0 to 1; NaN where nothing can be counted (0 / 0)
};

// Measures over one set of items.
struct cdp_scores {
    uint64_t items, clusters, classes;
    struct cdp_prf pairwise; // pairs of items: tk/pk, tk/qk (original.md section 7)
    struct cdp_prf bcubed;   // Amigo et al., Information Retrieval 12 (2009), section 3.2
    double nmi;              // mutual information / arithmetic mean of the entropies
    double ari;              // Hubert and Arabie, Journal of Classification 2 (1985)
    double homogeneity, completeness, vmeasure; // Rosenberg and Hirschberg, EMNLP 2007
};

struct cdp_eval {
    struct cdp_scores removed; // only the items that are in a cluster ("singular removed")
    struct cdp_scores kept;    // every discarded item a cluster of its own ("singular kept")
    uint64_t items;            // all of them
    uint64_t discarded;        // items in no cluster
    uint64_t clusters;         // clusters in the labels
    double mean_size;          // of those clusters
    uint64_t size_quantile[7]; // smallest, 10 %, 25 %, median, 75 %, 90 %, largest: nearest rank
};

// The order of size_quantile, for headings: "min", "p10", "p25", "p50", "p75", "p90", "max".
extern const char *const cdp_eval_quantiles[7];

// Time and memory are linear in the items. The label sets must have the same number of items.
int cdp_eval(const struct cdp_labels *predicted, const struct cdp_labels *truth,
             struct cdp_eval *result, struct cdp_err *err);

#endif
