// SPDX-License-Identifier: MIT
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "io/input.h"
#include "lists.h"
#include "score/commands.h"

static uint64_t accept_count;
static double threshold = 0.6, scale = NAN; // NaN: max

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_COUNT,
     .name = "accept",
     .arg = "N",
     .group = "Pairs",
     .help = "number of members that must agree",
     .value = &accept_count,
     .min = 0,
     .max = UINT32_MAX},
    {.type = CDP_OPTION_REAL,
     .name = "threshold",
     .arg = "T",
     .help = "similarity that a pair must exceed",
     .value = &threshold,
     .min = -1,
     .max = 1},
    {.type = CDP_OPTION_REAL,
     .name = "scale",
     .arg = "D",
     .help = "distance of similarity 0; max: the largest distance",
     .value = &scale,
     .min = FLT_MIN,
     .max = FLT_MAX,
     .choices = (const char *const[]){"max", NULL}},
    {0},
};

const struct tool vote_tool = {
    .name = "cdp-score vote",
    .summary = "Keeps the base model's neighbours that enough members agree on",
    .synopsis = "[OPTION]... BASE.cdp [MEMBER.cdp]...",
    .example = "cdp-score vote --accept 2 --threshold 0.5 base.cdp m1.cdp m2.cdp >pairs.cdp\n",
    .options = options,
    .stream = "",
};

// Warns if a few far items set the scale: the largest distance exceeds 5 times the median of the
// lists' last distances. That median then scores above 0.8, so the usual thresholds keep most lists
// whole. On LFW's features by five models, and on cdp-synth, the largest distance is at most 1.9
// times the median for l2, l1, linf and angular with 1 or 14 neighbours.
static void warn_of_far(const struct cdp_table *base, const char *name)
{
    const float far = 5;
    float median, largest = base->totals.ceiling;
    struct cdp_err err;
    tool_check(cdp_median_radius(base, &median, &err), &err);
    if (largest / far > median)
        tool_warn("%s: scores are 1 - distance / %g, the largest distance, but half of the lists "
                  "end by %.3g: a few far items set all scores: give --scale",
                  name, (double)largest, (double)median);
}

// The scale of the scores; 0 = scores are 1 - distance, for cosine and for lists of no metric.
static float choose_scale(const struct cdp_table *base, const char *name)
{
    if (!isnan(scale))
        return (float)scale;
    if (base->header.metric == CDP_COSINE || base->header.metric == CDP_METRIC_NONE)
        return 0;
    if (base->header.rows[1])
        tool_fail("%s: the lists of rows %llu:%llu only, whose largest %s distance is not that of "
                  "all rows: give --scale, the same for all parts",
                  name, (unsigned long long)base->header.rows[0],
                  (unsigned long long)base->header.rows[1], cdp_metric_names[base->header.metric]);
    if (!(base->totals.ceiling > 0))
        return 1; // all distances are 0
    warn_of_far(base, name);
    return base->totals.ceiling;
}

// One member's lists are in memory at a time.
void run_vote(char **files, int count)
{
    struct job job;
    struct cdp_err err;
    if (accept_count >= (uint64_t)count)
        tool_usage("--accept %llu, but there are %d members", (unsigned long long)accept_count,
                   count - 1);
    job_open(&job, CDP_PAIRS, files[0]);
    job_note_base(&job);
    lists_round_up_to_zero(&job.base, cdp_input_shown(files[0]));
    job.header.scale = choose_scale(&job.base, cdp_input_shown(files[0]));
    uint32_t *votes = cdp_zalloc(job.base.offset[job.base.rows], sizeof *votes, "votes", &err);
    tool_check(votes ? 0 : -1, &err);
    for (int m = 1; m < count; m++) {
        struct cdp_table member;
        job_read_member(&job, &member, files[m]);
        cdp_vote_count(&job.base, &member, votes, (int)common.threads);
        cdp_table_free(&member);
    }
    uint8_t *keep = allocate_flags(&job);
    cdp_similarities(&job.base, job.header.scale);
    cdp_vote_keep(&job.base, votes, (unsigned)accept_count, (float)threshold, keep);
    free(votes);
    job_write_flagged(&job, keep);
    free(keep);
    job_finish(&job);
}
