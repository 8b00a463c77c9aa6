// SPDX-License-Identifier: MIT
#include "knn/approx.h"

#include <stdlib.h>

#include "base/random.h"
#include "knn/allpairs.h"
#include "knn/build.h"
#include "knn/centres.h"
#include "rows.h"
#include "tap.h"

// What approximate search promises of its lists: the recall that is wanted and its standard error
// more, and that they are full.

enum { ROWS = 3000, DIM = 24, K = 10 };

static float number[ROWS * DIM];

static float random_number(uint64_t seed, uint64_t i)
{
    return (float)(cdp_random(seed, i) % 2001) / 1000 - 1;
}

// What a search makes: the recall that it reports, and how many neighbours its lists hold and how
// many of these are right.
struct outcome {
    double reported;
    uint64_t entries, right;
};

static bool search(uint64_t rows, uint32_t k, double recall, struct outcome *o)
{
    struct cdp_matrix matrix = matrix_of(number, rows, DIM);
    const struct cdp_exclusion none = {0};
    const struct cdp_copies copies = {.rows = rows, .groups = rows};
    struct cdp_space space;
    struct cdp_nearest found, exact;
    struct cdp_sets items = {0};
    struct cdp_joiner *joiners = NULL;
    struct cdp_err err;
    if (cdp_space_build(&space, &matrix, CDP_L2, k, false, 2, &err) ||
        cdp_nearest_new(&found, &space, rows, k, &err) ||
        cdp_nearest_new(&exact, &space, rows, k, &err) ||
        !(joiners = cdp_joiners_new(&space, 2, &err)))
        return false;
    cdp_joiners_turn(joiners, 2, &found);
    bool done =
        !cdp_approx(&space, &copies, joiners, k, 2, recall, &o->reported, &items, NULL, &err);
    cdp_joiners_turn(joiners, 2, &exact);
    done = done && !cdp_allpairs(joiners, 2, 0, rows, &none, NULL, &err);
    o->entries = o->right = 0;
    for (uint64_t i = 0; i < rows; i++) {
        o->entries += found.found[i];
        for (uint32_t r = 0; r < k; r++)
            o->right += cdp_nearest_holds(&found, i, exact.id[i * k + r]);
    }
    cdp_joiners_free(joiners, 2);
    cdp_sets_free(&items);
    cdp_nearest_free(&found);
    cdp_nearest_free(&exact);
    cdp_space_free(&space);
    return done;
}

// A search that reaches just the recall that is wanted goes on, since the sample may be lucky.
static void test_margin(void)
{
    struct outcome first = {0}, more = {0};
    for (uint64_t i = 0; i < ROWS * DIM; i++)
        number[i] = random_number(1, i);
    bool done = search(ROWS, K, 0, &first);
    ok(done && first.reported > 0.7 && first.reported < 0.9, "the first cells have most: %g",
       first.reported);
    done = search(ROWS, K, first.reported, &more);
    ok(done && more.right > first.right + first.right / 50,
       "at least %g: %llu neighbours are right, not %llu", first.reported,
       (unsigned long long)more.right, (unsigned long long)first.right);
}

// Rows far from all others that become centres: each is alone in its cell, and the cells that it
// looks into hold fewer rows than are wanted.
static void test_full(void)
{
    enum { WANTED = 100, CENTRES = 10, ALONE = 8 }; // so many centres for so many wanted
    struct outcome o = {0};
    struct cdp_err err;
    uint32_t *chosen = cdp_choose(ROWS, CENTRES, 1, &err);
    for (uint64_t i = 0; i < ROWS * DIM; i++)
        number[i] = random_number(2, i);
    for (uint64_t c = 0; chosen && c < ALONE; c++) {
        for (uint64_t d = 0; d < DIM; d++)
            number[chosen[c] * DIM + d] = 1000 + 100 * random_number(3, c * DIM + d);
    }
    bool done = chosen && search(ROWS, WANTED, 0, &o);
    ok(done && o.entries == (uint64_t)ROWS * WANTED, "all lists are full: %llu of %llu neighbours",
       (unsigned long long)o.entries, (unsigned long long)ROWS * WANTED);
    free(chosen);
}

int main(void)
{
    test_margin();
    test_full();
    return done();
}
