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

INLINE bool float_tile(const struct cdp_tile *t, float out[ROWS][COLUMNS],
                       vector (*step)(vector, vector, vector))
{
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
                vector value = -sum[r][v];
                memcpy(&out[r][p * PANEL + v * LANES], &value, sizeof value);
            }
        }
    }
    return true;
}

// The bits set in each byte (Warren, Hacker's Delight, section 5-1).
INLINE words8 bits_of_bytes(words8 v)
{
    v -= v >> 1 & 0x55555555;
    v = (v & 0x33333333) + (v >> 2 & 0x33333333);
    return (v + (v >> 4)) & 0x0F0F0F0F;
}

INLINE bool hamming_tile(const struct cdp_tile *t, float out[ROWS][COLUMNS])
{
    enum { RUN = 31 }; // words of 8 bits a byte that a byte can count
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
            vector value = -__builtin_convertvector((mask)sum, vector);
            memcpy(&out[r][v * LANES], &value, sizeof value);
        }
    }
    return true;
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

static bool dot_plain(const struct cdp_tile *t, float out[ROWS][COLUMNS])
{
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
            vector value = __builtin_convertvector(sum, vector);
            memcpy(&out[r][v * LANES], &value, sizeof value);
        }
    }
    return true;
}

static uint64_t test_plain(const struct cdp_test *t, const float product[COLUMNS])
{
    vector row_scale = t->row_scale - (vector){0}, row_offset = t->row_offset - (vector){0},
           row_least = t->row_least - (vector){0};
    mask hit[COLUMNS / LANES], any = {0};
#pragma GCC unroll 8
    for (int v = 0; v < COLUMNS / LANES; v++) {
        vector least = load(t->least + v * LANES);
        mask lower = least < row_least;
        least = (vector)((lower & (mask)least) | (~lower & (mask)row_least));
        vector score = load(product + v * LANES) * (row_scale * load(t->scale + v * LANES)) +
                       load(t->offset + v * LANES);
        hit[v] = ~(score < least + row_offset);
        any |= hit[v];
    }
    quarters q = (quarters)any;
    if (!((q[0] | q[1]) | (q[2] | q[3])))
        return 0;
    uint64_t bits = 0;
    for (int c = 0; c < COLUMNS; c++)
        bits |= (uint64_t)(hit[c / LANES][c % LANES] & 1) << c;
    return bits;
}

static void add_plain(uint64_t *list, uint32_t k, uint64_t entry)
{
    uint32_t at = k;
    while (at > 0 && list[at - 1] > entry)
        at--;
    if (at == k || (at > 0 && list[at - 1] == entry))
        return;
    memmove(list + at + 1, list + at, (k - 1 - at) * sizeof *list);
    list[at] = entry;
}

// The functions of all the above for one instruction set.
#define DEFINE(isa, attribute)                                                              \
    attribute static bool l1_##isa(const struct cdp_tile *t, float out[ROWS][COLUMNS])      \
    {                                                                                       \
        return float_tile(t, out, l1_step);                                                 \
    }                                                                                       \
    attribute static bool linf_##isa(const struct cdp_tile *t, float out[ROWS][COLUMNS])    \
    {                                                                                       \
        return float_tile(t, out, linf_step);                                               \
    }                                                                                       \
    attribute static bool hamming_##isa(const struct cdp_tile *t, float out[ROWS][COLUMNS]) \
    {                                                                                       \
        return hamming_tile(t, out);                                                        \
    }

#define KERNEL(name, isa, test_isa, add_isa, lay_dot, dot_tile)                            \
    {                                                                                      \
        name, {[CDP_COSINE] = {lay_dot, dot_tile}, [CDP_ANGULAR] = {lay_dot, dot_tile},    \
               [CDP_L2] = {lay_dot, dot_tile},     [CDP_L1] = {NULL, l1_##isa},            \
               [CDP_LINF] = {NULL, linf_##isa},    [CDP_HAMMING] = {NULL, hamming_##isa}}, \
            test_isa, add_isa                                                              \
    }

DEFINE(plain, )

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
                                                     float out[ROWS][COLUMNS])
{
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
        for (int r = 0; r < ROWS; r++) {
            for (int c = 0; c < PANEL; c++)
                out[r][p * PANEL + (size_t)c] = (float)sum[r][c];
        }
    }
    return true;
}

__attribute__((target("avx2"))) static uint64_t test_movemask(const struct cdp_test *t,
                                                              const float product[COLUMNS])
{
    __m256 row_scale = _mm256_set1_ps(t->row_scale), row_offset = _mm256_set1_ps(t->row_offset),
           row_least = _mm256_set1_ps(t->row_least);
    uint64_t bits = 0;
#pragma GCC unroll 8
    for (int c = 0; c < COLUMNS; c += LANES) {
        __m256 scale = _mm256_mul_ps(row_scale, _mm256_loadu_ps(t->scale + c));
        __m256 score = _mm256_add_ps(_mm256_mul_ps(_mm256_loadu_ps(product + c), scale),
                                     _mm256_loadu_ps(t->offset + c));
        __m256 least = _mm256_min_ps(row_least, _mm256_loadu_ps(t->least + c));
        __m256 passed = _mm256_cmp_ps(score, _mm256_add_ps(least, row_offset), _CMP_NLT_UQ);
        bits |= (uint64_t)(uint32_t)_mm256_movemask_ps(passed) << c;
    }
    return bits;
}

// ---- AVX-512 VNNI: products of bytes, added by fours, in sums of 32 bits

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))

VNNI static bool dot_avx512vnni(const struct cdp_tile *t, float out[ROWS][COLUMNS])
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
    __m512i a##r = _mm512_set1_epi32(t->start[r]), b##r = a##r, c##r = a##r, d##r = a##r;
#define DOT(sum, y) __asm__("vpdpbusd %1, %2, %0" : "+v"(sum) : "v"(x), "v"(y))
#define ADVANCE(r)                                   \
    {                                                \
        __m512i x = _mm512_set1_epi32((int)x##r[w]); \
        DOT(a##r, y0);                               \
        DOT(b##r, y1);                               \
        DOT(c##r, y2);                               \
        DOT(d##r, y3);                               \
    }
#define SCALED(sum, scale) _mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale)
#define REACHES(r)                                                              \
    {                                                                           \
        __m512 ab = _mm512_max_ps(SCALED(a##r, s0), SCALED(b##r, s1));          \
        __m512 cd = _mm512_max_ps(SCALED(c##r, s2), SCALED(d##r, s3));          \
        __m512 bar = _mm512_set1_ps(t->bar[r]);                                 \
        reached |= _mm512_cmp_ps_mask(_mm512_max_ps(ab, cd), bar, _CMP_NLT_UQ); \
    }
#define END(r)                                                      \
    _mm512_storeu_ps(out[r], _mm512_cvtepi32_ps(a##r));             \
    _mm512_storeu_ps(out[r] + PANEL, _mm512_cvtepi32_ps(b##r));     \
    _mm512_storeu_ps(out[r] + 2 * PANEL, _mm512_cvtepi32_ps(c##r)); \
    _mm512_storeu_ps(out[r] + 3 * PANEL, _mm512_cvtepi32_ps(d##r));
    EACH_ROW(START)
    for (size_t w = 0; w < t->words; w++, y += PANEL) {
        __m512i y0 = _mm512_loadu_si512(y), y1 = _mm512_loadu_si512(y + stride),
                y2 = _mm512_loadu_si512(y + 2 * stride), y3 = _mm512_loadu_si512(y + 3 * stride);
        EACH_ROW(ADVANCE)
    }
    __m512 s0 = _mm512_loadu_ps(t->scale), s1 = _mm512_loadu_ps(t->scale + PANEL),
           s2 = _mm512_loadu_ps(t->scale + 2 * PANEL), s3 = _mm512_loadu_ps(t->scale + 3 * PANEL);
    __mmask16 reached = 0;
    EACH_ROW(REACHES)
    if (!reached)
        return false;
    EACH_ROW(END)
    return true;
#undef EACH_ROW
#undef START
#undef DOT
#undef ADVANCE
#undef REACHES
#undef SCALED
#undef END
}

VNNI static uint64_t test_avx512(const struct cdp_test *t, const float product[COLUMNS])
{
    __m512 row_scale = _mm512_set1_ps(t->row_scale), row_offset = _mm512_set1_ps(t->row_offset),
           row_least = _mm512_set1_ps(t->row_least);
    uint64_t bits = 0;
#pragma GCC unroll 4
    for (int c = 0; c < COLUMNS; c += PANEL) {
        __m512 scale = _mm512_mul_ps(row_scale, _mm512_loadu_ps(t->scale + c));
        __m512 score = _mm512_add_ps(_mm512_mul_ps(_mm512_loadu_ps(product + c), scale),
                                     _mm512_loadu_ps(t->offset + c));
        __m512 least = _mm512_min_ps(row_least, _mm512_loadu_ps(t->least + c));
        __mmask16 passed = _mm512_cmp_ps_mask(score, _mm512_add_ps(least, row_offset), _CMP_NLT_UQ);
        bits |= (uint64_t)passed << c;
    }
    return bits;
}

VNNI static void add_avx512(uint64_t *list, uint32_t k, uint64_t entry)
{
    enum { RUN = 8 };
    __m512i x = _mm512_set1_epi64((long long)entry);
    uint32_t at = 0;
    __mmask8 equal = 0;
    for (uint32_t i = 0; i < k; i += RUN) {
        __mmask8 there = (__mmask8)(k - i < RUN ? (1U << (k - i)) - 1 : 0xFF);
        __m512i run = _mm512_maskz_loadu_epi64(there, list + i);
        equal |= _mm512_mask_cmpeq_epu64_mask(there, run, x);
        at += (uint32_t)__builtin_popcount(_mm512_mask_cmplt_epu64_mask(there, run, x));
    }
    if (at == k || equal)
        return;
    for (uint32_t end = k; end > at + 1;) { // the last ones first
        uint32_t from = end - (at + 1) < RUN ? at + 1 : end - RUN;
        __mmask8 moved = (__mmask8)((1U << (end - from)) - 1);
        _mm512_mask_storeu_epi64(list + from, moved,
                                 _mm512_maskz_loadu_epi64(moved, list + from - 1));
        end = from;
    }
    list[at] = entry;
}
#endif

// ---- choosing

static const struct cdp_kernel kernels[] = {
#ifdef __x86_64__
    KERNEL("avx512vnni", avx2, test_avx512, add_avx512, NULL, dot_avx512vnni),
    KERNEL("avx2", avx2, test_movemask, add_plain, lay_chunks, dot_avx2),
#endif
    KERNEL("plain", plain, test_plain, add_plain, lay_halves, dot_plain),
};

const struct cdp_kernel *cdp_kernel(void)
{
    const struct cdp_kernel *kernel = kernels;
    while (strcmp(kernel->isa, cdp_isa()) != 0)
        kernel++;
    return kernel;
}
