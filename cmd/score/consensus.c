// SPDX-License-Identifier: MIT
#include "score/consensus.h"

#include <math.h>

#include "combine/clusterer.h"
#include "io/input.h"
#include "score/commands.h"

static struct cdp_texts features;
static double alarms; // 0 = found
static struct cdp_consensus found;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_TEXTS,
     .name = "features",
     .arg = "FILE",
     .group = "Input",
     .help = "features of a model, once for each list, in their order",
     .value = &features,
     .required = true},
    {.type = CDP_OPTION_REAL,
     .name = "false-alarms",
     .arg = "N",
     .group = "Pairs",
     .help = "accept N false pairs for each item",
     .value = &alarms,
     .unset = "as many as give the best expected F",
     .min = 1e-6,
     .max = 100},
    {0},
};

const struct tool consensus_tool = {
    .name = "cdp-score consensus",
    .summary = "Scores pairs by the probability that they are true, without labels",
    .synopsis = "--features FILE... [OPTION]... LIST.cdp...",
    .example = "cdp-score consensus --features m0.bin m0.cdp |\n"
               "    cdp-propagate --method map >labels.txt\n",
    .options = options,
    .stream = "",
};

// ---- what was found

static void report(const struct cdp_consensus *c, char **files, int count)
{
    for (int m = 0; m < count && count > 1; m++) {
        char truths[64] = "no true ones found";
        if (!isnan(c->separation[m]))
            snprintf(truths, sizeof truths, "true ones %.2f deviations above", c->separation[m]);
        tool_say("%s: weight %.3f, pairs by chance: cosine %.4f +- %.4f, %s",
                 cdp_input_shown(files[m]), c->weight[m], c->member[m].mean, c->member[m].deviation,
                 truths);
    }
    const char *kind = c->normalised ? "normalised cosine" : "cosine";
    tool_say("pairs by chance: %s %.4f +- %.4f, %.2f of what it was before clustering", kind,
             c->null.mean, c->null.deviation, c->ratio);
    tool_say("%.2f true pairs of an item expected, %.0f %% of those in clusters are above the "
             "threshold: %s",
             c->partners, 100 * c->recall,
             c->strength <= 0   ? "weak"
             : c->strength >= 1 ? "strong"
                                : "between weak and strong");
    tool_say("threshold: %s %.4f, %.2f deviations, %.3g false pairs of an item expected", kind,
             c->null.mean + c->threshold * c->null.deviation, c->threshold, c->alarms);
    if (c->evidence < 1)
        tool_say("scores: 1 - (1 - probability)^%.2f: a single pair of a weak model counts less",
                 c->evidence);
}

// Fewer items have few pairs by chance. The pairs that other models find are 2.2 to 5.5 deviations
// above those by chance with models of faces, about 0 with noise. The rules come from real faces,
// synthetic faces, digits, clothes and texts.
enum { FEW_ITEMS = 100 };
static const double LEAST_SEPARATION = 1.5;

static void warn(const struct cdp_consensus *c, char **files, int count, uint64_t items)
{
    if (items < FEW_ITEMS)
        tool_warn("%llu item%s: too few to know the cosines of chance well",
                  (unsigned long long)items, tool_s(items));
    if (!c->signal)
        tool_warn("no signal: the cosines are those of chance: these features tell no identities "
                  "apart, or nearly all items are of a few identities, or each is the only one");
    else if (!cdp_consensus_gaussian(c->ratio))
        tool_warn("the cosines of unlike items are not Gaussian (%.2f): scores and threshold are "
                  "not to be relied on",
                  c->ratio);
    else if (alarms == 0 && c->alarms > 11.9)
        tool_warn("the threshold is at its bound of 12 false pairs for each item: expect strangers "
                  "in clusters; --false-alarms sets another");
    else if (c->pairs == 0)
        tool_warn("no pair of the lists is above the threshold: --false-alarms sets another");
    else if (alarms == 0 && c->strength <= 0)
        tool_warn("weak features: of the pairs in clusters %.0f %% are above the threshold: expect "
                  "identities in several clusters; further models or a mediator help",
                  100 * c->recall);
    for (int m = 0; m < count && count > 1; m++) {
        if (c->separation[m] < LEAST_SEPARATION)
            tool_warn("%s: true pairs are %.2f deviations above those by chance: this model hardly "
                      "tells identities apart; its weight is %.3f",
                      cdp_input_shown(files[m]), c->separation[m], c->weight[m]);
    }
}

// All but the number of pairs is known before the first pair, and cdp-report reads it.
static void begin_pairs(struct job *job)
{
    struct cdp_err err;
    tool_check(cdp_header_note(&job->header, &err,
                               "consensus: signal %d, ratio %.2f, strength %.2f, recall %.4f, "
                               "partners %.2f, evidence %.2f",
                               found.signal, found.ratio, found.strength, found.recall,
                               found.partners, found.evidence),
               &err);
    job_begin_pairs(job);
}

static int write_pair(void *context, uint64_t i, uint64_t j, const float *score,
                      struct cdp_err *err)
{
    struct job *job = context;
    if (!job->writer)
        begin_pairs(job);
    return job_write_pair(job, i, j, score, err);
}

void run_consensus(char **files, int count)
{
    static struct cdp_table lists[CDP_MOST_TEXTS];
    static struct cdp_matrix matrices[CDP_MOST_TEXTS];
    struct cdp_clusterer clusterer = {.threads = (int)common.threads};
    struct job job;
    struct cdp_err err;
    if (features.count != (size_t)count)
        tool_usage("--features is given %zu times, but there are %d lists", features.count, count);
    job_open(&job, CDP_PAIRS, files[0]);
    require_rows(&job.base, cdp_input_shown(files[0]), (uint64_t[2]){0, 0});
    job_note_base(&job);
    lists[0] = job.base;
    for (int m = 1; m < count; m++)
        job_read_member(&job, &lists[m], files[m]);
    for (int m = 0; m < count; m++)
        job_open_features(&job, &matrices[m], features.text[m]);
    struct cdp_consensus_plan plan = {
        .models = (unsigned)count,
        .lists = lists,
        .features = matrices,
        .alarms = alarms,
        .add = cdp_clusterer_add,
        .cluster = cdp_clusterer_cluster,
        .context = &clusterer,
        .threads = (int)common.threads,
        .progress = tool_progress(),
    };
    tool_check(cdp_consensus(&found, &plan, write_pair, &job, &err), &err);
    if (!job.writer)
        begin_pairs(&job);
    report(&found, files, count);
    warn(&found, files, count, job.base.rows);
    for (int m = 0; m < count; m++) {
        cdp_matrix_close(&matrices[m]);
        if (m > 0)
            cdp_table_free(&lists[m]);
    }
    job_finish(&job);
}
