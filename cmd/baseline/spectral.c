// SPDX-License-Identifier: MIT
#include "baseline/spectral.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/mem.h"
#include "baseline/commands.h"

static uint64_t neighbours = 10, clusters;
static int how;
static bool eigenvalues;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_COUNT,
     .name = "clusters",
     .arg = "C",
     .group = "Clusters",
     .help = "number of clusters",
     .value = &clusters,
     .unset = "required",
     .required = true,
     .min = 1,
     .max = 4294967294.0},
    BASELINE_LIST(neighbours),
    {.type = CDP_OPTION_CHOICE,
     .name = "assign",
     .arg = "HOW",
     .help = "how eigenvectors make clusters",
     .value = &how,
     .choices = (const char *const[]){"discretize", "cluster-qr", NULL}},
    {.type = CDP_OPTION_FLAG,
     .name = "eigenvalues",
     .group = "Output",
     .help = "write the C + 1 smallest eigenvalues, no labels",
     .value = &eigenvalues,
     .without = "ids"},
    BASELINE_KNN(),
    BASELINE_FEATURES(),
    {0},
};

static void write_values(const struct job *job, const double *value)
{
    struct cdp_err err;
    for (uint64_t i = 0; i <= clusters && i < job->items; i++)
        tool_check(cdp_output_printf(job->output, &err, "%.12g\n", value[i]), &err);
}

static void run(const char *input)
{
    struct job job;
    struct cdp_neighbours lists;
    struct cdp_err err;
    double *value = NULL;
#ifdef M_MMAP_THRESHOLD
    // Work space goes back to the system, which keeps the heap from growing by fragments: 147 MB in
    // place of 412 for 20,000 items and 600 clusters.
    mallopt(M_MMAP_THRESHOLD, 1 << 19);
#endif
    job_open(&job, input, NULL);
    job_neighbours(&job, neighbours - 1, &lists);
    uint32_t *label = job_labels(&job);
    if (eigenvalues) {
        value = cdp_alloc(job.items, sizeof *value, "eigenvalues", &err);
        tool_check(value ? 0 : -1, &err);
    }
    struct cdp_spectral_plan plan = {clusters, (enum cdp_assign)how, (int)common.threads,
                                     tool_progress()};
    tool_check(cdp_spectral(&lists, &plan, label, value, &err), &err);
    cdp_neighbours_free(&lists);
    if (eigenvalues) {
        write_values(&job, value);
        free(label);
    } else {
        job_write_labels(&job, label);
    }
    free(value);
    job_finish(&job);
}

const struct method spectral_method = {
    .tool = {.name = "cdp-baseline spectral",
             .summary = "clusters by eigenvectors of the neighbour graph",
             .synopsis = "[OPTION]... [FEATURES]",
             .example = "cdp-baseline spectral --clusters 2577 --dim 256 m0.bin >labels.txt\n",
             .options = options},
    .run = run,
};
