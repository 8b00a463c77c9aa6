// SPDX-License-Identifier: MIT
#include "baseline/kmeans.h"

#include "baseline/commands.h"
#include "baseline/minibatch.h"

static uint64_t clusters, starts, seed = 1, batch = 1024;
static double tolerance;
static const char *centres;

// clang-format off
#define CLUSTERS() \
    {.type = CDP_OPTION_COUNT, \
     .name = "clusters", \
     .arg = "K", \
     .group = "Clusters", \
     .help = "number of clusters", \
     .value = &clusters, \
     .min = 1, \
     .max = 4294967294.0, \
     .required = true}, \
    {.type = CDP_OPTION_TEXT, \
     .name = "centres", \
     .arg = "FILE", \
     .help = "features file of the first centroids, K rows, instead of k-means++", \
     .value = &centres}
#define STARTS() \
    {.type = CDP_OPTION_COUNT, \
     .name = "starts", \
     .arg = "N", \
     .help = "keep the best of N starts", \
     .value = &starts, \
     .unset = "1 for large inputs, up to 32 for small ones", \
     .min = 1, \
     .max = 1e6, \
     .without = "centres"}
#define SEED() \
    .type = CDP_OPTION_COUNT, .name = "seed", .arg = "N", .help = "of the random numbers", \
    .value = &seed, .max = 18446744073709551615.0
// clang-format on

static const struct cdp_option kmeans_options[] = {
    CLUSTERS(),
    {.type = CDP_OPTION_REAL,
     .name = "tolerance",
     .arg = "T",
     .help = "stop when the centroids move, squared and summed, by T times the mean variance of a "
             "number; 0: when no label changes",
     .value = &tolerance,
     .min = 0,
     .max = 1e9},
    STARTS(),
    {SEED(), .without = "centres"},
    BASELINE_FEATURES(),
    {0},
};

static const struct cdp_option minibatch_options[] = {
    CLUSTERS(),
    {.type = CDP_OPTION_COUNT,
     .name = "batch",
     .arg = "B",
     .help = "rows of a batch",
     .value = &batch,
     .min = 1,
     .max = 4294967294.0},
    STARTS(),
    {SEED()},
    BASELINE_FEATURES(),
    {0},
};

static void open_centres(struct cdp_matrix *matrix, const struct job *job)
{
    struct cdp_err err;
    tool_check(cdp_matrix_open(matrix, centres, CDP_FORMAT_AUTO, job->matrix.dim, 0, &err), &err);
    if (matrix->rows != clusters)
        tool_fail("%s: %llu rows: --clusters %llu wants as many", matrix->name,
                  (unsigned long long)matrix->rows, (unsigned long long)clusters);
}

static void run(const char *input, bool batches)
{
    struct job job;
    struct cdp_matrix given = {0};
    struct cdp_kmeans_result result;
    struct cdp_err err;
    int status;
    job_open(&job, input, "k-means computes means of rows");
    if (clusters > job.items && !centres)
        clusters = job.items;
    if (centres)
        open_centres(&given, &job);
    struct cdp_kmeans_plan plan = {.clusters = (uint32_t)clusters,
                                   .centres = centres ? &given : NULL,
                                   .seed = seed,
                                   .starts = (uint32_t)starts,
                                   .tolerance = tolerance,
                                   .batch = (uint32_t)batch,
                                   .threads = (int)common.threads,
                                   .progress = tool_progress()};
    if (batches)
        status = cdp_minibatch(&job.rows, &plan, &result, &err);
    else
        status = cdp_kmeans(&job.rows, &plan, &result, &err);
    tool_check(status, &err);
    tool_say("inertia %.9g after %u %s", result.inertia, result.iterations,
             batches ? "batches" : "iterations");
    job_write_labels(&job, result.label);
    if (centres)
        cdp_matrix_close(&given);
    job_finish(&job);
}

static void run_kmeans(const char *input)
{
    run(input, false);
}

static void run_minibatch(const char *input)
{
    run(input, true);
}

const struct method kmeans_method = {
    .tool = {.name = "cdp-baseline kmeans",
             .summary = "k-means",
             .synopsis = "--clusters K [OPTION]... FEATURES",
             .example = "cdp-baseline kmeans --clusters 100 --dim 256 m0.bin >labels.txt\n",
             .options = kmeans_options},
    .run = run_kmeans,
};

const struct method minibatch_method = {
    .tool = {.name = "cdp-baseline minibatch",
             .summary = "k-means on random batches of rows",
             .synopsis = "--clusters K [OPTION]... FEATURES",
             .example = "cdp-baseline minibatch --clusters 100 --batch 512 --dim 256 m0.bin "
                        ">labels.txt\n",
             .options = minibatch_options},
    .run = run_minibatch,
};
