// SPDX-License-Identifier: MIT
// peak: the most single-precision multiply-adds a second that one thread of this processor does, in
// billions: what the neighbour search is held against.
#include <stdio.h>
#include <time.h>

typedef float vector __attribute__((vector_size(32)));
enum { CHAINS = 12, LANES = 8, ROUNDS = 50 * 1000 * 1000 };

#ifdef __x86_64__
__attribute__((target("avx2,fma")))
#endif
static float
multiply_add(float x)
{
    vector sum[CHAINS], factor = x - (vector){0};
    for (int c = 0; c < CHAINS; c++)
        sum[c] = (float)c - (vector){0};
    for (int r = 0; r < ROUNDS; r++) {
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; c++)
            sum[c] = sum[c] * factor + factor;
    }
    vector total = {0};
    for (int c = 0; c < CHAINS; c++)
        total += sum[c];
    return total[0];
}

int main(void)
{
    double best = 0;
    for (int run = 0; run < 5; run++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        volatile float result = multiply_add(0.999F);
        (void)result;
        clock_gettime(CLOCK_MONOTONIC, &end);
        double seconds =
            (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
        double rate = (double)ROUNDS * CHAINS * LANES / seconds / 1e9;
        best = rate > best ? rate : best;
    }
    printf("%.1f\n", best);
}
