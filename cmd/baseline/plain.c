// SPDX-License-Identifier: MIT
// The methods that have no options but their parameters and the common ones.
#include "baseline/commands.h"

const struct command dbscan_command = {
    {.name = "cdp-baseline dbscan",
     .summary = "DBSCAN: connected dense neighbourhoods, and their borders",
     .synopsis = "[OPTION]... [FEATURES]",
     .example = "cdp-baseline dbscan --eps 0.75 --dim 256 m0.bin >labels.txt\n"},
    job_do,
};

const struct command hdbscan_command = {
    {.name = "cdp-baseline hdbscan",
     .summary = "HDBSCAN: clusters of any density, from a hierarchy",
     .synopsis = "[OPTION]... FEATURES",
     .example = "cdp-baseline hdbscan --min-samples 5 --dim 256 m0.bin >labels.txt\n"},
    job_do,
};

const struct command knn_dbscan_command = {
    {.name = "cdp-baseline knn-dbscan",
     .summary = "DBSCAN on lists of the nearest neighbours",
     .synopsis = "[OPTION]... [FEATURES]",
     .example = "cdp-baseline knn-dbscan --neighbours 80 --dim 256 m0.bin >labels.txt\n"},
    job_do,
};

const struct command rank_order_command = {
    {.name = "cdp-baseline rank-order",
     .summary = "approximate rank-order clustering",
     .synopsis = "[OPTION]... [FEATURES]",
     .example = "cdp-baseline rank-order --threshold 10 --dim 256 m0.bin >labels.txt\n"},
    job_do,
};

const struct command single_command = {
    {.name = "cdp-baseline single",
     .summary = "single linkage, cut at a distance, or its merge tree",
     .synopsis = "[OPTION]... [FEATURES]",
     .example = "cdp-baseline single --distance 0.7 --dim 256 m0.bin >labels.txt\n"},
    job_do,
};

static void run_ward(const struct cdp_method *method, const char *input)
{
    if (!plan.clusters && !make_tree)
        tool_usage("--clusters is missing");
    job_do(method, input);
}

const struct command ward_command = {
    {.name = "cdp-baseline ward",
     .summary = "Ward's method, among adjacent clusters of the neighbour graph",
     .synopsis = "[OPTION]... FEATURES",
     .example = "cdp-baseline ward --clusters 2577 --dim 256 m0.bin >labels.txt\n"},
    run_ward,
};

static void run_whispers(const struct cdp_method *method, const char *input)
{
    struct job job;
    job_open(&job, method, input);
    job_labels(&job);
    job_run(&job);
    tool_say("%llu round%s", (unsigned long long)job.result.iterations,
             tool_s(job.result.iterations));
    job_write_labels(&job);
    job_finish(&job);
}

const struct command whispers_command = {
    {.name = "cdp-baseline chinese-whispers",
     .summary = "Chinese whispers on the graph of similar neighbours",
     .synopsis = "[OPTION]... [FEATURES]",
     .example = "cdp-baseline chinese-whispers --similarity 0.6 --dim 256 m0.bin >labels.txt\n"},
    run_whispers,
};
