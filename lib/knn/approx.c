// SPDX-License-Identifier: MIT
#include "knn/approx.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/cells.h"
#include "knn/neighbourhood.h"

enum {
    PROBES = 8,      // cells that an item looks into at first
    SHARE = 16,      // the farthest are one in so many, the next time twice as many, and
    MORE = 128,      // look into so many cells; when they are all, into twice as many
    AROUND = 4,      // so many times as many look around
    WIDE = 24,       // cells that all look into; twice as many the next time
    SEED_PROBES = 4, // of a search that only fills lists
    SAMPLE = 512,    // items whose exact neighbours are known
    SEED = 1,
};

// ---- reach

// The items whose lists reach farthest, at least one in `share` of all, ascending. To be freed by
// the caller; NULL after an error.
static uint32_t *farthest(const struct cdp_shortlists *lists, uint64_t share, uint64_t *count,
                          struct cdp_err *err)
{
    enum { BITS = 16 };
    uint64_t n = lists->count, k = lists->k, above[1 << BITS] = {0}, from = 1 << BITS;
    for (uint64_t i = 0; i < n; i++)
        above[lists->entry[i * k + k - 1] >> (64 - BITS)]++;
    for (*count = 0; from > 0 && *count * share < n; from--)
        *count += above[from - 1];
    uint32_t *items = cdp_alloc(*count, sizeof *items, "items", err);
    uint64_t at = 0;
    for (uint64_t i = 0; items && i < n; i++) {
        if (lists->entry[i * k + k - 1] >> (64 - BITS) >= from)
            items[at++] = (uint32_t)i;
    }
    return items;
}

// ---- recall

// Adds the exact neighbours of `count` items to these lists.
static void search_all(struct cdp_joiner *joiners, int threads, const uint32_t *items,
                       struct cdp_run lists, uint32_t count)
{
    uint64_t all = joiners->space->matrix->rows;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = 0; from < all; from += CDP_SIDE) {
        struct cdp_joiner *j = &joiners[cdp_thread()];
        cdp_lay_rows(j, cdp_run_of(items), lists, count);
        cdp_lay_columns(j, cdp_run_from(from), cdp_run_from(CDP_NONE),
                        cdp_least(all - from, CDP_SIDE));
        cdp_join(j, false);
    }
}

// Fills the lists that are not full: of items that met too few others.
static void complete(struct cdp_joiner *joiners, int threads)
{
    const struct cdp_nearest *nearest = joiners->nearest;
    uint32_t items[CDP_SIDE], lists[CDP_SIDE], count = 0;
    for (uint64_t i = 0; i < nearest->count; i++) {
        uint32_t row = cdp_space_row(nearest->space, i);
        if (nearest->found[row] < nearest->k) {
            items[count] = (uint32_t)i;
            lists[count++] = row;
        }
        if (count == CDP_SIDE || (count > 0 && i + 1 == nearest->count)) {
            search_all(joiners, threads, items, cdp_run_of(lists), count);
            count = 0;
        }
    }
}

// What an item of the sample misses, and how far its list reaches.
struct lack {
    uint64_t reach;
    uint32_t missing;
};

static int by_reach(const void *a, const void *b)
{
    const struct lack *x = a, *y = b;
    if (x->reach != y->reach)
        return x->reach > y->reach ? -1 : 1;
    return x->missing > y->missing ? -1 : x->missing < y->missing;
}

// Returns the share of the sample's exact neighbours that is in the lists; others as near count
// too. *error receives the standard error of that, and *scattered whether most of what is missing
// is so from the lists that reach farthest.
static double recall_of(const struct cdp_shortlists *lists, const uint32_t *sample,
                        const struct cdp_nearest *exact, struct lack *lack, float *room,
                        double *error, bool *scattered)
{
    const struct cdp_space *space = exact->space;
    float *x = room, *y = room + space->matrix->dim;
    uint64_t missing = 0, squares = 0, far = 0;
    for (uint64_t i = 0; i < exact->count; i++) {
        uint64_t id = sample[i];
        double farthest_key = exact->key[(i + 1) * exact->k - 1];
        const float *row = cdp_matrix_row(space->matrix, cdp_space_row(space, id), x);
        uint32_t near = 0;
        const uint64_t *list = lists->entry + id * lists->k;
        for (uint32_t r = 0; r < lists->k && list[r] != CDP_NOBODY; r++)
            near += cdp_space_key(space, id, cdp_entry_id(list[r]), row, y) <= farthest_key;
        lack[i].reach = list[lists->k - 1];
        lack[i].missing = near < exact->k ? exact->k - near : 0;
        missing += lack[i].missing;
        squares += (uint64_t)lack[i].missing * lack[i].missing;
    }
    qsort(lack, exact->count, sizeof *lack, by_reach);
    for (uint64_t i = 0; i < exact->count / SHARE; i++)
        far += lack[i].missing;
    *scattered = 2 * far > missing;
    double count = (double)exact->count, mean = (double)missing / count;
    *error = sqrt(((double)squares / count - mean * mean) / count) / exact->k;
    return 1 - mean / exact->k;
}

// ---- all

// Until the sample has the recall that is wanted, or all have looked into all cells.
static int search(const struct cdp_space *space, const struct cdp_cells *cells,
                  struct cdp_shortlists *lists, double recall, const uint32_t *sample,
                  const struct cdp_nearest *exact, int threads, double *found,
                  struct cdp_progress *progress, struct cdp_err *err)
{
    float *room = cdp_alloc(2 * space->matrix->dim, sizeof *room, "rows", err);
    struct lack *lack = cdp_alloc(exact->count, sizeof *lack, "the sample", err);
    int status = !room || !lack || cdp_cells_probe(cells, space, lists, threads, progress, err);
    uint64_t share = SHARE, more = MORE, wide = WIDE, count;
    double error;
    bool last = false, scattered;
    for (bool around = true; !status; around = !around) {
        status = cdp_shortlists_reverse(lists, space->kernel, threads, err);
        *found = recall_of(lists, sample, exact, lack, room, &error, &scattered);
        if (status || last || *found - error >= recall)
            break;
        uint64_t part = !scattered ? 1 : around ? share / AROUND : share;
        uint64_t probes = cdp_least(scattered ? more : wide, cells->centres->count);
        uint32_t *items = farthest(lists, part > 0 ? part : 1, &count, err);
        if (!items) {
            status = -1;
        } else if (around) {
            status = cdp_neighbourhoods(space, lists, items, count, threads, progress, err);
        } else {
            last = count == lists->count && probes == cells->centres->count;
            status = cdp_cells_probe_more(cells, space, lists, items, count, (uint32_t)probes,
                                          threads, progress, err);
            if (!scattered)
                wide *= 2;
            else if (share > 1)
                share /= 2;
            else
                more *= 2;
        }
        free(items);
    }
    free(room);
    free(lack);
    return status ? -1 : 0;
}

int cdp_approx(struct cdp_space *space, struct cdp_joiner *joiners, int threads, double recall,
               double *found, struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_nearest *nearest = joiners->nearest, exact = {0};
    struct cdp_shortlists lists = {0};
    struct cdp_cells cells = {0};
    uint64_t n = nearest->count, samples = n < SAMPLE ? n : SAMPLE;
    // More than are wanted, since scores are a little off.
    uint32_t k = cdp_least((uint64_t)nearest->k + nearest->k / 4 + 2, n - 1);
    uint32_t *sample = cdp_choose(n, samples, SEED, err);
    int status = -1;
    if (!sample || cdp_shortlists_new(&lists, n, k, err) ||
        cdp_nearest_new(&exact, space, samples, nearest->k, err) ||
        cdp_cells_new(&cells, space, k, PROBES, SEED, threads, progress, err))
        goto end;
    cdp_joiners_turn(joiners, threads, &exact);
    search_all(joiners, threads, sample, cdp_run_from(0), (uint32_t)samples);
    if (search(space, &cells, &lists, recall, sample, &exact, threads, found, progress, err))
        goto end;
    cdp_joiners_turn(joiners, threads, nearest);
    cdp_join_shortlists(joiners, threads, &lists);
    complete(joiners, threads);
    status = 0;
end:
    free(sample);
    cdp_cells_free(&cells);
    cdp_shortlists_free(&lists);
    cdp_nearest_free(&exact);
    return status;
}

int cdp_seed(struct cdp_space *space, struct cdp_joiner *joiners, int threads,
             struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_nearest *nearest = joiners->nearest;
    struct cdp_shortlists lists = {0};
    struct cdp_cells cells = {0};
    int status =
        cdp_shortlists_new(&lists, nearest->count, nearest->k, err) ||
        cdp_cells_new(&cells, space, nearest->k, SEED_PROBES, SEED, threads, progress, err) ||
        cdp_cells_probe(&cells, space, &lists, threads, progress, err);
    if (!status)
        cdp_join_shortlists(joiners, threads, &lists);
    cdp_cells_free(&cells);
    cdp_shortlists_free(&lists);
    return status ? -1 : 0;
}
