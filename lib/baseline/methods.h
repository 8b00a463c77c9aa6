// SPDX-License-Identifier: MIT
#ifndef CDP_METHODS_H
#define CDP_METHODS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/options.h"
#include "base/progress.h"
#include "baseline/finch.h"
#include "baseline/links.h"
#include "baseline/result.h"
#include "baseline/rows.h"
#include "stream/table.h"

// The methods by name, each with its parameters, their ranges and defaults, what it works on, and
// how it runs: for cdp-baseline, of whose options the parameters are a part, and for libcdp.

// The parameters of all methods; those that a method does not have are ignored.
struct cdp_baseline_plan {
    uint64_t clusters, neighbours, min_samples, min_cluster_size;
    uint64_t starts, batch, rounds, partition, seed;
    double eps, similarity, distance, threshold, tolerance, resolution;
    int select;  // enum cdp_hdbscan_select
    int assign;  // enum cdp_assign
    int quality; // of leiden
    bool approximate;
    const struct cdp_matrix *centres; // the first centroids of k-means, `clusters` rows, or NULL
};

// A parameter as an option of the tool: of type COUNT, REAL, CHOICE or FLAG, and without `value`.
struct cdp_parameter {
    struct cdp_option option;
    size_t offset;   // of the member in a plan
    double standard; // the default; below `min`: unset
};

// What a method works on. Nothing is owned.
struct cdp_baseline_data {
    const struct cdp_matrix *matrix; // features; NULL = lists only
    const struct cdp_rows *rows;     // of the matrix; NULL with it
    const struct cdp_table *table;   // neighbour lists; NULL = they are searched
    const char *file;                // of the lists, for errors
    uint64_t items;
    int threads; // 0 = all
    struct cdp_progress *progress;
};

// What a run gives. Begin with {0} and what is wanted: arrays are the caller's.
struct cdp_baseline_result {
    uint32_t *label;         // of each item: 0, 1, 2, ... by first appearance, or CDP_NO_LABEL
    struct cdp_merged *tree; // items - 1 merges; only if the method has a tree, and then alone
    double *eigenvalues;     // spectral: clusters + 1 of them, or all if the items are fewer; alone
    struct cdp_finch *finch; // finch: all partitions, for cdp_finch_free, also after an error
    uint64_t clusters;       // of the labels
    double inertia;          // kmeans, minibatch
    uint64_t iterations;     // kmeans; minibatch: batches; chinese-whispers: rounds
};

struct cdp_method {
    const char *name;
    const struct cdp_parameter *parameters; // the last one has no option.name
    const char *features; // why features are needed, even with lists; NULL = they are not
    bool lists;           // lists can replace the search
    bool tree;            // has a merge tree, for which features are needed
    // NULL: leiden, whose library the tool alone has.
    int (*run)(const struct cdp_baseline_plan *plan, const struct cdp_baseline_data *data,
               struct cdp_baseline_result *result, struct cdp_err *err);
};

// All methods, by name, and NULL.
extern const struct cdp_method *const cdp_methods[];

// The method of a name. NULL, with an error that names those that run here, for another name, and
// for leiden.
const struct cdp_method *cdp_method_find(const char *name, struct cdp_err *err);

// Fills a plan with a method's defaults; what has none becomes 0, or NaN.
void cdp_baseline_defaults(struct cdp_baseline_plan *plan, const struct cdp_method *method);

// Gives what is unset the method's default: counts of 0, unless 0 is possible, and reals that are
// NaN. Then checks the ranges of the method's parameters.
int cdp_baseline_settle(struct cdp_baseline_plan *plan, const struct cdp_method *method,
                        struct cdp_err *err);

// Checks that lists are of the items of the features, if there are these, of all rows, and with
// copies. `notes`: the provenance of the lists, or NULL.
int cdp_baseline_check_lists(const struct cdp_baseline_data *data, const char *notes,
                             struct cdp_err *err);

// The graph of similar neighbours of leiden and chinese-whispers.
int cdp_baseline_links(struct cdp_links *links, const struct cdp_baseline_plan *plan,
                       const struct cdp_baseline_data *data, struct cdp_err *err);

// Runs a method on what it can work on (`features`, `lists`).
int cdp_baseline_run(const struct cdp_method *method, const struct cdp_baseline_plan *plan,
                     const struct cdp_baseline_data *data, struct cdp_baseline_result *result,
                     struct cdp_err *err);

#endif
