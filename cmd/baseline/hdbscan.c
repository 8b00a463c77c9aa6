// SPDX-License-Identifier: MIT
#include "baseline/hdbscan.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "baseline/commands.h"
#include "baseline/mst.h"

static uint64_t min_cluster_size = 10, min_samples = 10;
static int select_by;
static bool approximate, make_tree;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_COUNT,
     .name = "min-cluster-size",
     .arg = "S",
     .group = "Clusters",
     .help = "items of a cluster at least",
     .value = &min_cluster_size,
     .min = 2,
     .max = 4294967294.0,
     .without = "tree"},
    {.type = CDP_OPTION_COUNT,
     .name = "min-samples",
     .arg = "M",
     .help = "core distance: to the M-th nearest item, the item itself counted",
     .value = &min_samples,
     .min = 1,
     .max = 4294967294.0},
    {.type = CDP_OPTION_CHOICE,
     .name = "select",
     .arg = "HOW",
     .help = "clusters of the tree: by excess of mass, or its leaves",
     .value = &select_by,
     .choices = (const char *const[]){"excess", "leaf", NULL},
     .without = "tree"},
    {.type = CDP_OPTION_FLAG,
     .name = "approximate",
     .help = "use pairs of the neighbour lists only",
     .value = &approximate},
    BASELINE_TREE(make_tree),
    BASELINE_KNN(),
    BASELINE_FEATURES(),
    {0},
};

static void run(const char *input)
{
    struct job job;
    struct cdp_neighbours lists;
    struct cdp_err err;
    job_open(&job, input, "distances are computed from rows");
    job_spanning_lists(&job, min_samples, &lists);
    double *core = cdp_alloc(job.items, sizeof *core, "core distances", &err);
    struct cdp_joined *edge = cdp_alloc(job.items, sizeof *edge, "a spanning tree", &err);
    tool_check(core && edge ? 0 : -1, &err);
    cdp_mst_cores(core, &job.rows, &lists, min_samples, (int)common.threads);
    tool_check(cdp_mst(edge, &job.rows, &lists, core, approximate ? -1 : INFINITY,
                       (int)common.threads, tool_progress(), &err),
               &err);
    free(core);
    cdp_neighbours_free(&lists);
    if (make_tree) {
        struct cdp_merged *row = cdp_alloc(job.items, sizeof *row, "a merge tree", &err);
        tool_check(row ? cdp_result_tree(edge, job.items, row, &err) : -1, &err);
        job_write_tree(&job, row);
    } else {
        uint32_t *label = job_labels(&job);
        tool_check(cdp_hdbscan(edge, job.items, min_cluster_size,
                               (enum cdp_hdbscan_select)select_by, label, &err),
                   &err);
        job_write_labels(&job, label);
    }
    free(edge);
    job_finish(&job);
}

const struct method hdbscan_method = {
    .tool = {.name = "cdp-baseline hdbscan",
             .summary = "HDBSCAN: clusters of any density, from a hierarchy",
             .synopsis = "[OPTION]... FEATURES",
             .example = "cdp-baseline hdbscan --min-samples 5 --dim 256 m0.bin >labels.txt\n",
             .options = options},
    .run = run,
};
