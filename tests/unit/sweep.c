// SPDX-License-Identifier: MIT
#include "propagate/sweep.h"

#include <math.h>

#include "tap.h"

// Which threshold is chosen, and where the largest cluster grows with the threshold: of outcomes
// that are made by hand.

enum { MOST = 6 };

// Outcomes from the highest threshold, the last one, down: each step links half as many items more,
// so that the highest one links more than a tenth, and the squares grow by that factor to the power
// of growth[step].
static size_t choose(const double growth[MOST - 1], size_t steps)
{
    const double factor = 1.5;
    struct cdp_outcome outcome[MOST] = {{0}};
    double linked = 1 << 20, squares = 1 << 22;
    for (size_t step = 0; step <= steps; step++) {
        outcome[steps - step].linked = (uint64_t)linked;
        outcome[steps - step].squares = squares;
        linked *= factor;
        squares *= pow(factor, step < steps ? growth[step] : 0);
    }
    return cdp_sweep_choose(outcome, steps + 1);
}

static void test_choose(void)
{
    static const struct {
        double growth[MOST - 1];
        size_t steps, chosen;
        const char *what;
    } cases[] = {
        {{1, 1, 1, 1}, 4, 0, "clusters that grow as items come in: the lowest threshold"},
        {{1, 1, 3.1, 3.1}, 4, 2, "faster than the cube twice: the last threshold before"},
        {{1, 1, 2.9, 2.9}, 4, 0, "slower than the cube: the lowest"},
        {{1, 3.1, 2.9, 1}, 4, 0, "faster once, but not twice: it goes on"},
        {{1, 3.1, 1, 3.1, 3.1}, 5, 2, "faster once, later twice: the last before the second time"},
        {{3.1, 3.1, 1, 1}, 4, 4, "faster at once: the highest"},
        {{1, 1, 1, 3.1}, 4, 1, "faster at the end of the thresholds: once is enough"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        size_t chosen = choose(cases[c].growth, cases[c].steps);
        ok(chosen == cases[c].chosen, "%s: %zu", cases[c].what, chosen);
    }
}

// Thresholds at which less than a tenth of the items are linked are passed over.
static void test_begin(void)
{
    static const uint64_t linked[] = {100, 99};
    for (int c = 0; c < 2; c++) {
        struct cdp_outcome outcome[] = {{.linked = 1000, .squares = 1e9},
                                        {.linked = 400, .squares = 1e6},
                                        {.linked = linked[c], .squares = 200}};
        size_t chosen = cdp_sweep_choose(outcome, 3);
        ok(chosen == (c ? 1 : 2), "%llu of 1000 items are linked: %zu is chosen",
           (unsigned long long)linked[c], chosen);
    }
}

static void test_rise(void)
{
    // Three thresholds, each with two most sizes.
    struct cdp_outcome outcome[] = {{.largest = 9},  {.largest = 20}, {.largest = 9},
                                    {.largest = 12}, {.largest = 8},  {.largest = 13}};
    ok(cdp_sweep_rise(outcome, 3, 2) == 5, "the first largest cluster that grows");
    outcome[5].largest = 12;
    ok(cdp_sweep_rise(outcome, 3, 2) == 6, "none that grows");
}

int main(void)
{
    test_choose();
    test_begin();
    test_rise();
    return done();
}
