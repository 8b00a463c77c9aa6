// SPDX-License-Identifier: MIT
#include "knn/cells.h"

#include <math.h>
#include <stdlib.h>

#include "base/floats.h"

enum {
    CELL = 96,    // items of a cell, at least
    SAMPLE = 256, // items whose near ones tell how far apart sketches are,
    BEYOND = 10,  // of which one in so many has some that are farther
};

static const uint64_t MORE_BYTES = UINT64_C(1) << 29; // of nearest centres at a time

// Puts the items in the order of their cells.
static int sort_items(struct cdp_cells *cells, struct cdp_space *space, int threads,
                      struct cdp_err *err)
{
    struct cdp_shortlists sorted;
    uint32_t *member = cells->items.member;
    uint64_t n = space->matrix->rows;
    if (cdp_space_reorder(space, member, threads, err) ||
        cdp_shortlists_take(&sorted, &cells->nearest, member, n, threads, err))
        return -1;
    cdp_shortlists_free(&cells->nearest);
    cells->nearest = sorted;
    for (uint64_t i = 0; i < n; i++)
        member[i] = (uint32_t)i;
    return 0;
}

// How far apart the sketches of item `id` and of those in its list are at most, as a part of the
// list's reach. Where rounding may be all of it, nothing is learned: 0.
static float part_of(const struct cdp_space *space, uint32_t id, const uint64_t *list, uint32_t k)
{
    float most = 0, reach = cdp_space_reach(space, cdp_entry_score(list[k - 1]));
    for (uint32_t r = 0; r < k && list[r] != CDP_NOBODY; r++) {
        uint32_t other = cdp_entry_id(list[r]);
        const struct cdp_sketch *a = &space->sketch[id], *b = &space->sketch[other];
        float glance, error = a->error + b->error;
        cdp_space_glances(space, id, space, &other, 1, &glance);
        float apart = sqrtf(fmaxf(0, (float)a->square - 2 * glance));
        if (reach > error)
            most = fmaxf(most, (apart - error) / reach);
    }
    return most;
}

// Learns from a sample how far apart the sketches of neighbours are: of nearly all lists.
static int learn_part(struct cdp_cells *cells, const struct cdp_space *space, uint32_t k,
                      uint64_t seed, int threads, struct cdp_err *err)
{
    uint64_t n = space->matrix->rows, samples = n < SAMPLE ? n : SAMPLE;
    struct cdp_shortlists near = {0}, lists = {0};
    uint32_t *item = cdp_choose(n, samples, seed, err);
    int status = !item || cdp_shortlists_new(&lists, samples, k, threads, err) ||
                 cdp_shortlists_take(&near, &cells->nearest, item, samples, threads, err) ||
                 cdp_probe(space, item, &near, &cells->shelf, &lists, threads, NULL, err);
    float part[SAMPLE] = {0};
    for (uint64_t i = 0; !status && i < samples; i++)
        part[i] = part_of(space, item[i], lists.entry + i * k, k);
    cdp_sort_floats(part, samples);
    float usual = part[samples - 1 - samples / BEYOND];
    if (usual > 0 && usual < 1)
        cells->shelf.part = usual;
    free(item);
    cdp_shortlists_free(&near);
    cdp_shortlists_free(&lists);
    return status ? -1 : 0;
}

int cdp_cells_new(struct cdp_cells *cells, struct cdp_space *space, uint32_t k, uint32_t probes,
                  uint64_t seed, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t n = space->matrix->rows, cell = k > CELL / 4 ? 4 * (uint64_t)k : CELL;
    uint64_t count = (n + cell - 1) / cell;
    *cells = (struct cdp_cells){0};
    cells->centres = cdp_centres_new(space, n, count, seed, threads, progress, err);
    if (!cells->centres)
        return -1;
    cdp_progress_start(progress, "neighbours: cells", "rows", n);
    return cdp_centres_nearest(&cells->nearest, cells->centres, space, NULL, n, probes, threads,
                               progress, err) ||
                   cdp_sets_of(&cells->items, &cells->nearest, 1, count, threads, err) ||
                   sort_items(cells, space, threads, err) ||
                   cdp_shelf_new(&cells->shelf, space, &cells->items, threads, err) ||
                   (space->vector && learn_part(cells, space, k, seed, threads, err))
               ? -1
               : 0;
}

void cdp_cells_free(struct cdp_cells *cells)
{
    cdp_centres_free(cells->centres);
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
    return cdp_probe(space, NULL, &cells->nearest, &cells->shelf, lists, threads, progress, err);
}

int cdp_cells_probe_more(const struct cdp_cells *cells, const struct cdp_space *space,
                         struct cdp_shortlists *lists, const uint32_t *items, uint64_t count,
                         uint32_t probes, int threads, struct cdp_progress *progress,
                         struct cdp_err *err)
{
    // Some items at a time, since their nearest centres may be very many.
    uint64_t most = MORE_BYTES / (sizeof *lists->entry * probes) + 1;
    int status = 0;
    cdp_progress_start(progress, "neighbours, once more", "rows", 2 * count);
    for (uint64_t from = 0; !status && from < count; from += most) {
        struct cdp_shortlists some = {0}, near = {0};
        uint64_t here = cdp_least(count - from, most);
        status =
            cdp_shortlists_take(&some, lists, items + from, here, threads, err) ||
            cdp_centres_nearest(&near, cells->centres, space, items + from, here, probes, threads,
                                progress, err) ||
            cdp_probe(space, items + from, &near, &cells->shelf, &some, threads, progress, err);
        if (!status)
            cdp_shortlists_put(lists, &some, items + from, threads);
        cdp_shortlists_free(&some);
        cdp_shortlists_free(&near);
    }
    return status ? -1 : 0;
}
