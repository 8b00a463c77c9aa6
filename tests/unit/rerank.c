// SPDX-License-Identifier: MIT
#include "knn/search/allpairs.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "knn/data/dataset.h"
#include "rows.h"
#include "tap.h"

// Re-ranking finds the nearest candidates by distance, although their scores have errors and not
// all are measured.

enum { ROWS = 700, DIM = 200, K = 12 };

static float number[ROWS * DIM];

// All others in the list of each item, by their scores.
static void fill(struct cdp_candidates *lists, const struct cdp_dataset *data)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        uint64_t *list = lists->entry + (uint64_t)i * lists->k;
        for (uint32_t other = 0; other < ROWS; other++) {
            float score;
            cdp_dataset_scores(data, i, data, &other, 1, &score);
            if (other != i)
                cdp_candidates_add(list, lists->k, data->kernel, &other, &score, 1);
        }
    }
}

// Whether the neighbours of an item are the K nearest by their keys, ties by id.
static bool nearest(const struct cdp_topk *n, uint32_t item, float *room)
{
    double key[ROWS];
    for (uint32_t other = 0; other < ROWS; other++)
        cdp_dataset_keys(n->data, &item, &other, 1, room, &key[other]);
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
    struct cdp_dataset data;
    struct cdp_topk found;
    struct cdp_candidates lists;
    struct cdp_pair_block *blocks = NULL;
    struct cdp_err err;
    float room[2 * CDP_KEY_BATCH * DIM];
    uint64_t right = 0;
    if (!ok(!cdp_dataset_build(&data, &matrix, metric, K, false, 2, &err) &&
                !cdp_topk_new(&found, &data, ROWS, K, &err) &&
                !cdp_candidates_new(&lists, ROWS, k, 1, &err) &&
                (blocks = cdp_pair_blocks_new(&data, 2, &err)),
            "%s: lists of %u", name, k))
        return;
    fill(&lists, &data);
    cdp_pair_blocks_fill(blocks, 2, &found);
    ok(!cdp_rerank(blocks, 2, &lists, NULL, &err), "%s: measured", name);
    for (uint32_t i = 0; i < ROWS; i++)
        right += nearest(&found, i, room);
    ok(right == ROWS, "%s: %d neighbours of %llu of %d items are the nearest", name, K,
       (unsigned long long)right, ROWS);
    cdp_pair_blocks_free(blocks, 2);
    cdp_candidates_free(&lists);
    cdp_topk_free(&found);
    cdp_dataset_free(&data);
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
