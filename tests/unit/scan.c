// SPDX-License-Identifier: MIT
#include "knn/search/ivf.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/random.h"
#include "knn/data/dataset.h"
#include "knn/search/ivf.h"
#include "rows.h"
#include "tap.h"

// Items that scan their own lists find the nearest members, by the scores of pairs, whether these
// are computed pair by pair or in tiles. In lists too large for that, and for metrics whose tiles
// round otherwise, nearly all of them.

enum { K = 12 };

// Sizes of lists: about whole panels and tiles, empty, the largest of which all scores are
// computed, larger ones, and lists that batches share.
static const uint32_t size[] = {
    0, 1, 2, 16, 17, 64, 65, 80, 0, 0, CDP_SCAN_OWN, CDP_SCAN_OWN + 1, 300, 100};
enum { LISTS = sizeof size / sizeof *size, MOST = 2048 };

static uint32_t make_lists(struct cdp_ivf_lists *lists)
{
    static uint64_t start[LISTS + 1];
    static uint32_t member[MOST];
    for (uint32_t s = 0; s < LISTS; s++)
        start[s + 1] = start[s] + size[s];
    for (uint32_t i = 0; i < start[LISTS]; i++)
        member[i] = i;
    *lists = (struct cdp_ivf_lists){.count = LISTS, .start = start, .member = member};
    return (uint32_t)start[LISTS];
}

static bool holds(const uint64_t *list, uint64_t entry)
{
    bool held = false;
    for (uint32_t r = 0; r < K; r++)
        held = held || list[r] == entry;
    return held;
}

// The number of candidates that an item's list should hold and does. `full`: nearer ones, which may
// be other columns of the last panels, count too.
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
    struct cdp_ivf_lists lists;
    uint32_t rows = make_lists(&lists);
    float *number = malloc(rows * dim * sizeof *number);
    for (size_t i = 0; i < rows * dim; i++)
        number[i] = (float)(cdp_random(dim, i) % 2001) - 1000;
    struct cdp_matrix matrix = matrix_of(number, rows, dim);
    struct cdp_dataset data;
    struct cdp_candidates found, own;
    struct cdp_err err;
    bool made = !cdp_dataset_build(&data, &matrix, metric, K, false, 2, &err) &&
                !cdp_ivf_lists_pack(&lists, &data, 2, &err) &&
                !cdp_candidates_new(&own, rows, 3, 1, &err) &&
                !cdp_candidates_new(&found, rows, K, 1, &err);
    for (uint32_t l = 0; made && l < LISTS; l++) {
        for (uint64_t i = lists.start[l]; i < lists.start[l + 1]; i++)
            own.entry[3 * i] = l;
    }
    struct cdp_scan scan = {.data = &data,
                            .columns = &lists.columns,
                            .lists = &lists,
                            .visits = &own,
                            .last = 1,
                            .fraction = 1};
    if (!ok(made && !cdp_scan_own_list(&scan, &found, 2, NULL, &err),
            "%s, %llu numbers: items scan their own lists", name, (unsigned long long)dim))
        return;
    uint32_t small = 0, small_right = 0, large = 0, large_right = 0;
    for (uint32_t s = 0; s < LISTS; s++) {
        uint32_t first = (uint32_t)lists.start[s], end = (uint32_t)lists.start[s + 1], count = 0;
        bool in_tiles = exact && size[s] <= CDP_SCAN_OWN;
        for (uint32_t i = first; i < end; i++)
            count += right(&data, i, first, end, found.entry + (uint64_t)i * K, !in_tiles);
        if (in_tiles) {
            small += size[s] * K;
            small_right += count;
        } else {
            large += size[s] * K;
            large_right += count;
        }
    }
    ok(small_right == small, "%s: %u of %u are the nearest", name, small_right, small);
    ok(large_right > large * 0.98, "%s: and %u of %u", name, large_right, large);
    cdp_candidates_free(&found);
    cdp_candidates_free(&own);
    cdp_operand_free(&lists.columns);
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
