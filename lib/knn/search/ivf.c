// SPDX-License-Identifier: MIT
#include "knn/search/ivf.h"

#include <math.h>
#include <stdlib.h>

#include "base/floats.h"
#include "knn/data/dataset.h"

enum {
    CELL = 56,    // items of a cell, at least
    SAMPLE = 256, // items whose near ones tell how far apart sketches are; of which
    FEW = 10,     // one in so many has some that are farther, or,
    HALF = 2,     // of items that look once more, every other
};

// How many times as far as a list reaches cells that an item looks into are at most: by squares of
// distances, but of l1, linf and hamming by distances.
static const float BEYOND = 1.5F;

// Of the time that a search takes from there on: measured at 300,000 rows.
static const double ASSIGN_SHARE = 0.45, SCAN_SHARE = 0.6;

static const uint64_t MORE_BYTES = UINT64_C(1) << 29; // of nearest centroids at a time

// Puts the items in the order of their cells.
static int sort_items(struct cdp_ivf *cells, struct cdp_dataset *data, int threads,
                      struct cdp_err *err)
{
    struct cdp_candidates *nearest = &cells->nearest;
    uint32_t *member = cells->items.member;
    uint64_t n = data->matrix->rows;
    const struct cdp_array lists = {nearest->entry, nearest->k * sizeof *nearest->entry};
    if (cdp_dataset_permute(data, member, threads, err) ||
        cdp_permute(&lists, 1, n, member, threads, err))
        return -1;
    for (uint64_t i = 0; i < n; i++)
        member[i] = (uint32_t)i;
    return 0;
}

// How far apart the sketches of item `id` and of those in its list are at most, as a part of the
// list's reach. Where rounding may be all of it, nothing is learned: 0.
static float part_of(const struct cdp_dataset *data, uint32_t id, const uint64_t *list, uint32_t k)
{
    float most = 0, reach = cdp_dataset_radius(data, cdp_candidate_score(list[k - 1]));
    for (uint32_t r = 0; r < k && list[r] != CDP_CANDIDATE_NONE; r++) {
        uint32_t other = cdp_candidate_id(list[r]);
        const struct cdp_sketch *a = cdp_dataset_sketch(data, id, data->levels - 1),
                                *b = cdp_dataset_sketch(data, other, data->levels - 1);
        float glance, error = a->error + b->error;
        cdp_dataset_sketch_scores(data, id, data, &other, 1, &glance);
        float apart = sqrtf(fmaxf(0, (float)a->square - 2 * glance));
        if (reach > error)
            most = fmaxf(most, (apart - error) / reach);
    }
    return most;
}

// Learns from at most SAMPLE items and their lists how far apart the sketches of neighbours are: of
// all lists but one in `beyond`.
static void learn_part(struct cdp_ivf *cells, const struct cdp_dataset *data, const uint32_t *item,
                       const struct cdp_candidates *lists, uint64_t beyond)
{
    float part[SAMPLE];
    for (uint64_t i = 0; i < lists->count; i++)
        part[i] = part_of(data, item[i], lists->entry + i * lists->k, lists->k);
    cdp_sort_floats(part, lists->count);
    float usual = part[lists->count - 1 - lists->count / beyond];
    if (usual > 0 && usual < 1)
        cells->shelf.part = usual;
}

// The same before there are lists.
static int learn_first_part(struct cdp_ivf *cells, const struct cdp_dataset *data, uint32_t k,
                            uint64_t seed, int threads, struct cdp_err *err)
{
    uint64_t n = data->matrix->rows, samples = n < SAMPLE ? n : SAMPLE;
    struct cdp_candidates near = {0}, lists = {0};
    uint32_t *item = cdp_coarse_sample(n, samples, seed, err);
    int status = !item || cdp_candidates_new(&lists, samples, k, threads, err) ||
                 cdp_candidates_gather(&near, &cells->nearest, item, samples, threads, err) ||
                 cdp_scan(data, item, &near, 0, &cells->shelf, &lists, threads, NULL, err);
    if (!status)
        learn_part(cells, data, item, &lists, FEW);
    free(item);
    cdp_candidates_free(&near);
    cdp_candidates_free(&lists);
    return status ? -1 : 0;
}

// The same of the items that look once more.
static int learn_part_again(struct cdp_ivf *cells, const struct cdp_dataset *data,
                            const struct cdp_candidates *lists, const uint32_t *items,
                            uint64_t count, int threads, struct cdp_err *err)
{
    struct cdp_candidates some = {0};
    uint32_t sample[SAMPLE];
    uint64_t samples = cdp_min(count, SAMPLE);
    for (uint64_t i = 0; i < samples; i++)
        sample[i] = items[i * count / samples];
    int status = cdp_candidates_gather(&some, lists, sample, samples, threads, err);
    if (!status)
        learn_part(cells, data, sample, &some, HALF);
    cdp_candidates_free(&some);
    return status;
}

int cdp_ivf_new(struct cdp_ivf *cells, struct cdp_dataset *data, uint32_t k, uint32_t probes,
                uint64_t seed, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t n = data->matrix->rows, cell = 5 * (uint64_t)k / 2;
    cell = cell < CELL ? CELL : cell;
    uint64_t count = (n + cell - 1) / cell;
    *cells = (struct cdp_ivf){0};
    cells->centroids = cdp_coarse_new(data, n, count, seed, threads, progress, err);
    if (!cells->centroids)
        return -1;
    cdp_progress_stage(progress, ASSIGN_SHARE, cdp_coarse_progress(cells->centroids, n));
    return cdp_coarse_assign(&cells->nearest, cells->centroids, data, NULL, n, probes, threads,
                             progress, err) ||
                   cdp_ivf_lists_new(&cells->items, &cells->nearest, 1, count, threads, err) ||
                   sort_items(cells, data, threads, err) ||
                   cdp_ivf_packed_new(&cells->shelf, data, &cells->items, threads, err) ||
                   (data->vector && learn_first_part(cells, data, k, seed, threads, err))
               ? -1
               : 0;
}

// Leaves out cells, but for the nearest, which are so far from items, for what these have found,
// that they hardly add to it: list i of `lists` is that of whose nearest centroids are list i.
static void leave_near(struct cdp_candidates *nearest, const struct cdp_candidates *lists,
                       int threads)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t i = 0; i < nearest->count; i++) {
        uint64_t *cell = nearest->entry + i * nearest->k;
        float least = BEYOND * cdp_candidate_score(lists->entry[(i + 1) * lists->k - 1]);
        for (uint32_t r = 1; r < nearest->k; r++) {
            if (cdp_candidate_score(cell[r]) < least)
                cell[r] = CDP_CANDIDATE_NONE;
        }
    }
}

void cdp_ivf_free(struct cdp_ivf *cells)
{
    cdp_coarse_free(cells->centroids);
    cdp_candidates_free(&cells->nearest);
    cdp_ivf_packed_free(&cells->shelf);
    cdp_ivf_lists_free(&cells->items);
    *cells = (struct cdp_ivf){0};
}

int cdp_ivf_search(struct cdp_ivf *cells, const struct cdp_dataset *data,
                   struct cdp_candidates *lists, int threads, struct cdp_progress *progress,
                   struct cdp_err *err)
{
    cdp_progress_stage(progress, SCAN_SHARE, 2 * lists->count);
    if (cdp_scan_own(data, &cells->shelf, lists, threads, progress, err))
        return -1;
    leave_near(&cells->nearest, lists, threads);
    return cdp_scan(data, NULL, &cells->nearest, 1, &cells->shelf, lists, threads, progress, err);
}

int cdp_ivf_search_more(struct cdp_ivf *cells, const struct cdp_dataset *data,
                        struct cdp_candidates *lists, const uint32_t *items, uint64_t count,
                        uint32_t probes, int threads, struct cdp_progress *progress,
                        struct cdp_err *err)
{
    // Some items at a time, since their nearest centroids may be very many.
    uint64_t most = MORE_BYTES / (sizeof *lists->entry * probes) + 1;
    int status = data->vector && count > 0
                     ? learn_part_again(cells, data, lists, items, count, threads, err)
                     : 0;
    cdp_progress_stage(progress, CDP_PROGRESS_ROUND, 2 * count);
    for (uint64_t from = 0; !status && from < count; from += most) {
        struct cdp_candidates some = {0}, near = {0};
        uint64_t here = cdp_min(count - from, most);
        status =
            cdp_candidates_gather(&some, lists, items + from, here, threads, err) ||
            cdp_coarse_assign(&near, cells->centroids, data, items + from, here, probes, threads,
                              progress, err) ||
            cdp_scan(data, items + from, &near, 0, &cells->shelf, &some, threads, progress, err);
        if (!status)
            cdp_candidates_scatter(lists, &some, items + from, threads);
        cdp_candidates_free(&some);
        cdp_candidates_free(&near);
    }
    return status ? -1 : 0;
}
