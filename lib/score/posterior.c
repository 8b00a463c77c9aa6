// SPDX-License-Identifier: MIT
#include "score/posterior.h"

#include <math.h>
#include <stdlib.h>

#include "base/logs.h"
#include "base/mem.h"

enum {
    ROUNDS = 3,       // of weighing rows by their expected true partners
    LEAST_PAIRS = 50, // observed in bins that are taken together
};

static const double NEAREST = 0.5, // z of the first bin
    LEAST_EXCESS = 0.1,            // smaller ones may be errors of the null
    MOST_EXCESS = 1e30;            // larger ones are no longer numbers in single precision

// ---- the normal distribution

static double tail(double z)
{
    return 0.5 * erfc(z * 0.70710678118654752);
}

// The z that a share `above` of a standard normal distribution exceeds.
static double tail_quantile(double above)
{
    double low = -40, high = 40;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        if (tail(middle) > above)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double cdp_false_alarms_threshold(double alarms, uint64_t items)
{
    double share = alarms / (double)items;
    return tail_quantile(share < 0.4 ? share : 0.4);
}

double cdp_false_alarms(double z, uint64_t items)
{
    return (double)items * tail(z);
}

// ---- the null

struct histogram {
    double count[CDP_COSINE_BINS], all;
};

static void histogram_sum(struct histogram *h, const struct cdp_cohort *cohort,
                          const uint32_t *except)
{
    *h = (struct histogram){0};
    for (size_t r = 0; r < cohort->rows; r++) {
        for (size_t b = 0; b < CDP_COSINE_BINS; b++) {
            size_t at = r * CDP_COSINE_BINS + b;
            h->count[b] += cohort->counts[at] - (except ? except[at] : 0);
        }
    }
    for (size_t b = 0; b < CDP_COSINE_BINS; b++)
        h->all += h->count[b];
}

static double bin_cosine(double bin)
{
    return bin * 2 / CDP_COSINE_BINS - 1;
}

static double quantile(const struct histogram *h, double share)
{
    double wanted = share * h->all, below = 0;
    size_t b = 0;
    while (b + 1 < CDP_COSINE_BINS && below + h->count[b] < wanted)
        below += h->count[b++];
    double part = h->count[b] > 0 ? (wanted - below) / h->count[b] : 0;
    return bin_cosine((double)b + (part < 1 ? part : 1));
}

struct cdp_null cdp_null_estimate(const struct cdp_cohort *cohort)
{
    static const double shares[] = {0.6, 0.7, 0.75, 0.8, 0.9};
    struct histogram h;
    histogram_sum(&h, cohort, NULL);
    double mean = quantile(&h, 0.5), least = INFINITY;
    for (size_t s = 0; s < sizeof shares / sizeof *shares; s++)
        least = fmin(least, (quantile(&h, shares[s]) - mean) / tail_quantile(1 - shares[s]));
    return (struct cdp_null){cdp_round24(mean), cdp_round24(fmax(least, 1e-6))};
}

struct cdp_null cdp_null_refine(const struct cdp_cohort *cohort, const uint32_t *inside,
                                struct cdp_null first, double *ratio)
{
    struct histogram h;
    histogram_sum(&h, cohort, NULL);
    double all = h.all;
    histogram_sum(&h, cohort, inside);
    double above = fmin(0.4, fmax(0.02, 5 * (1 - h.all / all)));
    double mean = quantile(&h, 0.5);
    double deviation = (quantile(&h, 1 - above) - mean) / tail_quantile(above);
    *ratio = deviation / first.deviation;
    deviation = fmin(fmax(deviation, 0.85 * first.deviation), 1.1 * first.deviation);
    return (struct cdp_null){cdp_round24(mean), cdp_round24(deviation)};
}

// ---- the excess

// Edges of bins of about equal width in z, at edges of cosine bins: first[b] is where bin b begins.
static void make_edges(struct cdp_posterior *p, const struct cdp_cohort *cohort, uint32_t *first)
{
    struct histogram h;
    histogram_sum(&h, cohort, NULL);
    size_t top = CDP_COSINE_BINS;
    while (top > 1 && h.count[top - 1] == 0)
        top--;
    double most = fmax((bin_cosine((double)top) - p->null.mean) / p->null.deviation, 6);
    int edges = 0;
    for (int e = 0; e <= CDP_POSTERIOR_BINS; e++) {
        double z = NEAREST + (most - NEAREST) * e / CDP_POSTERIOR_BINS;
        double bin = round((z * p->null.deviation + p->null.mean + 1) * CDP_COSINE_BINS / 2);
        uint32_t at = (uint32_t)fmin(fmax(bin, 0), CDP_COSINE_BINS);
        if (edges == 0 || at > first[edges - 1])
            first[edges++] = at;
    }
    if (edges == 1) { // all cosines are 1
        first[0] = CDP_COSINE_BINS - 1;
        first[edges++] = CDP_COSINE_BINS;
    }
    for (int e = 0; e < edges; e++)
        p->edge[e] = (bin_cosine(first[e]) - p->null.mean) / p->null.deviation;
    p->bins = edges - 1;
}

// The cohort's counts in the bins of z; from the right at least LEAST_PAIRS are taken together:
// group[b], of `groups`, 0 being the rightmost.
struct counts {
    double *of_row; // rows x bins
    double chance[CDP_POSTERIOR_BINS];
    int group[CDP_POSTERIOR_BINS], groups;
};

static int count_pairs(struct counts *c, const struct cdp_posterior *p,
                       const struct cdp_cohort *cohort, const uint32_t *first, struct cdp_err *err)
{
    c->of_row = cdp_zalloc((size_t)cohort->rows * (size_t)p->bins, sizeof *c->of_row,
                           "cosines of the cohort", err);
    if (!c->of_row)
        return -1;
    double sum[CDP_POSTERIOR_BINS] = {0};
    for (size_t r = 0; r < cohort->rows; r++) {
        for (int b = 0; b < p->bins; b++) {
            double *count = &c->of_row[r * (size_t)p->bins + (size_t)b];
            for (uint32_t k = first[b]; k < first[b + 1]; k++)
                *count += cohort->counts[r * CDP_COSINE_BINS + k];
            sum[b] += *count;
        }
    }
    int group = 0;
    double together = 0;
    for (int b = p->bins - 1; b >= 0; b--) {
        c->chance[b] = fmax(tail(p->edge[b]) - tail(p->edge[b + 1]), 1e-300);
        c->group[b] = group;
        together += sum[b];
        if (together >= LEAST_PAIRS) {
            group++;
            together = 0;
        }
    }
    c->groups = c->group[0] + 1;
    return 0;
}

// Makes value[0 .. count - 1] non-increasing, with the least change of the sum of squares: pool
// adjacent violators (Ayer et al., Annals of Mathematical Statistics 26, 1955).
static void make_monotone(double *value, int count)
{
    double mean[CDP_POSTERIOR_BINS];
    int size[CDP_POSTERIOR_BINS], blocks = 0;
    for (int i = 0; i < count; i++) {
        mean[blocks] = value[i];
        size[blocks++] = 1;
        while (blocks > 1 && mean[blocks - 2] <= mean[blocks - 1]) {
            int both = size[blocks - 2] + size[blocks - 1];
            mean[blocks - 2] =
                (mean[blocks - 2] * size[blocks - 2] + mean[blocks - 1] * size[blocks - 1]) / both;
            size[--blocks - 1] = both;
        }
    }
    for (int b = 0, i = 0; b < blocks; b++) {
        for (int k = 0; k < size[b]; k++)
            value[i++] = mean[b];
    }
}

// The excess of the rows' weighted counts.
static void find_excess(struct cdp_posterior *p, const struct counts *c, const double *weight,
                        size_t rows)
{
    double seen[CDP_POSTERIOR_BINS] = {0}, expected[CDP_POSTERIOR_BINS] = {0};
    double all = 0;
    for (size_t r = 0; r < rows; r++)
        all += weight[r];
    for (size_t r = 0; r < rows; r++) {
        for (int b = 0; b < p->bins; b++)
            seen[c->group[b]] += weight[r] * c->of_row[r * (size_t)p->bins + (size_t)b];
    }
    for (int b = 0; b < p->bins; b++)
        expected[c->group[b]] += all * (double)(p->items - 1) * c->chance[b];
    for (int g = 0; g < c->groups; g++)
        seen[g] = log(fmax(seen[g] / expected[g] - 1, 1e-9));
    make_monotone(seen, c->groups);
    for (int b = 0; b < p->bins; b++) {
        double excess = exp(seen[c->group[b]]);
        p->excess[b] = excess < LEAST_EXCESS ? 0 : cdp_round24(fmin(excess, MOST_EXCESS));
    }
}

int cdp_posterior_new(struct cdp_posterior *p, const struct cdp_cohort *cohort,
                      struct cdp_null null, double power, uint64_t items, struct cdp_err *err)
{
    uint32_t first[CDP_POSTERIOR_BINS + 1] = {0};
    struct counts c;
    *p = (struct cdp_posterior){.null = null, .items = items};
    make_edges(p, cohort, first);
    if (count_pairs(&c, p, cohort, first, err))
        return -1;
    double *weight = cdp_alloc(cohort->rows, sizeof *weight, "cohort", err);
    if (!weight) {
        free(c.of_row);
        return -1;
    }
    for (size_t r = 0; r < cohort->rows; r++)
        weight[r] = 1;
    for (int round = 0; round < ROUNDS; round++) {
        find_excess(p, &c, weight, cohort->rows);
        for (size_t r = 0; r < cohort->rows; r++) {
            double partners = 0;
            for (int b = 0; b < p->bins; b++)
                partners +=
                    c.of_row[r * (size_t)p->bins + (size_t)b] * p->excess[b] / (1 + p->excess[b]);
            weight[r] = pow(1 + partners, -power);
        }
    }
    for (int b = p->bins - 1; b >= 0; b--) {
        p->true_above[b] = p->true_above[b + 1] + c.chance[b] * p->excess[b];
        p->chance_above[b] = p->chance_above[b + 1] + c.chance[b];
    }
    for (int b = 0; b < p->bins; b++)
        p->weight[b] = cdp_log2(1 + p->excess[b]) * 0.30102999566398120;
    p->all_true = fmax(p->true_above[0], 1e-12);
    free(weight);
    free(c.of_row);
    return 0;
}

double cdp_posterior_weight(const struct cdp_posterior *p, double z)
{
    double part = (z - p->edge[0]) / (p->edge[p->bins] - p->edge[0]); // bins have about one width
    int low = (int)(fmin(fmax(part, 0), 1) * (p->bins - 1));
    while (low + 1 < p->bins && (p->edge[low + 1] + p->edge[low + 2]) / 2 <= z)
        low++;
    while (low > 0 && (p->edge[low] + p->edge[low + 1]) / 2 > z)
        low--;
    double at = (p->edge[low] + p->edge[low + 1]) / 2;
    double here = p->weight[low];
    if (z <= at || low + 1 == p->bins)
        return here;
    double next = (p->edge[low + 1] + p->edge[low + 2]) / 2;
    double there = p->weight[low + 1];
    return here + (there - here) * (z - at) / (next - at);
}

// ---- thresholds

static double bounded(double z, uint64_t items)
{
    double least = cdp_false_alarms_threshold(fmin(CDP_MOST_ALARMS, 0.3 * (double)items), items);
    double most = cdp_false_alarms_threshold(CDP_LEAST_ALARMS, items);
    return cdp_round24(fmin(fmax(z, least), most));
}

// The edge with the best F measure.
static int best_edge(int edges, const double *true_above, const double *false_above,
                     double all_true, double beta)
{
    int best = 0;
    double most = -1, b2 = beta * beta;
    for (int e = 0; e < edges; e++) {
        double f = (1 + b2) * true_above[e] / (true_above[e] + false_above[e] + b2 * all_true);
        if (f > most + 1e-12) {
            most = f;
            best = e;
        }
    }
    return best;
}

double cdp_posterior_threshold(const struct cdp_posterior *p, double beta, double *recall)
{
    int best = best_edge(p->bins, p->true_above, p->chance_above, p->all_true, beta);
    *recall = p->true_above[best] / p->all_true;
    return bounded(p->edge[best], p->items);
}

double cdp_excess_threshold(const struct cdp_posterior *p, double excess)
{
    int b = 0;
    while (b < p->bins && p->excess[b] < excess)
        b++;
    return b < p->bins ? cdp_round24(p->edge[b]) : INFINITY;
}

double cdp_inside_threshold(const struct cdp_posterior *p, const struct cdp_cohort *cohort,
                            const uint32_t *inside, double power, double beta, double *recall)
{
    double pairs[CDP_COSINE_BINS + 1] = {0}, others[CDP_COSINE_BINS + 1] = {0}, rows = 0;
    for (size_t r = 0; r < cohort->rows; r++) {
        const uint32_t *in = inside + r * CDP_COSINE_BINS;
        const uint32_t *every = cohort->counts + r * CDP_COSINE_BINS;
        double size = 0;
        for (size_t b = 0; b < CDP_COSINE_BINS; b++)
            size += in[b];
        double weight = pow(1 + size, -power);
        rows += weight;
        for (size_t b = 0; b < CDP_COSINE_BINS; b++) {
            pairs[b] += weight * in[b];
            others[b] += weight * (every[b] - in[b]);
        }
    }
    for (size_t b = CDP_COSINE_BINS; b-- > 0;) {
        pairs[b] += pairs[b + 1];
        others[b] += others[b + 1];
    }
    double all = fmax(pairs[0], 1e-9);
    double true_above[CDP_POSTERIOR_BINS + 1], false_above[CDP_POSTERIOR_BINS + 1];
    for (int e = 0; e <= p->bins; e++) {
        size_t at = (size_t)lround((p->edge[e] * p->null.deviation + p->null.mean + 1) *
                                   CDP_COSINE_BINS / 2);
        true_above[e] = pairs[at];
        false_above[e] = fmax(others[at], rows * (double)(p->items - 1) * tail(p->edge[e]));
    }
    int best = best_edge(p->bins + 1, true_above, false_above, all, beta);
    *recall = true_above[best] / all;
    return bounded(p->edge[best], p->items);
}
