// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "baseline/commands.h"
#include "baseline/mst.h"

static double distance = 0.7;
static bool make_tree;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_REAL,
     .name = "distance",
     .arg = "T",
     .group = "Clusters",
     .help = "largest distance of linked items",
     .value = &distance,
     .min = 0,
     .max = 1e9,
     .without = "tree"},
    BASELINE_TREE(make_tree),
    BASELINE_KNN(),
    BASELINE_FEATURES(),
    {0},
};

static void write_tree(struct job *job, const struct cdp_neighbours *lists)
{
    struct cdp_err err;
    struct cdp_joined *edge = cdp_alloc(job->items, sizeof *edge, "a spanning tree", &err);
    struct cdp_merged *row = cdp_alloc(job->items, sizeof *row, "a merge tree", &err);
    tool_check(edge && row ? 0 : -1, &err);
    tool_check(cdp_mst(edge, &job->rows, lists, NULL, INFINITY, (int)common.threads,
                       tool_progress(), &err),
               &err);
    tool_check(cdp_result_tree(edge, job->items, row, &err), &err);
    free(edge);
    job_write_tree(job, row);
}

static void write_labels(struct job *job, const struct cdp_neighbours *lists)
{
    struct cdp_err err;
    struct cdp_radius radius = job_radius(job, lists, distance);
    uint32_t *label = job_labels(job);
    tool_check(cdp_single(&radius, label, (int)common.threads, tool_progress(), &err), &err);
    job_write_labels(job, label);
}

static void run(const char *input)
{
    struct job job;
    struct cdp_neighbours lists;
    job_open(&job, input, make_tree ? "a tree needs distances of rows" : NULL);
    job_spanning_lists(&job, 1, &lists);
    if (make_tree)
        write_tree(&job, &lists);
    else
        write_labels(&job, &lists);
    cdp_neighbours_free(&lists);
    job_finish(&job);
}

const struct method single_method = {
    .tool = {.name = "cdp-baseline single",
             .summary = "single linkage, cut at a distance, or its merge tree",
             .synopsis = "[OPTION]... [FEATURES]",
             .example = "cdp-baseline single --distance 0.7 --dim 256 m0.bin >labels.txt\n",
             .options = options},
    .run = run,
};
