// SPDX-License-Identifier: MIT
// peak [THREADS]: prints the peak rate of this processor with THREADS threads (1), in 10^9
// multiply-adds a second, a line a unit: int8, bfloat16 and float32. The neighbour search is
// compared with it. int8 uses AVX-512 VNNI, or AVX2 with 16-bit sums where VNNI is missing; and AMX
// as a line of its own.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef __x86_64__
#include <cpuid.h>
#include <stdint.h>

#include "base/isa.h"

enum { CHAINS = 12, ROUNDS = 50 * 1000 * 1000 };

// A loop of twelve independent chains in assembly, so that compilers cannot change it.
#define TWELVE(step)                                                                          \
    step("0") step("1") step("2") step("3") step("4") step("5") step("6") step("7") step("8") \
        step("9") step("10") step("11")
#define DEFINE(name, step)                                                                        \
    static void name(void)                                                                        \
    {                                                                                             \
        long rounds = ROUNDS;                                                                     \
        __asm__ volatile("vzeroall\n1:\n\t" TWELVE(step) "dec %0\n\tjnz 1b"                       \
                         : "+r"(rounds)                                                           \
                         :                                                                        \
                         : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",  \
                           "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"); \
    }

#define FMA_FLOAT(sum) "vfmadd231ps %%ymm12, %%ymm13, %%ymm" sum "\n\t"
#define FMA_FLOAT_512(sum) "vfmadd231ps %%zmm12, %%zmm13, %%zmm" sum "\n\t"
#define FMA_BF16(sum) "vdpbf16ps %%zmm12, %%zmm13, %%zmm" sum "\n\t"
#define BYTES_AVX2(sum) \
    "vpmaddubsw %%ymm12, %%ymm13, %%ymm14\n\tvpaddw %%ymm14, %%ymm" sum ", %%ymm" sum "\n\t"
#define BYTES_VNNI(sum) "vpdpbusd %%zmm12, %%zmm13, %%zmm" sum "\n\t"

DEFINE(fma_float, FMA_FLOAT)
DEFINE(fma_float_512, FMA_FLOAT_512)
DEFINE(fma_bf16, FMA_BF16)
DEFINE(bytes_avx2, BYTES_AVX2)
DEFINE(bytes_vnni, BYTES_VNNI)

// A step multiplies two tiles of 16 x 64 bytes into 16 x 16 sums; there are four tiles of sums. It
// takes about 32 times as long as a step of the other loops, so there are ROUNDS / 32 rounds.
static void bytes_amx(void)
{
    struct {
        uint8_t palette, restart, reserved[14];
        uint16_t bytes[16];
        uint8_t lines[16];
    } shapes = {.palette = 1};
    long rounds = ROUNDS / 32;
    for (int i = 0; i < 8; i++) {
        shapes.bytes[i] = 64;
        shapes.lines[i] = 16;
    }
#define DOT_AMX(sum) "tdpbssd %%tmm4, %%tmm5, %%tmm" sum "\n\t"
#define FOUR_AMX DOT_AMX("0") DOT_AMX("1") DOT_AMX("2") DOT_AMX("3")
    __asm__ volatile("ldtilecfg %1\n1:\n\t" FOUR_AMX FOUR_AMX FOUR_AMX
                     "dec %0\n\tjnz 1b\n\ttilerelease"
                     : "+r"(rounds)
                     : "m"(shapes)
                     : "cc");
}

static double rate(void (*work)(void), int products, int threads)
{
    double best = 0;
    for (int run = 0; run < 3; run++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
#pragma omp parallel num_threads(threads)
        work();
        clock_gettime(CLOCK_MONOTONIC, &end);
        double seconds =
            (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
        double found = (double)ROUNDS * CHAINS * products * threads / seconds / 1e9;
        best = found > best ? found : best;
    }
    return best;
}

// gcc and clang have no common name of this feature for __builtin_cpu_supports.
static int has_bf16(void)
{
    unsigned a, b, c, d;
    return __builtin_cpu_supports("avx512f") && __get_cpuid_count(7, 1, &a, &b, &c, &d) &&
           (a >> 5 & 1);
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    if (threads < 1)
        return 2;
    if (__builtin_cpu_supports("avx512vnni"))
        printf("int8 (AVX-512 VNNI)\t%.1f\n", rate(bytes_vnni, 64, threads));
    else if (__builtin_cpu_supports("avx2"))
        printf("int8 (AVX2)\t%.1f\n", rate(bytes_avx2, 32, threads));
    if (cdp_isa() == CDP_ISA_AMX)
        printf("int8 (AMX)\t%.1f\n", rate(bytes_amx, 16 * 16 * 64 / 32, threads));
    if (has_bf16())
        printf("bfloat16 (AVX-512 BF16)\t%.1f\n", rate(fma_bf16, 32, threads));
    double single = 0;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        single = rate(fma_float, 8, threads);
    // Some processors split 512-bit operations into two.
    double wide = __builtin_cpu_supports("avx512f") ? rate(fma_float_512, 16, threads) : 0;
    if (single > 0 || wide > 0)
        printf("float32\t%.1f\n", wide > single ? wide : single);
}
#else
int main(void)
{
    puts("not measured on this processor");
}
#endif
