// SPDX-License-Identifier: MIT
#include "knn/kernel.h"

#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "base/isa.h"

enum {
    ROWS = CDP_TILE_ROWS,
    COLUMNS = CDP_TILE_COLUMNS,
    PANEL = CDP_PANEL_COLUMNS,
    CHUNK = CDP_DOT_CHUNK
};

#define INLINE static inline __attribute__((always_inline))

// ---- written with the compiler's vectors, for every instruction set

typedef float vector __attribute__((vector_size(32)));
typedef int32_t mask __attribute__((vector_size(32)));
typedef uint32_t words8 __attribute__((vector_size(32)));
typedef uint16_t halves16 __attribute__((vector_size(32)));
typedef int16_t signed16 __attribute__((vector_size(32)));
typedef uint64_t quarters __attribute__((vector_size(32)));
enum { LANES = 8, VECTORS = PANEL / LANES };

INLINE vector load(const void *at)
{
    vector v;
    memcpy(&v, at, sizeof v);
    return v;
}

// Bit i: whether the lanes' number i is all ones.
INLINE uint64_t bits_of(mask lanes)
{
    mask bit = lanes & (mask){1, 2, 4, 8, 16, 32, 64, 128};
    quarters q = (quarters)bit;
    uint64_t both = (q[0] | q[1]) | (q[2] | q[3]);
    return (both | both >> 32) & 0xFF;
}

INLINE float as_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

INLINE vector magnitude(vector v)
{
    return (vector)((mask)v & 0x7FFFFFFF);
}

INLINE vector l1_step(vector sum, vector x, vector y)
{
    return sum + magnitude(x - y);
}

INLINE vector linf_step(vector sum, vector x, vector y)
{
    vector apart = magnitude(x - y);
    mask larger = apart > sum;
    return (vector)((larger & (mask)apart) | (~larger & (mask)sum));
}

INLINE bool float_tile(const struct cdp_tile *t, uint64_t passed[ROWS],
                       vector (*step)(vector, vector, vector))
{
    uint64_t any = 0;
    memset(passed, 0, ROWS * sizeof *passed);
    for (size_t p = 0; p < COLUMNS / PANEL; p++) {
        const uint32_t *item = t->panel + p * PANEL * t->words;
        vector sum[ROWS][VECTORS] = {0};
        for (size_t w = 0; w < t->words; w++, item += PANEL) {
            vector y0 = load(item), y1 = load(item + LANES);
#pragma GCC unroll 6
            for (int r = 0; r < ROWS; r++) {
                vector x = as_float(t->row[r][w]) - (vector){0};
                sum[r][0] = step(sum[r][0], x, y0);
                sum[r][1] = step(sum[r][1], x, y1);
            }
        }
        for (int r = 0; r < ROWS; r++) {
            for (size_t v = 0; v < VECTORS; v++) {
                size_t c = p * PANEL + v * LANES;
                vector score = -sum[r][v];
                uint64_t here = bits_of(~(score < t->bar[r].score));
                passed[r] |= here << c;
            }
            any |= passed[r];
        }
    }
    return any;
}

INLINE float float_pair(const uint32_t *x, const uint32_t *y, size_t words,
                        vector (*step)(vector, vector, vector))
{
    vector sum = {0};
    size_t w = 0;
    for (; w + LANES <= words; w += LANES)
        sum = step(sum, load(x + w), load(y + w));
    if (w < words) {
        float a[LANES] = {0}, b[LANES] = {0};
        memcpy(a, x + w, (words - w) * sizeof *x);
        memcpy(b, y + w, (words - w) * sizeof *y);
        sum = step(sum, load(a), load(b));
    }
    vector all = {0};
    for (int lane = 0; lane < LANES; lane++)
        all = step(all, (vector){sum[lane]}, (vector){0});
    return -all[0];
}

INLINE bool l1_tile(const struct cdp_tile *t, uint64_t passed[ROWS])
{
    return float_tile(t, passed, l1_step);
}

INLINE bool linf_tile(const struct cdp_tile *t, uint64_t passed[ROWS])
{
    return float_tile(t, passed, linf_step);
}

INLINE float l1_pair(const uint32_t *x, const uint32_t *y, size_t words)
{
    return float_pair(x, y, words, l1_step);
}

INLINE float linf_pair(const uint32_t *x, const uint32_t *y, size_t words)
{
    return float_pair(x, y, words, linf_step);
}

// The bits set in each byte (Warren, Hacker's Delight, section 5-1).
INLINE words8 bits_of_bytes(words8 v)
{
    v -= v >> 1 & 0x55555555;
    v = (v & 0x33333333) + (v >> 2 & 0x33333333);
    return (v + (v >> 4)) & 0x0F0F0F0F;
}

INLINE bool hamming_tile(const struct cdp_tile *t, uint64_t passed[ROWS])
{
    enum { RUN = 31 }; // words of 8 bits a byte that a byte can count
    uint64_t any = 0;
    memset(passed, 0, ROWS * sizeof *passed);
    for (size_t v = 0; v < COLUMNS / LANES; v++) {
        const uint32_t *item = t->panel + v / VECTORS * PANEL * t->words + v % VECTORS * LANES;
        for (int r = 0; r < ROWS; r++) {
            words8 sum = {0};
            for (size_t from = 0; from < t->words; from += RUN) {
                words8 bytes = {0};
                for (size_t w = from; w < t->words && w < from + RUN; w++)
                    bytes += bits_of_bytes(t->row[r][w] ^ (words8)load(item + w * PANEL));
                bytes = (bytes & 0x00FF00FF) + (bytes >> 8 & 0x00FF00FF);
                sum += (bytes & 0xFFFF) + (bytes >> 16);
            }
            vector score = -__builtin_convertvector((mask)sum, vector);
            uint64_t here = bits_of(~(score < t->bar[r].score));
            passed[r] |= here << (v * LANES);
            any |= passed[r];
        }
    }
    return any;
}

INLINE float hamming_pair(const uint32_t *x, const uint32_t *y, size_t words)
{
    uint32_t bits = 0;
    for (size_t w = 0; w < words; w++) {
        uint32_t bytes = bits_of_bytes(x[w] ^ y[w] ^ (words8){0})[0];
        bits += bytes * UINT32_C(0x01010101) >> 24;
    }
    return -(float)bits;
}

INLINE float dot_pair(const uint32_t *x, const uint32_t *y, size_t words)
{
    const int8_t *a = (const int8_t *)x, *b = (const int8_t *)y;
    int32_t sum = 0;
    for (size_t i = 0; i < 4 * words; i++)
        sum += a[i] * b[i];
    return (float)sum;
}

// For the dot product without instructions of its own: the even and the odd bytes as 16-bit
// numbers.
static size_t lay_halves(const uint32_t *row, size_t words, uint32_t *out)
{
    for (size_t w = 0; out && w < words; w++) {
        int8_t b[4];
        memcpy(b, &row[w], sizeof b);
        int16_t halves[4] = {b[0], b[2], b[1], b[3]};
        memcpy(&out[2 * w], halves, sizeof halves);
    }
    return 2 * words;
}

static bool dot_plain(const struct cdp_tile *t, uint64_t passed[ROWS])
{
    uint64_t any = 0;
    memset(passed, 0, ROWS * sizeof *passed);
    for (size_t v = 0; v < COLUMNS / LANES; v++) {
        const uint32_t *item = t->panel + v / VECTORS * PANEL * t->words + v % VECTORS * LANES;
        for (int r = 0; r < ROWS; r++) {
            mask sum = {0};
            for (size_t from = 0; from < t->words; from += CHUNK) {
                halves16 part = {0};
                for (size_t w = from; w < t->words && w < from + CHUNK; w++) {
                    halves16 y = (halves16)((words8)load(item + w * PANEL) ^ CDP_DOT_FLIP);
                    halves16 even = (halves16)((signed16)(y << 8) >> 8);
                    halves16 odd = (halves16)((signed16)y >> 8);
                    halves16 x_even = (halves16)(t->row[r][2 * w] + (words8){0});
                    halves16 x_odd = (halves16)(t->row[r][2 * w + 1] + (words8){0});
                    part += even * x_even + odd * x_odd;
                }
                sum += ((mask)((words8)part << 16) >> 16) + ((mask)part >> 16);
            }
            sum += (mask)load(t->offset + v * LANES);
            uint64_t here = bits_of(sum >= t->bar[r].product);
            passed[r] |= here << (v * LANES);
            any |= passed[r];
        }
    }
    return any;
}

INLINE int32_t integer_of(float x)
{
    x = x > -0x1p30F ? x : -0x1p30F;
    return (int32_t)(x < 0x1p30F ? x : 0x1p30F);
}

INLINE void bars(const struct cdp_asking *a, union cdp_bar *bar)
{
    const float *reach = a->reach, *error = a->error, *square = a->square;
    float most_reach = a->most_reach, most_error = a->most_error;
    for (size_t i = 0; i < a->count; i++) {
        float apart = (reach[i] > most_reach ? reach[i] : most_reach) + error[i] + most_error;
        float low = (square[i] * (1 - 0x1p-21F) - apart * apart * (1 + 0x1p-20F)) * 0.5F - 2;
        bar[i].product = integer_of(low);
    }
}

INLINE void project(const float *row, size_t count, size_t dim, const float *directions,
                    size_t width, float *out)
{
    enum { TOGETHER = 4 };
    for (size_t r = 0; r < count; r += TOGETHER) {
        const float *x[TOGETHER];
        for (size_t i = 0; i < TOGETHER; i++)
            x[i] = row + (r + i < count ? r + i : r) * dim;
        for (size_t at = 0; at < width; at += PANEL) {
            vector sum[TOGETHER][VECTORS] = {0};
            const float *line = directions + at;
            for (size_t d = 0; d < dim; d++, line += width) {
                vector y0 = load(line), y1 = load(line + LANES);
#pragma GCC unroll 4
                for (int i = 0; i < TOGETHER; i++) {
                    sum[i][0] += x[i][d] * y0;
                    sum[i][1] += x[i][d] * y1;
                }
            }
            for (size_t i = 0; i < TOGETHER && r + i < count; i++)
                memcpy(out + (r + i) * width + at, sum[i], sizeof sum[i]);
        }
    }
}

static void add(uint64_t *list, uint32_t k, uint64_t entry)
{
    uint32_t at = 0, end = k;
    while (at < end) {
        uint32_t middle = (at + end) / 2;
        if (list[middle] < entry)
            at = middle + 1;
        else
            end = middle;
    }
    if (at == k || list[at] == entry)
        return;
    memmove(list + at + 1, list + at, (k - 1 - at) * sizeof *list);
    list[at] = entry;
}

static void merge_plain(uint64_t *list, uint32_t k, const uint64_t *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(list, k, entries[i]);
}

// The functions of all the above for one instruction set.
#define TILE_AND_PAIRS(metric, isa, attribute)                                            \
    attribute static bool metric##_##isa(const struct cdp_tile *t, uint64_t passed[ROWS]) \
    {                                                                                     \
        return metric##_tile(t, passed);                                                  \
    }                                                                                     \
    PAIRS(metric, isa, attribute)
#define PAIRS(metric, isa, attribute)                                                       \
    attribute static void metric##_pairs_##isa(const uint32_t *x, const uint32_t *const *y, \
                                               size_t count, size_t words, float *out)      \
    {                                                                                       \
        for (size_t i = 0; i < count; i++)                                                  \
            out[i] = metric##_pair(x, y[i], words);                                         \
    }
#define DEFINE(isa, attribute)                                                             \
    TILE_AND_PAIRS(l1, isa, attribute)                                                     \
    TILE_AND_PAIRS(linf, isa, attribute)                                                   \
    TILE_AND_PAIRS(hamming, isa, attribute)                                                \
    attribute static void bars_##isa(const struct cdp_asking *asking, union cdp_bar *bar)  \
    {                                                                                      \
        bars(asking, bar);                                                                 \
    }                                                                                      \
    attribute static void project_##isa(const float *row, size_t count, size_t dim,        \
                                        const float *directions, size_t width, float *out) \
    {                                                                                      \
        project(row, count, dim, directions, width, out);                                  \
    }

#define KERNEL(name, isa, project, merge, lay_dot, dot_tile, dot_pairs)   \
    {                                                                     \
        name,                                                             \
            {[CDP_COSINE] = {lay_dot, dot_tile, dot_pairs},               \
             [CDP_ANGULAR] = {lay_dot, dot_tile, dot_pairs},              \
             [CDP_L2] = {lay_dot, dot_tile, dot_pairs},                   \
             [CDP_L1] = {NULL, l1_##isa, l1_pairs_##isa},                 \
             [CDP_LINF] = {NULL, linf_##isa, linf_pairs_##isa},           \
             [CDP_HAMMING] = {NULL, hamming_##isa, hamming_pairs_##isa}}, \
            bars_##isa, project, merge                                    \
    }

DEFINE(plain, )
PAIRS(dot, plain, )

#ifdef __x86_64__
DEFINE(avx2, __attribute__((target("avx2"))))

// ---- AVX2: products of bytes, added in pairs, in sums of 16 bits

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

__attribute__((target("avx2"))) INLINE __m256i broadcast(const uint32_t *at)
{
    return _mm256_set1_epi32((int)*at);
}

__attribute__((target("avx2"))) INLINE void widen_sums(int32_t sum[LANES], __m256i part)
{
    __m256i pairs = _mm256_madd_epi16(part, _mm256_set1_epi16(1));
    __m256i all = _mm256_add_epi32(_mm256_load_si256((__m256i *)sum), pairs);
    _mm256_store_si256((__m256i *)sum, all);
}

__attribute__((target("avx2"))) static bool dot_avx2(const struct cdp_tile *t,
                                                     uint64_t passed[ROWS])
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

__attribute__((target("avx2"))) INLINE __m256i madd_halves(const void *x, const void *y)
{
    return _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)x)),
                             _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)y)));
}

__attribute__((target("avx2"))) INLINE float madd_pair(const uint32_t *x, const uint32_t *y,
                                                       size_t words)
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

PAIRS(madd, avx2, __attribute__((target("avx2"))))

// ---- AVX-512 VNNI: products of bytes, added by fours, in sums of 32 bits

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))

VNNI static bool dot_avx512vnni(const struct cdp_tile *t, uint64_t passed[ROWS])
{
    size_t stride = t->words * PANEL;
    const uint32_t *y = t->panel;
    // One variable an accumulator and the instruction by name: given an array or the intrinsic, gcc
    // 12 keeps the sums in memory.
#define EACH_ROW(do) \
    do               \
    (0) do(1) do(2) do(3) do(4) do(5)
#define START(r)                      \
    const uint32_t *x##r = t->row[r]; \
    __m512i a##r = o0, b##r = o1, c##r = o2, d##r = o3;
#define DOT(sum, y) __asm__("vpdpbusd %1, %2, %0" : "+v"(sum) : "v"(x), "v"(y))
#define ADVANCE(r)                                   \
    {                                                \
        __m512i x = _mm512_set1_epi32((int)x##r[w]); \
        DOT(a##r, y0);                               \
        DOT(b##r, y1);                               \
        DOT(c##r, y2);                               \
        DOT(d##r, y3);                               \
    }
// Most tiles let no pair pass: the largest of a row's sums tells.
#define LARGEST(r)                                                                    \
    __m512i bar##r = _mm512_set1_epi32(t->bar[r].product - t->start[r]);              \
    __m512i most##r =                                                                 \
        _mm512_max_epi32(_mm512_max_epi32(a##r, b##r), _mm512_max_epi32(c##r, d##r)); \
    any |= _mm512_cmpge_epi32_mask(most##r, bar##r);
// Bit c: whether the sum of column c less the bar is not negative, by its sign, packed.
#define END(r)                                                                        \
    {                                                                                 \
        __m512i low = _mm512_packs_epi32(_mm512_sub_epi32(a##r, bar##r),              \
                                         _mm512_sub_epi32(b##r, bar##r)),             \
                high = _mm512_packs_epi32(_mm512_sub_epi32(c##r, bar##r),             \
                                          _mm512_sub_epi32(d##r, bar##r)),            \
                all = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(low, high)); \
        passed[r] = ~_cvtmask64_u64(_mm512_movepi8_mask(all));                        \
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
    if (!any) {
        memset(passed, 0, ROWS * sizeof *passed);
        return false;
    }
    // Packing takes a quarter of each vector in turn.
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    EACH_ROW(END)
    return true;
#undef EACH_ROW
#undef START
#undef DOT
#undef ADVANCE
#undef LARGEST
#undef END
}

// x.y by x.(y + 128) - 128.x, four pairs at a time.
VNNI static void dot_pairs_avx512vnni(const uint32_t *x, const uint32_t *const *y, size_t count,
                                      size_t words, float *out)
{
    enum { TOGETHER = 4 };
    const __m512i flip = _mm512_set1_epi32((int)CDP_DOT_FLIP);
    __mmask16 all = 0xFFFF, last = words % PANEL ? (__mmask16)((1U << words % PANEL) - 1) : all;
    __m512i sums = _mm512_setzero_si512();
    for (size_t w = 0; w < words; w += PANEL) {
        __m512i own = _mm512_maskz_loadu_epi32(words - w < PANEL ? last : all, x + w);
        sums = _mm512_dpbusd_epi32(sums, flip, own);
    }
    __m128i excess = _mm_set1_epi32(_mm512_reduce_add_epi32(sums));
    for (size_t i = 0; i < count; i += TOGETHER) {
        const uint32_t *at[TOGETHER];
        __m512i sum[TOGETHER];
#pragma GCC unroll 4
        for (size_t j = 0; j < TOGETHER; j++) {
            at[j] = y[i + j < count ? i + j : i];
            sum[j] = _mm512_setzero_si512();
        }
        size_t w = 0;
        for (; w + PANEL <= words; w += PANEL) {
            __m512i own = _mm512_loadu_si512(x + w);
#pragma GCC unroll 4
            for (size_t j = 0; j < TOGETHER; j++)
                sum[j] = _mm512_dpbusd_epi32(
                    sum[j], _mm512_xor_si512(_mm512_loadu_si512(at[j] + w), flip), own);
        }
        if (w < words) {
            __m512i own = _mm512_maskz_loadu_epi32(last, x + w);
#pragma GCC unroll 4
            for (size_t j = 0; j < TOGETHER; j++) {
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
        float product[TOGETHER];
        _mm_storeu_ps(product, _mm_cvtepi32_ps(_mm_sub_epi32(whole, excess)));
        for (size_t j = 0; j < TOGETHER && i + j < count; j++)
            out[i + j] = product[j];
    }
}

VNNI static void project_avx512(const float *row, size_t count, size_t dim, const float *directions,
                                size_t width, float *out)
{
    enum { TOGETHER = 8 };
    for (size_t r = 0; r < count; r += TOGETHER) {
        const float *x[TOGETHER];
        for (size_t i = 0; i < TOGETHER; i++)
            x[i] = row + (r + i < count ? r + i : r) * dim;
        for (size_t at = 0; at < width; at += PANEL) {
            __m512 sum[TOGETHER];
#pragma GCC unroll 8
            for (int i = 0; i < TOGETHER; i++)
                sum[i] = _mm512_setzero_ps();
            const float *line = directions + at;
            for (size_t d = 0; d < dim; d++, line += width) {
                __m512 y = _mm512_loadu_ps(line);
#pragma GCC unroll 8
                for (int i = 0; i < TOGETHER; i++)
                    sum[i] = _mm512_add_ps(sum[i], _mm512_mul_ps(_mm512_set1_ps(x[i][d]), y));
            }
#pragma GCC unroll 8
            for (size_t i = 0; i < TOGETHER; i++) {
                if (r + i < count)
                    _mm512_storeu_ps(out + (r + i) * width + at, sum[i]);
            }
        }
    }
}

enum { RUN = 8, MOST = 20 };

// Which entries of run i belong to a list of k.
VNNI INLINE __mmask8 own_of(uint32_t k, uint32_t i)
{
    uint32_t left = k > i * RUN ? k - i * RUN : 0;
    return (__mmask8)(left < RUN ? (1U << left) - 1 : 0xFF);
}

// A list of at most RUNS x 8 is kept in registers. With an entry added, number i of an ascending
// list is the least of number i and the larger of number i - 1 and the entry.
VNNI INLINE void merge_runs(uint64_t *list, uint32_t k, const uint64_t *entries, size_t count,
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

VNNI static void merge_avx512(uint64_t *list, uint32_t k, const uint64_t *entries, size_t count)
{
    if (count == 0)
        return;
    if (k <= RUN)
        merge_runs(list, k, entries, count, 1);
    else if (k <= 2 * RUN)
        merge_runs(list, k, entries, count, 2);
    else if (k <= 3 * RUN)
        merge_runs(list, k, entries, count, 3);
    else if (k <= 6 * RUN)
        merge_runs(list, k, entries, count, 6);
    else if (k <= MOST * RUN)
        merge_runs(list, k, entries, count, MOST);
    else
        merge_plain(list, k, entries, count);
}
#endif

// ---- choosing

static const struct cdp_kernel kernels[] = {
#ifdef __x86_64__
    KERNEL("avx512vnni", avx2, project_avx512, merge_avx512, NULL, dot_avx512vnni,
           dot_pairs_avx512vnni),
    KERNEL("avx2", avx2, project_avx2, merge_plain, lay_chunks, dot_avx2, madd_pairs_avx2),
#endif
    KERNEL("plain", plain, project_plain, merge_plain, lay_halves, dot_plain, dot_pairs_plain),
};

const struct cdp_kernel *cdp_kernel(void)
{
    const struct cdp_kernel *kernel = kernels;
    while (strcmp(kernel->isa, cdp_isa()) != 0)
        kernel++;
    return kernel;
}
