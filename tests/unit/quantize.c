// SPDX-License-Identifier: MIT
#include "knn/data/sketch.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/random.h"
#include "knn/kernel/kernel.h"
#include "tap.h"

// Quantization of any number of numbers, whatever is behind them in memory.

enum { MOST = 200, BEHIND = 16 };

static double v[MOST + BEHIND], w[MOST + BEHIND];
static float x[MOST + BEHIND], y[MOST + BEHIND];
static int8_t q[MOST + BEHIND];

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fabs(b);
}

static void check(size_t dim)
{
    const struct cdp_quantizer *quantizer = cdp_quantizer();
    double square, most = 0, wanted_square = 0;
    for (size_t d = 0; d < MOST + BEHIND; d++) {
        x[d] = (float)((double)cdp_random(dim, d) * 0x1p-63 - 1) * (d < dim ? 1 : 1e6F);
        v[d] = (double)x[d];
        q[d] = 99;
        y[d] = 99;
        if (d < dim) {
            most = fmax(most, fabs(v[d]));
            wanted_square += v[d] * v[d];
        }
    }
    double scale = quantizer->pair_scale(v, dim, &square);
    ok(near(square, wanted_square) && scale >= most / INT8_MAX && scale < most / INT8_MAX * 1.01,
       "%zu numbers: the square, and the finest scale", dim);

    struct cdp_quantized b = quantizer->quantize(v, dim, scale, q);
    struct cdp_quantized wanted = {0};
    bool right = true;
    for (size_t d = 0; d < dim; d++) {
        double whole = nearbyint(v[d] * (1 / scale)), e = v[d] - scale * whole;
        right &= q[d] == (int8_t)whole;
        wanted.sum += (int32_t)whole;
        wanted.square += (int32_t)(whole * whole);
        wanted.residual += e * e;
    }
    right &= q[dim] == 99 && q[dim + 1] == 99;
    ok(right, "bytes, and none behind them");
    ok(b.sum == wanted.sum && b.square == wanted.square && near(b.residual, wanted.residual),
       "what they sum up to");

    scale = quantizer->tile_scale(v, dim, &square);
    quantizer->quantize(v, dim, scale, q);
    double pair = 0, longest = 0;
    for (size_t d = 0; d < dim; d += 4 * CDP_DOT_CHUNK) {
        int32_t half[2] = {0};
        for (size_t i = d; i < dim && i < d + 4 * CDP_DOT_CHUNK; i++) {
            half[i / 2 % 2] += q[i] * q[i];
            if (i % 2 == 1)
                pair = fmax(pair, abs(q[i]) + abs(q[i - 1]));
        }
        longest = fmax(longest, fmax(half[0], half[1]));
    }
    ok(near(square, wanted_square) && pair <= CDP_DOT_PAIR &&
           longest <= CDP_DOT_LENGTH * CDP_DOT_LENGTH && longest + pair > 0,
       "a scale that keeps the limits: %g, %g", pair, sqrt(longest));

    memcpy(w, v, sizeof v);
    quantizer->add(w, dim, scale, q);
    quantizer->round12(v, dim, y);
    right = w[dim] == v[dim] && y[dim] == 99;
    for (size_t d = 0; d < dim; d++)
        right &= w[d] == v[d] + scale * q[d] && y[d] == cdp_round12(v[d]);
    ok(right, "bytes added, and numbers shortened");
    quantizer->center(x, dim, 0.7, v, w);
    right = w[dim] == v[dim];
    for (size_t d = 0; d < dim; d++)
        right &= w[d] == 0.7 * (double)x[d] - v[d];
    ok(right, "numbers placed");
}

int main(void)
{
    const size_t dims[] = {1, 2, 7, 8, 9, 63, 64, 65, 77, 128, 131, MOST};
    for (int isa = CDP_ISA_PLAIN; isa < CDP_ISAS; isa++) {
        const char *name = cdp_isa_name((enum cdp_isa)isa);
        setenv("CDP_ISA", name, 1);
        if ((int)cdp_isa() != isa) {
            ok(true, "%s # SKIP not on this processor", name);
            continue;
        }
        for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
            check(dims[i]);
    }
    return done();
}
