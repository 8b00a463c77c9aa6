// SPDX-License-Identifier: MIT
#include "knn/pick.h"

#include <math.h>

#include "base/random.h"
#include "knn/build.h"
#include "rows.h"
#include "tap.h"

// What centres of vectors promise: they stand at the mean of their items, and seem farther by a
// quarter of how far these are from it, to scores and to what tiles see alike.

enum { ROWS = 600, DIM = 32, CENTRES = 3 };

static float number[ROWS * DIM];

// The items of each centre spread more than those of the one before.
static void make(void)
{
    for (uint64_t i = 0; i < ROWS; i++) {
        for (uint64_t d = 0; d < DIM; d++) {
            float own = (float)(cdp_random(1, i * DIM + d) % 2001) - 1000;
            float centre = (float)(cdp_random(2, i % CENTRES * DIM + d) % 2001) - 1000;
            number[i * DIM + d] = centre + own * (float)(i % CENTRES + 1) / 3;
        }
    }
}

static void mean_of(uint32_t centre, double mean[DIM])
{
    for (size_t d = 0; d < DIM; d++) {
        mean[d] = 0;
        for (size_t i = centre; i < ROWS; i += CENTRES)
            mean[d] += (double)number[i * DIM + d] * CENTRES / ROWS;
    }
}

static double square_to(size_t row, const double mean[DIM])
{
    double square = 0;
    for (size_t d = 0; d < DIM; d++)
        square += pow((double)number[row * DIM + d] - mean[d], 2);
    return square;
}

int main(void)
{
    struct cdp_matrix matrix = matrix_of(number, ROWS, DIM);
    struct cdp_space space, centres;
    struct cdp_err err;
    uint64_t start[CENTRES + 1];
    uint32_t member[ROWS], first[CENTRES] = {0, 1, 2};
    struct cdp_sets sets = {.count = CENTRES, .start = start, .member = member};
    make();
    for (uint32_t c = 0; c <= CENTRES; c++)
        start[c] = c * (ROWS / CENTRES);
    for (uint32_t i = 0; i < ROWS; i++)
        member[i % CENTRES * (ROWS / CENTRES) + i / CENTRES] = i;
    if (!ok(!cdp_space_build(&space, &matrix, CDP_L2, 5, false, 1, &err) &&
                !cdp_space_pick(&centres, &space, space.levels - 1, first, CENTRES, &err) &&
                !cdp_space_move(&centres, &space, &sets, 1, &err),
            "centres are moved"))
        return done();
    double unit = space.unit * space.unit, step = space.sketcher->step * space.sketcher->step;
    for (uint32_t c = 0; c < CENTRES; c++) {
        double mean[DIM], spread = 0, by_score = 0, by_glance = 0;
        mean_of(c, mean);
        for (size_t i = c; i < ROWS; i += CENTRES)
            spread += square_to(i, mean) * CENTRES / ROWS;
        for (uint32_t i = 0; i < ROWS; i++) {
            float score, glance;
            double wanted = unit * (square_to(i, mean) + spread / 4);
            cdp_space_scores(&space, i, &centres, &c, 1, &score);
            cdp_space_glances(&space, i, &centres, &c, 1, &glance);
            double own = cdp_space_sketch(&space, i, space.levels - 1)->square;
            by_score = fmax(by_score, fabs(-2 * (double)score / wanted - 1));
            by_glance = fmax(by_glance, fabs((own - 2 * (double)glance) * step / wanted - 1));
        }
        ok(by_score < 0.05, "centre %u: scores are off by %.4f at most", c, by_score);
        ok(by_glance < 0.12, "centre %u: glances are off by %.4f at most", c, by_glance);
    }
    cdp_space_free(&centres);
    cdp_space_free(&space);
    return done();
}
