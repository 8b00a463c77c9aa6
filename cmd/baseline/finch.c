// SPDX-License-Identifier: MIT
#include "baseline/finch.h"

#include <string.h>

#include "baseline/commands.h"

static uint64_t partition = 1;
static const char *table_name;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_COUNT,
     .name = "partition",
     .arg = "N",
     .group = "Clusters",
     .help = "the partition to write, 1 with the most clusters",
     .value = &partition,
     .min = 1,
     .max = CDP_FINCH_PARTITIONS},
    {.type = CDP_OPTION_TEXT,
     .name = "table",
     .arg = "FILE",
     .help = "also write all partitions, a column each, to FILE",
     .value = &table_name},
    BASELINE_KNN(),
    BASELINE_FEATURES(),
    {0},
};

static void write_table(const struct job *job, const struct cdp_finch *finch)
{
    struct cdp_output *output = tool_side_output(table_name);
    struct cdp_err err;
    for (uint64_t i = 0; i < job->items; i++) {
        if (job->names) {
            size_t length;
            const char *name = cdp_names_get(job->names, i, &length);
            tool_check(cdp_output_printf(output, &err, "%.*s\t", (int)length, name), &err);
        }
        for (uint32_t p = 0; p < finch->partitions; p++)
            tool_check(
                cdp_output_printf(output, &err, "%s%u", p > 0 ? "\t" : "", finch->label[p][i]),
                &err);
        tool_check(cdp_output_printf(output, &err, "\n"), &err);
    }
}

static void run(const char *input)
{
    struct job job;
    struct cdp_neighbours lists;
    struct cdp_finch finch;
    struct cdp_err err;
    job_open(&job, input, "finch computes means of rows");
    job_neighbours(&job, 1, &lists);
    tool_check(cdp_finch(&finch, &job.rows, &lists, (int)common.threads, tool_progress(), &err),
               &err);
    cdp_neighbours_free(&lists);
    for (uint32_t p = 0; p < finch.partitions; p++)
        tool_say("partition %u: %u cluster%s", p + 1, finch.clusters[p], tool_s(finch.clusters[p]));
    if (partition > finch.partitions)
        tool_fail("%s: %u partition%s: --partition %llu is too large", job.matrix.name,
                  finch.partitions, tool_s(finch.partitions), (unsigned long long)partition);
    if (table_name)
        write_table(&job, &finch);
    uint32_t *label = job_labels(&job);
    memcpy(label, finch.label[partition - 1], job.items * sizeof *label);
    cdp_finch_free(&finch);
    job_write_labels(&job, label);
    job_finish(&job);
}

const struct method finch_method = {
    .tool = {.name = "cdp-baseline finch",
             .summary = "components of first neighbours, in several partitions",
             .synopsis = "[OPTION]... FEATURES",
             .example = "cdp-baseline finch --table all.tsv --dim 256 m0.bin >labels.txt\n",
             .options = options},
    .run = run,
};
