// SPDX-License-Identifier: MIT
#include "knn/approx.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/mem.h"
#include "base/threads.h"
#include "knn/cells.h"

enum {
    CELLS = 8,    // cells that an item belongs to
    MEMBERS = 32, // of a neighbourhood, half of each kind, at most
    SAMPLE = 512, // items whose exact neighbours are known
    ROUNDS = 24,  // before all pairs are joined after all
    SEED = 1,
};

// ---- neighbourhoods

// The lists as they were at two times, and who had whom in the later one: item i is in the lists of
// reverse[start[i]] to reverse[start[i + 1] - 1].
struct graph {
    uint32_t *before, *now; // count x k
    uint64_t *start;
    uint32_t *reverse;
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
    uint64_t *start = g->start;
    uint32_t used = cdp_least(n->k, MEMBERS / 2);
    memset(start, 0, (n->count + 2) * sizeof *start);
    for (uint64_t i = 0; i < n->count; i++) {
        for (uint32_t r = 0; r < used; r++)
            start[g->now[i * n->k + r] + 2]++;
    }
    for (uint64_t i = 0; i < n->count; i++)
        start[i + 2] += start[i + 1];
    for (uint64_t i = 0; i < n->count; i++) {
        for (uint32_t r = 0; r < used; r++)
            g->reverse[start[g->now[i * n->k + r] + 1]++] = (uint32_t)i;
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
    uint32_t count = 0, used = cdp_least(k, MEMBERS / 2);
    const uint32_t *now = g->now + i * k, *before = g->before + i * k;
    const uint32_t *from = g->reverse + g->start[i];
    uint64_t reverse = g->start[i + 1] - g->start[i];
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
        if (id == i || cdp_holds(members, cdp_least(k, count), id))
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
        cdp_lay_columns(j, NULL, from, NULL, CDP_NO_LIST, cdp_least(all - from, CDP_SIDE));
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

int cdp_approx(struct cdp_joiner *joiners, int threads, double recall, double *found,
               struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_nearest *nearest = joiners->nearest, lists = {0}, exact = {0};
    const struct cdp_space *space = nearest->space;
    uint64_t n = nearest->count;
    uint32_t k = nearest->k + nearest->k / 4 + 2; // more, since scores are a little off
    uint64_t samples = n < SAMPLE ? n : SAMPLE;
    struct graph g = {0};
    uint32_t *sample = cdp_choose(n, samples, SEED, err);
    g.before = cdp_alloc(n, k * sizeof *g.before, "the graph", err);
    g.now = cdp_alloc(n, k * sizeof *g.now, "the graph", err);
    g.start = cdp_alloc(n + 2, sizeof *g.start, "the graph", err);
    g.reverse = cdp_alloc(n, cdp_least(k, MEMBERS / 2) * sizeof *g.reverse, "the graph", err);
    float *room = cdp_alloc(2 * space->matrix->dim, sizeof *room, "rows", err);
    int status = -1;
    if (!sample || !g.before || !g.now || !g.start || !g.reverse || !room ||
        cdp_nearest_new(&lists, space, true, n, k, err) ||
        cdp_nearest_new(&exact, space, false, samples, nearest->k, err))
        goto end;
    status = 0;
    cdp_joiners_turn(joiners, threads, &exact, NULL);
    search_all(joiners, threads, sample, NULL, (uint32_t)samples);
    update(&g, &lists, threads);
    *found = 0;
    for (uint64_t round = 0; !status && *found < recall && round < ROUNDS; round++) {
        cdp_joiners_turn(joiners, threads, &lists, g.now);
        if (round % 2 == 0)
            status = cdp_join_cells(joiners, threads, CELLS, SEED + 2 * round, progress, err);
        else
            join_neighbourhoods(joiners, threads, &g, progress);
        update(&g, &lists, threads);
        *found = recall_of(&lists, sample, &exact, room);
    }
    cdp_joiners_turn(joiners, threads, nearest, NULL);
    if (!status) {
        cdp_join_lists(joiners, threads, &lists);
        complete(joiners, threads);
    }
end:
    free(sample);
    free(room);
    free(g.before);
    free(g.now);
    free(g.start);
    free(g.reverse);
    cdp_nearest_free(&lists);
    cdp_nearest_free(&exact);
    return status;
}
