// SPDX-License-Identifier: MIT
#ifndef CDP_CMD_REPORT_H
#define CDP_CMD_REPORT_H

#include "base/options.h"
#include "eval/eval.h"
#include "io/output.h"
#include "propagate/between.h"
#include "propagate/clusters.h"
#include "propagate/explain.h"
#include "stream/list.h"

// The parts of cdp-report. Failures end the tool.

// The options.
struct report_options {
    const char *ids, *truth, *list, *images, *previous, *sweep, *title, *command; // or NULL
    struct cdp_texts pairs;
    double threshold; // of the pairs; -INFINITY = all
    bool embed;
};
extern struct report_options report_options;

// A cluster against the true labels.
struct report_truth {
    uint32_t identities;      // distinct known true labels
    uint32_t known, largest;  // items of a known one; of the most frequent one
    double precision, recall; // sums over the known items, as BCubed takes them (base/prf.h)
};

// What the page is made of. Items that are in no cluster are, in `begin` and `member`, a last
// cluster more.
struct report {
    const char *shown; // the labels' file
    struct cdp_labels labels;
    struct cdp_clusters clusters; // the same; memory of `labels`
    uint64_t *begin;              // of each cluster's items in `member`
    uint32_t *member;             // items, ascending
    uint32_t *place;              // of each item among its cluster's
    uint32_t *order;              // clusters, the most doubtful first

    struct cdp_names *list; // a name or path of each item; NULL = none

    // With true labels, otherwise NULL
    struct cdp_labels *truth;
    struct cdp_eval eval;
    struct report_truth *of_cluster;

    struct cdp_labels *previous; // earlier labels; NULL = none

    // With pairs, otherwise NULL
    struct cdp_audit *audit;     // of each cluster
    uint64_t neighbours;         // most pairs that are expected of an item, see report_measure
    const char *verdict;         // NULL: the pairs are not of cdp-score consensus
    bool listed;                 // that is a number of neighbours
    double *cohesion;            // mean support of its items
    double *least;               // that of its least supported item
    float *support;              // of each item: the mean score of its pairs with its cluster
    uint32_t *next;              // of each item: propagate/spine.h, from the medoid
    float *score;                // to the next
    struct cdp_between *between; // clusters with pairs between them
    uint64_t betweens;
    uint32_t *split; // of each cluster: the item whose pair with the next is where it might part
    uint32_t *below; // of each item: propagate/spine.h
    uint64_t pairs, inside;       // read, and of one cluster
    struct cdp_list must, cannot; // pairs of items, corrections before
};

// Reads the files and computes all of the above.
void report_read(struct report *report, const char *labels);

// The parts of report_read for the pairs. Reads them, and puts the labels into the order of their
// items.
void report_read_pairs(struct report *report, struct cdp_graph *graph);

// With the items grouped: the tree of the pairs within clusters, and support; the audit, and the
// pairs between clusters. The two may run at once. Last, the paths.
//
// The support of an item is the sum of the scores of its pairs with its cluster of n items, divided
// by min(n - 1, max(K, d)): lists of K neighbours hold no more pairs than K of its own and those of
// others. d is the number of its pairs; K is the largest of the pairs' provenance, or, where that
// has none, the largest d.
void report_measure(struct report *report, const struct cdp_graph *graph, struct cdp_tree *tree);
void report_audit(struct report *report, const struct cdp_graph *graph);
void report_paths(struct report *report, const struct cdp_tree *tree);

// In plain sentences, what cdp-score consensus found of the features whose pairs have this
// provenance; NULL = nothing is said there.
const char *report_verdict(const char *provenance);

void report_free(struct report *report);

// The items of a cluster, or of none (clusters.clusters).
static inline uint64_t report_size(const struct report *report, uint32_t cluster)
{
    return report->begin[cluster + 1U] - report->begin[cluster];
}

// Writes the page; its data, for its script.
void report_data(const struct report *report, struct cdp_output *output);
void report_page(const struct report *report, struct cdp_output *output);

// Writes charts as SVG elements: of the sizes of clusters, and of the columns of a table of
// cdp-sweep.
void report_sizes(const struct report *report, struct cdp_output *output);
void report_sweep(const char *name, double threshold, struct cdp_output *output);

// Writes a cell of a table with a share in per cent; - if it is undefined.
void report_share(struct cdp_output *output, double share);

// Writes text with the characters that HTML gives a meaning replaced, invalid UTF-8 too.
void report_text(struct cdp_output *output, const char *text, size_t length);

// Something to be sorted by a number, by descending ones; of equal ones, the smaller `at` is first.
struct report_rank {
    double number;
    uint32_t at;
};
void report_sort(struct report_rank *rank, size_t count);

// Zeroed memory, or the tool ends.
void *report_alloc(size_t count, size_t size);

// Writes formatted text.
void report_write(struct cdp_output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
