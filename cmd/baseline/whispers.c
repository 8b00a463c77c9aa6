// SPDX-License-Identifier: MIT
#include "baseline/whispers.h"

#include "baseline/commands.h"

static uint64_t neighbours = 80, rounds = 100, seed = 1;
static double similarity = 0.5;

static const struct cdp_option options[] = {
    BASELINE_LINKS(neighbours, similarity),
    {.type = CDP_OPTION_COUNT,
     .name = "rounds",
     .arg = "N",
     .help = "end after N rounds, if items still change",
     .value = &rounds,
     .min = 1,
     .max = 1e9},
    {.type = CDP_OPTION_COUNT,
     .name = "seed",
     .arg = "N",
     .help = "of the random numbers",
     .value = &seed,
     .max = 18446744073709551615.0},
    BASELINE_KNN(),
    BASELINE_FEATURES(),
    {0},
};

static void run(const char *input)
{
    struct job job;
    struct cdp_links links;
    struct cdp_err err;
    job_open(&job, input, NULL);
    job_links(&job, neighbours, similarity, &links);
    uint32_t *label = job_labels(&job);
    int64_t took = cdp_whispers(&links, seed, (uint32_t)rounds, label, tool_progress(), &err);
    tool_check(took < 0 ? -1 : 0, &err);
    tool_say("%lld round%s", (long long)took, tool_s((uint64_t)took));
    cdp_links_free(&links);
    job_write_labels(&job, label);
    job_finish(&job);
}

const struct method whispers_method = {
    .tool = {.name = "cdp-baseline chinese-whispers",
             .summary = "Chinese whispers on the graph of similar neighbours",
             .synopsis = "[OPTION]... [FEATURES]",
             .example =
                 "cdp-baseline chinese-whispers --similarity 0.6 --dim 256 m0.bin >labels.txt\n",
             .options = options},
    .run = run,
};
