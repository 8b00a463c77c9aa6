// SPDX-License-Identifier: MIT
#include "knn/kernel/vectors.h"

// For every processor.

CDP_INLINE float dot_pair(const uint32_t *x, const uint32_t *y, size_t words)
{
    const int8_t *a = (const int8_t *)x, *b = (const int8_t *)y;
    int32_t sum = 0;
    for (size_t i = 0; i < 4 * words; i++)
        sum += a[i] * b[i];
    return (float)sum;
}

// The low and the high byte of each half of a word as 16-bit numbers, since there are no products
// of bytes.
static size_t pack_halves(const uint32_t *row, size_t words, uint32_t *out)
{
    for (size_t w = 0; out && w < words; w++) {
        int16_t h[2];
        memcpy(h, &row[w], sizeof h);
        int16_t halves[4] = {(int8_t)h[0], (int8_t)h[1], (int16_t)(h[0] >> 8),
                             (int16_t)(h[1] >> 8)};
        memcpy(&out[2 * w], halves, sizeof halves);
    }
    return 2 * words;
}

CDP_INLINE bool dot_group(const struct cdp_tile *t, uint64_t passed[GROUP], const int rows)
{
    uint64_t any = 0;
    memset(passed, 0, GROUP * sizeof *passed);
    for (size_t v = 0; v < VECTORS * t->panels; v++) {
        const uint32_t *item = t->panel + v / VECTORS * PANEL * t->words + v % VECTORS * CDP_LANES;
        cdp_ints sum[GROUP], offset = (cdp_ints)cdp_floats_load(t->offset + v * CDP_LANES);
        for (int r = 0; r < rows; r++)
            sum[r] = offset;
        for (size_t from = 0; from < t->words; from += CHUNK) {
            lanes16 part[GROUP] = {0};
            for (size_t w = from; w < t->words && w < from + CHUNK; w++) {
                lanes16 y = (lanes16)((lanes32)cdp_floats_load(item + w * PANEL) ^ CDP_DOT_FLIP);
                lanes16 low = (lanes16)((signed16)(y << 8) >> 8);
                lanes16 high = (lanes16)((signed16)y >> 8);
#pragma GCC unroll 6
                for (int r = 0; r < rows; r++) {
                    part[r] += low * (lanes16)(t->row[r][2 * w] + (lanes32){0});
                    part[r] += high * (lanes16)(t->row[r][2 * w + 1] + (lanes32){0});
                }
            }
#pragma GCC unroll 6
            for (int r = 0; r < rows; r++)
                sum[r] += ((cdp_ints)((lanes32)part[r] << 16) >> 16) + ((cdp_ints)part[r] >> 16);
        }
        for (int r = 0; r < rows; r++) {
            if (t->score)
                cdp_floats_store(t->score[r] + v * CDP_LANES,
                                 __builtin_convertvector(sum[r], cdp_floats));
            uint64_t here = bits_of(sum[r] >= t->threshold[r].product);
            passed[r] |= here << (v * CDP_LANES);
            any |= passed[r];
        }
    }
    return any;
}

CDP_INLINE cdp_floats add_product(cdp_floats sum, cdp_floats x, cdp_floats y)
{
    return sum + x * y;
}

FUNCTIONS(plain, )
PROJECT(plain, )
TILE_AND_PAIRS(dot, plain, )

const struct cdp_kernel cdp_kernel_plain = {
    .isa = "plain",
    .metric = METRICS(plain, {pack_halves, dot_plain, dot_pairs_plain}),
    .cost = WORD_BY_WORD,
    .thresholds = thresholds_plain,
    .project = project_plain,
    .merge = merge_one_by_one,
};
