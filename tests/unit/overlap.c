// SPDX-License-Identifier: MIT
// cdp_overlap_weigh against overlaps of dense rows; what it keeps.
#include "score/overlap.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tap.h"

enum { ITEMS = 80, PAIRS = ITEMS * (ITEMS - 1) / 2 };

struct graph {
    uint64_t begin[ITEMS + 1];
    uint32_t other[PAIRS];
    float weight[PAIRS];
    double dense[ITEMS][ITEMS]; // weights, both ways, 1 on the diagonal
};

static double uniform(uint64_t *state)
{
    return (double)(cdp_random(7, (*state)++) >> 11) * 0x1p-53;
}

// Groups of 8 items with many pairs inside and few outside; weights in the middle of a bin each.
static void draw(struct graph *g, uint64_t seed)
{
    uint64_t count = 0;
    memset(g, 0, sizeof *g);
    for (uint32_t i = 0; i < ITEMS; i++) {
        g->begin[i] = count;
        g->dense[i][i] = 1;
        for (uint32_t j = i + 1; j < ITEMS; j++) {
            if (uniform(&seed) > (i / 8 == j / 8 ? 0.7 : 0.06))
                continue;
            g->weight[count] = 0.05F + (float)(int)(uniform(&seed) * 4) / 10;
            g->other[count] = j;
            g->dense[i][j] = g->dense[j][i] = (double)g->weight[count++];
        }
    }
    g->begin[ITEMS] = count;
}

static double naive_overlap(const struct graph *g, uint32_t i, uint32_t j)
{
    double of_i = 0, of_j = 0, sum = 0;
    for (uint32_t m = 0; m < ITEMS; m++) {
        of_i += g->dense[i][m];
        of_j += g->dense[j][m];
    }
    for (uint32_t m = 0; m < ITEMS; m++)
        sum += sqrt(g->dense[i][m] / of_i * (g->dense[j][m] / of_j));
    return sum;
}

static double log10_odds(float weight)
{
    return log10(pow(10, (double)weight) - 1);
}

static void weigh(struct graph *g, double slope, int threads)
{
    struct cdp_err err;
    struct cdp_weighted_pairs pairs = {ITEMS, g->begin, g->other, g->weight};
    ok(cdp_overlap_weigh(&pairs, slope, threads, NULL, &err) == 0, "weighed by %d threads",
       threads);
}

static void test_graph(uint64_t seed, double slope)
{
    static struct graph before, after, again;
    double b[4] = {0}, most = 0, lost = 0;
    bool known[4] = {false};
    double wanted[4] = {0}, got[4] = {0};
    draw(&before, seed);
    after = again = before;
    weigh(&after, slope, 1);
    weigh(&again, slope, 3);
    ok(!memcmp(&after, &again, sizeof after), "the same with more threads");
    for (uint32_t i = 0; i < ITEMS; i++) {
        for (uint64_t p = before.begin[i]; p < before.begin[i + 1]; p++) {
            int bin = (int)(before.weight[p] * 10);
            double shift = log10_odds(after.weight[p]) - log10_odds(before.weight[p]);
            double own = naive_overlap(&before, i, before.other[p]) - shift / slope;
            if (!known[bin])
                b[bin] = own;
            known[bin] = true;
            most = fmax(most, fabs(own - b[bin]));
            wanted[bin] += 1 - pow(10, -(double)before.weight[p]);
            got[bin] += 1 - pow(10, -(double)after.weight[p]);
        }
    }
    for (int bin = 0; bin < 4; bin++)
        lost = fmax(lost, fabs(got[bin] / wanted[bin] - 1));
    ok(most < 1e-4, "odds change by the overlap alone: off by %.1g", most);
    ok(lost < 0.02, "expected true pairs of a weight stay: off by %.3f", lost);
}

int main(void)
{
    static struct graph g, same;
    for (uint64_t seed = 1; seed < 4; seed++)
        test_graph(seed * 1000003, (double)seed);
    draw(&g, 5);
    same = g;
    weigh(&g, 0, 2);
    int changed = 0;
    for (uint64_t p = 0; p < g.begin[ITEMS]; p++)
        changed += fabs((double)g.weight[p] - (double)same.weight[p]) >= 1e-6;
    ok(!changed, "a slope of 0 changes nothing");
    memset(&g, 0, sizeof g);
    weigh(&g, 2, 1);
    return done();
}
