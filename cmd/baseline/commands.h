// SPDX-License-Identifier: MIT
#ifndef CDP_BASELINE_COMMANDS_H
#define CDP_BASELINE_COMMANDS_H

#include "baseline/links.h"
#include "baseline/neighbours.h"
#include "baseline/radius.h"
#include "baseline/result.h"
#include "baseline/rows.h"
#include "tool.h"

// The methods of cdp-baseline, and what they share: features or neighbour lists in, labels or a
// merge tree out. Failures end the program.

struct method {
    struct tool tool;
    void (*run)(const char *input); // the operand; NULL = none, so there is --knn
};

extern const struct method dbscan_method, finch_method, hdbscan_method, kmeans_method,
    knn_dbscan_method, leiden_method, minibatch_method, rank_order_method, single_method,
    spectral_method, ward_method, whispers_method;

// The values of the shared options.
struct baseline_options {
    uint64_t dim; // 0 = from the file
    int format;   // enum cdp_matrix_format
    const char *ids, *knn;
};
extern struct baseline_options baseline_options;

// The last rows of a method's table: those that every method has, and --knn for those that use
// neighbour lists.
// clang-format off
#define BASELINE_KNN() \
    {.type = CDP_OPTION_TEXT, \
     .name = "knn", \
     .arg = "LISTS.cdp", \
     .group = "Input", \
     .help = "knn stream to use instead of a search", \
     .value = &baseline_options.knn}
#define BASELINE_FEATURES() \
    {.type = CDP_OPTION_CHOICE, \
     .name = "format", \
     .arg = "NAME", \
     .group = "Input", \
     .help = "format of FEATURES", \
     .value = &baseline_options.format, \
     .choices = (const char *const[]){"auto", "raw", "npy", "fvecs", "bvecs", NULL}}, \
    {.type = CDP_OPTION_COUNT, \
     .name = "dim", \
     .arg = "D", \
     .help = "numbers per row; required for raw float32", \
     .value = &baseline_options.dim, \
     .unset = "from the file", \
     .min = 1, \
     .max = 1e9}, \
    {.type = CDP_OPTION_TEXT, \
     .name = "ids", \
     .arg = "NAMES", \
     .help = "file of row names, one per line, written before the labels", \
     .value = &baseline_options.ids}
#define BASELINE_LIST(neighbours_value) \
    {.type = CDP_OPTION_COUNT, \
     .name = "neighbours", \
     .arg = "K", \
     .group = "Clusters", \
     .help = "entries of a list, the item itself among them", \
     .value = &(neighbours_value), \
     .min = 1, \
     .max = 4294967294.0}
#define BASELINE_TREE(tree_value) \
    {.type = CDP_OPTION_FLAG, \
     .name = "tree", \
     .group = "Output", \
     .help = "write the merge tree, as SciPy's linkage, no labels", \
     .value = &(tree_value), \
     .without = "ids"}
// The graph of similar neighbours.
#define BASELINE_LINKS(neighbours_value, similarity_value) \
    {.type = CDP_OPTION_COUNT, \
     .name = "neighbours", \
     .arg = "K", \
     .group = "Graph", \
     .help = "nearest others that an item may be linked to", \
     .value = &(neighbours_value), \
     .min = 1, \
     .max = 4294967294.0}, \
    {.type = CDP_OPTION_REAL, \
     .name = "similarity", \
     .arg = "S", \
     .help = "smallest cosine of linked items", \
     .value = &(similarity_value), \
     .min = 0, \
     .max = 1}
// clang-format on

// What one run reads and writes.
struct job {
    struct cdp_output *output;
    bool features;            // FEATURES was given
    struct cdp_matrix matrix; // of FEATURES
    struct cdp_rows rows;     // the same, divided by their lengths
    struct cdp_table table;   // of --knn
    uint64_t items;
    struct cdp_names *names; // of the items; NULL = none
};

// Opens the output, FEATURES and the lists of --knn. `features`: why a method needs FEATURES even
// if there are lists ("ward merges by means of rows"); NULL = it does not.
void job_open(struct job *job, const char *input, const char *features);

// The lists of the k nearest: those of --knn, or by an exact search.
void job_neighbours(const struct job *job, uint64_t k, struct cdp_neighbours *lists);

// Lists for a spanning tree with core distances: all of those of --knn, or long enough that the
// tree takes less time than the search.
void job_spanning_lists(const struct job *job, uint64_t min_samples, struct cdp_neighbours *lists);

// What single linkage and DBSCAN know: these lists, and the rows if there are FEATURES.
struct cdp_radius job_radius(const struct job *job, const struct cdp_neighbours *lists,
                             double distance);

// The graph of neighbours of at least this cosine, from these lists.
void job_links(const struct job *job, uint64_t k, double similarity, struct cdp_links *links);

// Memory for a label an item, each CDP_NO_LABEL.
uint32_t *job_labels(const struct job *job);

// Renumbers the labels, writes and frees them.
void job_write_labels(struct job *job, uint32_t *label);

// Writes the items - 1 rows of a merge tree, as cdp-forest --tree does, and frees them.
void job_write_tree(struct job *job, struct cdp_merged *row);

// Frees the job and commits the output.
void job_finish(struct job *job);

#endif
