// SPDX-License-Identifier: MIT
#include "knn/kernel/vectors.h"

#ifdef __x86_64__
#include <immintrin.h>

// AVX2: products of bytes, added in pairs, with 16-bit sums (see CDP_DOT_CHUNK).

#define AVX2 __attribute__((target("avx2,fma")))

FUNCTIONS(avx2, AVX2)

// Products are exact, so FMA rounds as multiplication and addition do.
AVX2 CDP_INLINE cdp_floats add_product(cdp_floats sum, cdp_floats x, cdp_floats y)
{
    return (cdp_floats)_mm256_fmadd_ps((__m256)x, (__m256)y, (__m256)sum);
}

PROJECT(avx2, AVX2)

// Each chunk of the row after -128 x the sums of its bytes, which corrects for the 128 added to the
// columns' bytes.
static size_t pack_chunks(const uint32_t *row, size_t words, uint32_t *out)
{
    size_t used = 0;
    for (size_t from = 0; from < words; from += CHUNK) {
        size_t count = words - from < CHUNK ? words - from : CHUNK;
        if (out) {
            int32_t sum[2] = {0};
            const int8_t *b = (const int8_t *)(row + from);
            for (size_t w = 0; w < count; w++) {
                sum[0] += b[4 * w] + b[4 * w + 1];
                sum[1] += b[4 * w + 2] + b[4 * w + 3];
            }
            uint16_t start[2] = {(uint16_t)(-128 * sum[0]), (uint16_t)(-128 * sum[1])};
            memcpy(out + used, start, sizeof start);
            memcpy(out + used + 1, row + from, count * sizeof *row);
        }
        used += count + 1;
    }
    return used;
}

AVX2 CDP_INLINE __m256i broadcast(const uint32_t *at)
{
    return _mm256_set1_epi32((int)*at);
}

// Sums of 16 bits as sums of 32 bits.
AVX2 CDP_INLINE __m256i widened(__m256i part)
{
    return _mm256_madd_epi16(part, _mm256_set1_epi16(1));
}

AVX2 CDP_INLINE bool dot_group(const struct cdp_tile *t, uint64_t passed[GROUP], const int rows)
{
    bool any = false;
    memset(passed, 0, GROUP * sizeof *passed);
#define ROW(r) const uint32_t *row##r = t->row[r < rows ? r : 0];
#define START(r) __m256i a##r = broadcast(row##r + at), b##r = a##r;
    // Assembler, since gcc 12 copies the sums between registers with intrinsics.
#define ADVANCE(r)                                                                      \
    if (r < rows) {                                                                     \
        __m256i x = broadcast(row##r + at), product;                                    \
        __asm__("vpmaddubsw %[x], %[y0], %[product]\n\t"                                \
                "vpmaddubsw %[x], %[y1], %[x]\n\t"                                      \
                "vpaddw %[product], %[a], %[a]\n\t"                                     \
                "vpaddw %[x], %[b], %[b]"                                               \
                : [a] "+x"(a##r), [b] "+x"(b##r), [x] "+x"(x), [product] "=&x"(product) \
                : [y0] "x"(y0), [y1] "x"(y1));                                          \
    }
#define WIDEN(r)              \
    if (r < rows) {           \
        a##r = widened(a##r); \
        b##r = widened(b##r); \
    }
#define ADD(r)                                               \
    if (r < rows) {                                          \
        a##r = _mm256_add_epi32(a##r, sum[r * VECTORS]);     \
        b##r = _mm256_add_epi32(b##r, sum[r * VECTORS + 1]); \
    }
#define STORE(r)                     \
    if (r < rows) {                  \
        sum[r * VECTORS] = a##r;     \
        sum[r * VECTORS + 1] = b##r; \
    }
#define OFFSET(r)                          \
    if (r < rows) {                        \
        a##r = _mm256_add_epi32(a##r, o0); \
        b##r = _mm256_add_epi32(b##r, o1); \
    }
#define KEEP(r)                                                                          \
    if (r < rows) {                                                                      \
        _mm256_storeu_ps(t->score[r] + p * PANEL, _mm256_cvtepi32_ps(a##r));             \
        _mm256_storeu_ps(t->score[r] + p * PANEL + CDP_LANES, _mm256_cvtepi32_ps(b##r)); \
    }
#define FAIL(r)                                                      \
    if (r < rows) {                                                  \
        __m256i limit = _mm256_set1_epi32(t->threshold[r].product);  \
        a##r = _mm256_cmpgt_epi32(limit, a##r);                      \
        b##r = _mm256_cmpgt_epi32(limit, b##r);                      \
        fail = _mm256_and_si256(fail, _mm256_and_si256(a##r, b##r)); \
    }
#define PASS(r)                                                                      \
    if (r < rows) {                                                                  \
        uint32_t low = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(a##r)),      \
                 high = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(b##r));     \
        passed[r] |= (uint64_t)(uint16_t) ~(low | high << CDP_LANES) << (p * PANEL); \
    }
    EACH_ROW(ROW)
    __m256i sum[GROUP * VECTORS] = {0}; // over a panel's chunks except the last
    for (size_t p = 0; p < t->panels; p++) {
        const uint32_t *y = t->panel + p * PANEL * t->words;
        for (size_t at = 0, left = t->words; left;) {
            bool first = left == t->words;
            size_t count = left < CHUNK ? left : CHUNK;
            left -= count;
            EACH_ROW(START)
            for (at++; count--; at++, y += PANEL) {
                __m256i y0 = _mm256_loadu_si256((const __m256i *)y);
                __m256i y1 = _mm256_loadu_si256((const __m256i *)(y + CDP_LANES));
                EACH_ROW(ADVANCE)
            }
            EACH_ROW(WIDEN)
            if (!first) {
                EACH_ROW(ADD)
            }
            if (left) {
                EACH_ROW(STORE)
                continue;
            }
            const __m256i *offset = (const __m256i *)(t->offset + p * PANEL);
            __m256i o0 = _mm256_loadu_si256(offset), o1 = _mm256_loadu_si256(offset + 1),
                    fail = _mm256_set1_epi32(-1);
            EACH_ROW(OFFSET)
            if (t->score) {
                EACH_ROW(KEEP)
            }
            EACH_ROW(FAIL)
            // In most panels no pair passes.
            if (_mm256_movemask_epi8(fail) != -1) {
                any = true;
                EACH_ROW(PASS)
            }
        }
    }
    return any;
#undef ROW
#undef START
#undef ADVANCE
#undef WIDEN
#undef ADD
#undef STORE
#undef OFFSET
#undef KEEP
#undef FAIL
#undef PASS
}

TILE(dot, avx2, AVX2)

// sum + x.y as |x|.(sign(x) y). No byte is -128, so no sum of two products leaves 16 bits.
AVX2 CDP_INLINE __m256i add_products(__m256i sum, __m256i x, __m256i y)
{
    __m256i part = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(y, x));
    return _mm256_add_epi32(sum, widened(part));
}

// Four pairs at a time.
AVX2 static void dot_pairs_avx2(const uint32_t *x, const uint32_t *const *y, size_t count,
                                size_t words, float *out)
{
    enum { BATCH = 4 };
    uint32_t whole = (uint32_t)(words - words % CDP_LANES), over = (uint32_t)words % CDP_LANES;
    __m256i last =
        _mm256_cmpgt_epi32(_mm256_set1_epi32((int)over), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    for (size_t i = 0; i < count; i += BATCH) {
        const int *at[BATCH];
        __m256i sum[BATCH];
#pragma GCC unroll 4
        for (size_t j = 0; j < BATCH; j++) {
            at[j] = (const int *)y[i + j < count ? i + j : i];
            sum[j] = _mm256_setzero_si256();
        }
        for (size_t w = 0; w < whole; w += CDP_LANES) {
            __m256i own = _mm256_loadu_si256((const __m256i *)(x + w));
#pragma GCC unroll 4
            for (size_t j = 0; j < BATCH; j++) {
                __m256i other = _mm256_loadu_si256((const __m256i *)(at[j] + w));
                sum[j] = add_products(sum[j], own, other);
            }
        }
        if (over) {
            __m256i own = _mm256_maskload_epi32((const int *)x + whole, last);
#pragma GCC unroll 4
            for (size_t j = 0; j < BATCH; j++)
                sum[j] = add_products(sum[j], own, _mm256_maskload_epi32(at[j] + whole, last));
        }
        __m256i abcd =
            _mm256_hadd_epi32(_mm256_hadd_epi32(sum[0], sum[1]), _mm256_hadd_epi32(sum[2], sum[3]));
        __m128i all =
            _mm_add_epi32(_mm256_castsi256_si128(abcd), _mm256_extracti128_si256(abcd, 1));
        float product[BATCH];
        _mm_storeu_ps(product, _mm_cvtepi32_ps(all));
        for (size_t j = 0; j < BATCH && i + j < count; j++)
            out[i + j] = product[j];
    }
}

enum { RUN = 4, MOST = 8 };

// Entries as signed numbers of the same order.
AVX2 CDP_INLINE __m256i ordered(__m256i entries)
{
    return _mm256_xor_si256(entries, _mm256_set1_epi64x(INT64_MIN));
}

// Which lanes of run i belong to a list of k.
AVX2 CDP_INLINE __m256i own_of(uint32_t k, uint32_t i)
{
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x((int64_t)k - i * RUN),
                              _mm256_setr_epi64x(0, 1, 2, 3));
}

// Keeps a list of at most runs x 4 in registers. To insert an entry into an ascending list: number
// i stays if it is not above the entry; else it becomes number i - 1, or the entry if that is
// smaller.
AVX2 CDP_INLINE void merge_runs(uint64_t *list, uint32_t k, const uint64_t *entries, size_t count,
                                const uint32_t runs)
{
    const __m256i most = _mm256_set1_epi64x(INT64_MAX);
    __m256i run[MOST];
#pragma GCC unroll 8
    for (uint32_t i = 0; i < runs; i++) {
        __m256i own = own_of(k, i);
        __m256i some = _mm256_maskload_epi64((const long long *)list + i * RUN, own);
        run[i] = _mm256_blendv_epi8(most, ordered(some), own);
    }
    for (size_t e = 0; e < count; e++) {
        __m256i entry = ordered(_mm256_set1_epi64x((long long)entries[e])), there = {0};
#pragma GCC unroll 8
        for (uint32_t i = 0; i < runs; i++)
            there = _mm256_or_si256(there, _mm256_cmpeq_epi64(run[i], entry));
        if (_mm256_movemask_epi8(there))
            continue;
        __m256i before = _mm256_set1_epi64x(INT64_MIN);
#pragma GCC unroll 8
        for (uint32_t i = 0; i < runs; i++) {
            __m256i turned = _mm256_permute4x64_epi64(run[i], 0x93);
            __m256i shifted = _mm256_blend_epi32(turned, before, 3);
            __m256i moved = _mm256_blendv_epi8(entry, shifted, _mm256_cmpgt_epi64(shifted, entry));
            run[i] = _mm256_blendv_epi8(run[i], moved, _mm256_cmpgt_epi64(run[i], entry));
            before = turned;
        }
    }
#pragma GCC unroll 8
    for (uint32_t i = 0; i < runs; i++)
        _mm256_maskstore_epi64((long long *)list + i * RUN, own_of(k, i), ordered(run[i]));
}

AVX2 static void merge_avx2(uint64_t *list, uint32_t k, const uint64_t *entries, size_t count)
{
    if (k <= 2 * RUN)
        merge_runs(list, k, entries, count, 2);
    else if (k <= 5 * RUN)
        merge_runs(list, k, entries, count, 5);
    else if (k <= MOST * RUN)
        merge_runs(list, k, entries, count, MOST);
    else
        merge_one_by_one(list, k, entries, count);
}

const struct cdp_kernel cdp_kernel_avx2 = {
    .isa = "avx2",
    .metric = METRICS(avx2, {pack_chunks, dot_avx2, dot_pairs_avx2}),
    .cost = WORD_BY_WORD,
    .thresholds = thresholds_avx2,
    .project = project_avx2,
    .merge = merge_avx2,
};
#endif
