// SPDX-License-Identifier: MIT
#include "knn/search/approx.h"

#include <stdlib.h>

#include "base/ids.h"
#include "base/random.h"
#include "knn/data/dataset.h"
#include "knn/search/allpairs.h"
#include "knn/search/ivf.h"
#include "rows.h"
#include "tap.h"

// The approximate search reaches the recall by more than its standard error, and fills all lists.

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
    const struct cdp_hyperplanes none = {0};
    const struct cdp_duplicates copies = {.rows = rows, .groups = rows};
    struct cdp_dataset data;
    struct cdp_topk found, exact;
    struct cdp_ivf_lists items = {0};
    struct cdp_pair_block *blocks = NULL;
    struct cdp_err err;
    if (cdp_dataset_build(&data, &matrix, CDP_L2, k, false, 2, &err) ||
        cdp_topk_new(&found, &data, rows, k, &err) || cdp_topk_new(&exact, &data, rows, k, &err) ||
        !(blocks = cdp_pair_blocks_new(&data, 2, &err)))
        return false;
    cdp_pair_blocks_fill(blocks, 2, &found);
    bool done = !cdp_approx(&data, &copies, blocks, k, 2, recall, &o->reported, &items, NULL, &err);
    cdp_pair_blocks_fill(blocks, 2, &exact);
    done = done && !cdp_allpairs(blocks, 2, 0, rows, &none, NULL, &err);
    o->entries = o->right = 0;
    for (uint64_t i = 0; i < rows; i++) {
        o->entries += found.found[i];
        for (uint32_t r = 0; r < k; r++)
            o->right += cdp_holds(found.id + i * k, found.found[i], exact.id[i * k + r]);
    }
    cdp_pair_blocks_free(blocks, 2);
    cdp_ivf_lists_free(&items);
    cdp_topk_free(&found);
    cdp_topk_free(&exact);
    cdp_dataset_free(&data);
    return done;
}

// A search that just reaches the recall goes on, since the sample may be lucky.
static void test_margin(void)
{
    struct outcome first = {0}, more = {0};
    for (uint64_t i = 0; i < ROWS * DIM; i++)
        number[i] = random_number(1, i);
    bool done = search(ROWS, K, 0, &first);
    ok(done && first.reported > 0.7 && first.reported < 0.9,
       "the first lists have most neighbours: %g", first.reported);
    done = search(ROWS, K, first.reported, &more);
    ok(done && more.right > first.right + first.right / 50,
       "at least %g: %llu neighbours are right, not %llu", first.reported,
       (unsigned long long)more.right, (unsigned long long)first.right);
}

// Rows far from all others become centroids: each is alone in its inverted list, and the lists that
// it probes hold fewer than k rows.
static void test_full(void)
{
    enum { WANTED = 100, CENTRES = 10, ALONE = 8 }; // so many centroids for so many wanted
    struct outcome o = {0};
    struct cdp_err err;
    uint32_t *chosen = cdp_coarse_sample(ROWS, CENTRES, 1, &err);
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
