// SPDX-License-Identifier: MIT
#ifndef CDP_PAIRS_H
#define CDP_PAIRS_H

#include <math.h>

#include "base/clamp.h"
#include "base/options.h"
#include "propagate/clusters.h"
#include "propagate/floors.h"
#include "propagate/map.h"
#include "propagate/propagate.h"
#include "propagate/tree.h"
#include "stream/list.h"
#include "stream/stream.h"

// What the tools that read scored pairs share: options, reading, constraints, thresholds. Failures
// end the tool.

// The values of the options below.
struct pairs_options {
    uint64_t nodes;                            // 0 = the number is that of the pairs
    const char *ids, *must_link, *cannot_link; // names of files, or NULL
    double threshold;                          // NaN = auto
    struct cdp_propagate_plan plan;            // `merge` is set by pairs_read
    int forced_stop;
    int method; // enum pairs_method
};
enum pairs_method { PAIRS_LADDER, PAIRS_MAP };
extern struct pairs_options pairs_options;

// Rows of an option table; the arguments are further fields, such as .with.
// clang-format off
#define PAIRS_NODES(...) \
    {.type = CDP_OPTION_COUNT, \
     .name = "nodes", \
     .arg = "N", \
     .help = "number of items", \
     .value = &pairs_options.nodes, \
     .unset = "as the pairs say", \
     .min = 1, \
     .max = 4294967294.0, \
     __VA_ARGS__}
#define PAIRS_IDS(...) \
    {.type = CDP_OPTION_TEXT, \
     .name = "ids", \
     .arg = "NAMES", \
     .help = "file of the items' names, one per line", \
     .value = &pairs_options.ids, \
     __VA_ARGS__}
#define PAIRS_MUST_LINK(...) \
    {.type = CDP_OPTION_TEXT, \
     .name = "must-link", \
     .arg = "FILE", \
     .help = "pairs of items in one cluster, two ids per line", \
     .value = &pairs_options.must_link, \
     __VA_ARGS__}
#define PAIRS_CANNOT_LINK(...) \
    {.type = CDP_OPTION_TEXT, \
     .name = "cannot-link", \
     .arg = "FILE", \
     .help = "pairs of items in different clusters", \
     .value = &pairs_options.cannot_link, \
     __VA_ARGS__}
#define PAIRS_THRESHOLD(...) \
    {.type = CDP_OPTION_REAL, \
     .name = "threshold", \
     .arg = "T", \
     .help = "use only pairs with a score above T", \
     .value = &pairs_options.threshold, \
     .unset = "all pairs", \
     .choices = (const char *const[]){"auto", NULL}, \
     .min = -INFINITY, \
     .max = 1, \
     __VA_ARGS__}
#define PAIRS_METHOD(...) \
    {.type = CDP_OPTION_CHOICE, \
     .name = "method", \
     .arg = "HOW", \
     .help = "by size, or by map equation", \
     .value = &pairs_options.method, \
     .choices = (const char *const[]){"ladder", "map", NULL}, \
     __VA_ARGS__}
#define PAIRS_MAX_SIZE(...) \
    {.type = CDP_OPTION_COUNT, \
     .name = "max-size", \
     .arg = "N", \
     .help = "largest size of a cluster", \
     .value = &pairs_options.plan.max_size, \
     .min = 1, \
     .max = 4e9, \
     __VA_ARGS__}
#define PAIRS_STEP(...) \
    {.type = CDP_OPTION_REAL, \
     .name = "step", \
     .arg = "S", \
     .help = "raise cut th to th + (1 - th) x S per round", \
     .value = &pairs_options.plan.step, \
     .min = 0, \
     .max = 1, \
     __VA_ARGS__}
#define PAIRS_MAX_ITER(...) \
    {.type = CDP_OPTION_COUNT, \
     .name = "max-iter", \
     .arg = "N", \
     .help = "largest number of rounds", \
     .value = &pairs_options.plan.max_iter, \
     .min = 0, \
     .max = 1e6, \
     __VA_ARGS__}
#define PAIRS_FORCED_STOP(...) \
    {.type = CDP_OPTION_CHOICE, \
     .name = "forced-stop", \
     .arg = "HOW", \
     .help = "fate of components that are too large after them", \
     .value = &pairs_options.forced_stop, \
     .choices = (const char *const[]){"split", "merge", NULL}, \
     __VA_ARGS__}
// clang-format on

// Scored pairs as they were read. Begin with {0}, and free with pairs_free.
struct pairs {
    // What is wanted, to be set before pairs_read.
    bool edges;               // the forest's edges are pairs of the input
    bool all;                 // `list` holds all pairs of the files
    bool list_only;           // the forest takes none
    bool must_links;          // `list` holds those of --must-link too, at the score INFINITY
    struct cdp_map *map;      // takes the pairs above --threshold, the forest none; NULL = none
    bool all_pairs;           // a forest is refused
    struct cdp_floors floors; // of these thresholds (pairs_thresholds); none where count is 0
    struct cdp_names *names;  // the items' names, where `names_file` has them
    const char *names_file;   // for messages; pairs_read sets both where --ids is given
    uint64_t nodes;         // the number of items, or 0; pairs_read sets it where --nodes is given
    const char *nodes_from; // for messages: what says so

    // The result; names are those of the items, or NULL.
    struct cdp_forest *forest; // of the pairs and, at the score INFINITY, of those of --must-link
    struct cdp_list list;      // see `all` and `must_links`
    struct cdp_list cannot;    // pairs of --cannot-link
    struct cdp_header header;  // of a stream that is made of these pairs

    // While reading.
    bool text;              // some input is text
    const char *input;      // the first one, whose names and scale others must agree with
    const char *stream;     // the first one that has a scale
    struct cdp_clamp clamp; // of scores just above 1
    uint64_t self_pairs;    // which are left out
    uint64_t weightless;    // pairs that weigh nothing in `map`
};

// Asks for the floors of a sweep (first, last, step), or, where that is NULL, of --threshold.
void pairs_thresholds(struct pairs *pairs, const double sweep[3]);

// Reads the union of the files named, of standard input where there are none, and the constraints.
// Items are those of the pairs, --nodes, or the names.
void pairs_read(struct pairs *pairs, char *const *name, int count);

// Makes the merge tree of the forest, which is empty afterwards.
void pairs_tree(struct pairs *pairs, struct cdp_tree *tree);

// The threshold of --threshold among the floors; --threshold auto chooses it.
size_t pairs_threshold(const struct pairs *pairs, const struct cdp_tree *tree);

// Makes the clusters of all pairs above that threshold, which is returned, and warns where a forced
// stop was needed.
float pairs_clusters(const struct pairs *pairs, const struct cdp_tree *tree,
                     struct cdp_clusters *clusters);

void pairs_free(struct pairs *pairs);

#endif
