// SPDX-License-Identifier: MIT
#include "base/sums.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/random.h"
#include "tap.h"

// What sums promise: by each instruction set the same bits, those of eight sums side by side that
// are joined pairwise, whatever is summed beside them, and whatever stands behind a row.

enum { MOST = 100, PAIRS = 9, SIDE = 8 };

static double product(double sum, double a, double b)
{
    return sum + a * b;
}

static double square(double sum, double a, double b)
{
    double apart = a - b, term = apart * apart;
    return sum + term;
}

static double absolute(double sum, double a, double b)
{
    return sum + fabs(a - b);
}

static double largest(double sum, double a, double b)
{
    return fmax(sum, fabs(a - b));
}

static double naive(const float *x, const float *y, size_t dim,
                    double (*step)(double, double, double), bool add)
{
    double sums[SIDE] = {0};
    for (size_t d = 0; d < dim; d++)
        sums[d % SIDE] = step(sums[d % SIDE], (double)x[d], (double)y[d]);
    for (size_t half = SIDE / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++)
            sums[i] = add ? sums[i] + sums[i + half] : fmax(sums[i], sums[i + half]);
    }
    return sums[0];
}

// Of 1 to PAIRS pairs, of which each `together` that follow each other have the same x.
static bool same(cdp_sum_function *function, double (*step)(double, double, double), bool add,
                 size_t dim, size_t together)
{
    static float rows[2 * PAIRS][MOST + 1]; // of any alignment
    for (size_t r = 0; r < 2 * PAIRS; r++) {
        for (size_t d = 0; d <= MOST; d++) {
            double size = exp2((double)(cdp_random(r, 2 * d) % 20));
            rows[r][d] = (float)(((double)cdp_random(r, 2 * d + 1) * 0x1p-63 - 1) * size);
        }
    }
    for (size_t count = 1; count <= PAIRS; count++) {
        const float *x[PAIRS], *y[PAIRS];
        double sum[PAIRS + 1];
        for (size_t i = 0; i < count; i++) {
            x[i] = rows[i / together * together];
            y[i] = rows[PAIRS + i];
        }
        sum[count] = 99;
        function(x, y, count, dim, sum);
        for (size_t i = 0; i < count; i++) {
            double wanted = naive(x[i], y[i], dim, step, add);
            if (memcmp(&sum[i], &wanted, sizeof wanted) != 0)
                return false;
        }
        if (sum[count] != 99)
            return false;
    }
    return true;
}

static void check(const struct cdp_sums *sums, const char *isa)
{
    static const size_t together[] = {1, 2, 4, PAIRS};
    bool right[4] = {true, true, true, true};
    for (size_t dim = 0; dim <= MOST; dim++) {
        for (size_t t = 0; t < sizeof together / sizeof *together; t++) {
            right[0] &= same(sums->dot, product, true, dim, together[t]);
            right[1] &= same(sums->square, square, true, dim, together[t]);
            right[2] &= same(sums->absolute, absolute, true, dim, together[t]);
            right[3] &= same(sums->largest, largest, false, dim, together[t]);
        }
    }
    ok(right[0], "%s: products", isa);
    ok(right[1], "squares of differences");
    ok(right[2], "differences");
    ok(right[3], "largest differences");
}

int main(void)
{
    for (int isa = CDP_ISA_PLAIN; isa < CDP_ISAS; isa++) {
        const char *name = cdp_isa_name((enum cdp_isa)isa);
        setenv("CDP_ISA", name, 1);
        if ((int)cdp_isa() == isa)
            check(cdp_sums(), name);
        else
            ok(true, "%s # SKIP not on this processor", name);
    }
    return done();
}
