// SPDX-License-Identifier: MIT
#include "baseline/rank-order.h"

#include "baseline/commands.h"

static uint64_t neighbours = 20;
static double threshold = 10;

static const struct cdp_option options[] = {
    BASELINE_LIST(neighbours),
    {.type = CDP_OPTION_REAL,
     .name = "threshold",
     .arg = "T",
     .help = "largest rank-order distance of linked items",
     .value = &threshold,
     .min = 0,
     .max = 1e9},
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
    tool_check(cdp_rank_order(&lists, threshold, (int)common.threads, label, &err), &err);
    cdp_neighbours_free(&lists);
    job_write_labels(&job, label);
    job_finish(&job);
}

const struct method rank_order_method = {
    .tool = {.name = "cdp-baseline rank-order",
             .summary = "approximate rank-order clustering",
             .synopsis = "[OPTION]... [FEATURES]",
             .example = "cdp-baseline rank-order --threshold 10 --dim 256 m0.bin >labels.txt\n",
             .options = options},
    .run = run,
};
