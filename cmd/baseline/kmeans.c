// SPDX-License-Identifier: MIT
#include "baseline/commands.h"

static const char *centres;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_TEXT,
     .name = "centres",
     .arg = "FILE",
     .help = "features file of the first centroids, K rows, instead of k-means++",
     .value = &centres},
    {0},
};

static void open_centres(struct cdp_matrix *matrix, const struct job *job)
{
    struct cdp_err err;
    tool_check(cdp_matrix_open(matrix, centres, CDP_FORMAT_AUTO, job->matrix.dim, 0, &err), &err);
    if (matrix->rows != plan.clusters)
        tool_fail("%s: %llu rows: --clusters %llu wants as many", matrix->name,
                  (unsigned long long)matrix->rows, (unsigned long long)plan.clusters);
    plan.centres = matrix;
}

static void run(const struct cdp_method *method, const char *input, const char *iterations)
{
    struct job job;
    struct cdp_matrix given = {0};
    job_open(&job, method, input);
    if (centres)
        open_centres(&given, &job);
    job_labels(&job);
    job_run(&job);
    tool_say("inertia %.9g after %llu %s", job.result.inertia,
             (unsigned long long)job.result.iterations, iterations);
    job_write_labels(&job);
    if (centres)
        cdp_matrix_close(&given);
    job_finish(&job);
}

static void run_kmeans(const struct cdp_method *method, const char *input)
{
    run(method, input, "iterations");
}

static void run_minibatch(const struct cdp_method *method, const char *input)
{
    run(method, input, "batches");
}

const struct command kmeans_command = {
    {.name = "cdp-baseline kmeans",
     .summary = "k-means",
     .synopsis = "--clusters K [OPTION]... FEATURES",
     .example = "cdp-baseline kmeans --clusters 100 --dim 256 m0.bin >labels.txt\n",
     .options = options},
    run_kmeans,
};

const struct command minibatch_command = {
    {.name = "cdp-baseline minibatch",
     .summary = "k-means on random batches of rows",
     .synopsis = "--clusters K [OPTION]... FEATURES",
     .example = "cdp-baseline minibatch --clusters 100 --batch 512 --dim 256 m0.bin >labels.txt\n",
     .options = options},
    run_minibatch,
};
