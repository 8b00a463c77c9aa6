// SPDX-License-Identifier: MIT
#include "knn/approx.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/threads.h"
#include "knn/allpairs.h"

enum {
    CELLS = 8,           // cells that an item belongs to
    CELL = 1 << 9,       // items of a cell, about
    TOPS = 4,            // pivots of pivots that an item is looked for under
    DIRECT = 1 << 9,     // pivots that every item is compared with; of more, those near
    MOST = 4 * CDP_SIDE, // items of a set that are all joined
    MEMBERS = 32,        // of a neighbourhood, half of each kind, at most
    SAMPLE = 512,        // items whose exact neighbours are known
    ROUNDS = 24,         // before all pairs are joined after all
    SEED = 1,
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

static uint32_t least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static void join_into(struct cdp_joiner *joiners, int threads, struct cdp_nearest *nearest,
                      const uint32_t *known)
{
    for (int t = 0; t < threads; t++) {
        joiners[t].nearest = nearest;
        joiners[t].known = known;
    }
}

// ---- cells

// `count` items, one from each stretch of n / count, ascending.
static uint32_t *choose(uint64_t n, uint64_t count, uint64_t seed, struct cdp_err *err)
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
                     least(count - from, CDP_SIDE));
        for (uint64_t p = 0; p < pivot_count; p += CDP_SIDE) {
            cdp_lay_columns(j, pivots + p, 0, NULL, CDP_NO_LIST, least(pivot_count - p, CDP_SIDE));
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
    uint32_t *places = choose(count, upper, seed, err), *tops = NULL;
    int status = -1;
    if (!places || !(tops = cdp_alloc(upper, sizeof *tops, "pivots", err)) ||
        cdp_nearest_new(&pivot_lists, lists->space, true, count, TOPS, err) ||
        cdp_nearest_new(&item_lists, lists->space, true, lists->count, TOPS, err))
        goto end;
    for (uint64_t i = 0; i < upper; i++)
        tops[i] = pivots[places[i]];
    join_into(joiners, threads, &pivot_lists, NULL);
    nearest_pivots(joiners, threads, pivots, count, tops, upper);
    join_into(joiners, threads, &item_lists, NULL);
    nearest_pivots(joiners, threads, NULL, lists->count, tops, upper);
    if (sets_of_pivots(&pivot_sets, &pivot_lists, pivots, tops, upper, err) ||
        sets_of_pivots(&item_sets, &item_lists, NULL, tops, upper, err))
        goto end;
    join_into(joiners, threads, lists, NULL);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t s = 0; s < upper; s++) {
        struct cdp_joiner *j = &joiners[cdp_thread()];
        for (uint64_t from = item_sets.start[s]; from < item_sets.start[s + 1]; from += CDP_SIDE) {
            const uint32_t *items = item_sets.member + from;
            cdp_lay_rows(j, items, 0, items, 0, least(item_sets.start[s + 1] - from, CDP_SIDE));
            for (uint64_t p = pivot_sets.start[s]; p < pivot_sets.start[s + 1]; p += CDP_SIDE) {
                cdp_lay_columns(j, pivot_sets.member + p, 0, NULL, CDP_NO_LIST,
                                least(pivot_sets.start[s + 1] - p, CDP_SIDE));
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
        uint32_t rows = least(count - from, CDP_SIDE);
        uint64_t end = least(count, from / MOST * MOST + MOST);
        cdp_lay_rows(j, items + from, 0, items + from, 0, rows);
        for (uint64_t to = from; to < end; to += CDP_SIDE) {
            cdp_lay_columns(j, items + to, 0, items + to, 0, least(end - to, CDP_SIDE));
            cdp_join(j, to == from);
        }
    }
}

// Joins cells of random pivots; `round` picks the pivots.
static int join_cells(struct cdp_joiner *joiners, int threads, uint64_t round,
                      struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_nearest *nearest = joiners->nearest, lists = {0};
    const uint32_t *known = joiners->known;
    uint64_t n = nearest->count, cell = nearest->k > CELL / 8 ? 8 * (uint64_t)nearest->k : CELL;
    uint64_t count = (n * CELLS + cell - 1) / cell;
    count = count < n ? count : n;
    struct sets cells = {0};
    uint32_t *pivots = choose(n, count, SEED + 2 * round, err);
    int status =
        !pivots || cdp_nearest_new(&lists, nearest->space, true, n, least(CELLS, count), err);
    if (!status) {
        join_into(joiners, threads, &lists, NULL);
        if (count <= DIRECT)
            nearest_pivots(joiners, threads, NULL, n, pivots, count);
        else
            status = nearest_pivots_over(joiners, threads, &lists, pivots, count,
                                         SEED + 2 * round + 1, err);
    }
    if (!status && !(status = sets_of_pivots(&cells, &lists, NULL, pivots, count, err))) {
        cdp_nearest_free(&lists);
        join_into(joiners, threads, nearest, known);
        cdp_progress_start(progress, "neighbours: near random items", "cells", count);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
        for (uint64_t s = 0; s < count; s++) {
            join_set(&joiners[cdp_thread()], cells.member + cells.start[s],
                     cells.start[s + 1] - cells.start[s]);
            cdp_progress_add(progress, 1);
        }
    }
    join_into(joiners, threads, nearest, known);
    free(pivots);
    cdp_nearest_free(&lists);
    free_sets(&cells);
    return status ? -1 : 0;
}

// ---- neighbourhoods

// The lists as they were at two times, and who had whom in the later one.
struct graph {
    uint32_t *before, *now; // count x k
    struct sets reverse;
};

// Brings the graph up to the lists, whose queries are all items. All lists are full, or the id of
// the item itself stands in what is missing.
static void update(struct graph *g, const struct cdp_nearest *n, int threads)
{
    uint32_t *swap = g->before;
    g->before = g->now;
    g->now = swap;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t i = 0; i < n->count; i++) {
        for (uint32_t r = 0; r < n->k; r++)
            g->now[i * n->k + r] = r < n->found[i] ? n->id[i * n->k + r] : (uint32_t)i;
    }
    uint64_t *start = g->reverse.start;
    uint32_t used = least(n->k, MEMBERS / 2);
    memset(start, 0, (n->count + 2) * sizeof *start);
    for (uint64_t i = 0; i < n->count; i++) {
        for (uint32_t r = 0; r < used; r++)
            start[g->now[i * n->k + r] + 2]++;
    }
    for (uint64_t i = 0; i < n->count; i++)
        start[i + 2] += start[i + 1];
    for (uint64_t i = 0; i < n->count; i++) {
        for (uint32_t r = 0; r < used; r++)
            g->reverse.member[start[g->now[i * n->k + r] + 1]++] = (uint32_t)i;
    }
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

// The neighbours of item i and those whose neighbour it is, of which those that became so since
// the last round are put in fresh. Returns their number; *fresh_count receives that of the fresh.
static uint32_t neighbourhood(const struct graph *g, uint32_t k, uint64_t i, uint32_t *members,
                              uint32_t *fresh, uint32_t *fresh_count)
{
    uint32_t count = 0, used = least(k, MEMBERS / 2);
    const uint32_t *now = g->now + i * k, *before = g->before + i * k;
    const uint32_t *from = g->reverse.member + g->reverse.start[i];
    uint64_t reverse = g->reverse.start[i + 1] - g->reverse.start[i];
    uint64_t step = (reverse + MEMBERS / 2 - 1) / (MEMBERS / 2);
    *fresh_count = 0;
    for (uint32_t r = 0; r < used; r++) {
        if (now[r] == i)
            continue;
        members[count++] = now[r];
        if (!cdp_holds(before, k, now[r]))
            fresh[(*fresh_count)++] = now[r];
    }
    for (uint64_t r = 0; r < reverse; r += step) {
        uint32_t id = from[r];
        if (id == i || cdp_holds(members, least(k, count), id))
            continue;
        members[count++] = id;
        if (!cdp_holds(g->before + (uint64_t)id * k, k, (uint32_t)i))
            fresh[(*fresh_count)++] = id;
    }
    qsort(fresh, *fresh_count, sizeof *fresh, by_id);
    return count;
}

static void join_neighbourhoods(struct cdp_joiner *joiners, int threads, const struct graph *g,
                                struct cdp_progress *progress)
{
    const struct cdp_nearest *n = joiners->nearest;
    cdp_progress_start(progress, "neighbours: of neighbours", "rows", n->count);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 256)
    for (uint64_t i = 0; i < n->count; i++) {
        struct cdp_joiner *j = &joiners[cdp_thread()];
        uint32_t members[MEMBERS], fresh[MEMBERS], fresh_count;
        uint32_t count = neighbourhood(g, n->k, i, members, fresh, &fresh_count);
        if (fresh_count > 0) {
            cdp_lay_rows(j, fresh, 0, fresh, 0, fresh_count);
            cdp_lay_columns(j, members, 0, members, 0, count);
            cdp_join(j, false);
        }
        cdp_progress_add(progress, 1);
    }
}

// ---- recall

// The exact neighbours of `count` items: those of ids[i] in list lists[i], or i where lists is
// NULL.
static void search_all(struct cdp_joiner *joiners, int threads, const uint32_t *ids,
                       const uint32_t *lists, uint32_t count)
{
    uint64_t all = joiners->nearest->space->matrix->rows;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = 0; from < all; from += CDP_SIDE) {
        struct cdp_joiner *j = &joiners[cdp_thread()];
        cdp_lay_rows(j, ids, 0, lists, 0, count);
        cdp_lay_columns(j, NULL, from, NULL, CDP_NO_LIST, least(all - from, CDP_SIDE));
        cdp_join(j, false);
    }
}

// Fills the lists that are not full: of items that met too few others.
static void complete(struct cdp_joiner *joiners, int threads)
{
    const struct cdp_nearest *nearest = joiners->nearest;
    uint32_t ids[CDP_SIDE], count = 0;
    for (uint64_t i = 0; i < nearest->count; i++) {
        if (nearest->found[i] < nearest->k)
            ids[count++] = (uint32_t)i;
        if (count == CDP_SIDE || (count > 0 && i + 1 == nearest->count)) {
            search_all(joiners, threads, ids, ids, count);
            count = 0;
        }
    }
}

// The share of the sample's exact neighbours that is in the lists; others as near count too.
static double recall_of(const struct cdp_nearest *lists, const uint32_t *sample,
                        const struct cdp_nearest *exact, float *room)
{
    const struct cdp_space *space = lists->space;
    float *x = room, *y = room + space->matrix->dim;
    uint64_t hits = 0;
    for (uint64_t i = 0; i < exact->count; i++) {
        uint64_t id = sample[i];
        double farthest = exact->key[(i + 1) * exact->k - 1];
        const float *row = cdp_matrix_row(space->matrix, id, x);
        uint32_t near = 0;
        for (uint32_t r = 0; r < lists->found[id]; r++)
            near += cdp_space_key(space, id, lists->id[id * lists->k + r], row, y) <= farthest;
        hits += near < exact->k ? near : exact->k;
    }
    return (double)hits / (double)(exact->count * exact->k);
}

// Measures what the coarse lists hold.
static void measure(struct cdp_joiner *joiners, int threads, const struct cdp_nearest *coarse,
                    struct cdp_nearest *nearest)
{
    const struct cdp_space *space = coarse->space;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 256)
    for (uint64_t i = 0; i < coarse->count; i++) {
        struct cdp_joiner *j = &joiners[cdp_thread()];
        const float *x = cdp_matrix_row(space->matrix, i, j->x);
        for (uint32_t r = 0; r < coarse->found[i]; r++) {
            uint32_t id = coarse->id[i * coarse->k + r];
            cdp_nearest_add(nearest, i, id, cdp_space_key(space, i, id, x, j->y));
        }
    }
}

int cdp_approx(struct cdp_joiner *joiners, int threads, double recall, double *found,
               struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_nearest *nearest = joiners->nearest, lists = {0}, exact = {0};
    const struct cdp_space *space = nearest->space;
    uint64_t n = nearest->count;
    uint32_t k = nearest->k + nearest->k / 4 + 2; // more, since scores are a little off
    uint64_t samples = n < SAMPLE ? n : SAMPLE;
    struct graph g = {.reverse.count = n};
    uint32_t *sample = choose(n, samples, SEED, err);
    g.before = cdp_alloc(n, k * sizeof *g.before, "the graph", err);
    g.now = cdp_alloc(n, k * sizeof *g.now, "the graph", err);
    g.reverse.start = cdp_alloc(n + 2, sizeof *g.reverse.start, "the graph", err);
    g.reverse.member =
        cdp_alloc(n, least(k, MEMBERS / 2) * sizeof *g.reverse.member, "the graph", err);
    float *room = cdp_alloc(2 * space->matrix->dim, sizeof *room, "rows", err);
    int status = -1;
    if (!sample || !g.before || !g.now || !g.reverse.start || !g.reverse.member || !room ||
        cdp_nearest_new(&lists, space, true, n, k, err) ||
        cdp_nearest_new(&exact, space, false, samples, nearest->k, err))
        goto end;
    status = 0;
    join_into(joiners, threads, &exact, NULL);
    search_all(joiners, threads, sample, NULL, (uint32_t)samples);
    update(&g, &lists, threads);
    *found = 0;
    for (uint64_t round = 0; !status && *found < recall && round < ROUNDS; round++) {
        join_into(joiners, threads, &lists, g.now);
        if (round % 2 == 0)
            status = join_cells(joiners, threads, round, progress, err);
        else
            join_neighbourhoods(joiners, threads, &g, progress);
        update(&g, &lists, threads);
        *found = recall_of(&lists, sample, &exact, room);
    }
    join_into(joiners, threads, nearest, NULL);
    if (!status) {
        measure(joiners, threads, &lists, nearest);
        complete(joiners, threads);
    }
end:
    free(sample);
    free(room);
    free(g.before);
    free(g.now);
    free_sets(&g.reverse);
    cdp_nearest_free(&lists);
    cdp_nearest_free(&exact);
    return status;
}
