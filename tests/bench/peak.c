// SPDX-License-Identifier: MIT
// peak: the most multiply-adds a second that one thread of this processor does, in billions, of
// bytes and of single-precision numbers: what the neighbour search is held against. Bytes are
// multiplied by AVX-512 VNNI where there, else by AVX2 in 16-bit sums, which is the faster way
// there.
#include <stdio.h>
#include <time.h>

#ifdef __x86_64__
#include <immintrin.h>

enum { CHAINS = 12, ROUNDS = 50 * 1000 * 1000 };

// Twelve independent chains of an instruction sequence, a round.
#define DEFINE(name, isa, type, zero, sequence)                                             \
    __attribute__((target(isa))) static void name(void)                                     \
    {                                                                                       \
        type x = zero, y = zero, sum[CHAINS];                                               \
        for (int c = 0; c < CHAINS; c++)                                                    \
            sum[c] = zero;                                                                  \
        for (int r = 0; r < ROUNDS; r++) {                                                  \
            _Pragma("GCC unroll 12") for (int c = 0; c < CHAINS; c++)                       \
            {                                                                               \
                type product;                                                               \
                __asm__ volatile(sequence : "+v"(sum[c]), "=&v"(product) : "v"(x), "v"(y)); \
            }                                                                               \
        }                                                                                   \
    }

DEFINE(fma_float, "avx2,fma", __m256, _mm256_setzero_ps(), "vfmadd231ps %2, %3, %0")
DEFINE(bytes_avx2, "avx2", __m256i, _mm256_setzero_si256(),
       "vpmaddubsw %2, %3, %1\n\tvpaddw %1, %0, %0")
DEFINE(bytes_vnni, "avx512f,avx512bw,avx512vnni", __m512i, _mm512_setzero_si512(),
       "vpdpbusd %2, %3, %0")

static double rate(void (*work)(void), int products)
{
    double best = 0;
    for (int run = 0; run < 3; run++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        work();
        clock_gettime(CLOCK_MONOTONIC, &end);
        double seconds =
            (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
        double found = (double)ROUNDS * CHAINS * products / seconds / 1e9;
        best = found > best ? found : best;
    }
    return best;
}

int main(void)
{
    if (__builtin_cpu_supports("avx512vnni"))
        printf("bytes (AVX-512 VNNI) %.1f, ", rate(bytes_vnni, 64));
    else if (__builtin_cpu_supports("avx2"))
        printf("bytes (AVX2) %.1f, ", rate(bytes_avx2, 32));
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        printf("single precision %.1f", rate(fma_float, 8));
    putchar('\n');
}
#else
int main(void)
{
    puts("not measured on this processor");
}
#endif
