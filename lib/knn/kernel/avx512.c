// SPDX-License-Identifier: MIT
#include "knn/kernel/vectors.h"

#ifdef __x86_64__
#include <immintrin.h>

// AVX-512 VNNI: products of bytes, added by fours, with 32-bit sums.

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))

// Other loops in 256 bits.
FUNCTIONS(avx2, __attribute__((target("avx2"))))

// For `panels` panels, with sums a, b, c, d. Loads of other panels are unused, so the compiler
// drops them.
VNNI CDP_INLINE bool dot_panels(const struct cdp_tile *t, uint64_t passed[GROUP], const int rows,
                                const int panels)
{
    size_t stride = t->words * PANEL;
    const uint32_t *y = t->panel;
    // Assembler, since gcc 12 keeps the sums in memory with the intrinsic.
#define START(r)                                     \
    const uint32_t *x##r = t->row[r < rows ? r : 0]; \
    __m512i a##r = o0, b##r = o1, c##r = o2, d##r = o3;
#define DOT(sum, y) __asm__("vpdpbusd %1, %2, %0" : "+v"(sum) : "v"(x), "v"(y))
#define ADVANCE(r)                                   \
    if (r < rows) {                                  \
        __m512i x = _mm512_set1_epi32((int)x##r[w]); \
        DOT(a##r, y0);                               \
        if (panels > 1)                              \
            DOT(b##r, y1);                           \
        if (panels > 2)                              \
            DOT(c##r, y2);                           \
        if (panels > 3)                              \
            DOT(d##r, y3);                           \
    }
// In most tiles no pair passes: compare the largest of a row's sums first.
#define LARGEST(r)                                                                                \
    __m512i limit##r = _mm512_setzero_si512();                                                    \
    if (r < rows) {                                                                               \
        __m512i ab = panels > 1 ? _mm512_max_epi32(a##r, b##r) : a##r;                            \
        __m512i abc = panels > 2 ? _mm512_max_epi32(ab, c##r) : ab;                               \
        limit##r = _mm512_set1_epi32(t->threshold[r].product - t->start[r]);                      \
        any |= _mm512_cmpge_epi32_mask(panels > 3 ? _mm512_max_epi32(abc, d##r) : abc, limit##r); \
    }
#define KEEP_SOME(r, p, sums)                                                          \
    if (p < panels)                                                                    \
        _mm512_storeu_ps(t->score[r] + p * PANEL, _mm512_cvtepi32_ps(_mm512_add_epi32( \
                                                      sums, _mm512_set1_epi32(t->start[r]))));
#define KEEP(r)               \
    if (r < rows) {           \
        KEEP_SOME(r, 0, a##r) \
        KEEP_SOME(r, 1, b##r) \
        KEEP_SOME(r, 2, c##r) \
        KEEP_SOME(r, 3, d##r) \
    }
#define PASS(r, p, sums) (p < panels ? _mm512_cmpge_epi32_mask(sums, limit##r) : 0)
#define END(r)                                                                                 \
    if (r < rows) {                                                                            \
        __mmask32 low = _mm512_kunpackw(PASS(r, 1, b##r), PASS(r, 0, a##r));                   \
        __mmask32 high = panels > 2 ? _mm512_kunpackw(PASS(r, 3, d##r), PASS(r, 2, c##r)) : 0; \
        passed[r] = _cvtmask64_u64(_mm512_kunpackd(high, low));                                \
    }
    const int32_t *offset = t->offset;
    __m512i o0 = _mm512_loadu_si512(offset), o1 = _mm512_loadu_si512(offset + PANEL),
            o2 = _mm512_loadu_si512(offset + 2 * PANEL),
            o3 = _mm512_loadu_si512(offset + 3 * PANEL);
    EACH_ROW(START)
    for (size_t w = 0; w < t->words; w++, y += PANEL) {
        __m512i y0 = _mm512_loadu_si512(y), y1 = _mm512_loadu_si512(y + stride),
                y2 = _mm512_loadu_si512(y + 2 * stride), y3 = _mm512_loadu_si512(y + 3 * stride);
        EACH_ROW(ADVANCE)
    }
    __mmask16 any = 0;
    EACH_ROW(LARGEST)
    if (!any)
        return false;
    if (t->score) {
        EACH_ROW(KEEP)
    }
    EACH_ROW(END)
    return true;
#undef START
#undef DOT
#undef ADVANCE
#undef LARGEST
#undef KEEP_SOME
#undef KEEP
#undef PASS
#undef END
}

#define BY_PANELS(some)                                                                     \
    VNNI CDP_INLINE bool dot_group_##some(const struct cdp_tile *t, uint64_t passed[GROUP], \
                                          const int rows)                                   \
    {                                                                                       \
        return dot_panels(t, passed, rows, some);                                           \
    }
BY_PANELS(1)
BY_PANELS(2)
BY_PANELS(3)
BY_PANELS(4)

VNNI uint32_t cdp_dot_avx512vnni(const struct cdp_tile *t, struct cdp_hits *hits)
{
    switch (t->panels) {
    case 1:
        return by_groups(t, hits, dot_group_1);
    case 2:
        return by_groups(t, hits, dot_group_2);
    case 3:
        return by_groups(t, hits, dot_group_3);
    default:
        return by_groups(t, hits, dot_group_4);
    }
}

// x.y as x.(y + 128) - 128.x, four pairs at a time.
VNNI void cdp_dot_pairs_avx512vnni(const uint32_t *x, const uint32_t *const *y, size_t count,
                                   size_t words, float *out)
{
    enum { BATCH = 4 };
    const __m512i flip = _mm512_set1_epi32((int)CDP_DOT_FLIP);
    __mmask16 all = 0xFFFF, last = words % PANEL ? (__mmask16)((1U << words % PANEL) - 1) : all;
    __m512i sums = _mm512_setzero_si512();
    for (size_t w = 0; w < words; w += PANEL) {
        __m512i own = _mm512_maskz_loadu_epi32(words - w < PANEL ? last : all, x + w);
        sums = _mm512_dpbusd_epi32(sums, flip, own);
    }
    __m128i excess = _mm_set1_epi32(_mm512_reduce_add_epi32(sums));
    for (size_t i = 0; i < count; i += BATCH) {
        const uint32_t *at[BATCH];
        __m512i sum[BATCH];
#pragma GCC unroll 4
        for (size_t j = 0; j < BATCH; j++) {
            at[j] = y[i + j < count ? i + j : i];
            sum[j] = _mm512_setzero_si512();
        }
        size_t w = 0;
        for (; w + PANEL <= words; w += PANEL) {
            __m512i own = _mm512_loadu_si512(x + w);
#pragma GCC unroll 4
            for (size_t j = 0; j < BATCH; j++)
                sum[j] = _mm512_dpbusd_epi32(
                    sum[j], _mm512_xor_si512(_mm512_loadu_si512(at[j] + w), flip), own);
        }
        if (w < words) {
            __m512i own = _mm512_maskz_loadu_epi32(last, x + w);
#pragma GCC unroll 4
            for (size_t j = 0; j < BATCH; j++) {
                __m512i other = _mm512_maskz_loadu_epi32(last, at[j] + w);
                sum[j] = _mm512_dpbusd_epi32(sum[j], _mm512_xor_si512(other, flip), own);
            }
        }
        __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(sum[0], sum[1]),
                                      _mm512_unpackhi_epi32(sum[0], sum[1]));
        __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(sum[2], sum[3]),
                                      _mm512_unpackhi_epi32(sum[2], sum[3]));
        __m512i abcd =
            _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
        __m256i half =
            _mm256_add_epi32(_mm512_castsi512_si256(abcd), _mm512_extracti64x4_epi64(abcd, 1));
        __m128i whole =
            _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
        float product[BATCH];
        _mm_storeu_ps(product, _mm_cvtepi32_ps(_mm_sub_epi32(whole, excess)));
        for (size_t j = 0; j < BATCH && i + j < count; j++)
            out[i + j] = product[j];
    }
}

// `panels` x 16 sums for each of 8 rows. Products are exact, so FMA rounds as multiplication and
// addition do.
VNNI CDP_INLINE void project_some(const float *const row[8], size_t count, size_t dim,
                                  const float *directions, size_t width, float *out,
                                  const int panels)
{
    enum { BATCH = 8, PANELS = 2 };
    __m512 sum[BATCH][PANELS];
#pragma GCC unroll 8
    for (int i = 0; i < BATCH; i++) {
#pragma GCC unroll 2
        for (int p = 0; p < panels; p++)
            sum[i][p] = _mm512_setzero_ps();
    }
    for (size_t d = 0; d < dim; d++, directions += width) {
        __m512 y[PANELS];
#pragma GCC unroll 2
        for (int p = 0; p < panels; p++)
            y[p] = _mm512_loadu_ps(directions + p * PANEL);
#pragma GCC unroll 8
        for (int i = 0; i < BATCH; i++) {
            __m512 x = _mm512_set1_ps(row[i][d]);
#pragma GCC unroll 2
            for (int p = 0; p < panels; p++)
                sum[i][p] = _mm512_fmadd_ps(x, y[p], sum[i][p]);
        }
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < BATCH; i++) {
#pragma GCC unroll 2
        for (int p = 0; p < panels && i < count; p++)
            _mm512_storeu_ps(out + i * width + p * PANEL, sum[i][p]);
    }
}

VNNI void cdp_project_avx512(const float *row, size_t count, size_t dim, const float *directions,
                             size_t width, float *out)
{
    enum { BATCH = 8 };
    for (size_t r = 0; r < count; r += BATCH) {
        const float *x[BATCH];
        for (size_t i = 0; i < BATCH; i++)
            x[i] = row + (r + i < count ? r + i : r) * dim;
        size_t at = 0;
        for (; at + 2 * PANEL <= width; at += 2 * PANEL)
            project_some(x, count - r, dim, directions + at, width, out + r * width + at, 2);
        if (at < width)
            project_some(x, count - r, dim, directions + at, width, out + r * width + at, 1);
    }
}

enum { RUN = 8, MOST = 20 };

// Which lanes of run i belong to a list of k.
VNNI CDP_INLINE __mmask8 own_of(uint32_t k, uint32_t i)
{
    uint32_t left = k > i * RUN ? k - i * RUN : 0;
    return (__mmask8)(left < RUN ? (1U << left) - 1 : 0xFF);
}

// Keeps a list of at most runs x 8 in registers. With an entry inserted, number i of an ascending
// list is the smaller of number i and the larger of number i - 1 and the entry.
VNNI CDP_INLINE void merge_runs(uint64_t *list, uint32_t k, const uint64_t *entries, size_t count,
                                const uint32_t runs)
{
    const __m512i none = _mm512_set1_epi64(-1);
    __m512i run[MOST];
#pragma GCC unroll 20
    for (uint32_t i = 0; i < runs; i++)
        run[i] = _mm512_mask_loadu_epi64(none, own_of(k, i), list + i * RUN);
    for (size_t e = 0; e < count; e++) {
        __m512i entry = _mm512_set1_epi64((long long)entries[e]), before = _mm512_setzero_si512();
        __mmask8 there = 0;
#pragma GCC unroll 20
        for (uint32_t i = 0; i < runs; i++)
            there |= _mm512_cmpeq_epi64_mask(run[i], entry);
        entry = there ? none : entry;
#pragma GCC unroll 20
        for (uint32_t i = 0; i < runs; i++) {
            __m512i shifted = _mm512_alignr_epi64(run[i], before, RUN - 1);
            before = run[i];
            run[i] = _mm512_min_epu64(run[i], _mm512_max_epu64(shifted, entry));
        }
    }
#pragma GCC unroll 20
    for (uint32_t i = 0; i < runs; i++)
        _mm512_mask_storeu_epi64(list + i * RUN, own_of(k, i), run[i]);
}

VNNI void cdp_merge_avx512(uint64_t *list, uint32_t k, const uint64_t *entries, size_t count)
{
    if (k <= RUN)
        merge_runs(list, k, entries, count, 1);
    else if (k <= 2 * RUN)
        merge_runs(list, k, entries, count, 2);
    else if (k <= 3 * RUN)
        merge_runs(list, k, entries, count, 3);
    else if (k <= 6 * RUN)
        merge_runs(list, k, entries, count, 6);
    else if (k <= 16 * RUN)
        merge_runs(list, k, entries, count, 16);
    else if (k <= MOST * RUN)
        merge_runs(list, k, entries, count, MOST);
    else
        merge_one_by_one(list, k, entries, count);
}

const struct cdp_kernel cdp_kernel_avx512vnni = {
    .isa = "avx512vnni",
    .metric = METRICS(avx2, {NULL, cdp_dot_avx512vnni, cdp_dot_pairs_avx512vnni}),
    .tile32 = cdp_dot_avx512vnni,
    .cost = WORD_BY_WORD,
    .thresholds = thresholds_avx2,
    .project = cdp_project_avx512,
    .merge = cdp_merge_avx512,
};
#endif
