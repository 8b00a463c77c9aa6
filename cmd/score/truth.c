// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "io/input.h"
#include "score/commands.h"

static const char *labels_name;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_TEXT,
     .name = "labels",
     .arg = "META",
     .group = "Input",
     .help = "file of true labels, one per line",
     .value = &labels_name,
     .required = true},
    {0},
};

const struct tool truth_tool = {
    .name = "cdp-score truth",
    .summary = "Keeps the base model's neighbours with the same true label",
    .synopsis = "--labels META [OPTION]... BASE.cdp",
    .example = "cdp-score truth --labels meta.txt base.cdp | cdp-propagate >labels.txt\n",
    .options = options,
    .stream = "",
};

void run_truth(char **files, int count)
{
    struct job job;
    struct cdp_labels labels;
    struct cdp_err err;
    uint64_t unknown;
    (void)count; // always 1
    job_open(&job, CDP_PAIRS, files[0]);
    job_note_base(&job);
    tool_check(cdp_labels_read(&labels, labels_name, false, &err), &err);
    tool_check(cdp_labels_match(&labels, cdp_input_shown(labels_name), job.names, job.base.rows,
                                cdp_input_shown(files[0]), &unknown, &err),
               &err);
    tool_note_unknown(labels_name, unknown, job.base.rows);
    uint8_t *keep = allocate_flags(&job);
    cdp_truth_keep(&job.base, &labels, keep);
    cdp_labels_free(&labels);
    job_write_flagged(&job, keep);
    free(keep);
    job_finish(&job);
}
