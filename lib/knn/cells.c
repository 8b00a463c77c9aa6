// SPDX-License-Identifier: MIT
#include "knn/cells.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/random.h"

enum {
    CELL = 100,     // items of a cell, at least
    CENTRES = 8,    // at most so many times the square root of the number of items
    SAMPLE = 16,    // items a centre that it is trained on
    ITERATIONS = 3, // of k-means
};

static const uint64_t MORE_BYTES = UINT64_C(1) << 29; // of nearest centres at a time

uint32_t *cdp_choose(uint64_t n, uint64_t count, uint64_t seed, struct cdp_err *err)
{
    uint32_t *chosen = cdp_alloc(count, sizeof *chosen, "a choice of items", err);
    for (uint64_t i = 0; chosen && i < count; i++) {
        uint64_t from = i * n / count, to = (i + 1) * n / count;
        chosen[i] = (uint32_t)(from + cdp_random(seed, i) % (to - from));
    }
    return chosen;
}

// Centres, all of which are one set of a shelf.
struct cdp_centres {
    struct cdp_space space;
    struct cdp_sets sets;
    struct cdp_shelf shelf;
};

// Lists that hold set 0 only, for `count` rows.
static int all_of_one(struct cdp_shortlists *lists, uint64_t count, struct cdp_err *err)
{
    if (cdp_shortlists_new(lists, count, 1, err))
        return -1;
    for (uint64_t i = 0; i < count; i++)
        lists->entry[i] = cdp_entry(0, 0);
    return 0;
}

// Lays the centres out.
static int shelve(struct cdp_centres *c, uint64_t count, int threads, struct cdp_err *err)
{
    struct cdp_shortlists all;
    if (all_of_one(&all, count, err))
        return -1;
    int status = cdp_sets_of(&c->sets, &all, 1, 1, threads, err) ||
                 cdp_shelf_new(&c->shelf, &c->space, &c->sets, threads, err);
    cdp_shortlists_free(&all);
    return status ? -1 : 0;
}

static void unshelve(struct cdp_centres *c)
{
    cdp_shelf_free(&c->shelf);
    cdp_sets_free(&c->sets);
}

// Gives list i of `lists` the k nearest centres of item i of the space, or of items[i].
static int nearest_centres(struct cdp_shortlists *lists, const struct cdp_space *space,
                           const uint32_t *items, uint64_t count, uint32_t k,
                           const struct cdp_centres *c, int threads, struct cdp_progress *progress,
                           struct cdp_err *err)
{
    struct cdp_shortlists all;
    if (all_of_one(&all, count, err))
        return -1;
    int status = cdp_shortlists_new(lists, count, cdp_least(k, c->sets.start[1]), err) ||
                 cdp_probe(space, items, &all, &c->shelf, lists, true, threads, progress, err);
    cdp_shortlists_free(&all);
    return status ? -1 : 0;
}

// Moves the centres to the means of those of a sample that are nearest to them.
static int train(struct cdp_centres *c, uint64_t centres, const struct cdp_space *space,
                 uint64_t seed, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t n = space->matrix->rows, count = cdp_least(n, SAMPLE * centres);
    uint32_t *sample = cdp_choose(n, count, seed, err);
    int status = sample ? 0 : -1;
    cdp_progress_start(progress, "neighbours: centres", "rows", ITERATIONS * count);
    for (int i = 0; !status && i < ITERATIONS; i++) {
        struct cdp_shortlists lists = {0};
        struct cdp_sets sets = {0};
        status = nearest_centres(&lists, space, sample, count, 1, c, threads, progress, err) ||
                 cdp_sets_of(&sets, &lists, 1, centres, threads, err);
        if (!status) {
            for (uint64_t m = 0; m < count; m++)
                sets.member[m] = sample[sets.member[m]];
            unshelve(c);
            status = cdp_space_move(&c->space, space, &sets, threads, err) ||
                     shelve(c, centres, threads, err);
        }
        cdp_shortlists_free(&lists);
        cdp_sets_free(&sets);
    }
    free(sample);
    return status ? -1 : 0;
}

// The number of cells of n items, for lists of k neighbours.
static uint64_t cells_of(uint64_t n, uint32_t k)
{
    uint64_t cell = k > CELL / 5 ? 5 * (uint64_t)k : CELL, root = (uint64_t)sqrt((double)n);
    uint64_t most = CENTRES * root, count = (n + cell - 1) / cell;
    return count < most ? count : most;
}

int cdp_cells_new(struct cdp_cells *cells, const struct cdp_space *space, uint32_t k,
                  uint32_t probes, uint64_t seed, int threads, struct cdp_progress *progress,
                  struct cdp_err *err)
{
    uint64_t n = space->matrix->rows;
    *cells = (struct cdp_cells){.count = cells_of(n, k)};
    struct cdp_centres *c = cdp_zalloc(1, sizeof *c, "centres", err);
    uint32_t *first = cdp_choose(n, cells->count, seed, err);
    int status = -1;
    cells->centres = c;
    if (!c || !first)
        goto end;
    if (cdp_space_pick(&c->space, space, first, cells->count, err) ||
        shelve(c, cells->count, threads, err) ||
        train(c, cells->count, space, seed + 1, threads, progress, err))
        goto end;
    cdp_progress_start(progress, "neighbours: cells", "rows", n);
    status = nearest_centres(&cells->nearest, space, NULL, n, probes, c, threads, progress, err) ||
             cdp_sets_of(&cells->items, &cells->nearest, 1, cells->count, threads, err) ||
             cdp_shelf_new(&cells->shelf, space, &cells->items, threads, err);
end:
    free(first);
    return status ? -1 : 0;
}

void cdp_cells_free(struct cdp_cells *cells)
{
    if (cells->centres) {
        unshelve(cells->centres);
        cdp_space_free(&cells->centres->space);
    }
    free(cells->centres);
    cdp_shortlists_free(&cells->nearest);
    cdp_shelf_free(&cells->shelf);
    cdp_sets_free(&cells->items);
    *cells = (struct cdp_cells){0};
}

int cdp_cells_probe(const struct cdp_cells *cells, const struct cdp_space *space,
                    struct cdp_shortlists *lists, int threads, struct cdp_progress *progress,
                    struct cdp_err *err)
{
    cdp_progress_start(progress, "neighbours", "rows", lists->count);
    return cdp_probe(space, NULL, &cells->nearest, &cells->shelf, lists, false, threads, progress,
                     err);
}

int cdp_cells_probe_more(const struct cdp_cells *cells, const struct cdp_space *space,
                         struct cdp_shortlists *lists, const uint32_t *items, uint64_t count,
                         uint32_t probes, int threads, struct cdp_progress *progress,
                         struct cdp_err *err)
{
    // Some items at a time, since their nearest centres may be very many.
    uint64_t most = MORE_BYTES / (sizeof *lists->entry * probes) + 1;
    int status = 0;
    cdp_progress_start(progress, "neighbours of the farthest", "rows", 2 * count);
    for (uint64_t from = 0; !status && from < count; from += most) {
        struct cdp_shortlists some = {0}, near = {0};
        uint64_t here = cdp_least(count - from, most);
        status = cdp_shortlists_take(&some, lists, items + from, here, err) ||
                 nearest_centres(&near, space, items + from, here, probes, cells->centres, threads,
                                 progress, err) ||
                 cdp_probe(space, items + from, &near, &cells->shelf, &some, false, threads,
                           progress, err);
        if (!status)
            cdp_shortlists_put(lists, &some, items + from);
        cdp_shortlists_free(&some);
        cdp_shortlists_free(&near);
    }
    return status ? -1 : 0;
}
