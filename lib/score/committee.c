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

static const double FALSE_SHARE = 0.1, // of the pairs that count as true
    LEAST_WEIGHT = 0.02,               // of the largest
    // Of a variance, added (regularized discriminant analysis; Friedman, JASA 84, 1989): with 0.001
    // weights of alike models that correlate, 0.2 each at best, went from 0.16 to 0.24.
    RIDGE = 0.1,
                    COMMITTEE_SHARE = 0.2; // of the time of consensus, for progress

// Sums over pairs of the models' z and of their products; then means and covariances.
struct moments {
    uint64_t pairs;
    double mean[CDP_MOST_MODELS], product[CDP_MOST_MODELS][CDP_MOST_MODELS];
};

static void moments_add(struct moments *s, const double *z, unsigned models)
{
    s->pairs++;
    for (unsigned a = 0; a < models; a++) {
        s->mean[a] += z[a];
        for (unsigned b = 0; b < models; b++)
            s->product[a][b] += z[a] * z[b];
    }
}

// From sums to means and covariances.
static void moments_end(struct moments *s, unsigned models)
{
    if (s->pairs == 0)
        return;
    for (unsigned a = 0; a < models; a++)
        s->mean[a] /= (double)s->pairs;
    for (unsigned a = 0; a < models; a++) {
        for (unsigned b = 0; b < models; b++)
            s->product[a][b] = s->product[a][b] / (double)s->pairs - s->mean[a] * s->mean[b];
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

static void add_chance(struct moments *chance, const struct cdp_consensus_plan *plan,
                       const struct cdp_fused *fused, const double *weight,
                       const struct cdp_null *member, uint32_t item, double most)
{
    double z[CDP_MOST_MODELS];
    for (uint64_t draw = 0; draw < CHANCE_PAIRS; draw++) {
        uint32_t other = (uint32_t)(cdp_random(item, draw) % fused->items);
        int32_t cosine;
        cdp_fused_scores(fused, item, &other, 1, &cosine);
        if (other == item || fused->zero[other] || (double)cosine * 0x1p-28 >= most)
            continue;
        members_z(plan, fused, weight, member, item, other, z);
        moments_add(chance, z, plan->models);
    }
}

// The cosine from which on true pairs are more than those by chance.
static double true_from(const struct cdp_posterior *p)
{
    int b = 0;
    while (b < p->bins && p->excess[b] < 1)
        b++;
    return p->edge[b] * p->null.deviation + p->null.mean;
}

// ---- true pairs

// Pairs of the lists of some rows, row after row, with the models' z.
struct sample {
    uint32_t rows;
    size_t count, room, z_room;
    uint32_t *row; // of each pair
    double *z;     // models for each pair
    double *sum;   // room for one a pair
    double *sorted;
};

static void sample_free(struct sample *s)
{
    free(s->row);
    free(s->z);
    free(s->sum);
    free(s->sorted);
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

// Adds the neighbours of a row.
static int sample_row(struct sample *s, const struct cdp_consensus_plan *plan,
                      const struct cdp_fused *fused, const double *weight,
                      const struct cdp_null *member, uint32_t item, struct cdp_err *err)
{
    size_t all = 0;
    for (unsigned m = 0; m < plan->models; m++)
        all += plan->lists[m].offset[item + 1] - plan->lists[m].offset[item];
    uint32_t *other = cdp_alloc(all, sizeof *other, "neighbours", err);
    if (!other || cdp_grow(&s->row, &s->room, s->count + all, sizeof *s->row, "pairs", err) ||
        cdp_grow(&s->z, &s->z_room, (s->count + all) * plan->models, sizeof *s->z, "pairs", err)) {
        free(other);
        return -1;
    }
    all = join_lists(plan, item, other);
    for (size_t n = 0; n < all; n++) {
        members_z(plan, fused, weight, member, item, other[n], s->z + s->count * plan->models);
        s->row[s->count++] = s->rows;
    }
    s->rows++;
    free(other);
    return 0;
}

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

// Fills s->sum with the sums of z over all models but one (`models`: over all), in deviations of
// those by chance. Returns the least one above which at most FALSE_SHARE of the pairs are by
// chance, if these are Gaussian; INFINITY: none.
static double sum_others(struct sample *s, const struct moments *chance, unsigned models,
                         unsigned except, uint64_t items)
{
    double mean = 0, variance = 0;
    for (unsigned a = 0; a < models; a++) {
        mean += a == except ? 0 : chance->mean[a];
        for (unsigned b = 0; b < models; b++)
            variance += a == except || b == except ? 0 : chance->product[a][b];
    }
    if (!(variance > 0))
        return INFINITY;
    for (size_t p = 0; p < s->count; p++) {
        double sum = -mean;
        for (unsigned a = 0; a < models; a++)
            sum += a == except ? 0 : s->z[p * models + a];
        s->sorted[p] = s->sum[p] = sum / sqrt(variance);
    }
    qsort(s->sorted, s->count, sizeof *s->sorted, descending);
    size_t found = s->count;
    while (found > 0 && (double)s->rows * cdp_false_alarms(s->sorted[found - 1], items) >
                            FALSE_SHARE * (double)found)
        found--;
    return found > 0 ? s->sorted[found - 1] : INFINITY;
}

// The mean z of true pairs of one model; those of a row together weigh 1. NaN without any. True
// pairs are those that the other models find: the model's own z would be chosen for its errors.
static double true_mean(struct sample *s, const struct moments *chance, unsigned models,
                        unsigned model, uint64_t items)
{
    double least = sum_others(s, chance, models, model, items), sum = 0, rows = 0;
    if (isinf(least))
        least = sum_others(s, chance, models, models, items);
    if (isinf(least))
        return NAN;
    for (size_t p = 0, end; p < s->count; p = end) {
        double own = 0, pairs = 0;
        for (end = p; end < s->count && s->row[end] == s->row[p]; end++) {
            if (s->sum[end] >= least) {
                own += s->z[end * models + model];
                pairs++;
            }
        }
        if (pairs > 0) {
            sum += own / pairs;
            rows++;
        }
    }
    return sum / rows;
}

// The shares of Fisher's discriminant; false where there are no true pairs.
static bool discriminate(struct moments *chance, const double *true_z, unsigned models,
                         double *share)
{
    double largest = 0, mean[CDP_MOST_MODELS];
    for (unsigned a = 0; a < models; a++) {
        if (isnan(true_z[a]))
            return false;
        mean[a] = true_z[a];
        chance->product[a][a] *= 1 + RIDGE;
    }
    solve(chance->product, mean, models, share);
    for (unsigned m = 0; m < models; m++)
        largest = fmax(largest, share[m]);
    for (unsigned m = 0; m < models; m++)
        share[m] = fmax(share[m], LEAST_WEIGHT * largest);
    return largest > 0;
}

int cdp_committee_weights(double *weight, struct cdp_null *member, double *separation,
                          const struct cdp_consensus_plan *plan, struct cdp_err *err)
{
    struct moments chance = {0};
    struct sample sample = {0};
    double share[CDP_MOST_MODELS];
    struct cdp_fused fused;
    struct cdp_cohort cohort;
    struct cdp_posterior posterior;
    weight[0] = 1;
    if (plan->models == 1)
        return 0;
    cdp_progress_stage(plan->progress, COMMITTEE_SHARE, (plan->models + 1) * plan->features->rows);
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
            cdp_posterior_new(&posterior, &cohort, cdp_null_estimate(&cohort), 1, fused.live, err);
        double most = true_from(&posterior);
        for (uint32_t r = 0; r < cohort.rows && !status; r++) {
            add_chance(&chance, plan, &fused, weight, member, cohort.item[r], most);
            status = sample_row(&sample, plan, &fused, weight, member, cohort.item[r], err);
        }
        cdp_cohort_free(&cohort);
    }
    if (!status) {
        sample.sum = cdp_alloc(sample.count, sizeof *sample.sum, "pairs", err);
        sample.sorted = cdp_alloc(sample.count, sizeof *sample.sorted, "pairs", err);
        status = sample.sum && sample.sorted ? 0 : -1;
    }
    if (!status) {
        moments_end(&chance, plan->models);
        for (unsigned m = 0; m < plan->models; m++)
            separation[m] = true_mean(&sample, &chance, plan->models, m, fused.live);
        if (discriminate(&chance, separation, plan->models, share))
            weights_of_shares(share, member, plan->models, weight);
    }
    sample_free(&sample);
    cdp_fused_free(&fused);
    return status;
}
