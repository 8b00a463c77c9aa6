// SPDX-License-Identifier: MIT
#include "baseline/mst.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/sets.h"
#include "rows.h"
#include "tap.h"

// The spanning tree against Prim's algorithm on all pairs: the same heights, to the bit, and the
// same components below some heights.

enum { MOST = 3000, STEP = 40 };

static double uniform(uint64_t seed, uint64_t i)
{
    return (double)(cdp_random(seed, i) >> 11) * 0x1p-53;
}

static double normal(uint64_t seed, uint64_t i)
{
    return sqrt(-2 * log(1 - uniform(seed, 2 * i))) * cos(2 * M_PI * uniform(seed, 2 * i + 1));
}

// Clusters of different sizes and widths, and a share of scattered rows; of some rows copies. On a
// grid, where there are ties.
static void make(float *x, uint32_t n, uint32_t dim, uint32_t clusters, double noise, double copies,
                 double grid, uint64_t seed)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t c = (uint32_t)(clusters * pow(uniform(seed, i), 2));
        double width = uniform(seed + 1, i) < noise ? 1 : 0.05 + 0.1 * uniform(seed + 2, c);
        for (uint32_t d = 0; d < dim; d++) {
            double number = normal(seed + 3, (uint64_t)c * dim + d) +
                            width * normal(seed + 4, (uint64_t)i * dim + d);
            x[(size_t)i * dim + d] = (float)(grid > 0 ? grid * round(number / grid) : number);
        }
        x[(size_t)i * dim] += x[(size_t)i * dim] == 0;
        if (i > 0 && uniform(seed + 5, i) < copies)
            memcpy(x + (size_t)i * dim, x + cdp_random(seed + 6, i) % i * dim, dim * sizeof *x);
    }
}

static int by_height(const void *a, const void *b)
{
    const struct cdp_joined *x = a, *y = b;
    return x->height < y->height ? -1 : x->height > y->height;
}

static void prim(struct cdp_joined *edge, const struct cdp_rows *rows, const double *core)
{
    static double least[MOST], square[MOST];
    static uint32_t from[MOST], all[MOST];
    static bool in[MOST];
    uint32_t n = (uint32_t)rows->count, at = 0;
    for (uint32_t i = 0; i < n; i++) {
        least[i] = INFINITY;
        from[i] = 0;
        all[i] = i;
        in[i] = i == 0;
    }
    for (uint32_t e = 0; e + 1 < n; e++) {
        uint32_t best = 0;
        cdp_rows_squares(rows, at, all, n, square);
        for (uint32_t i = 1; i < n; i++) {
            double height = fmax(fmax(core[i], core[at]), sqrt(square[i]));
            if (!in[i] && height < least[i]) {
                least[i] = height;
                from[i] = at;
            }
            if (!in[i] && (in[best] || least[i] < least[best]))
                best = i;
        }
        edge[e] = (struct cdp_joined){{from[best], best}, least[best]};
        in[best] = true;
        at = best;
    }
    qsort(edge, n - 1, sizeof *edge, by_height);
}

static bool equal_trees(const struct cdp_joined *a, const struct cdp_joined *b, uint32_t n)
{
    static uint32_t sets[MOST], other[MOST];
    uint32_t steps = 0;
    cdp_sets_init(sets, n);
    cdp_sets_init(other, n);
    for (uint32_t e = 0; e + 1 < n; e++) {
        if (a[e].height != b[e].height)
            return false;
        cdp_sets_join(sets, a[e].end[0], a[e].end[1]);
        cdp_sets_join(other, b[e].end[0], b[e].end[1]);
        if (e + 2 < n && (a[e + 1].height == a[e].height || e / STEP == steps))
            continue;
        steps = e / STEP;
        for (uint32_t i = 0; i < n; i++) {
            if (cdp_sets_find(sets, i) != cdp_sets_find(other, i))
                return false;
        }
    }
    return true;
}

static void check(const char *what, const float *x, uint32_t n, uint32_t dim, uint32_t k,
                  uint32_t min_samples)
{
    static struct cdp_joined edge[MOST], wanted[MOST], again[MOST];
    static double core[MOST];
    struct cdp_matrix matrix = matrix_of(x, n, dim);
    struct cdp_neighbours lists;
    struct cdp_rows rows;
    struct cdp_err err;
    if (cdp_rows_new(&rows, &matrix, 1, &err) ||
        cdp_neighbours_search(&lists, &matrix, k, 2, NULL, &err)) {
        ok(false, "%s: %s", what, err.text);
        return;
    }
    cdp_mst_cores(core, &rows, &lists, min_samples, 2);
    prim(wanted, &rows, core);
    int status =
        cdp_mst(edge, &rows, &lists, core, INFINITY, 2, NULL, &err) ||
        cdp_mst(again, &rows, &lists, min_samples == 1 ? NULL : core, INFINITY, 1, NULL, &err);
    ok(!status && equal_trees(edge, wanted, n) && !memcmp(edge, again, (n - 1) * sizeof *edge),
       "%s: %u rows x %u, lists of %u, core distances to %u%s%s", what, n, dim, k, min_samples,
       status ? ": " : "", status ? err.text : "");
    cdp_neighbours_free(&lists);
    cdp_rows_free(&rows);
}

int main(void)
{
    static float x[MOST * 32];
    for (uint64_t seed = 10; seed < 30; seed += 10) {
        make(x, 2500, 32, 40, 0.2, 0, 0, seed);
        check("clusters", x, 2500, 32, 2, 1);
        check("clusters", x, 2500, 32, 5, 4);
        make(x, 1500, 8, 3, 0.01, 0.3, 0, seed);
        check("copies", x, 1500, 8, 1, 1);
        check("copies", x, 1500, 8, 4, 5);
        make(x, 3000, 2, 500, 0.5, 0, 0, seed);
        check("a circle", x, 3000, 2, 3, 1);
        check("a circle", x, 3000, 2, 5, 3);
        make(x, 1000, 3, 30, 0.5, 0.2, 0.5, seed);
        check("ties", x, 1000, 3, 2, 1);
        check("ties", x, 1000, 3, 8, 6);
        make(x, 70, 4, 3, 0.3, 0.1, 0, seed);
        check("few", x, 70, 4, 1, 2);
        check("few", x, 70, 4, 100, 20);
    }
    make(x, 2, 4, 1, 0, 0, 0, 1);
    check("two", x, 2, 4, 1, 1);
    check("two", x, 2, 4, 1, 3);
    make(x, 300, 4, 1, 0, 1, 0, 1);
    check("equal rows", x, 300, 4, 5, 4);
    return done();
}
