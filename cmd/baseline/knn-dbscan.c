// SPDX-License-Identifier: MIT
#include "baseline/knn-dbscan.h"

#include "baseline/commands.h"

static uint64_t neighbours = 80, min_samples = 10;
static double similarity = 0.7, eps = 0.75;

static const struct cdp_option options[] = {
    BASELINE_LIST(neighbours),
    {.type = CDP_OPTION_REAL,
     .name = "similarity",
     .arg = "S",
     .help = "smallest cosine of a neighbour that is reached",
     .value = &similarity,
     .min = -1,
     .max = 1},
    {.type = CDP_OPTION_REAL,
     .name = "eps",
     .arg = "E",
     .help = "largest cosine distance, 1 - cosine, of such a neighbour",
     .value = &eps,
     .min = 0,
     .max = 2},
    {.type = CDP_OPTION_COUNT,
     .name = "min-samples",
     .arg = "M",
     .help = "items that a core item reaches at least, itself counted",
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
    job_neighbours(&job, neighbours - 1, &lists);
    uint32_t *label = job_labels(&job);
    double within = 1 - similarity < eps ? 1 - similarity : eps;
    tool_check(cdp_knn_dbscan(&lists, within, min_samples, label, &err), &err);
    cdp_neighbours_free(&lists);
    job_write_labels(&job, label);
    job_finish(&job);
}

const struct method knn_dbscan_method = {
    .tool = {.name = "cdp-baseline knn-dbscan",
             .summary = "DBSCAN on lists of the nearest neighbours",
             .synopsis = "[OPTION]... [FEATURES]",
             .example = "cdp-baseline knn-dbscan --neighbours 80 --dim 256 m0.bin >labels.txt\n",
             .options = options},
    .run = run,
};
