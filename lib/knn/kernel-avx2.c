// SPDX-License-Identifier: MIT
#include "knn/kernel-vectors.h"

#ifdef __x86_64__
#include <immintrin.h>

// AVX2: products of bytes, added in pairs, in sums of 16 bits.

#define AVX2 __attribute__((target("avx2")))

FUNCTIONS(avx2, AVX2)
PROJECT_AND_MERGE(avx2, AVX2)

// A chunk of the row: -128 x the sums of its bytes, which undoes what the columns' bytes are
// greater by, and then its words.
static size_t lay_chunks(const uint32_t *row, size_t words, uint32_t *out)
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

AVX2 INLINE __m256i broadcast(const uint32_t *at)
{
    return _mm256_set1_epi32((int)*at);
}

AVX2 INLINE void widen_sums(int32_t sum[LANES], __m256i part)
{
    __m256i pairs = _mm256_madd_epi16(part, _mm256_set1_epi16(1));
    __m256i all = _mm256_add_epi32(_mm256_load_si256((__m256i *)sum), pairs);
    _mm256_store_si256((__m256i *)sum, all);
}

AVX2 static bool dot_avx2(const struct cdp_tile *t, uint64_t passed[ROWS])
{
    uint64_t any = 0;
    memset(passed, 0, ROWS * sizeof *passed);
    // The instructions by name: as intrinsics, gcc 12 moves the sums from register to register.
    const uint32_t *r0 = t->row[0], *r1 = t->row[1], *r2 = t->row[2], *r3 = t->row[3],
                   *r4 = t->row[4], *r5 = t->row[5];
    for (size_t p = 0; p < COLUMNS / PANEL; p++) {
        const uint32_t *y = t->panel + p * PANEL * t->words;
        int32_t sum[ROWS][PANEL] __attribute__((aligned(32))) = {0};
        for (size_t at = 0, left = t->words; left;) {
            size_t count = left < CHUNK ? left : CHUNK;
            left -= count;
            __m256i a0 = broadcast(r0 + at), a1 = broadcast(r1 + at), a2 = broadcast(r2 + at),
                    a3 = broadcast(r3 + at), a4 = broadcast(r4 + at), a5 = broadcast(r5 + at);
            __m256i b0 = a0, b1 = a1, b2 = a2, b3 = a3, b4 = a4, b5 = a5;
            for (at++; count--; at++, y += PANEL) {
                __m256i y0 = _mm256_loadu_si256((const __m256i *)y);
                __m256i y1 = _mm256_loadu_si256((const __m256i *)(y + LANES));
#define ADVANCE(a, b, r)                                                            \
    do {                                                                            \
        __m256i x = broadcast((r) + at), product;                                   \
        __asm__("vpmaddubsw %[x], %[y0], %[product]\n\t"                            \
                "vpmaddubsw %[x], %[y1], %[x]\n\t"                                  \
                "vpaddw %[product], %[a_], %[a_]\n\t"                               \
                "vpaddw %[x], %[b_], %[b_]"                                         \
                : [a_] "+x"(a), [b_] "+x"(b), [x] "+x"(x), [product] "=&x"(product) \
                : [y0] "x"(y0), [y1] "x"(y1));                                      \
    } while (0)
                ADVANCE(a0, b0, r0);
                ADVANCE(a1, b1, r1);
                ADVANCE(a2, b2, r2);
                ADVANCE(a3, b3, r3);
                ADVANCE(a4, b4, r4);
                ADVANCE(a5, b5, r5);
#undef ADVANCE
            }
            widen_sums(sum[0], a0);
            widen_sums(sum[0] + LANES, b0);
            widen_sums(sum[1], a1);
            widen_sums(sum[1] + LANES, b1);
            widen_sums(sum[2], a2);
            widen_sums(sum[2] + LANES, b2);
            widen_sums(sum[3], a3);
            widen_sums(sum[3] + LANES, b3);
            widen_sums(sum[4], a4);
            widen_sums(sum[4] + LANES, b4);
            widen_sums(sum[5], a5);
            widen_sums(sum[5] + LANES, b5);
        }
        for (size_t v = 0; v < VECTORS; v++) {
            size_t c = p * PANEL + v * LANES;
            __m256i offset = _mm256_loadu_si256((const __m256i *)(t->offset + c));
            for (int r = 0; r < ROWS; r++) {
                __m256i got = _mm256_load_si256((const __m256i *)(sum[r] + v * LANES));
                got = _mm256_add_epi32(got, offset);
                __m256i low = _mm256_cmpgt_epi32(_mm256_set1_epi32(t->bar[r].product), got);
                uint64_t here = ~(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(low)) & 0xFF;
                passed[r] |= here << c;
                any |= here;
            }
        }
    }
    return any;
}

AVX2 INLINE __m256i madd_halves(const void *x, const void *y)
{
    return _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)x)),
                             _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)y)));
}

AVX2 INLINE float madd_pair(const uint32_t *x, const uint32_t *y, size_t words)
{
    enum { STEP = 4 };
    __m256i sums = _mm256_setzero_si256();
    size_t w = 0;
    for (; w + STEP <= words; w += STEP)
        sums = _mm256_add_epi32(sums, madd_halves(x + w, y + w));
    if (w < words) {
        uint32_t a[STEP] = {0}, b[STEP] = {0};
        memcpy(a, x + w, (words - w) * sizeof *x);
        memcpy(b, y + w, (words - w) * sizeof *y);
        sums = _mm256_add_epi32(sums, madd_halves(a, b));
    }
    int32_t sum[LANES] __attribute__((aligned(32))), all = 0;
    _mm256_store_si256((__m256i *)sum, sums);
    for (int lane = 0; lane < LANES; lane++)
        all += sum[lane];
    return (float)all;
}

PAIRS(madd, avx2, AVX2)

const struct cdp_kernel cdp_kernel_avx2 =
    KERNEL("avx2", avx2, project_avx2, merge_avx2, lay_chunks, dot_avx2, madd_pairs_avx2);
#endif
