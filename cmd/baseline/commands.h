// SPDX-License-Identifier: MIT
#ifndef CDP_BASELINE_COMMANDS_H
#define CDP_BASELINE_COMMANDS_H

#include "baseline/methods.h"
#include "tool.h"

// The methods as commands of cdp-baseline: features or neighbour lists in, labels or a merge tree
// out. Failures end the program.

struct command {
    struct tool tool; // its options are those that are no parameters of the method; NULL = none
    // Of the operand, NULL = none.
    void (*run)(const struct cdp_method *method, const char *input);
};

extern const struct command whispers_command, dbscan_command, finch_command, hdbscan_command,
    kmeans_command, knn_dbscan_command, leiden_command, minibatch_command, rank_order_command,
    single_command, spectral_command, ward_command;

// The parameters of the method that runs, as given.
extern struct cdp_baseline_plan plan;
extern bool make_tree; // --tree was given

// All options of a method: its parameters, the others of its command, --tree, --knn and those of
// FEATURES. Sets the plan to the defaults.
const struct cdp_option *baseline_table(const struct cdp_method *method,
                                        const struct cdp_option *others);

// What one run reads and writes.
struct job {
    const struct cdp_method *method;
    struct cdp_output *output;
    struct cdp_matrix matrix; // of FEATURES
    struct cdp_rows rows;     // the same, divided by their lengths
    struct cdp_table table;   // of --knn
    struct cdp_names *names;  // of the items; NULL = none
    struct cdp_baseline_data data;
    struct cdp_baseline_result result;
};

// Opens the output, FEATURES and the lists of --knn.
void job_open(struct job *job, const struct cdp_method *method, const char *input);

// Runs the method, for what the result is to hold.
void job_run(struct job *job);

// Memory for a label an item, which the result is to hold.
void job_labels(struct job *job);

// Writes the labels of the result and frees them.
void job_write_labels(struct job *job);

// Frees the job and commits the output.
void job_finish(struct job *job);

// A whole run: labels, or with --tree a merge tree as cdp-forest --tree writes it.
void job_do(const struct cdp_method *method, const char *input);

#endif
