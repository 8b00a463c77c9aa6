// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "score/score.h"

void cdp_similarities(struct cdp_table *table, float scale)
{
    uint64_t edges = table->offset[table->rows];
    float *value = table->distance;
    if (scale > 0) {
        for (uint64_t e = 0; e < edges; e++)
            value[e] = value[e] > scale ? -INFINITY : 1.0F - value[e] / scale;
    } else {
        for (uint64_t e = 0; e < edges; e++)
            value[e] = 1.0F - value[e];
    }
}

int cdp_median_radius(const struct cdp_table *table, float *median, struct cdp_err *err)
{
    // Non-negative floats have the order of their bits: a histogram by exponent and the highest 7
    // bits of the fraction.
    enum { SHIFT = 16, BINS = 1 << 15 };
    uint64_t *count = cdp_zalloc(BINS, sizeof *count, "counts of distances", err);
    if (!count)
        return -1;
    uint64_t lists = 0;
    for (uint64_t i = 0; i < table->rows; i++) {
        if (table->offset[i] == table->offset[i + 1])
            continue;
        float radius = table->distance[table->offset[i + 1] - 1];
        count[radius > 0 ? cdp_float_bits(radius) >> SHIFT : 0]++;
        lists++;
    }
    uint32_t bin = 0;
    for (uint64_t below = count[0]; below < lists - lists / 2; below += count[bin])
        bin++;
    *median = cdp_bits_float(bin << SHIFT);
    free(count);
    return 0;
}
