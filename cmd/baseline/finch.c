// SPDX-License-Identifier: MIT
#include "baseline/finch.h"

#include <string.h>

#include "baseline/commands.h"

static const char *table_name;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_TEXT,
     .name = "table",
     .arg = "FILE",
     .help = "also write all partitions, a column each, to FILE",
     .value = &table_name},
    {0},
};

static void write_table(const struct job *job, const struct cdp_finch *finch)
{
    struct cdp_output *output = tool_side_output(table_name);
    struct cdp_err err;
    for (uint64_t i = 0; i < job->data.items; i++) {
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

static void run(const struct cdp_method *method, const char *input)
{
    struct job job;
    struct cdp_finch finch;
    uint64_t partition = plan.partition;
    job_open(&job, method, input);
    job.result.finch = &finch;
    job_run(&job);
    for (uint32_t p = 0; p < finch.partitions; p++)
        tool_say("partition %u: %u cluster%s", p + 1, finch.clusters[p], tool_s(finch.clusters[p]));
    if (partition > finch.partitions)
        tool_fail("%s: %u partition%s: --partition %llu is too large", job.matrix.name,
                  finch.partitions, tool_s(finch.partitions), (unsigned long long)partition);
    if (table_name)
        write_table(&job, &finch);
    job_labels(&job);
    memcpy(job.result.label, finch.label[partition - 1], job.data.items * sizeof *job.result.label);
    job.result.clusters = finch.clusters[partition - 1];
    cdp_finch_free(&finch);
    job_write_labels(&job);
    job_finish(&job);
}

const struct command finch_command = {
    {.name = "cdp-baseline finch",
     .summary = "components of first neighbours, in several partitions",
     .synopsis = "[OPTION]... FEATURES",
     .example = "cdp-baseline finch --table all.tsv --dim 256 m0.bin >labels.txt\n",
     .options = options},
    run,
};
