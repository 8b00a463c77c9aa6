// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/logs.h"
#include "base/mem.h"
#include "base/random.h"
#include "score/consensus.h"

enum {
    ROWS = 512,         // of the cohort that weights are found by
    CHANCE_PAIRS = 200, // drawn for each of them
};

static const double TRUE_EXCESS = 9, // a pair of these odds counts as true: 90 %
    LEAST_WEIGHT = 0.02,             // of the largest
    RIDGE = 1e-3;                    // of a variance, added: equal models get equal weights

// Sums over pairs of the models' z: of products of two, and means.
struct moments {
    double pairs, mean[CDP_MOST_MODELS], product[CDP_MOST_MODELS][CDP_MOST_MODELS];
};

static void moments_add(struct moments *s, const double *z, unsigned models, double weight)
{
    s->pairs += weight;
    for (unsigned a = 0; a < models; a++) {
        s->mean[a] += weight * z[a];
        for (unsigned b = 0; b < models; b++)
            s->product[a][b] += weight * z[a] * z[b];
    }
}

// The models' z of a pair, from their parts of the fused rows.
static void members_z(const struct cdp_consensus_plan *plan, const struct cdp_fused *fused,
                      const double *weight, const struct cdp_null *member, uint64_t i, uint64_t j,
                      double *z)
{
    const int16_t *x = fused->unit + i * fused->dim, *y = fused->unit + j * fused->dim;
    for (unsigned m = 0; m < plan->models; m++) {
        int32_t sum = 0;
        for (size_t d = 0; d < plan->features[m].dim; d++)
            sum += x[d] * y[d];
        x += plan->features[m].dim;
        y += plan->features[m].dim;
        z[m] = ((double)sum * 0x1p-28 / weight[m] - member[m].mean) / member[m].deviation;
    }
}

// Solves a x = b by elimination with the largest pivots; a and b are lost.
static void solve(double (*a)[CDP_MOST_MODELS], double *b, unsigned size, double *x)
{
    for (unsigned c = 0; c < size; c++) {
        unsigned best = c;
        for (unsigned r = c + 1; r < size; r++)
            best = fabs(a[r][c]) > fabs(a[best][c]) ? r : best;
        for (unsigned k = 0; k < size; k++) {
            double swap = a[c][k];
            a[c][k] = a[best][k];
            a[best][k] = swap;
        }
        double swap = b[c];
        b[c] = b[best];
        b[best] = swap;
        for (unsigned r = c + 1; r < size && a[c][c] != 0; r++) {
            double factor = a[r][c] / a[c][c];
            for (unsigned k = c; k < size; k++)
                a[r][k] -= factor * a[c][k];
            b[r] -= factor * b[c];
        }
    }
    for (unsigned c = size; c-- > 0;) {
        for (unsigned k = c + 1; k < size; k++)
            b[c] -= a[c][k] * x[k];
        x[c] = a[c][c] != 0 ? b[c] / a[c][c] : 0;
    }
}

// Squared lengths of the models' rows of which each z counts `share`.
static void weights_of_shares(const double *share, const struct cdp_null *member, unsigned models,
                              double *weight)
{
    double all = 0;
    for (unsigned m = 0; m < models; m++)
        all += share[m] / member[m].deviation;
    for (unsigned m = 0; m < models; m++)
        weight[m] = cdp_round24(share[m] / member[m].deviation / all);
}

static int measure_member(struct cdp_null *member, const struct cdp_consensus_plan *plan,
                          unsigned m, struct cdp_err *err)
{
    struct cdp_fused fused;
    struct cdp_cohort cohort;
    double one = 1;
    if (cdp_fused_new(&fused, &plan->features[m], &one, 1, plan->threads, err))
        return -1;
    int status = cdp_cohort_new(&cohort, &fused, ROWS, plan->threads, plan->progress, err);
    if (!status) {
        *member = cdp_null_estimate(&cohort);
        cdp_cohort_free(&cohort);
    }
    cdp_fused_free(&fused);
    return status;
}

// Adds the true pairs among a row's neighbours; all true pairs of a row together weigh 1.
static void add_true(struct moments *of_true, const struct cdp_consensus_plan *plan,
                     const struct cdp_fused *fused, const double *weight,
                     const struct cdp_null *member, uint32_t item, double least)
{
    struct moments own = {0};
    double z[CDP_MOST_MODELS];
    for (unsigned m = 0; m < plan->models; m++) {
        const struct cdp_table *t = &plan->lists[m];
        for (uint64_t e = t->offset[item]; e < t->offset[item + 1]; e++) {
            int32_t cosine;
            cdp_fused_scores(fused, item, &t->target[e], 1, &cosine);
            if ((double)cosine * 0x1p-28 < least)
                continue;
            members_z(plan, fused, weight, member, item, t->target[e], z);
            moments_add(&own, z, plan->models, 1);
        }
    }
    if (own.pairs == 0)
        return;
    of_true->pairs++;
    for (unsigned m = 0; m < plan->models; m++)
        of_true->mean[m] += own.mean[m] / own.pairs;
}

static void add_chance(struct moments *chance, const struct cdp_consensus_plan *plan,
                       const struct cdp_fused *fused, const double *weight,
                       const struct cdp_null *member, uint32_t item, double most)
{
    double z[CDP_MOST_MODELS];
    for (uint64_t draw = 0; draw < CHANCE_PAIRS; draw++) {
        uint32_t other = (uint32_t)(cdp_random(item, draw) % fused->items);
        int32_t cosine;
        cdp_fused_scores(fused, item, &other, 1, &cosine);
        if (other == item || (double)cosine * 0x1p-28 >= most)
            continue;
        members_z(plan, fused, weight, member, item, other, z);
        moments_add(chance, z, plan->models, 1);
    }
}

// The cosine of the first bin with such an excess; INFINITY = none.
static double cosine_of_excess(const struct cdp_posterior *p, double excess)
{
    for (int b = 0; b < p->bins; b++) {
        if (p->excess[b] >= excess && p->excess[b] > 0)
            return p->edge[b] * p->null.deviation + p->null.mean;
    }
    return INFINITY;
}

// The shares of Fisher's discriminant; false where there are no true pairs.
static bool discriminate(struct moments *chance, struct moments *of_true, unsigned models,
                         double *share)
{
    double largest = 0;
    if (of_true->pairs == 0 || chance->pairs == 0)
        return false;
    for (unsigned a = 0; a < models; a++)
        chance->mean[a] /= chance->pairs;
    for (unsigned a = 0; a < models; a++) {
        of_true->mean[a] /= of_true->pairs;
        for (unsigned b = 0; b < models; b++)
            chance->product[a][b] =
                chance->product[a][b] / chance->pairs - chance->mean[a] * chance->mean[b];
        chance->product[a][a] *= 1 + RIDGE;
    }
    solve(chance->product, of_true->mean, models, share);
    for (unsigned m = 0; m < models; m++)
        largest = fmax(largest, share[m]);
    for (unsigned m = 0; m < models; m++)
        share[m] = fmax(share[m], LEAST_WEIGHT * largest);
    return largest > 0;
}

int cdp_committee_weights(double *weight, struct cdp_null *member, double *separation,
                          const struct cdp_consensus_plan *plan, struct cdp_err *err)
{
    struct moments chance = {0}, of_true = {0};
    double share[CDP_MOST_MODELS];
    struct cdp_fused fused;
    struct cdp_cohort cohort;
    struct cdp_posterior posterior;
    weight[0] = 1;
    if (plan->models == 1)
        return 0;
    for (unsigned m = 0; m < plan->models; m++) {
        share[m] = 1;
        if (measure_member(&member[m], plan, m, err))
            return -1;
    }
    weights_of_shares(share, member, plan->models, weight);
    if (cdp_fused_new(&fused, plan->features, weight, plan->models, plan->threads, err))
        return -1;
    int status = cdp_cohort_new(&cohort, &fused, ROWS, plan->threads, plan->progress, err);
    if (!status) {
        status =
            cdp_posterior_new(&posterior, &cohort, cdp_null_estimate(&cohort), 1, fused.items, err);
        double least = cosine_of_excess(&posterior, TRUE_EXCESS);
        double most = cosine_of_excess(&posterior, 0);
        for (uint32_t r = 0; r < cohort.rows && !status; r++) {
            add_true(&of_true, plan, &fused, weight, member, cohort.item[r], least);
            add_chance(&chance, plan, &fused, weight, member, cohort.item[r], most);
        }
        for (unsigned m = 0; m < plan->models; m++)
            separation[m] = of_true.pairs > 0 ? of_true.mean[m] / of_true.pairs : NAN;
        if (!status && discriminate(&chance, &of_true, plan->models, share))
            weights_of_shares(share, member, plan->models, weight);
        cdp_cohort_free(&cohort);
    }
    cdp_fused_free(&fused);
    return status;
}
