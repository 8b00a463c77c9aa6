// SPDX-License-Identifier: MIT
#include "mediate/points.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static float threshold_of(int r)
{
    double odds = exp((r - CDP_POINT_EVEN) / 8.0);
    double below = 1 / (1 + odds), least = odds < 1 ? 1 - below : below;
    double digits = pow(10, floor(log10(least)) - 1);
    double rounded = round(least / digits) * digits;
    return (float)(odds < 1 ? rounded : 1 - rounded);
}

// The number of points below a score.
static int points_below(const struct cdp_point point[CDP_POINTS], float score)
{
    int low = 0, high = CDP_POINTS;
    while (low < high) {
        int middle = (low + high) / 2;
        if (point[middle].threshold < score)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static float share(double part, double whole)
{
    return whole > 0 ? (float)(part / whole) : 0;
}

static void count_pairs(const struct cdp_examples *e, const float *probability,
                        struct cdp_point point[CDP_POINTS])
{
    double weight[CDP_POINTS + 1][2] = {0}; // [n]: of the pairs above n points
    for (size_t n = 0; n < e->count; n++)
        weight[points_below(point, probability[n])][e->same[n]] += (double)e->weight[n];
    for (int r = CDP_POINTS - 1; r >= 0; r--) {
        weight[r][0] += weight[r + 1][0];
        weight[r][1] += weight[r + 1][1];
    }
    double all = weight[0][0] + weight[0][1];
    for (int r = 0; r < CDP_POINTS; r++) {
        double same = weight[r + 1][1], kept = weight[r + 1][0] + same;
        point[r].precision = share(same, kept);
        point[r].recall = share(same, weight[0][1]);
        point[r].kept = share(kept, all);
    }
}

// `best` is the highest score of each item's false and true pairs; -1 = it has none.
static void count_items(const float (*best)[2], const struct cdp_labels *labels,
                        const uint8_t *counted, struct cdp_point point[CDP_POINTS])
{
    // [n]: the number of items above n points, by any pair, by a true pair, by a false pair.
    double any[CDP_POINTS + 1] = {0}, same[CDP_POINTS + 1] = {0}, other[CDP_POINTS + 1] = {0};
    double linkable = 0;
    for (uint64_t i = 0; i < labels->items; i++) {
        if (labels->group[i] == CDP_NO_LABEL || !counted[labels->group[i]])
            continue;
        int by_other = points_below(point, best[i][0]), by_same = points_below(point, best[i][1]);
        any[by_other > by_same ? by_other : by_same]++;
        same[by_same]++;
        other[by_other]++;
        linkable += best[i][1] >= 0;
    }
    double linked = 0, mixed = 0, found = 0;
    for (int r = CDP_POINTS - 1; r >= 0; r--) {
        linked += any[r + 1];
        mixed += other[r + 1];
        found += same[r + 1];
        point[r].item_precision = share(linked - mixed, linked);
        point[r].item_recall = share(found, linkable);
    }
}

int cdp_points(const struct cdp_examples *e, const float *probability,
               const struct cdp_labels *labels, const uint8_t *counted,
               struct cdp_point point[CDP_POINTS], struct cdp_err *err)
{
    float(*best)[2] = cdp_alloc(labels->items, sizeof *best, "the items' best pairs", err);
    if (!best)
        return -1;
    for (uint64_t i = 0; i < labels->items; i++)
        best[i][0] = best[i][1] = -1;
    for (size_t n = 0; n < e->count; n++) {
        for (int end = 0; end < 2; end++) {
            float *of = &best[e->item[n][end]][e->same[n]];
            *of = probability[n] > *of ? probability[n] : *of;
        }
    }
    for (int r = 0; r < CDP_POINTS; r++)
        point[r] = (struct cdp_point){.threshold = threshold_of(r)};
    count_pairs(e, probability, point);
    count_items(best, labels, counted, point);
    free(best);
    return 0;
}

const struct cdp_point *cdp_point_best(const struct cdp_point point[CDP_POINTS])
{
    const struct cdp_point *best = point;
    for (int r = 1; r < CDP_POINTS; r++) {
        if (point[r].fscore > best->fscore)
            best = &point[r];
    }
    return best;
}

const struct cdp_point *cdp_point_precision(const struct cdp_point point[CDP_POINTS],
                                            double precision)
{
    for (int r = 0; r < CDP_POINTS; r++) {
        if (point[r].precision >= (float)precision)
            return &point[r];
    }
    return NULL;
}
