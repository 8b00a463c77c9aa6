// SPDX-License-Identifier: MIT
#ifndef CDP_RANDOM_H
#define CDP_RANDOM_H

#include <stdint.h>

// Counter-based random numbers: value `index` of the stream `seed`, independent of threads and
// order. The mixer is splitmix64's (Steele, Lea, Flood: Fast splittable pseudorandom
// number generators, OOPSLA 2014).
static inline uint64_t cdp_random(uint64_t seed, uint64_t index)
{
    uint64_t x = seed + (index + 1) * UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

#endif
