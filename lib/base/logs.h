// SPDX-License-Identifier: MIT
#ifndef CDP_LOGS_H
#define CDP_LOGS_H

#include <stdint.h>
#include <string.h>

// Logarithms and powers of 2 that are the same bits on every machine: C libraries round theirs
// differently, and some choose by the processor.

// A number of 24 bits, as float has them: what is computed by a C library's functions no longer
// depends on their last bits. By bits, since gcc 12 -O3 drops (double)(float)x where it vectorizes
// two of them.
static inline double cdp_round24(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + (1 << 28)) & ~(uint64_t)((1 << 29) - 1);
    memcpy(&x, &bits, sizeof x);
    return x;
}

// Of a normal number above 0; off by at most 1e-15 + 1e-15 |result|. With x = m 2^e, m from
// sqrt(1/2) on, and r = (m - 1) / (m + 1): log2 x = e + 2 atanh(r) / ln 2; |r| is below 0.172, so
// that the first term of the series left out is below 1e-18.
static inline double cdp_log2(double x)
{
    uint64_t bits, root = UINT64_C(0x3FE6A09E667F3BCD); // sqrt(1/2)
    memcpy(&bits, &x, sizeof bits);
    int64_t exponent = (int64_t)(bits - root) >> 52;
    bits -= (uint64_t)exponent << 52;
    memcpy(&x, &bits, sizeof x);
    double r = (x - 1) / (x + 1), q = r * r, sum = 1.0 / 23;
    for (int odd = 21; odd > 0; odd -= 2)
        sum = sum * q + 1.0 / odd;
    return (double)exponent + 2.8853900817779268 * r * sum; // 2 / ln 2
}

// 2^x for x from -1000 to 1000; off by at most 4e-16 of the result. With x = n + f, |f| <= 1/2:
// 2^n times the series of 2^f = sum of (f ln 2)^k / k!, whose first term left out is below 1e-17.
static inline double cdp_exp2(double x)
{
    static const double factor[] = {1.0,
                                    0.6931471805599453,
                                    0.24022650695910072,
                                    0.05550410866482158,
                                    0.009618129107628477,
                                    0.0013333558146428443,
                                    0.0001540353039338161,
                                    1.5252733804059841e-05,
                                    1.321548679014431e-06,
                                    1.01780860092397e-07,
                                    7.054911620801123e-09,
                                    4.4455382718708116e-10,
                                    2.5678435993488206e-11,
                                    1.3691488853904128e-12,
                                    6.778726354822545e-14};
    int64_t whole = (int64_t)(x < 0 ? x - 0.5 : x + 0.5);
    double f = x - (double)whole, sum = 0;
    for (int k = sizeof factor / sizeof *factor - 1; k >= 0; k--)
        sum = sum * f + factor[k];
    uint64_t bits = (uint64_t)(whole + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}

#endif
