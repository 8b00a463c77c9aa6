// SPDX-License-Identifier: MIT
#include "baseline/ward.h"

#include <stdlib.h>

#include "base/mem.h"
#include "baseline/commands.h"

static uint64_t neighbours = 30, clusters;
static bool tree;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_COUNT,
     .name = "clusters",
     .arg = "C",
     .group = "Clusters",
     .help = "number of clusters",
     .value = &clusters,
     .unset = "required for labels",
     .min = 1,
     .max = 4294967294.0,
     .without = "tree"},
    {.type = CDP_OPTION_COUNT,
     .name = "neighbours",
     .arg = "K",
     .help = "neighbours of an item that it may merge with",
     .value = &neighbours,
     .min = 1,
     .max = 4294967294.0},
    BASELINE_TREE(tree),
    BASELINE_KNN(),
    BASELINE_FEATURES(),
    {0},
};

static void run(const char *input)
{
    struct job job;
    struct cdp_neighbours lists;
    struct cdp_merged *merge = NULL;
    struct cdp_err err;
    if (!clusters && !tree)
        tool_usage("--clusters is missing");
    job_open(&job, input, "ward measures distances of means");
    job_neighbours(&job, neighbours, &lists);
    uint32_t *label = job_labels(&job);
    if (tree) {
        clusters = 1;
        merge = cdp_alloc(job.items, sizeof *merge, "merges", &err);
        tool_check(merge ? 0 : -1, &err);
    }
    tool_check(cdp_ward(&job.rows, &lists, clusters, label, merge, (int)common.threads,
                        tool_progress(), &err),
               &err);
    cdp_neighbours_free(&lists);
    if (tree) {
        job_write_tree(&job, merge);
        free(label);
    } else {
        job_write_labels(&job, label);
    }
    job_finish(&job);
}

const struct method ward_method = {
    .tool = {.name = "cdp-baseline ward",
             .summary = "Ward's method, among adjacent clusters of the neighbour graph",
             .synopsis = "[OPTION]... FEATURES",
             .example = "cdp-baseline ward --clusters 2577 --dim 256 m0.bin >labels.txt\n",
             .options = options},
    .run = run,
};
