// SPDX-License-Identifier: MIT
#include "baseline/commands.h"

static uint64_t min_samples = 10;
static double eps = 0.75;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_REAL,
     .name = "eps",
     .arg = "E",
     .group = "Clusters",
     .help = "radius of a neighbourhood",
     .value = &eps,
     .min = 0,
     .max = 1e9},
    {.type = CDP_OPTION_COUNT,
     .name = "min-samples",
     .arg = "M",
     .help = "items in a core item's neighbourhood at least, itself counted",
     .value = &min_samples,
     .min = 1,
     .max = 4294967294.0},
    BASELINE_KNN(),
    BASELINE_FEATURES(),
    {0},
};

static void run(const char *input)
{
    struct job job;
    struct cdp_neighbours lists;
    struct cdp_err err;
    job_open(&job, input, NULL);
    job_spanning_lists(&job, min_samples, &lists);
    struct cdp_radius radius = job_radius(&job, &lists, eps);
    uint32_t *label = job_labels(&job);
    tool_check(cdp_dbscan(&radius, min_samples, label, (int)common.threads, tool_progress(), &err),
               &err);
    cdp_neighbours_free(&lists);
    job_write_labels(&job, label);
    job_finish(&job);
}

const struct method dbscan_method = {
    .tool = {.name = "cdp-baseline dbscan",
             .summary = "DBSCAN: connected dense neighbourhoods, and their borders",
             .synopsis = "[OPTION]... [FEATURES]",
             .example = "cdp-baseline dbscan --eps 0.75 --dim 256 m0.bin >labels.txt\n",
             .options = options},
    .run = run,
};
