// SPDX-License-Identifier: MIT
#include "score/cohort.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/sums.h"
#include "base/threads.h"
#include "base/vectors.h"

enum {
    LENGTH = 1 << 14, // of a row
    WIDTH = 32,       // numbers that rows are a multiple of
    STRETCH = 512,    // items that all rows of the cohort meet before the next ones
};

// ---- rows of integers

void cdp_fused_plain(struct cdp_fused *fused)
{
    free(fused->slope);
    free(fused->shift);
    fused->slope = fused->shift = NULL;
}

void cdp_fused_free(struct cdp_fused *fused)
{
    cdp_fused_plain(fused);
    free(fused->unit);
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

CDP_INLINE int32_t product(const int16_t *x, const int16_t *y, size_t dim)
{
    int32_t sum = 0;
    for (size_t d = 0; d < dim; d++)
        sum += x[d] * y[d];
    return sum;
}

// The products of two rows with `count` rows that stand side by side.
typedef void products_function(const int16_t *const x[2], const int16_t *y, size_t count,
                               size_t dim, int32_t *const out[2]);

static void products_plain(const int16_t *const x[2], const int16_t *y, size_t count, size_t dim,
                           int32_t *const out[2])
{
    for (size_t k = 0; k < count; k++) {
        out[0][k] = product(x[0], y + k * dim, dim);
        out[1][k] = product(x[1], y + k * dim, dim);
    }
}

CDP_INLINE void list_scores(const struct cdp_fused *f, uint64_t item, const uint32_t *other,
                            size_t others, int32_t *score)
{
    const int16_t *x = f->unit + item * f->dim;
    for (size_t i = 0; i < others; i++) {
        int32_t cosine = product(x, f->unit + (size_t)other[i] * f->dim, f->dim);
        score[i] = cdp_fused_score(f, cosine, item, other[i]);
    }
}

typedef void scores_function(const struct cdp_fused *f, uint64_t item, const uint32_t *other,
                             size_t others, int32_t *score);

static void scores_plain(const struct cdp_fused *f, uint64_t item, const uint32_t *other,
                         size_t others, int32_t *score)
{
    list_scores(f, item, other, others, score);
}

#ifdef __x86_64__
// Eight sums of 32 bits for each of 2 x 4 products, as many as the registers hold.
__attribute__((target("avx2"))) static void products_avx2(const int16_t *const x[2],
                                                          const int16_t *y, size_t count,
                                                          size_t dim, int32_t *const out[2])
{
    size_t k = 0;
    for (; k + 4 <= count; k += 4, y += 4 * dim) {
        __m256i sum[2][4] = {0};
        for (size_t d = 0; d < dim; d += 16) {
            __m256i x0 = _mm256_load_si256((const __m256i *)(x[0] + d));
            __m256i x1 = _mm256_load_si256((const __m256i *)(x[1] + d));
            for (size_t c = 0; c < 4; c++) {
                __m256i other = _mm256_load_si256((const __m256i *)(y + c * dim + d));
                sum[0][c] = _mm256_add_epi32(sum[0][c], _mm256_madd_epi16(x0, other));
                sum[1][c] = _mm256_add_epi32(sum[1][c], _mm256_madd_epi16(x1, other));
            }
        }
        for (size_t r = 0; r < 2; r++) {
            __m256i s = _mm256_hadd_epi32(_mm256_hadd_epi32(sum[r][0], sum[r][1]),
                                          _mm256_hadd_epi32(sum[r][2], sum[r][3]));
            _mm_storeu_si128(
                (__m128i *)(out[r] + k),
                _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1)));
        }
    }
    int32_t *const rest[2] = {out[0] + k, out[1] + k};
    products_plain(x, y, count - k, dim, rest);
}

__attribute__((target("avx2"))) static void scores_avx2(const struct cdp_fused *f, uint64_t item,
                                                        const uint32_t *other, size_t others,
                                                        int32_t *score)
{
    list_scores(f, item, other, others, score);
}
#else
#define products_avx2 products_plain
#define scores_avx2 scores_plain
#endif

void cdp_fused_scores(const struct cdp_fused *fused, uint64_t item, const uint32_t *other,
                      size_t others, int32_t *score)
{
    scores_function *run = cdp_isa() >= CDP_ISA_AVX2 ? scores_avx2 : scores_plain;
    run(fused, item, other, others, score);
}

// Makes scores of an item's products with items from `begin` on.
static void normalise(const struct cdp_fused *f, uint64_t item, uint64_t begin, size_t count,
                      int32_t *score)
{
    for (size_t i = 0; i < count; i++)
        score[i] = cdp_fused_score(f, score[i], item, begin + i);
}

static void products(const int16_t *const x[2], const int16_t *y, size_t count, size_t dim,
                     int32_t *const out[2])
{
    products_function *run = cdp_isa() >= CDP_ISA_AVX2 ? products_avx2 : products_plain;
    run(x, y, count, dim, out);
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

// What the largest of an item's cosines with impostors make of a cosine: half a score is cosine x
// slope - shift.
static void top_moments(int32_t *cosine, size_t count, float *slope, float *shift)
{
    size_t top = count / TOP_SHARE;
    select_top(cosine, count, top);
    int64_t sum = 0;
    double square = 0;
    for (size_t k = 0; k < top; k++)
        sum += cosine[k];
    double mean = (double)sum / (double)top;
    for (size_t k = 0; k < top; k++)
        square += ((double)cosine[k] - mean) * ((double)cosine[k] - mean);
    double deviation = fmax(sqrt(square / (double)top) * 0x1p-28, 1e-3);
    *slope = (float)(0.5 / CDP_NORMAL_RANGE / deviation);
    *shift = (float)(0.5 / CDP_NORMAL_RANGE / deviation * mean);
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
    int16_t *rows = cdp_alloc_aligned(IMPOSTORS, fused->dim * sizeof *rows, "normalisation", err);
    if (!seen || !slope || !shift || !rows) {
        free(rows);
        free(seen);
        free(slope);
        free(shift);
        return -1;
    }
    uint32_t count = draw_impostors(label, fused->items, clusters, impostor, seen);
    free(seen);
    for (uint32_t k = 0; k < count; k++)
        memcpy(rows + k * fused->dim, fused->unit + impostor[k] * fused->dim,
               fused->dim * sizeof *rows);
    cdp_progress_start(progress, "normalisation", "rows", fused->items);
#pragma omp parallel for num_threads(cdp_threads(threads)) schedule(static)
    for (uint64_t begin = 0; begin < fused->items; begin += 2) {
        int32_t cosine[2][IMPOSTORS];
        uint64_t last = begin + 1 < fused->items ? begin + 1 : begin;
        const int16_t *x[2] = {fused->unit + begin * fused->dim, fused->unit + last * fused->dim};
        products(x, rows, count, fused->dim, (int32_t *const[2]){cosine[0], cosine[1]});
        for (uint64_t i = begin; i <= last; i++) {
            size_t others = 0;
            int32_t *own = cosine[i - begin];
            for (uint32_t k = 0; k < count; k++) {
                if (label[impostor[k]] != label[i])
                    own[others++] = own[k];
            }
            top_moments(own, others, &slope[i], &shift[i]);
        }
        cdp_progress_add(progress, last + 1 - begin);
    }
    free(rows);
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

// Counts the scores of rows r and r + 1 with up to STRETCH items from `begin` on.
static void count_scores(struct cdp_cohort *cohort, const struct cdp_fused *f, uint32_t r,
                         uint64_t begin, size_t count)
{
    int32_t score[2][STRETCH];
    uint32_t rows = cohort->rows - r < 2 ? 1 : 2;
    const int16_t *x[2];
    for (uint32_t k = 0; k < 2; k++)
        x[k] = f->unit + cohort->item[k < rows ? r + k : r] * f->dim;
    products(x, f->unit + begin * f->dim, count, f->dim, (int32_t *const[2]){score[0], score[1]});
    for (uint32_t k = 0; k < rows; k++) {
        uint32_t *counts = cohort->counts + (size_t)(r + k) * CDP_COSINE_BINS;
        if (f->slope)
            normalise(f, cohort->item[r + k], begin, count, score[k]);
        for (size_t i = 0; i < count; i++)
            counts[cdp_cosine_bin(score[k][i])]++;
    }
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
    cdp_progress_start(progress, "cohort", "rows", fused->items);
#pragma omp parallel num_threads(cdp_threads(threads))
    for (uint64_t begin = 0; begin < fused->items; begin += STRETCH) {
        uint64_t count = fused->items - begin < STRETCH ? fused->items - begin : STRETCH;
#pragma omp for schedule(static) nowait
        for (uint32_t r = 0; r < cohort->rows; r += 2)
            count_scores(cohort, fused, r, begin, count);
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
