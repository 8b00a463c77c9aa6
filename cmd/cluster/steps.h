// SPDX-License-Identifier: MIT
#ifndef CDP_CLUSTER_STEPS_H
#define CDP_CLUSTER_STEPS_H

#include "base/options.h"
#include "cluster/command.h"
#include "cluster/models.h"

// The steps of cdp-cluster: each runs one tool, or prints its command with --dry-run.

struct cluster_options {
    uint64_t neighbours; // 0 = not given
    struct cdp_counts dims;
    const char *ids, *must_link, *cannot_link, *previous, *changes, *truth, *report, *images,
        *keep; // or NULL
    bool dry_run;
};
extern struct cluster_options cluster_options;

// Runs a command (cluster/command.h) or prints it.
void cluster_step(const struct command *command, bool to_error);

// The file of a model's lists in the folder: the features' own name, and a number if several models
// have that name.
char *cluster_lists(const char *folder, const struct model *models, int m);

void cluster_neighbours(const struct model *model, uint64_t k);
void cluster_score(const struct model *models, int count, const char *pairs);

// `labels` NULL is standard output.
void cluster_propagate(const char *pairs, const char *labels);

// Writes labels again, with the numbers of earlier ones unless that is NULL. `output` NULL is
// standard output.
void cluster_labels(const char *labels, const char *previous, const char *output);

void cluster_evaluate(const char *labels, bool to_error);

// The page shows the commands of the next run, with the corrections.
void cluster_report(const struct model *models, int count, const char *pairs, const char *labels);

#endif
