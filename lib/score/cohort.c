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
#include "base/sort.h"
#include "base/sums.h"
#include "base/threads.h"
#include "base/vectors.h"

enum {
    LENGTH = 1 << 14, // of a row
    WIDTH = 32,       // numbers that rows are a multiple of
    STRETCH = 512,    // items that all rows of the cohort meet before the next ones
    ROWS = 8,         // whose products are taken together
    TILE = 8192,      // numbers of the rows that they meet meanwhile: half of a first cache
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
    free(fused->zero);
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

static void find_zeros(struct cdp_fused *fused, int threads)
{
    uint64_t live = 0;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(+ : live)
    for (uint64_t i = 0; i < fused->items; i++) {
        const int16_t *x = fused->unit + i * fused->dim;
        size_t d = 0;
        while (d < fused->dim && x[d] == 0)
            d++;
        fused->zero[i] = d == fused->dim;
        live += d < fused->dim;
    }
    fused->live = live;
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
    fused->zero = cdp_alloc(fused->items, sizeof *fused->zero, "features", err);
    float *room = cdp_alloc((size_t)threads * most, sizeof *room, "rows", err);
    int status = fused->unit && fused->zero && room ? 0 : -1;
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
    else
        find_zeros(fused, threads);
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

// The bins of the scores of an item and those from `begin` on, of these cosines.
CDP_INLINE void score_bins(const struct cdp_fused *f, uint64_t item, uint64_t begin, size_t count,
                           const int32_t *cosine, uint32_t *bin)
{
    for (size_t i = 0; i < count; i++)
        bin[i] = cdp_cosine_bin(cdp_fused_score(f, cosine[i], item, begin + i));
}

typedef void bins_function(const struct cdp_fused *f, uint64_t item, uint64_t begin, size_t count,
                           const int32_t *cosine, uint32_t *bin);

static void bins_plain(const struct cdp_fused *f, uint64_t item, uint64_t begin, size_t count,
                       const int32_t *cosine, uint32_t *bin)
{
    score_bins(f, item, begin, count, cosine, bin);
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

__attribute__((target("avx2"))) static void bins_avx2(const struct cdp_fused *f, uint64_t item,
                                                      uint64_t begin, size_t count,
                                                      const int32_t *cosine, uint32_t *bin)
{
    score_bins(f, item, begin, count, cosine, bin);
}
#endif

struct loops {
    products_function *products;
    scores_function *scores;
    bins_function *bins;
};

static struct loops loops(void)
{
#ifdef __x86_64__
    if (cdp_isa() >= CDP_ISA_AVX2)
        return (struct loops){products_avx2, scores_avx2, bins_avx2};
#endif
    return (struct loops){products_plain, scores_plain, bins_plain};
}

void cdp_fused_scores(const struct cdp_fused *fused, uint64_t item, const uint32_t *other,
                      size_t others, int32_t *score)
{
    loops().scores(fused, item, other, others, score);
}

// The products of `rows` rows with `count` rows that stand side by side: row r's from out[r x
// stride] on. Each of these is read from the second cache once for all rows.
static void products(const int16_t *const *x, size_t rows, const int16_t *y, size_t count,
                     size_t dim, int32_t *out, size_t stride)
{
    products_function *run = loops().products;
    size_t tile = TILE / dim < 4 ? 4 : TILE / dim / 4 * 4;
    for (size_t begin = 0; begin < count; begin += tile) {
        size_t some = count - begin < tile ? count - begin : tile;
        for (size_t r = 0; r < rows; r += 2) {
            size_t last = r + 1 < rows ? r + 1 : r;
            const int16_t *const both[2] = {x[r], x[last]};
            int32_t *const to[2] = {out + r * stride + begin, out + last * stride + begin};
            run(both, y + begin * dim, some, dim, to);
        }
    }
}

// ---- normalisation

enum {
    IMPOSTORS = 2048,  // items of other clusters
    TOP_SHARE = 10,    // one in so many is near
    SAMPLED = 8,       // one in so many is in a sample,
    SAMPLE_SHARE = 16, // of which so many per cent are above a first bound: 2.6 deviations more
};

// One live item of each cluster, of at most IMPOSTORS clusters drawn by a hash. Returns how many.
static uint32_t draw_impostors(const struct cdp_fused *fused, const uint32_t *label,
                               uint32_t clusters, uint32_t *impostor, bool *seen)
{
    uint32_t count = 0;
    double share = (double)IMPOSTORS / (double)clusters;
    uint64_t bound = share < 1 ? (uint64_t)(share * 0x1p64) : UINT64_MAX;
    for (uint64_t i = 0; i < fused->items && count < IMPOSTORS; i++) {
        if (fused->zero[i])
            continue;
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

// Moves the `top` largest of `count` numbers to the front of `near`, and maybe more behind them: of
// those that are above what a sample lets expect, or of all.
static void find_top(const int32_t *x, size_t count, size_t top, int32_t *near)
{
    int32_t sample[IMPOSTORS / SAMPLED + 1];
    size_t some = 0, above = 0;
    for (size_t k = 0; k < count; k += SAMPLED)
        sample[some++] = x[k];
    size_t rank = some * SAMPLE_SHARE / 100 + 1;
    select_top(sample, some, rank);
    int32_t least = sample[0];
    for (size_t k = 1; k < rank; k++)
        least = sample[k] < least ? sample[k] : least;
    for (size_t k = 0; k < count; k++) {
        near[above] = x[k];
        above += x[k] >= least;
    }
    if (above < top) {
        memcpy(near, x, count * sizeof *near);
        above = count;
    }
    select_top(near, above, top);
}

// What the largest of an item's cosines with impostors make of a cosine: half a score is cosine x
// slope - shift. The sums are of integers, so that the order does not count.
static void top_moments(const int32_t *cosine, size_t count, float *slope, float *shift)
{
    int32_t near[IMPOSTORS];
    size_t top = count / TOP_SHARE;
    find_top(cosine, count, top, near);
    int64_t sum = 0;
    double square = 0;
    for (size_t k = 0; k < top; k++)
        sum += near[k];
    int64_t middle = sum / (int64_t)top;
    uint64_t low = 0, high = 0; // of the squares
    for (size_t k = 0; k < top; k++) {
        uint64_t apart = (uint64_t)llabs(near[k] - middle);
        low += apart * apart & UINT32_MAX;
        high += apart * apart >> 32;
    }
    double mean = (double)sum / (double)top;
    square = ((double)high * 0x1p32 + (double)low) / (double)top -
             (mean - (double)middle) * (mean - (double)middle);
    double deviation = fmax(sqrt(square) * 0x1p-28, 1e-3);
    *slope = (float)(0.5 / CDP_NORMAL_RANGE / deviation);
    *shift = (float)(0.5 / CDP_NORMAL_RANGE / deviation * mean);
}

// The slopes and shifts of up to ROWS items from `begin` on, of their cosines with the rows of
// impostors, of the clusters `of`.
static void normalise_items(const struct cdp_fused *f, uint64_t begin, size_t items,
                            const uint32_t *label, const int16_t *rows, const uint32_t *of,
                            uint32_t count, float *slope, float *shift)
{
    int32_t cosine[ROWS][IMPOSTORS];
    const int16_t *x[ROWS] = {NULL};
    for (size_t n = 0; n < items; n++)
        x[n] = f->unit + (begin + n) * f->dim;
    products(x, items, rows, count, f->dim, cosine[0], IMPOSTORS);
    for (size_t n = 0; n < items; n++) {
        uint64_t i = begin + n;
        size_t others = 0;
        for (uint32_t k = 0; k < count; k++) {
            cosine[n][others] = cosine[n][k];
            others += of[k] != label[i];
        }
        top_moments(cosine[n], others, &slope[i], &shift[i]);
    }
}

int cdp_fused_normalise(struct cdp_fused *fused, const uint32_t *label, uint32_t clusters,
                        int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    uint32_t impostor[IMPOSTORS], of[IMPOSTORS];
    bool *seen = cdp_zalloc(clusters, sizeof *seen, "clusters", err);
    if (!seen)
        return -1;
    uint32_t count = draw_impostors(fused, label, clusters, impostor, seen);
    free(seen);
    if (count < CDP_LEAST_CLUSTERS)
        return 0;
    float *slope = cdp_alloc(fused->items, sizeof *slope, "normalisation", err);
    float *shift = cdp_alloc(fused->items, sizeof *shift, "normalisation", err);
    int16_t *rows = cdp_alloc_aligned(IMPOSTORS, fused->dim * sizeof *rows, "normalisation", err);
    if (!slope || !shift || !rows) {
        free(rows);
        free(slope);
        free(shift);
        return -1;
    }
    for (uint32_t k = 0; k < count; k++) {
        memcpy(rows + k * fused->dim, fused->unit + impostor[k] * fused->dim,
               fused->dim * sizeof *rows);
        of[k] = label[impostor[k]];
    }
#pragma omp parallel for num_threads(cdp_threads(threads)) schedule(static)
    for (uint64_t begin = 0; begin < fused->items; begin += ROWS) {
        size_t some = fused->items - begin < ROWS ? fused->items - begin : ROWS;
        if (cdp_progress_stopped(progress))
            continue;
        normalise_items(fused, begin, some, label, rows, of, count, slope, shift);
        cdp_progress_add(progress, some);
    }
    free(rows);
    fused->slope = slope;
    fused->shift = shift;
    return cdp_progress_check(progress, err);
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

static bool is_drawn(const struct cdp_fused *fused, uint64_t i, uint64_t bound)
{
    return !fused->zero[i] && cdp_random(0, i) <= bound;
}

static size_t count_drawn(const struct cdp_fused *fused, uint64_t bound)
{
    size_t count = 0;
    for (uint64_t i = 0; i < fused->items; i++)
        count += is_drawn(fused, i, bound);
    return count;
}

// The live items of the smallest hashes. A bound on the hash leaves few more of them to be sorted.
static int draw(struct cdp_cohort *cohort, uint32_t rows, const struct cdp_fused *fused,
                struct cdp_err *err)
{
    cohort->rows = fused->live < rows ? (uint32_t)fused->live : rows;
    double share = ((double)rows + 8 * sqrt(rows)) / (double)fused->live; // eight deviations more
    uint64_t bound = share < 0.9 ? (uint64_t)(share * 0x1p64) : UINT64_MAX;
    size_t count = count_drawn(fused, bound);
    if (count < cohort->rows) { // rows of zeros may be those of the smallest hashes
        bound = UINT64_MAX;
        count = fused->live;
    }
    cohort->item = cdp_alloc(count, sizeof *cohort->item, "cohort", err);
    if (!cohort->item)
        return -1;
    count = 0;
    for (uint64_t i = 0; i < fused->items; i++) {
        if (is_drawn(fused, i, bound))
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

// Counts the scores of up to ROWS rows from r on with up to STRETCH items from `begin` on.
static void count_scores(struct cdp_cohort *cohort, const struct cdp_fused *f, uint32_t r,
                         uint64_t begin, size_t count)
{
    bins_function *bins = loops().bins;
    int32_t cosine[ROWS][STRETCH];
    uint32_t bin[STRETCH], rows = cohort->rows - r < ROWS ? cohort->rows - r : ROWS;
    const int16_t *x[ROWS] = {NULL};
    for (uint32_t k = 0; k < rows; k++)
        x[k] = f->unit + cohort->item[r + k] * f->dim;
    products(x, rows, f->unit + begin * f->dim, count, f->dim, cosine[0], STRETCH);
    for (uint32_t k = 0; k < rows; k++) {
        uint32_t *counts = cohort->counts + (size_t)(r + k) * CDP_COSINE_BINS;
        bins(f, cohort->item[r + k], begin, count, cosine[k], bin);
        for (size_t i = 0; i < count; i++)
            counts[bin[i]]++;
    }
}

static void uncount(struct cdp_cohort *cohort, uint32_t r, int32_t score)
{
    cohort->counts[(size_t)r * CDP_COSINE_BINS + cdp_cosine_bin(score)]--;
}

int cdp_cohort_new(struct cdp_cohort *cohort, const struct cdp_fused *fused, uint32_t rows,
                   int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    *cohort = (struct cdp_cohort){0};
    if (draw(cohort, rows, fused, err))
        return -1;
    cohort->counts = cdp_zalloc(cohort->rows, CDP_COSINE_BINS * sizeof *cohort->counts,
                                "cosines of the cohort", err);
    if (!cohort->counts) {
        cdp_cohort_free(cohort);
        return -1;
    }
#pragma omp parallel num_threads(cdp_threads(threads))
    for (uint64_t begin = 0; begin < fused->items; begin += STRETCH) {
        uint64_t count = fused->items - begin < STRETCH ? fused->items - begin : STRETCH;
#pragma omp for schedule(static) nowait
        for (uint32_t r = 0; r < cohort->rows; r += ROWS) {
            if (!cdp_progress_stopped(progress))
                count_scores(cohort, fused, r, begin, count);
        }
#pragma omp master
        cdp_progress_add(progress, count);
    }
    if (cdp_progress_check(progress, err)) {
        cdp_cohort_free(cohort);
        return -1;
    }
    for (uint32_t r = 0; r < cohort->rows; r++) {
        int32_t self;
        cdp_fused_scores(fused, cohort->item[r], &cohort->item[r], 1, &self);
        uncount(cohort, r, self);
    }
    for (uint64_t i = 0; i < fused->items; i++) {
        for (uint32_t r = 0; fused->zero[i] && r < cohort->rows; r++)
            uncount(cohort, r, cdp_fused_score(fused, 0, cohort->item[r], i));
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
        cdp_group_begins(offset, clusters);
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
