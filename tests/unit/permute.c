// SPDX-License-Identifier: MIT
#include "knn/data/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tap.h"

// Each line becomes the one that the permutation names, for any cycles, sizes of lines and number
// of threads.

enum { MOST = 5000, SIZES = 3 };

static const size_t size[SIZES] = {1, 12, 300};

static void scatter(uint32_t *order, uint64_t count)
{
    for (uint64_t i = count; i > 1; i--) {
        uint64_t other = cdp_random(count, i) % i;
        uint32_t own = order[i - 1];
        order[i - 1] = order[other];
        order[other] = own;
    }
}

static unsigned char byte_of(uint64_t line, size_t byte)
{
    return (unsigned char)cdp_random(line, byte);
}

static bool reordered(const uint32_t *order, uint64_t count, int threads)
{
    struct cdp_array arrays[SIZES + 1] = {{NULL, 7}};
    struct cdp_err err;
    bool right = true;
    for (int a = 0; a < SIZES; a++) {
        unsigned char *bytes = malloc(count * size[a] + 1);
        for (uint64_t i = 0; i < count * size[a]; i++)
            bytes[i] = byte_of(i / size[a], i % size[a]);
        bytes[count * size[a]] = 123; // what stands behind the lines
        arrays[a + 1] = (struct cdp_array){bytes, size[a]};
    }
    right &= cdp_permute(arrays, SIZES + 1, count, order, threads, &err) == 0;
    for (int a = 0; a < SIZES; a++) {
        const unsigned char *bytes = arrays[a + 1].first;
        for (uint64_t i = 0; i < count * size[a]; i++)
            right &= bytes[i] == byte_of(order[i / size[a]], i % size[a]);
        right &= bytes[count * size[a]] == 123;
        free(arrays[a + 1].first);
    }
    return right;
}

int main(void)
{
    static const uint64_t counts[] = {0, 1, 2, 511, 512, 513, 1024, MOST};
    bool same = true, next = true, turned = true, pairs = true, any = true;
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        uint64_t n = counts[c];
        uint32_t order[MOST + 1];
        for (int threads = 1; threads <= 3; threads++) {
            for (uint32_t i = 0; i < n; i++)
                order[i] = i;
            same &= reordered(order, n, threads);
            scatter(order, n);
            any &= reordered(order, n, threads);
            for (uint32_t i = 0; i < n; i++)
                order[i] = (uint32_t)((i + 1) % n);
            next &= reordered(order, n, threads);
            for (uint32_t i = 0; i < n; i++)
                order[i] = (uint32_t)(n - 1 - i);
            turned &= reordered(order, n, threads);
            for (uint32_t i = 0; i < n; i++)
                order[i] = i + 1 == n && n % 2 ? i : i ^ 1;
            pairs &= reordered(order, n, threads);
        }
    }
    ok(same, "lines that stay");
    ok(any, "lines anywhere");
    ok(next, "one cycle of all lines");
    ok(turned, "the last line first");
    ok(pairs, "pairs of lines that change places");
    return done();
}
