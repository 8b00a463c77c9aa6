// SPDX-License-Identifier: MIT
#include "score/consensus.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/logs.h"
#include "base/mem.h"
#include "base/threads.h"

// ---- the pairs of all lists

// Pairs i < j, ascending, with cosines as their scores.
struct pairs {
    struct cdp_scored_pair *pair;
    size_t count, room;
};

static void pairs_free(struct pairs *pairs)
{
    free(pairs->pair);
    *pairs = (struct pairs){0};
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

// The neighbours of an item in any list, each once, ascending; returns how many.
static size_t join_lists(const struct cdp_consensus_plan *plan, uint64_t item, uint32_t *out)
{
    size_t all = 0, count = 0;
    for (unsigned m = 0; m < plan->models; m++) {
        const struct cdp_table *t = &plan->lists[m];
        uint64_t size = t->offset[item + 1] - t->offset[item];
        if (size > 0)
            memcpy(out + all, t->target + t->offset[item], size * sizeof *out);
        all += size;
    }
    qsort(out, all, sizeof *out, by_id);
    for (size_t n = 0; n < all; n++) {
        if (n == 0 || out[n] != out[n - 1])
            out[count++] = out[n];
    }
    return count;
}

// One table of all lists, with cosines of the fused features as its distances.
static int unite(struct cdp_table *united, const struct cdp_consensus_plan *plan,
                 const struct cdp_fused *fused, struct cdp_err *err)
{
    uint64_t items = fused->items;
    *united = (struct cdp_table){.rows = items};
    united->offset = cdp_zalloc(items + 1, sizeof *united->offset, "lists", err);
    if (!united->offset)
        return -1;
    for (uint64_t i = 0; i < items; i++) {
        united->offset[i + 1] = united->offset[i];
        for (unsigned m = 0; m < plan->models; m++)
            united->offset[i + 1] += plan->lists[m].offset[i + 1] - plan->lists[m].offset[i];
    }
    united->target = cdp_alloc(united->offset[items], sizeof *united->target, "lists", err);
    united->distance = cdp_alloc(united->offset[items], sizeof *united->distance, "lists", err);
    if (!united->target || !united->distance) {
        cdp_table_free(united);
        return -1;
    }
    // Rows are shorter where lists share neighbours: what is left over has no cosine.
    cdp_progress_start(plan->progress, "pairs", "rows", items);
#pragma omp parallel for num_threads(cdp_threads(plan->threads)) schedule(dynamic, 256)
    for (uint64_t i = 0; i < items; i++) {
        uint64_t begin = united->offset[i], end = united->offset[i + 1];
        size_t count = join_lists(plan, i, united->target + begin);
        int32_t cosine[256];
        for (size_t done = 0; done < count; done += 256) {
            size_t some = count - done < 256 ? count - done : 256;
            cdp_fused_scores(fused, i, united->target + begin + done, some, cosine);
            for (size_t n = 0; n < some; n++)
                united->distance[begin + done + n] = (float)cosine[n] * 0x1p-28F;
        }
        for (uint64_t e = begin + count; e < end; e++) {
            united->target[e] = (uint32_t)i;
            united->distance[e] = -2;
        }
        cdp_progress_add(plan->progress, 1);
    }
    return 0;
}

static int keep_pair(void *context, uint64_t i, uint64_t j, const float *cosine,
                     struct cdp_err *err)
{
    struct pairs *p = context;
    if (cdp_grow(&p->pair, &p->room, p->count + 1, sizeof *p->pair, "pairs", err))
        return -1;
    p->pair[p->count++] = (struct cdp_scored_pair){(uint32_t)i, (uint32_t)j, *cosine};
    return 0;
}

// The pairs of the lists from a cosine on.
static int find_pairs(struct pairs *pairs, const struct cdp_consensus_plan *plan,
                      const struct cdp_fused *fused, double least, struct cdp_err *err)
{
    struct cdp_table united;
    *pairs = (struct pairs){0};
    if (unite(&united, plan, fused, err))
        return -1;
    uint64_t edges = united.offset[united.rows];
    uint8_t *keep = cdp_alloc(edges, 1, "kept edges", err);
    int status = keep ? 0 : -1;
    if (keep) {
        for (uint64_t e = 0; e < edges; e++)
            keep[e] = (double)united.distance[e] >= least;
        status = cdp_pairs(&united, keep, (uint64_t[2]){0, united.rows}, keep_pair, pairs, err);
    }
    free(keep);
    cdp_table_free(&united);
    if (status)
        pairs_free(pairs);
    return status;
}

// ---- scores

static float probability(const struct cdp_posterior *posterior, double z)
{
    return (float)(1 - cdp_exp2(-3.3219280948873623 * cdp_posterior_weight(posterior, z)));
}

static double z_of(const struct cdp_null *null, float cosine)
{
    return ((double)cosine - null->mean) / null->deviation;
}

// Clusters the pairs above a z.
static int64_t cluster(const struct cdp_consensus_plan *plan, const struct pairs *pairs,
                       const struct cdp_posterior *posterior, double threshold, uint64_t items,
                       uint32_t *label, struct cdp_err *err)
{
    struct cdp_scored_pair *kept = cdp_alloc(pairs->count, sizeof *kept, "pairs", err);
    if (!kept)
        return -1;
    size_t count = 0;
    for (size_t p = 0; p < pairs->count; p++) {
        double z = z_of(&posterior->null, pairs->pair[p].score);
        if (z < threshold)
            continue;
        kept[count] = pairs->pair[p];
        kept[count++].score = probability(posterior, z);
    }
    int64_t clusters = plan->cluster(plan->context, kept, count, items, label, err);
    free(kept);
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

// Later thresholds are at least this part of the first one, or of that of so many false alarms.
static const double LEAST_PART = 0.8, LOOSE_ALARMS = 32;

// The threshold of CDP_LEAST_ALARMS takes over as the share of its clusters' pairs that it leaves
// goes from 0.8 to 0.9. Strong models of real faces have 0.87 and more, and there no other
// threshold is better; synthetic faces have 0.56 to 0.62, and there it is too tight.
static const double SURE_RECALL = 0.8, ALL_SURE_RECALL = 0.9;

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
        int64_t clusters = cluster(plan, pairs, posterior, *threshold, fused->items, label, err);
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

// The last threshold: that of clusters and of chance agree on it. `label` are the clusters of the
// first one on entry.
static int last_threshold(struct cdp_consensus *c, const struct cdp_consensus_plan *plan,
                          const struct cdp_cohort *cohort, const struct cdp_fused *fused,
                          const struct pairs *pairs, int64_t clusters, uint32_t *label,
                          struct cdp_err *err)
{
    struct cdp_posterior strong;
    double ignored;
    uint64_t items = fused->items;
    c->recall = c->strength = 0;
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

static int emit(struct cdp_consensus *c, const struct pairs *pairs, cdp_pair_sink *sink,
                void *context, struct cdp_err *err)
{
    for (size_t p = 0; p < pairs->count; p++) {
        double z = z_of(&c->null, pairs->pair[p].score);
        float score = probability(&c->posterior, z);
        if (z < c->threshold || score <= 0)
            continue;
        if (sink(context, pairs->pair[p].i, pairs->pair[p].j, &score, err))
            return -1;
        c->pairs++;
    }
    return 0;
}

// From a cohort to pairs, to the clusters of a first threshold, whose number is returned, and to
// the last one.
static int64_t judge_scores(struct cdp_consensus *c, const struct cdp_consensus_plan *plan,
                            const struct cdp_fused *fused, struct pairs *pairs, uint32_t *label,
                            struct cdp_err *err)
{
    struct cdp_cohort cohort;
    double threshold;
    uint64_t items = fused->items;
    if (cdp_cohort_new(&cohort, fused, CDP_COHORT_ROWS, plan->threads, plan->progress, err))
        return -1;
    int64_t clusters = -1;
    uint32_t *last = cdp_alloc(items, sizeof *last, "labels", err);
    c->first = cdp_null_estimate(&cohort);
    if (!last || first_threshold(&c->posterior, &cohort, c->first, items, &threshold, err))
        goto out;
    double least = LEAST_PART * fmin(threshold, cdp_false_alarms_threshold(LOOSE_ALARMS, items));
    if (find_pairs(pairs, plan, fused, c->first.mean + least * c->first.deviation, err))
        goto out;
    clusters = cluster(plan, pairs, &c->posterior, threshold, items, label, err);
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
                            struct cdp_fused *fused, struct pairs *pairs, uint32_t *label,
                            uint32_t clusters, struct cdp_err *err)
{
    struct cdp_consensus normalised = *c;
    struct pairs of_normalised = {0};
    if (cdp_fused_normalise(fused, label, clusters, plan->threads, plan->progress, err) ||
        judge_scores(&normalised, plan, fused, &of_normalised, label, err) < 0) {
        pairs_free(&of_normalised);
        return -1;
    }
    if (normalised.recall < c->recall) {
        pairs_free(&of_normalised);
        return 0;
    }
    pairs_free(pairs);
    *pairs = of_normalised;
    *c = normalised;
    c->normalised = true;
    return 0;
}

static int judge(struct cdp_consensus *c, const struct cdp_consensus_plan *plan,
                 struct cdp_fused *fused, struct pairs *pairs, struct cdp_err *err)
{
    uint32_t *label = cdp_alloc(fused->items, sizeof *label, "labels", err);
    int64_t clusters = label ? judge_scores(c, plan, fused, pairs, label, err) : -1;
    int status = clusters < 0 ? -1 : 0;
    if (clusters >= CDP_LEAST_CLUSTERS && c->signal)
        status = judge_normalised(c, plan, fused, pairs, label, (uint32_t)clusters, err);
    free(label);
    if (plan->alarms > 0)
        c->threshold = cdp_false_alarms_threshold(plan->alarms, fused->items);
    c->alarms = cdp_false_alarms(c->threshold, fused->items);
    return status;
}

int cdp_consensus(struct cdp_consensus *c, const struct cdp_consensus_plan *plan,
                  cdp_pair_sink *sink, void *context, struct cdp_err *err)
{
    struct cdp_fused fused;
    struct pairs pairs = {0};
    *c = (struct cdp_consensus){0};
    if (cdp_committee_weights(c->weight, c->member, c->separation, plan, err) ||
        cdp_fused_new(&fused, plan->features, c->weight, plan->models, plan->threads, err))
        return -1;
    int status = judge(c, plan, &fused, &pairs, err);
    cdp_fused_free(&fused);
    if (!status)
        status = emit(c, &pairs, sink, context, err);
    pairs_free(&pairs);
    return status;
}
