// SPDX-License-Identifier: MIT
#include "knn/join.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "knn/build.h"
#include "rows.h"
#include "tap.h"

// What measuring shortlists promises: the nearest of what they hold, by distance, although they are
// in the order of scores that are a little off, and not all that they hold is measured.

enum { ROWS = 700, DIM = 200, K = 12 };

static float number[ROWS * DIM];

// All others in the list of each item, by their scores.
static void fill(struct cdp_shortlists *lists, const struct cdp_space *space)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        uint64_t *list = lists->entry + (uint64_t)i * lists->k;
        for (uint32_t other = 0; other < ROWS; other++) {
            float score;
            cdp_space_scores(space, i, space, &other, 1, &score);
            if (other != i)
                cdp_shortlists_offer(list, lists->k, space->kernel, &other, &score, 1);
        }
    }
}

// Whether the neighbours of an item are the K nearest by their keys, ties by id.
static bool nearest(const struct cdp_nearest *n, uint32_t item, float *room)
{
    double key[ROWS];
    for (uint32_t other = 0; other < ROWS; other++)
        cdp_space_keys(n->space, &item, &other, 1, room, &key[other]);
    for (uint32_t r = 0; r < K; r++) {
        uint32_t best = item ? 0 : 1;
        for (uint32_t other = 0; other < ROWS; other++) {
            if (other != item && key[other] < key[best])
                best = other;
        }
        if (n->id[item * K + r] != best)
            return false;
        key[best] = INFINITY;
    }
    return n->found[item] == K;
}

// Of so many in each list, whether all neighbours of all items are right.
static void check(enum cdp_metric metric, uint32_t k, const char *name)
{
    struct cdp_matrix matrix = matrix_of(number, ROWS, DIM);
    struct cdp_space space;
    struct cdp_nearest found;
    struct cdp_shortlists lists;
    struct cdp_joiner *joiners = NULL;
    struct cdp_err err;
    float room[2 * CDP_KEYS * DIM];
    uint64_t right = 0;
    if (!ok(!cdp_space_build(&space, &matrix, metric, K, false, 2, &err) &&
                !cdp_nearest_new(&found, &space, ROWS, K, &err) &&
                !cdp_shortlists_new(&lists, ROWS, k, 1, &err) &&
                (joiners = cdp_joiners_new(&space, 2, &err)),
            "%s: lists of %u", name, k))
        return;
    fill(&lists, &space);
    cdp_joiners_turn(joiners, 2, &found);
    ok(!cdp_join_shortlists(joiners, 2, &lists, NULL, false, &err), "%s: measured", name);
    for (uint32_t i = 0; i < ROWS; i++)
        right += nearest(&found, i, room);
    ok(right == ROWS, "%s: %d neighbours of %llu of %d items are the nearest", name, K,
       (unsigned long long)right, ROWS);
    cdp_joiners_free(joiners, 2);
    cdp_shortlists_free(&lists);
    cdp_nearest_free(&found);
    cdp_space_free(&space);
}

int main(void)
{
    // Numbers in all directions, so that distances are nearly equal and scores often in another
    // order.
    for (size_t i = 0; i < ROWS * DIM; i++)
        number[i] = (float)(cdp_random(1, i) % 2001) - 1000;
    check(CDP_COSINE, ROWS - 1, "cosine");
    check(CDP_L2, 60, "l2");
    check(CDP_L1, 60, "l1");
    return done();
}
