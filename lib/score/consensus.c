// SPDX-License-Identifier: MIT
#include "score/consensus.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/logs.h"
#include "base/mem.h"
#include "base/threads.h"
#include "score/overlap.h"
#include "score/pairs.h"

enum {
    RUN = 1 << 14,        // pairs that are scored at a time
    MOST_CLUSTERINGS = 4, // of a judgement
};

// For progress, measured with 200,000 items and lists of 80. Shares of the time that is left: of
// the pairs' cosines, of the cohort in a judgement, of normalisation. Parts of the work up to which
// the judgements go.
static const double PAIRS_SHARE = 0.1, COHORT_SHARE = 0.55, NORMALISE_SHARE = 0.26;
static const double FIRST_END = 0.45, LAST_END = 0.96;

// ---- the pairs of all lists

// The pairs of all lists, with the cosines of the fused features, in units of 2^-28.
struct pairs {
    struct cdp_pair_lists lists;
    int32_t *cosine;
};

static void pairs_free(struct pairs *pairs)
{
    cdp_pair_lists_free(&pairs->lists);
    free(pairs->cosine);
    *pairs = (struct pairs){0};
}

// Leaves the pairs of two rows that have a direction.
static void drop_zeros(struct cdp_pair_lists *lists, const struct cdp_fused *fused)
{
    uint64_t begin = 0, count = 0;
    for (uint64_t i = 0; i < fused->items; i++) {
        for (; begin < lists->begin[i + 1]; begin++) {
            lists->other[count] = lists->other[begin];
            count += !fused->zero[i] && !fused->zero[lists->other[begin]];
        }
        lists->begin[i + 1] = count;
    }
}

static int find_pairs(struct pairs *pairs, const struct cdp_consensus_plan *plan,
                      const struct cdp_fused *fused, struct cdp_err *err)
{
    uint64_t items = fused->items;
    *pairs = (struct pairs){0};
    uint32_t *order = cdp_alloc(items, sizeof *order, "an order", err);
    int status = !order || cdp_progress_check(plan->progress, err) ||
                         cdp_order_by_lists(order, plan->lists, err) ||
                         cdp_progress_check(plan->progress, err) ||
                         cdp_pair_lists_new(&pairs->lists, plan->lists, plan->models, NULL, false,
                                            (uint64_t[2]){0, items}, err) ||
                         cdp_progress_check(plan->progress, err)
                     ? -1
                     : 0;
    if (!status) {
        drop_zeros(&pairs->lists, fused);
        pairs->cosine = cdp_alloc(pairs->lists.begin[items], sizeof *pairs->cosine, "cosines", err);
        status = pairs->cosine ? 0 : -1;
    }
    cdp_progress_stage(plan->progress, PAIRS_SHARE, items);
#pragma omp parallel for num_threads(cdp_threads(plan->threads)) schedule(dynamic, 64) if (!status)
    for (uint64_t at = 0; at < (status ? 0 : items); at++) {
        uint64_t i = order[at], begin = pairs->lists.begin[i];
        if (cdp_progress_stopped(plan->progress))
            continue;
        cdp_fused_scores(fused, i, pairs->lists.other + begin, pairs->lists.begin[i + 1] - begin,
                         pairs->cosine + begin);
        cdp_progress_add(plan->progress, 1);
    }
    free(order);
    status = status ? status : cdp_progress_check(plan->progress, err);
    if (status)
        pairs_free(pairs);
    return status;
}

// ---- scores

static const double LOG2_10 = 3.3219280948873623;

// 1 - (1 - p)^evidence, p being the probability that a pair of this z is true.
static float score_of(const struct cdp_posterior *posterior, double z, double evidence)
{
    double weight = evidence * cdp_posterior_weight(posterior, z);
    return (float)(1 - cdp_exp2(-LOG2_10 * weight));
}

// The z of pair p, i < j. Scores are in single precision.
static double z_of(const struct cdp_null *null, const struct cdp_fused *fused,
                   const struct pairs *pairs, uint64_t i, uint64_t p)
{
    int32_t score = cdp_fused_score(fused, pairs->cosine[p], i, pairs->lists.other[p]);
    return ((double)((float)score * 0x1p-28F) - null->mean) / null->deviation;
}

// Pairs in the order of the stream, some at a time.
struct run {
    uint64_t row, pair; // of the next one
    double evidence;    // of the scores
    size_t count;
    uint64_t i[RUN], j[RUN];
    float score[RUN];
};

// The next pairs of at least a z, with scores above 0; fewer than RUN do not mean the end.
// Returns false behind the last pair, and if the work is to end.
static bool next_run(struct run *run, const struct cdp_consensus_plan *plan,
                     const struct pairs *pairs, const struct cdp_fused *fused,
                     const struct cdp_posterior *posterior, double threshold)
{
    const struct cdp_pair_lists *lists = &pairs->lists;
    uint64_t all = lists->begin[lists->rows[1]], first = run->pair;
    size_t some = all - first < RUN ? all - first : RUN;
    for (size_t n = 0; n < some; n++, run->pair++) {
        while (run->pair == lists->begin[run->row + 1])
            run->row++;
        run->i[n] = run->row;
    }
#pragma omp parallel for num_threads(cdp_threads(plan->threads)) schedule(static)
    for (size_t n = 0; n < some; n++) {
        double z = z_of(&posterior->null, fused, pairs, run->i[n], first + n);
        run->score[n] = z < threshold ? 0 : score_of(posterior, z, run->evidence);
    }
    run->count = 0;
    for (size_t n = 0; n < some; n++) {
        run->i[run->count] = run->i[n];
        run->j[run->count] = lists->other[first + n];
        run->score[run->count] = run->score[n];
        run->count += run->score[n] > 0;
    }
    cdp_progress_add(plan->progress, some);
    return some > 0 && !cdp_progress_stopped(plan->progress);
}

// Clusters the pairs above a z.
static int64_t cluster(const struct cdp_consensus_plan *plan, const struct pairs *pairs,
                       const struct cdp_fused *fused, const struct cdp_posterior *posterior,
                       double threshold, uint32_t *label, struct cdp_err *err)
{
    struct run *run = cdp_zalloc(1, sizeof *run, "pairs", err);
    int status = run ? 0 : -1;
    if (run)
        run->evidence = 1;
    while (!status && next_run(run, plan, pairs, fused, posterior, threshold))
        status = plan->add(plan->context, run->i, run->j, run->score, run->count, err);
    free(run);
    status = status ? status : cdp_progress_check(plan->progress, err);
    int64_t clusters = status ? -1 : plan->cluster(plan->context, fused->items, label, err);
    cdp_progress_add(plan->progress, pairs->lists.begin[fused->items]);
    return clusters;
}

// ---- the threshold

// Values on a straight line between two points, constant outside.
static double between(double x, double x0, double x1, double y0, double y1)
{
    double t = (x - x0) / (x1 - x0);
    return y0 + (y1 - y0) * (t < 0 ? 0 : t > 1 ? 1 : t);
}

// The weights of precision in the F measure (beta) and of small identities (power), for models
// that separate identities badly and well. Chosen on real and synthetic faces and digits.
static const double WEAK_BETA = 0.5, WEAK_POWER = 0.5, STRONG_BETA = 0.25, STRONG_POWER = 1;

// Recalls at which the rules change from those of weak models to those of strong ones: of the
// excess, for the first threshold; of clusters, for beta; of clusters, for the last threshold.
// Chosen on the same data. Weak models of real faces have 0.33 to 0.47, synthetic faces 0.68 to
// 0.72, strong models of real faces 0.86 to 0.97.
static const double FIRST_STRONG = 0.63;
static const double BETA_RECALL[2] = {0.6, 0.85}, LAST_RECALL[2] = {0.55, 0.7};

// The threshold of CDP_LEAST_ALARMS takes over as the share of its clusters' pairs that it leaves
// goes from 0.8 to 0.9. Strong models of real faces have 0.87 and more, and there no other
// threshold is better; synthetic faces have 0.56 to 0.62, and there it is too tight.
static const double SURE_RECALL = 0.8, ALL_SURE_RECALL = 0.9;

// Pairs of weak models are kept from these odds on, in full where the recall of clusters is 0.45
// and less, not at all from 0.55 on, but not below the z of so many false alarms. Each pair then
// counts less, by the power EVIDENCE of what lowers the weight at the threshold: one pair hardly
// joins two items, several to one cluster do; but not below LEAST_EVIDENCE, since short lists have
// few pairs. Chosen on lfw's mobileface256 and dlib128, with lists of 14 to 80, and on glyphs.
static const double LOOSE_RECALL[2] = {0.45, 0.55}, LOOSE_ODDS = 0.15, MOST_LOOSE_ALARMS = 4,
                    EVIDENCE = 0.8, LEAST_EVIDENCE = 0.3;

// Of strong models, odds grow by so many decades as the overlap of neighbourhoods goes from 0 to 1,
// and this part of the odds at the threshold suffices. Weak models lose by it: most of their true
// pairs share few neighbours. Chosen on cdp-synth and lfw's mobilefacenet128.
static const double OVERLAP_SLOPE = 2, OVERLAP_ODDS = 0.5;

// Expected true pairs of an item below which the cosines show none.
static const double LEAST_PARTNERS = 0.05;

// A first threshold, by the first null.
static int first_threshold(struct cdp_posterior *posterior, const struct cdp_cohort *cohort,
                           struct cdp_null null, uint64_t items, double *threshold,
                           struct cdp_err *err)
{
    double recall;
    if (cdp_posterior_new(posterior, cohort, null, WEAK_POWER, items, err))
        return -1;
    if (posterior->all_true * (double)items < LEAST_PARTNERS) {
        *threshold = cdp_false_alarms_threshold(1, items);
        return 0;
    }
    *threshold = cdp_posterior_threshold(posterior, STRONG_BETA, &recall);
    bool strong = recall >= FIRST_STRONG;
    if (strong && cdp_posterior_new(posterior, cohort, null, STRONG_POWER, items, err))
        return -1;
    *threshold = cdp_posterior_threshold(posterior, strong ? STRONG_BETA : WEAK_BETA, &recall);
    return 0;
}

// Clusters the pairs above a threshold and moves it to where it agrees with the clusters: so many
// times. *recall is the share of the clusters' pairs that a strict threshold leaves. `label` is
// room for the clusters.
static int settle(const struct cdp_posterior *posterior, const struct cdp_consensus_plan *plan,
                  const struct cdp_cohort *cohort, const struct cdp_fused *fused,
                  const struct pairs *pairs, int rounds, double *threshold, double *recall,
                  uint32_t *label, struct cdp_err *err)
{
    for (int round = 0; round < rounds; round++) {
        double ignored;
        int64_t clusters = cluster(plan, pairs, fused, posterior, *threshold, label, err);
        if (clusters < 0)
            return -1;
        uint32_t *inside =
            cdp_cohort_inside(cohort, fused, label, (uint32_t)clusters, plan->threads, err);
        if (!inside)
            return -1;
        cdp_inside_threshold(posterior, cohort, inside, WEAK_POWER, STRONG_BETA, recall);
        double beta = between(*recall, BETA_RECALL[0], BETA_RECALL[1], WEAK_BETA, STRONG_BETA);
        *threshold = cdp_inside_threshold(posterior, cohort, inside, WEAK_POWER, beta, &ignored);
        free(inside);
    }
    return 0;
}

static void loosen(struct cdp_consensus *c)
{
    double share = between(c->recall, LOOSE_RECALL[0], LOOSE_RECALL[1], 1, 0);
    double least = fmax(cdp_excess_threshold(&c->posterior, LOOSE_ODDS),
                        cdp_false_alarms_threshold(MOST_LOOSE_ALARMS, c->posterior.items));
    if (share <= 0 || least >= c->threshold)
        return;
    double before = cdp_posterior_weight(&c->posterior, c->threshold);
    c->threshold = cdp_round24(c->threshold + share * (least - c->threshold));
    double now = cdp_posterior_weight(&c->posterior, c->threshold);
    c->evidence = cdp_round24(fmax(pow(now / before, EVIDENCE), LEAST_EVIDENCE));
}

// The last threshold: that of clusters and of chance agree on it. `label` are the clusters of the
// first one on entry.
static int last_threshold(struct cdp_consensus *c, const struct cdp_consensus_plan *plan,
                          const struct cdp_cohort *cohort, const struct cdp_fused *fused,
                          const struct pairs *pairs, int64_t clusters, uint32_t *label,
                          struct cdp_err *err)
{
    struct cdp_posterior strong;
    double ignored;
    uint64_t items = fused->live;
    c->recall = c->strength = 0;
    c->evidence = 1;
    uint32_t *inside =
        cdp_cohort_inside(cohort, fused, label, (uint32_t)clusters, plan->threads, err);
    if (!inside)
        return -1;
    c->null = cdp_null_refine(cohort, inside, c->first, &c->ratio);
    free(inside);
    if (cdp_posterior_new(&c->posterior, cohort, c->null, WEAK_POWER, items, err) ||
        cdp_posterior_new(&strong, cohort, c->null, STRONG_POWER, items, err))
        return -1;
    c->partners = c->posterior.all_true * (double)items;
    c->signal = c->partners >= LEAST_PARTNERS;
    if (!c->signal) {
        c->threshold = cdp_false_alarms_threshold(1, items);
        return 0;
    }
    double loose = cdp_posterior_threshold(&c->posterior, WEAK_BETA, &ignored), own = loose;
    double tight = cdp_posterior_threshold(&strong, STRONG_BETA, &ignored);
    if (settle(&c->posterior, plan, cohort, fused, pairs, 2, &own, &c->recall, label, err))
        return -1;
    c->strength = between(c->recall, LAST_RECALL[0], LAST_RECALL[1], 0, 1);
    c->threshold = (1 - c->strength) * loose + c->strength * (tight + own) / 2;
    loosen(c);
    if (c->recall > SURE_RECALL) {
        // Clusters of a loose threshold hide their own false pairs; those of the tightest do not.
        double tightest = cdp_false_alarms_threshold(CDP_LEAST_ALARMS, items), recall;
        if (settle(&c->posterior, plan, cohort, fused, pairs, 1, &tightest, &recall, label, err))
            return -1;
        double share = between(recall, SURE_RECALL, ALL_SURE_RECALL, 0, 1);
        c->threshold += share * fmax(tightest - c->threshold, 0);
    }
    return 0;
}

// ---- all of it

static int emit(struct cdp_consensus *c, const struct cdp_consensus_plan *plan,
                const struct cdp_fused *fused, const struct pairs *pairs, cdp_pair_sink *sink,
                void *context, struct cdp_err *err)
{
    struct run *run = cdp_zalloc(1, sizeof *run, "pairs", err);
    int status = run ? 0 : -1;
    if (run)
        run->evidence = c->evidence;
    while (!status && next_run(run, plan, pairs, fused, &c->posterior, c->threshold)) {
        for (size_t n = 0; n < run->count && !status; n++)
            status = sink(context, run->i[n], run->j[n], &run->score[n], err);
        c->pairs += run->count;
    }
    free(run);
    return status ? status : cdp_progress_check(plan->progress, err);
}

// The pairs of some excess.
static int weighted_pairs(struct cdp_weighted_pairs *out, const struct cdp_consensus *c,
                          const struct cdp_consensus_plan *plan, const struct cdp_fused *fused,
                          const struct pairs *pairs, struct cdp_err *err)
{
    const struct cdp_pair_lists *lists = &pairs->lists;
    uint64_t items = fused->items, count = 0;
    *out = (struct cdp_weighted_pairs){.items = items};
    out->begin = cdp_alloc(items + 1, sizeof *out->begin, "pairs", err);
    out->other = cdp_alloc(lists->begin[items], sizeof *out->other, "pairs", err);
    out->weight = cdp_alloc(lists->begin[items], sizeof *out->weight, "pairs", err);
    if (!out->begin || !out->other || !out->weight)
        return -1;
#pragma omp parallel for num_threads(cdp_threads(plan->threads)) schedule(dynamic, 64)
    for (uint64_t i = 0; i < items; i++) {
        if (cdp_progress_stopped(plan->progress))
            continue;
        for (uint64_t p = lists->begin[i]; p < lists->begin[i + 1]; p++) {
            double z = z_of(&c->null, fused, pairs, i, p);
            out->weight[p] = (float)cdp_posterior_weight(&c->posterior, z);
        }
    }
    if (cdp_progress_check(plan->progress, err))
        return -1;
    for (uint64_t i = 0; i < items; i++) {
        out->begin[i] = count;
        for (uint64_t p = lists->begin[i]; p < lists->begin[i + 1]; p++) {
            out->other[count] = lists->other[p];
            out->weight[count] = out->weight[p];
            count += out->weight[p] > 0;
        }
    }
    out->begin[items] = count;
    return 0;
}

// Odds by cosine and by the overlap of neighbourhoods: the pairs whose odds are at least those of
// the threshold, or a part of them.
static int emit_overlapping(struct cdp_consensus *c, const struct cdp_consensus_plan *plan,
                            const struct cdp_fused *fused, const struct pairs *pairs,
                            cdp_pair_sink *sink, void *context, struct cdp_err *err)
{
    struct cdp_weighted_pairs weighted;
    double odds = cdp_exp2(LOG2_10 * cdp_posterior_weight(&c->posterior, c->threshold)) - 1;
    double least = cdp_log2(1 + odds * (1 - c->strength * (1 - OVERLAP_ODDS))) / LOG2_10;
    int status = weighted_pairs(&weighted, c, plan, fused, pairs, err);
    if (!status)
        status = cdp_overlap_weigh(&weighted, OVERLAP_SLOPE * c->strength, plan->threads,
                                   plan->progress, err);
    for (uint64_t i = 0; i < fused->items && !status; i++) {
        for (uint64_t p = weighted.begin[i]; p < weighted.begin[i + 1] && !status; p++) {
            double weight = (double)weighted.weight[p];
            float score = (float)(1 - cdp_exp2(-LOG2_10 * weight));
            if (weight < least || score <= 0)
                continue;
            status = sink(context, i, weighted.other[p], &score, err);
            c->pairs++;
        }
    }
    free(weighted.begin);
    free(weighted.other);
    free(weighted.weight);
    return status;
}

// From a cohort to the clusters of a first threshold, whose number is returned, and to the last
// one.
static int64_t judge_scores(struct cdp_consensus *c, const struct cdp_consensus_plan *plan,
                            const struct cdp_fused *fused, const struct pairs *pairs,
                            uint32_t *label, struct cdp_err *err)
{
    struct cdp_cohort cohort;
    double threshold;
    uint64_t items = fused->items;
    cdp_progress_stage(plan->progress, COHORT_SHARE, items);
    if (cdp_cohort_new(&cohort, fused, CDP_COHORT_ROWS, plan->threads, plan->progress, err))
        return -1;
    int64_t clusters = -1;
    uint32_t *last = cdp_alloc(items, sizeof *last, "labels", err);
    c->first = cdp_null_estimate(&cohort);
    if (!last || first_threshold(&c->posterior, &cohort, c->first, fused->live, &threshold, err))
        goto out;
    cdp_progress_stage(plan->progress, 1, 2 * MOST_CLUSTERINGS * pairs->lists.begin[items]);
    clusters = cluster(plan, pairs, fused, &c->posterior, threshold, label, err);
    if (clusters < 0)
        goto out;
    memcpy(last, label, items * sizeof *last);
    if (last_threshold(c, plan, &cohort, fused, pairs, clusters, last, err))
        clusters = -1;
out:
    free(last);
    cdp_cohort_free(&cohort);
    return clusters;
}

// Judges normalised scores too. They stay unless less of their clusters' pairs is above a strict
// threshold.
static int judge_normalised(struct cdp_consensus *c, const struct cdp_consensus_plan *plan,
                            struct cdp_fused *fused, const struct pairs *pairs, uint32_t *label,
                            uint32_t clusters, struct cdp_err *err)
{
    struct cdp_consensus normalised = *c;
    cdp_progress_limit(plan->progress, LAST_END);
    cdp_progress_stage(plan->progress, NORMALISE_SHARE, fused->items);
    if (cdp_fused_normalise(fused, label, clusters, plan->threads, plan->progress, err) ||
        judge_scores(&normalised, plan, fused, pairs, label, err) < 0)
        return -1;
    if (normalised.recall < c->recall) {
        cdp_fused_plain(fused);
        return 0;
    }
    *c = normalised;
    c->normalised = true;
    return 0;
}

static int judge(struct cdp_consensus *c, const struct cdp_consensus_plan *plan,
                 struct cdp_fused *fused, const struct pairs *pairs, struct cdp_err *err)
{
    uint32_t *label = cdp_alloc(fused->items, sizeof *label, "labels", err);
    cdp_progress_limit(plan->progress, FIRST_END);
    int64_t clusters = label ? judge_scores(c, plan, fused, pairs, label, err) : -1;
    int status = clusters < 0 ? -1 : 0;
    if (clusters >= CDP_LEAST_CLUSTERS && c->signal)
        status = judge_normalised(c, plan, fused, pairs, label, (uint32_t)clusters, err);
    free(label);
    if (plan->alarms > 0) {
        c->threshold = cdp_false_alarms_threshold(plan->alarms, fused->live);
        c->evidence = 1;
    }
    c->alarms = cdp_false_alarms(c->threshold, fused->live);
    return status;
}

int cdp_consensus(struct cdp_consensus *c, const struct cdp_consensus_plan *plan,
                  cdp_pair_sink *sink, void *context, struct cdp_err *err)
{
    struct cdp_fused fused;
    struct pairs pairs = {0};
    *c = (struct cdp_consensus){0};
    cdp_progress_start(plan->progress, "consensus", "rows", 0);
    if (cdp_committee_weights(c->weight, c->member, c->separation, plan, err) ||
        cdp_fused_new(&fused, plan->features, c->weight, plan->models, plan->threads, err))
        return -1;
    int status = find_pairs(&pairs, plan, &fused, err);
    if (!status)
        status = judge(c, plan, &fused, &pairs, err);
    if (!status)
        status = (c->strength > 0 && plan->alarms == 0 ? emit_overlapping : emit)(
            c, plan, &fused, &pairs, sink, context, err);
    cdp_fused_free(&fused);
    pairs_free(&pairs);
    return status;
}
