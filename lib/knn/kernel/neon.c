// SPDX-License-Identifier: MIT
#include "knn/kernel/vectors.h"

#ifdef __aarch64__

// NEON: products of bytes with 16-bit sums (see CDP_DOT_CHUNK). With SDOT, added by fours. With
// USMMLA (I8MM), added by eights, for two rows and two columns. The last two have 32-bit sums.

FUNCTIONS(neon, )

// Products are exact, so FMA rounds as multiplication and addition do.
CDP_INLINE cdp_floats add_product(cdp_floats sum, cdp_floats x, cdp_floats y)
{
    return (cdp_floats)vfmaq_f32((float32x4_t)sum, (float32x4_t)x, (float32x4_t)y);
}

PROJECT(neon, )

// ---- tiles of dot products

// Of 4 columns, as signed bytes.
CDP_INLINE int8x16_t load_columns(const uint32_t *panel)
{
    return vreinterpretq_s8_u32(veorq_u32(vld1q_u32(panel), vdupq_n_u32(CDP_DOT_FLIP)));
}

CDP_INLINE int8x16_t broadcast(const uint32_t *word)
{
    return vreinterpretq_s8_u32(vld1q_dup_u32(word));
}

// Compares the sums of `count` x 4 columns from `first` on.
CDP_INLINE bool compare(const struct cdp_tile *t, uint64_t passed[GROUP], const int rows,
                        size_t first, int32x4_t (*sum)[VECTORS], const int count)
{
    uint32x4_t any = vdupq_n_u32(0);
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
        int32x4_t most = sum[r][0];
#pragma GCC unroll 4
        for (int v = 1; v < count; v++)
            most = vmaxq_s32(most, sum[r][v]);
        any = vorrq_u32(any, vcgeq_s32(most, vdupq_n_s32(t->threshold[r].product)));
    }
    bool some = vmaxvq_u32(any);
    // In most panels no pair passes.
    if (!some && !t->score)
        return false;
    // A copy, so that the loops below leave the sums in registers.
    int32x4_t kept[GROUP][VECTORS];
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (int v = 0; v < count; v++)
            kept[r][v] = sum[r][v];
    }
    for (int r = 0; r < rows; r++) {
        for (int v = 0; v < count; v++) {
            if (t->score)
                vst1q_f32(t->score[r] + first + v * CDP_LANES, vcvtq_f32_s32(kept[r][v]));
            uint64_t here = bits_of((cdp_ints)kept[r][v] >= t->threshold[r].product);
            passed[r] |= here << (first + v * CDP_LANES);
        }
    }
    return some;
}

CDP_INLINE bool dot_neon_group(const struct cdp_tile *t, uint64_t passed[GROUP], const int rows)
{
    enum { TOGETHER = 2 }; // vectors of columns, whose sums fit the registers
    bool any = false;
    memset(passed, 0, GROUP * sizeof *passed);
    for (size_t first = 0; first < t->panels * PANEL; first += TOGETHER * CDP_LANES) {
        const uint32_t *y = t->panel + first / PANEL * PANEL * t->words + first % PANEL;
        int32x4_t sum[GROUP][VECTORS];
        for (int r = 0; r < rows; r++) {
            for (int v = 0; v < TOGETHER; v++)
                sum[r][v] = vld1q_s32(t->offset + first + v * CDP_LANES);
        }
        for (size_t from = 0; from < t->words; from += CHUNK) {
            size_t end = t->words - from < CHUNK ? t->words : from + CHUNK;
            int16x8_t part[GROUP][TOGETHER][2] = {0}; // a number for each byte of a word
            for (size_t w = from; w < end; w++, y += PANEL) {
                int8x16_t y0 = load_columns(y), y1 = load_columns(y + CDP_LANES);
#pragma GCC unroll 6
                for (int r = 0; r < rows; r++) {
                    int8x16_t x = broadcast(t->row[r] + w);
                    part[r][0][0] = vmlal_s8(part[r][0][0], vget_low_s8(x), vget_low_s8(y0));
                    part[r][0][1] = vmlal_high_s8(part[r][0][1], x, y0);
                    part[r][1][0] = vmlal_s8(part[r][1][0], vget_low_s8(x), vget_low_s8(y1));
                    part[r][1][1] = vmlal_high_s8(part[r][1][1], x, y1);
                }
            }
#pragma GCC unroll 6
            for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
                for (int v = 0; v < TOGETHER; v++)
                    sum[r][v] = vpadalq_s16(sum[r][v], vpaddq_s16(part[r][v][0], part[r][v][1]));
            }
        }
        any |= compare(t, passed, rows, first, sum, TOGETHER);
    }
    return any;
}

#ifdef __clang__
#define DOTPROD __attribute__((target("dotprod")))
#define I8MM __attribute__((target("i8mm")))
#else
#define DOTPROD __attribute__((target("arch=armv8.2-a+dotprod")))
#define I8MM __attribute__((target("arch=armv8.2-a+i8mm")))
#endif
// Assembler, since clang before 16 has no intrinsics for an instruction set of some functions.
#define SDOT(sum, x, y) __asm__("sdot %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(x), "w"(y))
#define USMMLA(sum, x, y) __asm__("usmmla %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(x), "w"(y))

DOTPROD CDP_INLINE bool dot_dotprod_group(const struct cdp_tile *t, uint64_t passed[GROUP],
                                          const int rows)
{
    bool any = false;
    const uint32_t *y = t->panel;
    memset(passed, 0, GROUP * sizeof *passed);
    for (size_t p = 0; p < t->panels; p++) {
        int32x4_t sum[GROUP][VECTORS];
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
            for (int v = 0; v < VECTORS; v++)
                sum[r][v] = vld1q_s32(t->offset + p * PANEL + v * CDP_LANES);
        }
        for (size_t w = 0; w < t->words; w++, y += PANEL) {
            int8x16_t column[VECTORS];
#pragma GCC unroll 4
            for (int v = 0; v < VECTORS; v++)
                column[v] = load_columns(y + v * CDP_LANES);
#pragma GCC unroll 6
            for (int r = 0; r < rows; r++) {
                int8x16_t x = broadcast(t->row[r] + w);
#pragma GCC unroll 4
                for (int v = 0; v < VECTORS; v++)
                    SDOT(sum[r][v], x, column[v]);
            }
        }
        any |= compare(t, passed, rows, p * PANEL, sum, VECTORS);
    }
    return any;
}

// Two words of two rows; of the first word alone, if `two` is false.
CDP_INLINE uint32x4_t two_rows(const uint32_t *a, const uint32_t *b, const bool two)
{
    uint32x4_t x = vdupq_n_u32(0);
    if (two)
        return vcombine_u32(vld1_u32(a), vld1_u32(b));
    return vld1q_lane_u32(b, vld1q_lane_u32(a, x, 0), 2);
}

// Sums of 2 x 2 numbers: of rows 2 i and 2 i + 1, and columns 2 c and 2 c + 1.
enum { COUPLES = GROUP / 2, BLOCKS = PANEL / 2 };

// Adds the products of two words, or of one.
I8MM CDP_INLINE void add_words(int32x4_t sum[COUPLES][BLOCKS], const struct cdp_tile *t,
                               const int couples, const int rows, size_t w, const uint32_t *y,
                               const bool two)
{
    uint32x4_t x[COUPLES];
#pragma GCC unroll 3
    for (int i = 0; i < couples; i++)
        x[i] = two_rows(t->row[2 * i] + w, t->row[2 * i + 1 < rows ? 2 * i + 1 : 2 * i] + w, two);
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++) {
        uint32x4_t a = vld1q_u32(y + v * CDP_LANES),
                   b = two ? vld1q_u32(y + PANEL + v * CDP_LANES) : a;
        uint32x4_t low = vzip1q_u32(a, b), high = vzip2q_u32(a, b);
#pragma GCC unroll 3
        for (int i = 0; i < couples; i++) {
            USMMLA(sum[i][2 * v], low, x[i]);
            USMMLA(sum[i][2 * v + 1], high, x[i]);
        }
    }
}

I8MM CDP_INLINE bool dot_i8mm_group(const struct cdp_tile *t, uint64_t passed[GROUP],
                                    const int rows)
{
    const int couples = (rows + 1) / 2;
    bool any = false;
    const uint32_t *y = t->panel;
    memset(passed, 0, GROUP * sizeof *passed);
    for (size_t p = 0; p < t->panels; p++) {
        int32x4_t sum[COUPLES][BLOCKS], row[GROUP][VECTORS];
        const int32_t *offset = t->offset + p * PANEL;
#pragma GCC unroll 3
        for (int i = 0; i < couples; i++) {
            int32_t a = t->start[2 * i], b = t->start[2 * i + 1 < rows ? 2 * i + 1 : 2 * i];
            int32x4_t start = {a, b, a, b};
#pragma GCC unroll 4
            for (int v = 0; v < VECTORS; v++) {
                int32x4_t o = vld1q_s32(offset + v * CDP_LANES);
                sum[i][2 * v] = vaddq_s32(start, vzip1q_s32(o, o));
                sum[i][2 * v + 1] = vaddq_s32(start, vzip2q_s32(o, o));
            }
        }
        size_t w = 0;
        for (; w + 2 <= t->words; w += 2, y += 2 * PANEL)
            add_words(sum, t, couples, rows, w, y, true);
        if (w < t->words) {
            add_words(sum, t, couples, rows, w, y, false);
            y += PANEL;
        }
#pragma GCC unroll 3
        for (int i = 0; i < couples; i++) {
#pragma GCC unroll 4
            for (int v = 0; v < VECTORS; v++) {
                row[2 * i][v] = vuzp1q_s32(sum[i][2 * v], sum[i][2 * v + 1]);
                row[2 * i + 1][v] = vuzp2q_s32(sum[i][2 * v], sum[i][2 * v + 1]);
            }
        }
        any |= compare(t, passed, rows, p * PANEL, row, VECTORS);
    }
    return any;
}

static uint32_t dot_neon(const struct cdp_tile *t, struct cdp_hits *hits)
{
    return by_groups(t, hits, dot_neon_group);
}

DOTPROD static uint32_t dot_dotprod(const struct cdp_tile *t, struct cdp_hits *hits)
{
    return by_groups(t, hits, dot_dotprod_group);
}

I8MM static uint32_t dot_i8mm(const struct cdp_tile *t, struct cdp_hits *hits)
{
    return by_groups(t, hits, dot_i8mm_group);
}

// ---- pairs

// No byte is -128, so no sum of two products leaves 16 bits.
CDP_INLINE int32x4_t add_products(int32x4_t sum, int8x16_t x, int8x16_t y)
{
    int16x8_t part = vmull_s8(vget_low_s8(x), vget_low_s8(y));
    return vpadalq_s16(sum, vmlal_high_s8(part, x, y));
}

DOTPROD CDP_INLINE int32x4_t add_products_dotprod(int32x4_t sum, int8x16_t x, int8x16_t y)
{
    SDOT(sum, x, y);
    return sum;
}

CDP_INLINE int8x16_t load_bytes(const uint32_t *at)
{
    return vreinterpretq_s8_u32(vld1q_u32(at));
}

// `count` words, fewer than a vector, padded with 0.
CDP_INLINE int8x16_t load_last(const uint32_t *at, size_t count)
{
    uint32_t word[CDP_LANES] = {0};
    for (size_t w = 0; w < count; w++)
        word[w] = at[w];
    return load_bytes(word);
}

// Four pairs at a time.
CDP_INLINE void dot_pairs(const uint32_t *x, const uint32_t *const *y, size_t count, size_t words,
                          float *out, int32x4_t (*step)(int32x4_t, int8x16_t, int8x16_t))
{
    enum { BATCH = 4 };
    size_t over = words % CDP_LANES, whole = words - over;
    for (size_t i = 0; i < count; i += BATCH) {
        const uint32_t *at[BATCH];
        int32x4_t sum[BATCH];
#pragma GCC unroll 4
        for (size_t j = 0; j < BATCH; j++) {
            at[j] = y[i + j < count ? i + j : i];
            sum[j] = vdupq_n_s32(0);
        }
        for (size_t w = 0; w < whole; w += CDP_LANES) {
            int8x16_t own = load_bytes(x + w);
#pragma GCC unroll 4
            for (size_t j = 0; j < BATCH; j++)
                sum[j] = step(sum[j], own, load_bytes(at[j] + w));
        }
        if (over) {
            int8x16_t own = load_last(x + whole, over);
#pragma GCC unroll 4
            for (size_t j = 0; j < BATCH; j++)
                sum[j] = step(sum[j], own, load_last(at[j] + whole, over));
        }
        float product[BATCH];
        vst1q_f32(product, vcvtq_f32_s32(
                               vpaddq_s32(vpaddq_s32(sum[0], sum[1]), vpaddq_s32(sum[2], sum[3]))));
        for (size_t j = 0; j < BATCH && i + j < count; j++)
            out[i + j] = product[j];
    }
}

static void dot_pairs_neon(const uint32_t *x, const uint32_t *const *y, size_t count, size_t words,
                           float *out)
{
    dot_pairs(x, y, count, words, out, add_products);
}

DOTPROD static void dot_pairs_dotprod(const uint32_t *x, const uint32_t *const *y, size_t count,
                                      size_t words, float *out)
{
    dot_pairs(x, y, count, words, out, add_products_dotprod);
}

#define KERNEL(set, of_pairs, wide)                           \
    const struct cdp_kernel cdp_kernel_##set = {              \
        .isa = #set,                                          \
        .metric = METRICS(neon, {NULL, dot_##set, of_pairs}), \
        .tile32 = wide,                                       \
        .cost = WORD_BY_WORD,                                 \
        .thresholds = thresholds_neon,                        \
        .project = project_neon,                              \
        .merge = merge_one_by_one,                            \
    };
KERNEL(neon, dot_pairs_neon, NULL)
KERNEL(dotprod, dot_pairs_dotprod, dot_dotprod)
KERNEL(i8mm, dot_pairs_dotprod, dot_i8mm)
#endif
