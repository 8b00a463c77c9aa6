// SPDX-License-Identifier: MIT
#include "propagate/floors.h"

#include <math.h>

#include "base/random.h"
#include "tap.h"

// The floor of each threshold is the lowest score above it, of the best scores of pairs: against a
// search of all pairs, where many scores equal a threshold.

enum { PAIRS = 300, THRESHOLDS = 9, RUNS = 50 };

static uint64_t first[PAIRS], second[PAIRS];
static float score[PAIRS];

// Pairs of few items, so that some repeat; scores in steps of half a threshold.
static void draw(uint64_t seed, bool repeats)
{
    for (uint64_t p = 0; p < PAIRS; p++) {
        uint64_t r = cdp_random(seed, p);
        first[p] = repeats ? r % 20 : p;
        second[p] = repeats ? 20 + r / 20 % 5 : p + 1 + r % 7;
        if (r >> 32 & 1 && repeats) {
            uint64_t swap = first[p];
            first[p] = second[p];
            second[p] = swap;
        }
        score[p] = (float)(r / 100 % 17) / 16;
    }
}

static bool same_pair(uint64_t p, uint64_t q)
{
    return (first[p] == first[q] && second[p] == second[q]) ||
           (first[p] == second[q] && second[p] == first[q]);
}

// The lowest score above the threshold, of pairs that have no better one.
static float lowest_above(float threshold)
{
    float lowest = INFINITY;
    for (uint64_t p = 0; p < PAIRS; p++) {
        bool best = true;
        for (uint64_t q = 0; q < PAIRS; q++)
            best &= !same_pair(p, q) || score[q] <= score[p];
        if (best && score[p] > threshold && score[p] < lowest)
            lowest = score[p];
    }
    return lowest;
}

static void check(bool repeats, size_t thresholds)
{
    int wrong = 0;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct cdp_floors floors;
        struct cdp_err err;
        draw(seed, repeats);
        double least = thresholds > 1 ? 0 : (double)(seed % 8) / 8;
        if (cdp_floors_new(&floors, least, 0.125, thresholds, &err)) {
            wrong++;
            continue;
        }
        if (repeats)
            cdp_floors_repeats(&floors);
        wrong += cdp_floors_add(&floors, first, second, score, PAIRS / 2, &err) ||
                 cdp_floors_add(&floors, first + PAIRS / 2, second + PAIRS / 2, score + PAIRS / 2,
                                PAIRS - PAIRS / 2, &err) ||
                 cdp_floors_settle(&floors, &err);
        for (size_t t = 0; t < thresholds; t++)
            wrong += floors.floor[t] != lowest_above(floors.threshold[t]);
        cdp_floors_free(&floors);
    }
    ok(wrong == 0, "%zu thresholds, pairs %s: the lowest score above each", thresholds,
       repeats ? "that repeat" : "in order");
}

// A score without a pair lowers the floors below it, and no other.
static void test_score(void)
{
    struct cdp_floors floors;
    struct cdp_err err;
    uint64_t i = 0, j = 1;
    float high = 0.9F;
    if (!ok(!cdp_floors_new(&floors, 0.25, 0.25, 3, &err) &&
                !cdp_floors_add(&floors, &i, &j, &high, 1, &err) &&
                !cdp_floors_add_score(&floors, 0.5F, &err) && !cdp_floors_settle(&floors, &err),
            "a score without a pair"))
        return;
    ok(floors.floor[0] == 0.5F && floors.floor[1] == 0.9F && floors.floor[2] == 0.9F,
       "is the floor of the thresholds below it alone");
    cdp_floors_free(&floors);
}

// More pairs than are remembered must be in order, at their ends too.
static void test_order(void)
{
    enum { MANY = (1 << 20) + 1 };
    static uint64_t i[MANY], j[MANY];
    static float all[MANY];
    for (uint64_t p = 0; p < MANY; p++) {
        i[p] = p;
        j[p] = p + 1;
        all[p] = 0.5F;
    }
    for (int same = 0; same < 2; same++) {
        struct cdp_floors floors;
        struct cdp_err err;
        uint64_t a = MANY - 1, b = MANY + (same ? 0 : 1);
        ok(!cdp_floors_new(&floors, 0, 0.1, 1, &err) &&
               !cdp_floors_add(&floors, i, j, all, MANY, &err) &&
               !cdp_floors_add(&floors, &a, &b, all, 1, &err) == !same,
           "after very many pairs: %s", same ? "the last one again is refused" : "the next one");
        cdp_floors_free(&floors);
    }
}

int main(void)
{
    check(false, 1);
    check(false, THRESHOLDS);
    check(true, 1);
    check(true, THRESHOLDS);
    test_score();
    test_order();
    return done();
}
