// SPDX-License-Identifier: MIT
#include "knn/cells.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/threads.h"

enum {
    CELL = 1 << 9,       // items of a cell, about
    TOPS = 4,            // pivots of pivots that an item is looked for under
    DIRECT = 1 << 9,     // pivots that every item is compared with; of more, those near
    MOST = 4 * CDP_SIDE, // items of a set that are all joined
};

// Sets of items: set s is member[start[s]] to member[start[s + 1] - 1].
struct sets {
    uint64_t count;
    uint64_t *start;
    uint32_t *member;
};

static void free_sets(struct sets *sets)
{
    free(sets->start);
    free(sets->member);
    *sets = (struct sets){0};
}

uint32_t *cdp_choose(uint64_t n, uint64_t count, uint64_t seed, struct cdp_err *err)
{
    uint32_t *chosen = cdp_alloc(count, sizeof *chosen, "pivots", err);
    for (uint64_t i = 0; chosen && i < count; i++) {
        uint64_t from = i * n / count, to = (i + 1) * n / count;
        chosen[i] = (uint32_t)(from + cdp_random(seed, i) % (to - from));
    }
    return chosen;
}

static uint64_t position(const uint32_t *sorted, uint64_t count, uint32_t id)
{
    uint64_t low = 0, high = count - 1;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (sorted[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The sets of items that have the same pivot in their lists. items[i] has list i; NULL = itself.
static int sets_of_pivots(struct sets *sets, const struct cdp_nearest *lists, const uint32_t *items,
                          const uint32_t *pivots, uint64_t count, struct cdp_err *err)
{
    uint64_t total = 0;
    for (uint64_t i = 0; i < lists->count; i++)
        total += lists->found[i];
    *sets = (struct sets){.count = count};
    sets->start = cdp_zalloc(count + 2, sizeof *sets->start, "cells", err);
    sets->member = cdp_alloc(total, sizeof *sets->member, "cells", err);
    if (!sets->start || !sets->member) {
        free_sets(sets);
        return -1;
    }
    for (int pass = 0; pass < 2; pass++) { // counts, then places
        for (uint64_t i = 0; i < lists->count; i++) {
            for (uint32_t r = 0; r < lists->found[i]; r++) {
                uint64_t p = position(pivots, count, lists->id[i * lists->k + r]);
                if (pass)
                    sets->member[sets->start[p + 1]++] = items ? items[i] : (uint32_t)i;
                else
                    sets->start[p + 2]++;
            }
        }
        for (uint64_t p = 0; !pass && p < count; p++)
            sets->start[p + 2] += sets->start[p + 1];
    }
    return 0;
}

// Fills lists, one for each of `count` items, with the nearest pivots. No item is in its own list,
// so a pivot goes to the cells of others.
static void nearest_pivots(struct cdp_joiner *joiners, int threads, const uint32_t *items,
                           uint64_t count, const uint32_t *pivots, uint64_t pivot_count)
{
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = 0; from < count; from += CDP_SIDE) {
        struct cdp_joiner *j = &joiners[cdp_thread()];
        cdp_lay_rows(j, items ? items + from : NULL, from, NULL, from,
                     cdp_least(count - from, CDP_SIDE));
        for (uint64_t p = 0; p < pivot_count; p += CDP_SIDE) {
            cdp_lay_columns(j, pivots + p, 0, NULL, CDP_NO_LIST,
                            cdp_least(pivot_count - p, CDP_SIDE));
            cdp_join(j, false);
        }
    }
}

// The same over the pivots' pivots: an item meets the pivots that share one of them with it.
static int nearest_pivots_over(struct cdp_joiner *joiners, int threads, struct cdp_nearest *lists,
                               const uint32_t *pivots, uint64_t count, uint64_t seed,
                               struct cdp_err *err)
{
    uint64_t upper = 1;
    while (upper * upper < count)
        upper++;
    struct cdp_nearest pivot_lists = {0}, item_lists = {0};
    struct sets pivot_sets = {0}, item_sets = {0};
    uint32_t *places = cdp_choose(count, upper, seed, err), *tops = NULL;
    int status = -1;
    if (!places || !(tops = cdp_alloc(upper, sizeof *tops, "pivots", err)) ||
        cdp_nearest_new(&pivot_lists, lists->space, true, count, TOPS, err) ||
        cdp_nearest_new(&item_lists, lists->space, true, lists->count, TOPS, err))
        goto end;
    for (uint64_t i = 0; i < upper; i++)
        tops[i] = pivots[places[i]];
    cdp_joiners_turn(joiners, threads, &pivot_lists, NULL);
    nearest_pivots(joiners, threads, pivots, count, tops, upper);
    cdp_joiners_turn(joiners, threads, &item_lists, NULL);
    nearest_pivots(joiners, threads, NULL, lists->count, tops, upper);
    if (sets_of_pivots(&pivot_sets, &pivot_lists, pivots, tops, upper, err) ||
        sets_of_pivots(&item_sets, &item_lists, NULL, tops, upper, err))
        goto end;
    cdp_joiners_turn(joiners, threads, lists, NULL);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t s = 0; s < upper; s++) {
        struct cdp_joiner *j = &joiners[cdp_thread()];
        for (uint64_t from = item_sets.start[s]; from < item_sets.start[s + 1]; from += CDP_SIDE) {
            const uint32_t *items = item_sets.member + from;
            cdp_lay_rows(j, items, 0, items, 0, cdp_least(item_sets.start[s + 1] - from, CDP_SIDE));
            for (uint64_t p = pivot_sets.start[s]; p < pivot_sets.start[s + 1]; p += CDP_SIDE) {
                cdp_lay_columns(j, pivot_sets.member + p, 0, NULL, CDP_NO_LIST,
                                cdp_least(pivot_sets.start[s + 1] - p, CDP_SIDE));
                cdp_join(j, false);
            }
        }
    }
    status = 0;
end:
    free(places);
    free(tops);
    cdp_nearest_free(&pivot_lists);
    cdp_nearest_free(&item_lists);
    free_sets(&pivot_sets);
    free_sets(&item_sets);
    return status;
}

// Joins all pairs of a set; of a very large one, of its parts.
static void join_set(struct cdp_joiner *j, const uint32_t *items, uint64_t count)
{
    for (uint64_t from = 0; from < count; from += CDP_SIDE) {
        uint32_t rows = cdp_least(count - from, CDP_SIDE);
        uint64_t end = cdp_least(count, from / MOST * MOST + MOST);
        cdp_lay_rows(j, items + from, 0, items + from, 0, rows);
        for (uint64_t to = from; to < end; to += CDP_SIDE) {
            cdp_lay_columns(j, items + to, 0, items + to, 0, cdp_least(end - to, CDP_SIDE));
            cdp_join(j, to == from);
        }
    }
}

int cdp_join_cells(struct cdp_joiner *joiners, int threads, uint32_t per_item, uint64_t seed,
                   struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_nearest *nearest = joiners->nearest, lists = {0};
    const uint32_t *known = joiners->known;
    uint64_t n = nearest->count, cell = nearest->k > CELL / 8 ? 8 * (uint64_t)nearest->k : CELL;
    uint64_t count = (n * per_item + cell - 1) / cell;
    count = count < n ? count : n;
    struct sets cells = {0};
    uint32_t *pivots = cdp_choose(n, count, seed, err);
    int status = !pivots ||
                 cdp_nearest_new(&lists, nearest->space, true, n, cdp_least(per_item, count), err);
    if (!status) {
        cdp_joiners_turn(joiners, threads, &lists, NULL);
        if (count <= DIRECT)
            nearest_pivots(joiners, threads, NULL, n, pivots, count);
        else
            status = nearest_pivots_over(joiners, threads, &lists, pivots, count, seed + 1, err);
    }
    if (!status && !(status = sets_of_pivots(&cells, &lists, NULL, pivots, count, err))) {
        cdp_nearest_free(&lists);
        cdp_joiners_turn(joiners, threads, nearest, known);
        cdp_progress_start(progress, "neighbours: near random items", "cells", count);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
        for (uint64_t s = 0; s < count; s++) {
            join_set(&joiners[cdp_thread()], cells.member + cells.start[s],
                     cells.start[s + 1] - cells.start[s]);
            cdp_progress_add(progress, 1);
        }
    }
    cdp_joiners_turn(joiners, threads, nearest, known);
    free(pivots);
    cdp_nearest_free(&lists);
    free_sets(&cells);
    return status ? -1 : 0;
}
