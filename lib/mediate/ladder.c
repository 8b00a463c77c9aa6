// SPDX-License-Identifier: MIT
#include "mediate/ladder.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static float threshold_of(int r)
{
    double odds = exp((r - CDP_RUNG_EVEN) / 8.0);
    double below = 1 / (1 + odds), least = odds < 1 ? 1 - below : below;
    double digits = pow(10, floor(log10(least)) - 1);
    double rounded = round(least / digits) * digits;
    return (float)(odds < 1 ? rounded : 1 - rounded);
}

// How many rungs are below a score.
static int rungs_below(const struct cdp_rung rung[CDP_RUNGS], float score)
{
    int low = 0, high = CDP_RUNGS;
    while (low < high) {
        int middle = (low + high) / 2;
        if (rung[middle].threshold < score)
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
                        struct cdp_rung rung[CDP_RUNGS])
{
    double weight[CDP_RUNGS + 1][2] = {0}; // of the pairs above so many rungs
    for (size_t n = 0; n < e->count; n++)
        weight[rungs_below(rung, probability[n])][e->same[n]] += (double)e->weight[n];
    for (int r = CDP_RUNGS - 1; r >= 0; r--) {
        weight[r][0] += weight[r + 1][0];
        weight[r][1] += weight[r + 1][1];
    }
    double all = weight[0][0] + weight[0][1];
    for (int r = 0; r < CDP_RUNGS; r++) {
        double same = weight[r + 1][1], kept = weight[r + 1][0] + same;
        rung[r].precision = share(same, kept);
        rung[r].recall = share(same, weight[0][1]);
        rung[r].kept = share(kept, all);
    }
}

// `best` is the highest score of each item's pairs of two identities and of one, -1 without any.
static void count_items(const float (*best)[2], const struct cdp_labels *labels,
                        const uint8_t *counted, struct cdp_rung rung[CDP_RUNGS])
{
    // Of the items above so many rungs: by any pair, by one of one identity, by one of two.
    double any[CDP_RUNGS + 1] = {0}, same[CDP_RUNGS + 1] = {0}, other[CDP_RUNGS + 1] = {0};
    double linkable = 0;
    for (uint64_t i = 0; i < labels->items; i++) {
        if (labels->group[i] == CDP_NO_LABEL || !counted[labels->group[i]])
            continue;
        int by_other = rungs_below(rung, best[i][0]), by_same = rungs_below(rung, best[i][1]);
        any[by_other > by_same ? by_other : by_same]++;
        same[by_same]++;
        other[by_other]++;
        linkable += best[i][1] >= 0;
    }
    double linked = 0, mixed = 0, found = 0;
    for (int r = CDP_RUNGS - 1; r >= 0; r--) {
        linked += any[r + 1];
        mixed += other[r + 1];
        found += same[r + 1];
        rung[r].item_precision = share(linked - mixed, linked);
        rung[r].item_recall = share(found, linkable);
    }
}

int cdp_ladder(const struct cdp_examples *e, const float *probability,
               const struct cdp_labels *labels, const uint8_t *counted,
               struct cdp_rung rung[CDP_RUNGS], struct cdp_err *err)
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
    for (int r = 0; r < CDP_RUNGS; r++)
        rung[r] = (struct cdp_rung){.threshold = threshold_of(r)};
    count_pairs(e, probability, rung);
    count_items(best, labels, counted, rung);
    free(best);
    return 0;
}

const struct cdp_rung *cdp_ladder_balance(const struct cdp_rung rung[CDP_RUNGS])
{
    int r = 0;
    while (r < CDP_RUNGS - 1 && rung[r + 1].kept > 0 &&
           rung[r].item_precision < rung[r].item_recall)
        r++;
    return &rung[r];
}

const struct cdp_rung *cdp_ladder_precision(const struct cdp_rung rung[CDP_RUNGS], double precision)
{
    for (int r = 0; r < CDP_RUNGS; r++) {
        if (rung[r].precision >= (float)precision)
            return &rung[r];
    }
    return NULL;
}
