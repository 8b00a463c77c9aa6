// SPDX-License-Identifier: MIT
#include "score/cohort.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/sums.h"
#include "base/threads.h"

enum {
    LENGTH = 1 << 14, // of a row
    WIDTH = 32,       // numbers that rows are a multiple of
    STRETCH = 1024,   // items that all rows of the cohort meet before the next ones
    TOGETHER = 4,     // items whose products with a row are computed together
};

// ---- rows of integers

void cdp_fused_free(struct cdp_fused *fused)
{
    free(fused->unit);
    free(fused->slope);
    free(fused->shift);
    *fused = (struct cdp_fused){0};
}

// One model's part of a row. Returns false where a number is not finite.
static bool fuse_row(const float *x, size_t dim, double weight, int16_t *out)
{
    double square = cdp_sum(cdp_sums()->dot, x, x, dim);
    double scale = square > 0 ? sqrt(weight) * LENGTH / sqrt(square) : 0;
    for (size_t d = 0; d < dim; d++)
        out[d] = (int16_t)floor((double)x[d] * scale + 0.5);
    return isfinite(square);
}

int cdp_fused_new(struct cdp_fused *fused, const struct cdp_matrix *model, const double *weight,
                  unsigned models, int threads, struct cdp_err *err)
{
    size_t dim = 0, most = 0;
    for (unsigned m = 0; m < models; m++) {
        dim += model[m].dim;
        most = model[m].dim > most ? model[m].dim : most;
    }
    threads = cdp_threads(threads);
    *fused = (struct cdp_fused){.items = model->rows, .dim = (dim + WIDTH - 1) / WIDTH * WIDTH};
    fused->unit =
        cdp_alloc_aligned(fused->items, fused->dim * sizeof *fused->unit, "features", err);
    float *room = cdp_alloc((size_t)threads * most, sizeof *room, "rows", err);
    int status = fused->unit && room ? 0 : -1;
    for (unsigned m = 0; m < models && !status; m++) {
        uint64_t bad = fused->items;
        size_t begin = 0;
        for (unsigned before = 0; before < m; before++)
            begin += model[before].dim;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(min : bad)
        for (uint64_t row = 0; row < fused->items; row++) {
            int16_t *out = fused->unit + row * fused->dim;
            const float *x = cdp_matrix_row(&model[m], row, room + (size_t)cdp_thread() * most);
            if (!fuse_row(x, model[m].dim, weight[m], out + begin) && row < bad)
                bad = row;
            if (m + 1 == models)
                memset(out + dim, 0, (fused->dim - dim) * sizeof *out);
        }
        if (bad < fused->items)
            status = cdp_fail(err, "%s: row %llu: a number is not finite", model[m].name,
                              (unsigned long long)bad);
    }
    free(room);
    if (status)
        cdp_fused_free(fused);
    return status;
}

// ---- products

#define INLINE static inline __attribute__((always_inline))

INLINE int32_t product(const int16_t *x, const int16_t *y, size_t dim)
{
    int32_t sum = 0;
    for (size_t d = 0; d < dim; d++)
        sum += x[d] * y[d];
    return sum;
}

INLINE void products(const int16_t *x, const int16_t *y, size_t dim, int32_t *out)
{
    int32_t a = 0, b = 0, c = 0, e = 0;
    const int16_t *y1 = y + dim, *y2 = y1 + dim, *y3 = y2 + dim;
    for (size_t d = 0; d < dim; d++) {
        a += x[d] * y[d];
        b += x[d] * y1[d];
        c += x[d] * y2[d];
        e += x[d] * y3[d];
    }
    out[0] = a;
    out[1] = b;
    out[2] = c;
    out[3] = e;
}

// The score of a pair, of the product and of what both slopes and both shifts are together.
INLINE int32_t normal(int32_t cosine, double slope, double shift)
{
    double score = (double)cosine * slope - shift;
    return (int32_t)(score < -0x1p28 ? -0x1p28 : score > 0x1p28 ? 0x1p28 : score);
}

// Counts the scores of an item with `count` items that stand side by side.
INLINE void count_scores(const struct cdp_fused *f, uint64_t item, uint64_t begin, size_t count,
                         uint32_t *counts)
{
    const int16_t *x = f->unit + item * f->dim;
    int32_t score[TOGETHER];
    for (size_t i = 0; i < count; i += TOGETHER) {
        size_t some = count - i < TOGETHER ? count - i : TOGETHER;
        const int16_t *y = f->unit + (begin + i) * f->dim;
        if (some == TOGETHER) {
            products(x, y, f->dim, score);
        } else {
            for (size_t k = 0; k < some; k++)
                score[k] = product(x, y + k * f->dim, f->dim);
        }
        for (size_t k = 0; k < some; k++) {
            uint64_t other = begin + i + k;
            if (f->slope)
                score[k] = normal(score[k], (double)f->slope[item] + (double)f->slope[other],
                                  (double)f->shift[item] + (double)f->shift[other]);
            counts[cdp_cosine_bin(score[k])]++;
        }
    }
}

INLINE void list_scores(const struct cdp_fused *f, uint64_t item, const uint32_t *other,
                        size_t others, int32_t *score)
{
    const int16_t *x = f->unit + item * f->dim;
    for (size_t i = 0; i < others; i++) {
        score[i] = product(x, f->unit + (size_t)other[i] * f->dim, f->dim);
        if (f->slope)
            score[i] = normal(score[i], (double)f->slope[item] + (double)f->slope[other[i]],
                              (double)f->shift[item] + (double)f->shift[other[i]]);
    }
}

typedef void count_function(const struct cdp_fused *f, uint64_t item, uint64_t begin, size_t count,
                            uint32_t *counts);
typedef void scores_function(const struct cdp_fused *f, uint64_t item, const uint32_t *other,
                             size_t others, int32_t *score);

static void count_plain(const struct cdp_fused *f, uint64_t item, uint64_t begin, size_t count,
                        uint32_t *counts)
{
    count_scores(f, item, begin, count, counts);
}

static void scores_plain(const struct cdp_fused *f, uint64_t item, const uint32_t *other,
                         size_t others, int32_t *score)
{
    list_scores(f, item, other, others, score);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void
count_avx2(const struct cdp_fused *f, uint64_t item, uint64_t begin, size_t count, uint32_t *counts)
{
    count_scores(f, item, begin, count, counts);
}

__attribute__((target("avx2"))) static void scores_avx2(const struct cdp_fused *f, uint64_t item,
                                                        const uint32_t *other, size_t others,
                                                        int32_t *score)
{
    list_scores(f, item, other, others, score);
}
#else
#define count_avx2 count_plain
#define scores_avx2 scores_plain
#endif

void cdp_fused_scores(const struct cdp_fused *fused, uint64_t item, const uint32_t *other,
                      size_t others, int32_t *score)
{
    scores_function *run = cdp_isa() >= CDP_ISA_AVX2 ? scores_avx2 : scores_plain;
    run(fused, item, other, others, score);
}

// ---- normalisation

enum { IMPOSTORS = 2048, TOP_SHARE = 10 }; // items of other clusters; one in so many is near

// One item of each cluster, of at most IMPOSTORS clusters drawn by a hash. Returns how many.
static uint32_t draw_impostors(const uint32_t *label, uint64_t items, uint32_t clusters,
                               uint32_t *impostor, bool *seen)
{
    uint32_t count = 0;
    double share = (double)IMPOSTORS / (double)clusters;
    uint64_t bound = share < 1 ? (uint64_t)(share * 0x1p64) : UINT64_MAX;
    for (uint64_t i = 0; i < items && count < IMPOSTORS; i++) {
        if (!seen[label[i]] && cdp_random(1, label[i]) <= bound)
            impostor[count++] = (uint32_t)i;
        seen[label[i]] = true;
    }
    return count;
}

// Moves the `top` largest of `count` numbers to the front: quickselect with the middle as pivot.
static void select_top(int32_t *x, size_t count, size_t top)
{
    size_t low = 0, high = count; // the border lies inside
    while (high - low > 1) {
        int32_t pivot = x[low + (high - low) / 2];
        size_t i = low, j = high - 1;
        for (;;) {
            while (x[i] > pivot)
                i++;
            while (x[j] < pivot)
                j--;
            if (i >= j)
                break;
            int32_t swap = x[i];
            x[i++] = x[j];
            x[j--] = swap;
        }
        size_t border = i == j ? i + 1 : i; // x[low .. border - 1] >= pivot >= the rest
        if (top < border)
            high = border < high ? border : high - 1;
        else
            low = border;
        if (top <= low)
            return;
    }
}

int cdp_fused_normalise(struct cdp_fused *fused, const uint32_t *label, uint32_t clusters,
                        int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    uint32_t impostor[IMPOSTORS];
    if (clusters < CDP_LEAST_CLUSTERS)
        return 0;
    bool *seen = cdp_zalloc(clusters, sizeof *seen, "clusters", err);
    float *slope = cdp_alloc(fused->items, sizeof *slope, "normalisation", err);
    float *shift = cdp_alloc(fused->items, sizeof *shift, "normalisation", err);
    if (!seen || !slope || !shift) {
        free(seen);
        free(slope);
        free(shift);
        return -1;
    }
    uint32_t count = draw_impostors(label, fused->items, clusters, impostor, seen);
    free(seen);
    cdp_progress_start(progress, "normalisation", "rows", fused->items);
#pragma omp parallel for num_threads(cdp_threads(threads)) schedule(static)
    for (uint64_t i = 0; i < fused->items; i++) {
        int32_t cosine[IMPOSTORS];
        uint32_t other[IMPOSTORS];
        size_t others = 0;
        for (uint32_t k = 0; k < count; k++) {
            if (label[impostor[k]] != label[i])
                other[others++] = impostor[k];
        }
        cdp_fused_scores(fused, i, other, others, cosine);
        size_t top = others / TOP_SHARE;
        select_top(cosine, others, top);
        int64_t sum = 0;
        double square = 0;
        for (size_t k = 0; k < top; k++)
            sum += cosine[k];
        double mean = (double)sum / (double)top;
        for (size_t k = 0; k < top; k++)
            square += ((double)cosine[k] - mean) * ((double)cosine[k] - mean);
        double deviation = fmax(sqrt(square / (double)top) * 0x1p-28, 1e-3);
        slope[i] = (float)(0.5 / CDP_NORMAL_RANGE / deviation);
        shift[i] = (float)(0.5 / CDP_NORMAL_RANGE / deviation * mean);
        cdp_progress_add(progress, 1);
    }
    fused->slope = slope;
    fused->shift = shift;
    return 0;
}

// ---- the cohort

static int by_hash(const void *a, const void *b)
{
    uint64_t x = cdp_random(0, *(const uint32_t *)a), y = cdp_random(0, *(const uint32_t *)b);
    return (x > y) - (x < y);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

// The items of the smallest hashes. A bound on the hash leaves few more of them to be sorted.
static int draw(struct cdp_cohort *cohort, uint32_t rows, uint64_t items, struct cdp_err *err)
{
    cohort->rows = items < rows ? (uint32_t)items : rows;
    double share = ((double)rows + 8 * sqrt(rows)) / (double)items; // eight deviations more
    uint64_t bound = share < 0.9 ? (uint64_t)(share * 0x1p64) : UINT64_MAX;
    size_t count = 0;
    for (uint64_t i = 0; i < items; i++)
        count += cdp_random(0, i) <= bound;
    cohort->item = cdp_alloc(count, sizeof *cohort->item, "cohort", err);
    if (!cohort->item)
        return -1;
    count = 0;
    for (uint64_t i = 0; i < items; i++) {
        if (cdp_random(0, i) <= bound)
            cohort->item[count++] = (uint32_t)i;
    }
    qsort(cohort->item, count, sizeof *cohort->item, by_hash);
    qsort(cohort->item, cohort->rows, sizeof *cohort->item, by_number);
    return 0;
}

void cdp_cohort_free(struct cdp_cohort *cohort)
{
    free(cohort->item);
    free(cohort->counts);
    *cohort = (struct cdp_cohort){0};
}

int cdp_cohort_new(struct cdp_cohort *cohort, const struct cdp_fused *fused, uint32_t rows,
                   int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    *cohort = (struct cdp_cohort){0};
    if (draw(cohort, rows, fused->items, err))
        return -1;
    cohort->counts = cdp_zalloc(cohort->rows, CDP_COSINE_BINS * sizeof *cohort->counts,
                                "cosines of the cohort", err);
    if (!cohort->counts) {
        cdp_cohort_free(cohort);
        return -1;
    }
    count_function *run = cdp_isa() >= CDP_ISA_AVX2 ? count_avx2 : count_plain;
    cdp_progress_start(progress, "cohort", "rows", fused->items);
#pragma omp parallel num_threads(cdp_threads(threads))
    for (uint64_t begin = 0; begin < fused->items; begin += STRETCH) {
        uint64_t count = fused->items - begin < STRETCH ? fused->items - begin : STRETCH;
#pragma omp for schedule(static) nowait
        for (uint32_t r = 0; r < cohort->rows; r++)
            run(fused, cohort->item[r], begin, count, cohort->counts + (size_t)r * CDP_COSINE_BINS);
#pragma omp master
        cdp_progress_add(progress, count);
    }
    // Not with itself.
    for (uint32_t r = 0; r < cohort->rows; r++) {
        int32_t self;
        cdp_fused_scores(fused, cohort->item[r], &cohort->item[r], 1, &self);
        cohort->counts[(size_t)r * CDP_COSINE_BINS + cdp_cosine_bin(self)]--;
    }
    return 0;
}

uint32_t *cdp_cohort_inside(const struct cdp_cohort *cohort, const struct cdp_fused *fused,
                            const uint32_t *label, uint32_t clusters, int threads,
                            struct cdp_err *err)
{
    uint32_t *counts =
        cdp_zalloc(cohort->rows, CDP_COSINE_BINS * sizeof *counts, "cosines of clusters", err);
    uint64_t *offset = cdp_zalloc((size_t)clusters + 2, sizeof *offset, "clusters", err);
    uint32_t *member = cdp_alloc(fused->items, sizeof *member, "clusters", err);
    int32_t *cosine = cdp_alloc(fused->items, sizeof *cosine, "cosines", err);
    if (counts && offset && member && cosine) {
        for (uint64_t i = 0; i < fused->items; i++)
            offset[label[i] + 2]++;
        for (uint32_t c = 0; c < clusters; c++)
            offset[c + 2] += offset[c + 1];
        for (uint64_t i = 0; i < fused->items; i++)
            member[offset[label[i] + 1]++] = (uint32_t)i;
        for (uint32_t r = 0; r < cohort->rows; r++) {
            uint32_t item = cohort->item[r], cluster = label[item];
            const uint32_t *others = member + offset[cluster];
            uint64_t size = offset[cluster + 1] - offset[cluster];
#pragma omp parallel for num_threads(cdp_threads(threads)) schedule(static) if (size > 1000)
            for (uint64_t i = 0; i < size; i++)
                cdp_fused_scores(fused, item, others + i, 1, cosine + i);
            for (uint64_t i = 0; i < size; i++) {
                if (others[i] != item)
                    counts[(size_t)r * CDP_COSINE_BINS + cdp_cosine_bin(cosine[i])]++;
            }
        }
    } else {
        free(counts);
        counts = NULL;
    }
    free(offset);
    free(member);
    free(cosine);
    return counts;
}
