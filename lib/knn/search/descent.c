// SPDX-License-Identifier: MIT
#include "knn/search/descent.h"

#include <stdbool.h>
#include <string.h>

enum {
    MET = 1024, // items that are remembered, at most
    ASKED = 2,  // the nearer one in so many of a list tell theirs: the others add little
};

// Adds candidates to the list of an item.
static void add(const struct cdp_dataset *data, uint32_t item, const uint32_t *candidates,
                uint32_t count, uint64_t *list, uint32_t k)
{
    float score[CDP_TILE_COLUMNS];
    cdp_dataset_scores(data, item, data, candidates, count, score);
    cdp_candidates_add(list, k, data->kernel, candidates, score, count);
}

// Whether an item has been met, as far as is remembered: neighbours share most of theirs. Items
// that are near each other stand side by side, so few of them share a place.
static bool again(uint32_t met[MET], uint32_t item)
{
    bool is = met[item % MET] == item;
    met[item % MET] = item;
    return is;
}

static void look_around(const struct cdp_dataset *data, const struct cdp_candidates *lists,
                        uint32_t item, uint64_t *list)
{
    uint32_t candidates[CDP_TILE_COLUMNS] = {0}, count = 0, k = lists->k, met[MET];
    const uint64_t *own = lists->entry + (uint64_t)item * k;
    // All lists are asked of the memory at once.
    for (uint32_t r = 0; r < k / ASKED && own[r] != CDP_CANDIDATE_NONE; r++)
        cdp_fetch(lists->entry + (uint64_t)cdp_candidate_id(own[r]) * k, k * sizeof *own);
    memset(met, 0xFF, sizeof met);
    again(met, item);
    for (uint32_t r = 0; r < k && own[r] != CDP_CANDIDATE_NONE; r++)
        again(met, cdp_candidate_id(own[r]));
    for (uint32_t r = 0; r < k / ASKED && own[r] != CDP_CANDIDATE_NONE; r++) {
        const uint64_t *other = lists->entry + (uint64_t)cdp_candidate_id(own[r]) * k;
        for (uint32_t i = 0; i < k && other[i] != CDP_CANDIDATE_NONE; i++) {
            candidates[count] = cdp_candidate_id(other[i]);
            count += candidates[count] != item && !again(met, candidates[count]);
            if (count == CDP_TILE_COLUMNS) {
                add(data, item, candidates, count, list, k);
                count = 0;
            }
        }
    }
    add(data, item, candidates, count, list, k);
}

int cdp_descent(const struct cdp_dataset *data, struct cdp_candidates *lists, const uint32_t *items,
                uint64_t count, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_candidates some;
    if (cdp_candidates_gather(&some, lists, items, count, threads, err))
        return -1;
    cdp_progress_stage(progress, CDP_PROGRESS_ROUND, count);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 256)
    for (uint64_t i = 0; i < count; i++) {
        look_around(data, lists, items[i], some.entry + i * some.k);
        cdp_progress_add(progress, 1);
    }
    cdp_candidates_scatter(lists, &some, items, threads);
    cdp_candidates_free(&some);
    return 0;
}
