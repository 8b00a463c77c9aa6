// SPDX-License-Identifier: MIT
#include "knn/data/dataset.h"

#include <math.h>

#include "base/random.h"
#include "rows.h"
#include "tap.h"

// Centroids of vectors are at the mean of their members, and the squared distance to them is larger
// by a quarter of the members' mean squared distance, in scores and sketch scores alike.

enum { ROWS = 600, DIM = 32, CENTRES = 3 };

static float number[ROWS * DIM];

// The items of each centroid spread more than those of the one before.
static void make(void)
{
    for (uint64_t i = 0; i < ROWS; i++) {
        for (uint64_t d = 0; d < DIM; d++) {
            float own = (float)(cdp_random(1, i * DIM + d) % 2001) - 1000;
            float centroid = (float)(cdp_random(2, i % CENTRES * DIM + d) % 2001) - 1000;
            number[i * DIM + d] = centroid + own * (float)(i % CENTRES + 1) / 3;
        }
    }
}

static void mean_of(uint32_t centroid, double mean[DIM])
{
    for (size_t d = 0; d < DIM; d++) {
        mean[d] = 0;
        for (size_t i = centroid; i < ROWS; i += CENTRES)
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
    struct cdp_dataset data, centroids;
    struct cdp_err err;
    uint64_t start[CENTRES + 1];
    uint32_t member[ROWS], first[CENTRES] = {0, 1, 2};
    make();
    for (uint32_t c = 0; c <= CENTRES; c++)
        start[c] = c * (ROWS / CENTRES);
    for (uint32_t i = 0; i < ROWS; i++)
        member[i % CENTRES * (ROWS / CENTRES) + i / CENTRES] = i;
    if (!ok(!cdp_dataset_build(&data, &matrix, CDP_L2, 5, false, 1, &err) &&
                !cdp_dataset_select(&centroids, &data, data.levels - 1, first, CENTRES, &err) &&
                !cdp_dataset_set_means(&centroids, &data, start, member, CENTRES, 1, &err),
            "centroids are moved"))
        return done();
    double unit = data.unit * data.unit, step = data.sketcher->step * data.sketcher->step;
    for (uint32_t c = 0; c < CENTRES; c++) {
        double mean[DIM], spread = 0, by_score = 0, by_sketch = 0;
        mean_of(c, mean);
        for (size_t i = c; i < ROWS; i += CENTRES)
            spread += square_to(i, mean) * CENTRES / ROWS;
        for (uint32_t i = 0; i < ROWS; i++) {
            float score, sketch_score;
            double wanted = unit * (square_to(i, mean) + spread / 4);
            cdp_dataset_scores(&data, i, &centroids, &c, 1, &score);
            cdp_dataset_sketch_scores(&data, i, &centroids, &c, 1, &sketch_score);
            double own = cdp_dataset_sketch(&data, i, data.levels - 1)->square;
            by_score = fmax(by_score, fabs(-2 * (double)score / wanted - 1));
            by_sketch = fmax(by_sketch, fabs((own - 2 * (double)sketch_score) * step / wanted - 1));
        }
        ok(by_score < 0.05, "centroid %u: scores are off by %.4f at most", c, by_score);
        ok(by_sketch < 0.12, "centroid %u: sketch scores are off by %.4f at most", c, by_sketch);
    }
    cdp_dataset_free(&centroids);
    cdp_dataset_free(&data);
    return done();
}
