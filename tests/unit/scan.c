// SPDX-License-Identifier: MIT
#include "knn/search/scan.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/random.h"
#include "knn/data/dataset.h"
#include "knn/search/ownlist.h"
#include "rows.h"
#include "tap.h"

// What items that look into their own sets find: the nearest there, by the scores of pairs, whether
// these are computed pair by pair or side by side. Of sets too large for that, and of sums in
// another order, nearly all of them.

enum { K = 12 };

// Sizes of sets: about whole panels and tiles, empty ones, what is looked at side by side at most,
// more than that, and sets that threads share.
static const uint32_t size[] = {0, 1, 2, 16, 17, 64, 65, 80, 0, 0, CDP_OWN, CDP_OWN + 1, 300, 100};
enum { SETS = sizeof size / sizeof *size, MOST = 2048 };

static uint32_t make_sets(struct cdp_ivf_lists *sets)
{
    static uint64_t start[SETS + 1];
    static uint32_t member[MOST];
    for (uint32_t s = 0; s < SETS; s++)
        start[s + 1] = start[s] + size[s];
    for (uint32_t i = 0; i < start[SETS]; i++)
        member[i] = i;
    *sets = (struct cdp_ivf_lists){SETS, start, member};
    return (uint32_t)start[SETS];
}

static bool holds(const uint64_t *list, uint64_t entry)
{
    bool held = false;
    for (uint32_t r = 0; r < K; r++)
        held = held || list[r] == entry;
    return held;
}

// How many of what the list of an item should hold it does, or `full`: holds nearer ones in place
// of, which others of the last panels may be.
static uint32_t right(const struct cdp_dataset *data, uint32_t item, uint32_t first, uint32_t end,
                      const uint64_t *list, bool full)
{
    uint64_t wanted[K];
    uint32_t count = 0;
    for (uint32_t r = 0; r < K; r++)
        wanted[r] = CDP_CANDIDATE_NONE;
    for (uint32_t other = first; other < end; other++) {
        float score;
        cdp_dataset_scores(data, item, data, &other, 1, &score);
        if (other != item)
            cdp_candidates_add(wanted, K, data->kernel, &other, &score, 1);
    }
    for (uint32_t r = 0; r < K; r++)
        count += full ? holds(list, wanted[r]) || list[K - 1] < wanted[r] : wanted[r] == list[r];
    return count;
}

// `exact`: the scores of tiles are those of pairs.
static void check(enum cdp_metric metric, uint64_t dim, bool exact, const char *name)
{
    struct cdp_ivf_lists sets;
    uint32_t rows = make_sets(&sets);
    float *number = malloc(rows * dim * sizeof *number);
    for (size_t i = 0; i < rows * dim; i++)
        number[i] = (float)(cdp_random(dim, i) % 2001) - 1000;
    struct cdp_matrix matrix = matrix_of(number, rows, dim);
    struct cdp_dataset data;
    struct cdp_ivf_packed shelf;
    struct cdp_candidates lists;
    struct cdp_err err;
    if (!ok(!cdp_dataset_build(&data, &matrix, metric, K, false, 2, &err) &&
                !cdp_ivf_packed_new(&shelf, &data, &sets, 2, &err) &&
                !cdp_candidates_new(&lists, rows, K, 1, &err) &&
                !cdp_scan_own(&data, &shelf, &lists, 2, NULL, &err),
            "%s, %llu numbers: items look into their own sets", name, (unsigned long long)dim))
        return;
    uint32_t small = 0, small_right = 0, large = 0, large_right = 0;
    for (uint32_t s = 0; s < SETS; s++) {
        uint32_t first = (uint32_t)sets.start[s], end = (uint32_t)sets.start[s + 1], count = 0;
        bool side_by_side = exact && size[s] <= CDP_OWN;
        for (uint32_t i = first; i < end; i++)
            count += right(&data, i, first, end, lists.entry + (uint64_t)i * K, !side_by_side);
        if (side_by_side) {
            small += size[s] * K;
            small_right += count;
        } else {
            large += size[s] * K;
            large_right += count;
        }
    }
    ok(small_right == small, "%s: %u of %u are the nearest", name, small_right, small);
    ok(large_right > large * 0.98, "%s: and %u of %u", name, large_right, large);
    cdp_candidates_free(&lists);
    cdp_ivf_packed_free(&shelf);
    cdp_dataset_free(&data);
    free(number);
}

int main(void)
{
    check(CDP_COSINE, 200, true, "cosine");
    check(CDP_L2, 5, true, "l2");
    check(CDP_L2, 4100, true, "l2");
    check(CDP_L1, 20, false, "l1");
    check(CDP_HAMMING, 64, false, "hamming");
    return done();
}
