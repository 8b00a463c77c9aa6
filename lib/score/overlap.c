// SPDX-License-Identifier: MIT
#include "score/overlap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/logs.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/threads.h"

enum {
    STEPS = 10,               // bins for a weight of 1
    WEIGHT_BINS = 31 * STEPS, // odds go up to 1e30
    OVERLAP_BINS = 64,        // over 0 to 1
    HALVINGS = 30,            // of the interval of b, from -2 to 3
};

static const double LOG2_10 = 3.3219280948873623;

// Each pair at both items, partners ascending, with the square roots of weights.
struct rows {
    uint64_t *begin;
    uint32_t *partner;
    float *root;
    double *strength; // s_i
};

static void rows_free(struct rows *rows)
{
    free(rows->begin);
    free(rows->partner);
    free(rows->root);
    free(rows->strength);
}

static void add(struct rows *rows, uint64_t item, uint64_t partner, float weight)
{
    uint64_t at = rows->begin[item + 1]++;
    rows->partner[at] = (uint32_t)partner;
    rows->root[at] = sqrtf(weight);
    rows->strength[item] += (double)weight;
}

static int rows_new(struct rows *rows, const struct cdp_weighted_pairs *pairs, struct cdp_err *err)
{
    uint64_t items = pairs->items, count = pairs->begin[items];
    rows->begin = cdp_zalloc(items + 2, sizeof *rows->begin, "pairs", err);
    rows->partner = cdp_alloc(2 * count, sizeof *rows->partner, "pairs", err);
    rows->root = cdp_alloc(2 * count, sizeof *rows->root, "pairs", err);
    rows->strength = cdp_alloc(items, sizeof *rows->strength, "items", err);
    if (!rows->begin || !rows->partner || !rows->root || !rows->strength)
        return -1;
    for (uint64_t i = 0; i < items; i++) {
        rows->strength[i] = 1;
        rows->begin[i + 2] += pairs->begin[i + 1] - pairs->begin[i];
        for (uint64_t p = pairs->begin[i]; p < pairs->begin[i + 1]; p++)
            rows->begin[pairs->other[p] + 2]++;
    }
    cdp_group_begins(rows->begin, items);
    // Smaller partners first, then larger ones.
    for (uint64_t i = 0; i < items; i++) {
        for (uint64_t p = pairs->begin[i]; p < pairs->begin[i + 1]; p++)
            add(rows, pairs->other[p], i, pairs->weight[p]);
    }
    for (uint64_t i = 0; i < items; i++) {
        for (uint64_t p = pairs->begin[i]; p < pairs->begin[i + 1]; p++)
            add(rows, i, pairs->other[p], pairs->weight[p]);
    }
    return 0;
}

static double overlap(const struct rows *rows, uint64_t i, uint64_t j, float weight)
{
    uint64_t x = rows->begin[i], y = rows->begin[j];
    double sum = 2 * (double)sqrtf(weight); // with themselves as common partners
    while (x < rows->begin[i + 1] && y < rows->begin[j + 1]) {
        uint32_t of_i = rows->partner[x], of_j = rows->partner[y];
        if (of_i == of_j)
            sum += (double)rows->root[x] * (double)rows->root[y];
        x += of_i <= of_j;
        y += of_j <= of_i;
    }
    return sum / sqrt(rows->strength[i] * rows->strength[j]);
}

static size_t bin_of(double x, double scale, size_t bins)
{
    double bin = x * scale;
    return bin < (double)bins - 1 ? (size_t)bin : bins - 1;
}

// The base-2 logarithm of the odds of a weight.
static double log2_odds(double weight)
{
    return cdp_log2(fmax(cdp_exp2(weight * LOG2_10) - 1, 1e-9));
}

// The b of one bin of weights, from how many of its pairs have which overlap.
static double balance(const uint64_t *count, double weight, double slope)
{
    double odds = log2_odds(weight), wanted = 0, low = -2, high = 3;
    for (size_t o = 0; o < OVERLAP_BINS; o++)
        wanted += (double)count[o] * (1 - cdp_exp2(-weight * LOG2_10));
    for (int h = 0; h < HALVINGS; h++) {
        double b = (low + high) / 2, got = 0;
        for (size_t o = 0; o < OVERLAP_BINS; o++) {
            double shift = slope * LOG2_10 * (((double)o + 0.5) / OVERLAP_BINS - b);
            got += (double)count[o] / (1 + cdp_exp2(-(odds + shift)));
        }
        if (got > wanted)
            low = b;
        else
            high = b;
    }
    return (low + high) / 2;
}

static int weigh(struct cdp_weighted_pairs *pairs, const struct rows *rows, double slope,
                 int threads, const struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t items = pairs->items, all = pairs->begin[items];
    double b[WEIGHT_BINS];
    float *of_pair = cdp_alloc(all, sizeof *of_pair, "overlaps", err);
    uint64_t(*count)[OVERLAP_BINS] = cdp_zalloc(WEIGHT_BINS, sizeof *count, "overlaps", err);
    int status = of_pair && count ? 0 : -1;
    if (status)
        goto out;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 64)
    for (uint64_t i = 0; i < items; i++) {
        if (cdp_progress_stopped(progress))
            continue;
        for (uint64_t p = pairs->begin[i]; p < pairs->begin[i + 1]; p++)
            of_pair[p] = (float)overlap(rows, i, pairs->other[p], pairs->weight[p]);
    }
    status = cdp_progress_check(progress, err);
    if (status)
        goto out;
    for (uint64_t p = 0; p < all; p++)
        count[bin_of((double)pairs->weight[p], STEPS, WEIGHT_BINS)]
             [bin_of((double)of_pair[p], OVERLAP_BINS, OVERLAP_BINS)]++;
    for (size_t w = 0; w < WEIGHT_BINS; w++)
        b[w] = balance(count[w], ((double)w + 0.5) / STEPS, slope);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t p = 0; p < all; p++) {
        double weight = (double)pairs->weight[p];
        double shift = slope * ((double)of_pair[p] - b[bin_of(weight, STEPS, WEIGHT_BINS)]);
        double odds = cdp_exp2(log2_odds(weight) + shift * LOG2_10);
        pairs->weight[p] = (float)(cdp_log2(1 + odds) / LOG2_10);
    }
out:
    free(of_pair);
    free(count);
    return status;
}

int cdp_overlap_weigh(struct cdp_weighted_pairs *pairs, double slope, int threads,
                      const struct cdp_progress *progress, struct cdp_err *err)
{
    struct rows rows = {0};
    int status = rows_new(&rows, pairs, err);
    if (!status)
        status = weigh(pairs, &rows, slope, cdp_threads(threads), progress, err);
    rows_free(&rows);
    return status;
}
