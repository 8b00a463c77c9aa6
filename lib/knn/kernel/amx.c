// SPDX-License-Identifier: MIT
#include "knn/kernel/vectors.h"

#ifdef __x86_64__
#include <immintrin.h>

// AMX: one instruction multiplies 16 rows and 16 columns, 64 bytes of each, with 32-bit sums,
// between tile registers of 16 lines of 64 bytes. The rest is AVX-512 VNNI.
//
// Measured for 16 rows x 64 columns: 80 ns, of which 23 ns the products of 64 bytes an item and 23
// ns writing the sums to memory, the only way to compare them. So cost hardly depends on the words
// of a sketch
// (.cost below). Configuring the registers takes as long as a tile, so a thread does it once for
// many tiles (begin, end).

#define AMX __attribute__((target("avx512f,avx512bw,avx512vl,amx-tile,amx-int8")))

// Other loops in 256 bits.
FUNCTIONS(avx2, __attribute__((target("avx2"))))

enum {
    BLOCK = 16,               // rows of a tile register
    PANELS = CDP_TILE_PANELS, // with sums in registers 0 to 3
    STEP = 16,                // words of an item in one product, at most
    FEW = 6                   // rows up to which AVX-512 VNNI is as fast; measured
};

struct sums {
    _Alignas(64) int32_t of[PANELS][BLOCK][PANEL];
};

// Not 0 for rows that pass.
struct some {
    _Alignas(32) uint16_t of[BLOCK];
};

// Tells gcc 12 that an instruction reads this memory.
#define SEEN(memory) __asm__ volatile("" ::"m"(memory) : "memory")

// The words of a step. Steps are as equal as possible, since a shorter last one needs gather().
// 32-bit division is faster than 64-bit.
AMX CDP_INLINE size_t step_of(size_t words)
{
    uint32_t all = (uint32_t)words, steps = (all + STEP - 1) / STEP;
    return (all + steps - 1) / steps;
}

// Register 4 holds a step of rows, 5 to 7 steps of columns.
AMX static void begin_amx(size_t words)
{
    struct {
        uint8_t palette, restart, reserved[14];
        uint16_t bytes[16]; // of a register's lines
        uint8_t lines[16];
    } shapes = {.palette = 1};
    size_t step = step_of(words);
    for (int i = 0; i < 8; i++) {
        shapes.bytes[i] = (uint16_t)((i == 4 ? step : PANEL) * sizeof(uint32_t));
        shapes.lines[i] = (uint8_t)(i > 4 ? step : BLOCK);
    }
    SEEN(shapes);
    _tile_loadconfig(&shapes);
}

AMX static void end_amx(void)
{
    _tile_release();
}

// The distance of a block's rows in bytes; 0 if it varies.
AMX CDP_INLINE size_t stride(const uint32_t *const *row)
{
    size_t step = (size_t)row[1] - (size_t)row[0];
    __m512i steps = _mm512_set1_epi64((long long)step);
    __m512i low = _mm512_sub_epi64(_mm512_loadu_si512(row + 1), _mm512_loadu_si512(row)),
            high = _mm512_sub_epi64(_mm512_loadu_si512(row + 8), _mm512_loadu_si512(row + 7));
    __m512i odd = _mm512_or_si512(_mm512_xor_si512(low, steps), _mm512_xor_si512(high, steps));
    return _mm512_test_epi64_mask(odd, odd) ? 0 : step;
}

// Copies the words `some` of a block's rows, others as 0. The first row stands in for missing rows.
AMX CDP_INLINE void gather(const struct cdp_tile *t, uint32_t block, size_t first, __mmask16 some,
                           uint32_t room[BLOCK * STEP])
{
    uint32_t left = t->rows - block;
    for (uint32_t r = 0; r < BLOCK; r++) {
        const uint32_t *row = t->row[block + (r < left ? r : 0)];
        _mm512_store_si512(room + r * STEP, _mm512_maskz_loadu_epi32(some, row + first));
    }
}

// Loads come together and products come together: with two threads on a core, few tile registers
// can be renamed.
AMX CDP_INLINE void multiply_step(const struct cdp_tile *t, const uint32_t *row, size_t stride,
                                  size_t first)
{
    const uint32_t *panel = t->panel + first * PANEL;
    size_t next = t->words * PANEL, line = PANEL * sizeof *panel;
    _tile_loadd(4, row, stride);
    _tile_loadd(5, panel, line);
    _tile_loadd(6, panel + next, line);
    _tile_loadd(7, panel + 2 * next, line);
    _tile_dpbsud(0, 4, 5);
    _tile_dpbsud(1, 4, 6);
    _tile_dpbsud(2, 4, 7);
    _tile_loadd(5, panel + 3 * next, line);
    _tile_dpbsud(3, 4, 5);
}

// The products of a block, before start and offset are added.
AMX CDP_INLINE void multiply(const struct cdp_tile *t, uint32_t block, size_t step)
{
    _Alignas(64) uint32_t room[BLOCK * STEP];
    size_t distance = t->rows - block < BLOCK ? 0 : stride(t->row + block), first = 0;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (; first + step <= t->words && distance; first += step)
        multiply_step(t, t->row[block] + first, distance, first);
    for (; first < t->words; first += step) {
        // The last step overlaps the one before, with zeros there.
        size_t left = t->words - first, over = left < step ? step - left : 0;
        __mmask16 some = _cvtu32_mask16(((1U << (step - over)) - 1) << over);
        gather(t, block, first - over, some, room);
        SEEN(room);
        multiply_step(t, room, STEP * sizeof *room, first - over);
    }
}

AMX CDP_INLINE void keep(struct sums *sums)
{
#define KEEP(p) _tile_stored(p, sums->of[p], PANEL * sizeof(int32_t));
    KEEP(0) KEEP(1) KEEP(2) KEEP(3)
#undef KEEP
}

// Finds the rows of a block that pass.
AMX CDP_INLINE void compare(const struct cdp_tile *t, uint32_t first, const struct sums *sums,
                            struct some *some)
{
    _Alignas(64) int32_t limit[BLOCK];
    const int32_t *offset = t->offset;
    __m512i o0 = _mm512_loadu_si512(offset), o1 = _mm512_loadu_si512(offset + PANEL),
            o2 = _mm512_loadu_si512(offset + 2 * PANEL),
            o3 = _mm512_loadu_si512(offset + 3 * PANEL);
    uint32_t left = t->rows - first;
    __mmask16 own = _cvtu32_mask16(left < BLOCK ? (1U << left) - 1 : 0xFFFF);
    _mm512_store_si512(limit, _mm512_sub_epi32(_mm512_maskz_loadu_epi32(own, t->threshold + first),
                                               _mm512_maskz_loadu_epi32(own, t->start + first)));
    for (uint32_t r = 0; r < BLOCK; r++) {
        __m512i a = _mm512_add_epi32(o0, _mm512_load_si512(sums->of[0][r])),
                b = _mm512_add_epi32(o1, _mm512_load_si512(sums->of[1][r])),
                c = _mm512_add_epi32(o2, _mm512_load_si512(sums->of[2][r])),
                d = _mm512_add_epi32(o3, _mm512_load_si512(sums->of[3][r]));
        __m512i most = _mm512_max_epi32(_mm512_max_epi32(a, b), _mm512_max_epi32(c, d));
        __mmask16 passed = _mm512_cmpge_epi32_mask(most, _mm512_set1_epi32(limit[r]));
        // Assembler, since gcc 12 would collect the masks in vectors first.
        __asm__("kmovw %1, %0" : "=m"(some->of[r]) : "k"(passed));
    }
}

AMX CDP_INLINE __m512i scored(const struct cdp_tile *t, const struct sums *sums, uint32_t row,
                              int panel, __m512i start)
{
    __m512i sum = _mm512_load_si512(sums->of[panel][row % BLOCK]);
    sum = _mm512_add_epi32(_mm512_add_epi32(sum, start),
                           _mm512_loadu_si512(t->offset + panel * PANEL));
    if (t->score)
        _mm512_storeu_ps(t->score[row] + panel * PANEL, _mm512_cvtepi32_ps(sum));
    return sum;
}

// The columns that a row passes with.
AMX CDP_INLINE uint64_t columns_of(const struct cdp_tile *t, uint32_t row, const struct sums *sums)
{
    __m512i start = _mm512_set1_epi32(t->start[row]),
            limit = _mm512_set1_epi32(t->threshold[row].product);
#define PASS(panel) _mm512_cmpge_epi32_mask(scored(t, sums, row, panel, start), limit)
    __mmask32 low = _mm512_kunpackw(PASS(1), PASS(0)), high = _mm512_kunpackw(PASS(3), PASS(2));
#undef PASS
    return _cvtmask64_u64(_mm512_kunpackd(high, low));
}

// Writes the rows of a block that pass; returns their number.
AMX CDP_INLINE uint32_t collect(const struct cdp_tile *t, uint32_t block, const struct sums *sums,
                                const struct some *some, struct cdp_hits *hits)
{
    uint32_t left = t->rows - block, count = 0;
    __m256i own = _mm256_load_si256((const __m256i *)some->of);
    uint32_t rows = _cvtmask16_u32(_mm256_test_epi16_mask(own, own));
    uint64_t columns = UINT64_MAX >> (COLUMNS - t->panels * PANEL);
    for (rows &= left < BLOCK ? (1U << left) - 1 : 0xFFFF; rows; rows &= rows - 1) {
        uint32_t row = block + (uint32_t)__builtin_ctz(rows);
        hits[count] = (struct cdp_hits){row, columns_of(t, row, sums) & columns};
        count += hits[count].columns != 0;
    }
    return count;
}

// A pipeline over blocks: multiply one, compare the one before, and collect the hits of the one
// before that. Waiting for sums (some 100 cycles) would delay the next products.
AMX static uint32_t dot_amx(const struct cdp_tile *tile, struct cdp_hits *hits)
{
    if (tile->rows <= FEW)
        return cdp_dot_avx512vnni(tile, hits);
    const struct cdp_tile own = *tile, *t = &own; // a copy, which scores cannot alias
    enum { BEGUN = 3 };                           // blocks in the pipeline
    struct sums sums[BEGUN];
    struct some some[BEGUN];
    uint32_t blocks = (t->rows + BLOCK - 1) / BLOCK, count = 0;
    size_t step = step_of(t->words);
    for (uint32_t b = 0; b < blocks + 2; b++) {
        if (b < blocks)
            multiply(t, b * BLOCK, step);
        if (b > 0 && b <= blocks)
            compare(t, (b - 1) * BLOCK, &sums[(b - 1) % BEGUN], &some[(b - 1) % BEGUN]);
        if (b < blocks)
            keep(&sums[b % BEGUN]);
        if (b > 1)
            count += collect(t, (b - 2) * BLOCK, &sums[(b - 2) % BEGUN], &some[(b - 2) % BEGUN],
                             hits + count);
    }
    return count;
}

const struct cdp_kernel cdp_kernel_amx = {
    .isa = "amx",
    .metric = METRICS(avx2, {NULL, dot_amx, cdp_dot_pairs_avx512vnni}),
    .tile32 = cdp_dot_avx512vnni,
    .cost = {.step = STEP, .each = 16, .all = 8},
    .thresholds = thresholds_avx2,
    .project = cdp_project_avx512,
    .merge = cdp_merge_avx512,
    .begin = begin_amx,
    .end = end_amx,
};
#endif
