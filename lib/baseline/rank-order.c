// SPDX-License-Identifier: MIT
#include "baseline/rank-order.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sets.h"
#include "base/threads.h"

// The distance of i and j, which is entry `a` of i's list. place[x] is 1 + the number of x's entry
// in i's list, or 0. INFINITY if i is not in j's list.
static double distance(const struct cdp_neighbours *lists, uint32_t i, uint32_t j, uint32_t a,
                       const uint32_t *place)
{
    const uint32_t *target = lists->target + (size_t)j * lists->k;
    uint32_t b = 0, new = 0, shared = 1; // of j's list; entries 0 .. a-1 of i's list in j's
    while (b < lists->k && target[b] != i)
        new += place[target[b++]] == 0;
    if (b == lists->k)
        return __builtin_inf();
    for (uint32_t e = 0; e < lists->k; e++)
        shared += target[e] != i && place[target[e]] - 1 < a;
    b += 2; // i is entry b + 1
    return (double)(a - shared + new) / (double)(a < b ? a : b);
}

static void link_row(const struct cdp_neighbours *lists, uint32_t i, double threshold,
                     uint32_t *place, uint8_t *linked)
{
    const uint32_t *target = lists->target + (size_t)i * lists->k;
    place[i] = 1;
    for (uint32_t e = 0; e < lists->k; e++)
        place[target[e]] = e + 2;
    for (uint32_t e = 0; e < lists->k; e++)
        linked[e] = distance(lists, i, target[e], e + 1, place) <= threshold;
    place[i] = 0;
    for (uint32_t e = 0; e < lists->k; e++)
        place[target[e]] = 0;
}

int cdp_rank_order(const struct cdp_neighbours *lists, double threshold, int threads,
                   uint32_t *label, struct cdp_progress *progress, struct cdp_err *err)
{
    uint32_t rows = (uint32_t)lists->rows;
    threads = cdp_threads(threads);
    uint8_t *linked = cdp_alloc(rows, lists->k, "links", err);
    uint32_t *places = cdp_zalloc((size_t)rows, (size_t)threads * sizeof *places, "places", err);
    int status = linked && places ? 0 : -1;
    if (!status) {
        cdp_progress_start(progress, "rank orders", "items", rows);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 256)
        for (uint32_t i = 0; i < rows; i++) {
            if (cdp_progress_stopped(progress))
                continue;
            link_row(lists, i, threshold, places + (size_t)cdp_thread() * rows,
                     linked + (size_t)i * lists->k);
            cdp_progress_add(progress, 1);
        }
        status = cdp_progress_check(progress, err);
    }
    if (!status) {
        cdp_sets_init(label, rows);
        for (size_t e = 0; e < (size_t)rows * lists->k; e++) {
            if (linked[e])
                cdp_sets_join(label, (uint32_t)(e / lists->k), lists->target[e]);
        }
        for (uint32_t i = 0; i < rows; i++)
            label[i] = cdp_sets_find(label, i);
    }
    free(linked);
    free(places);
    return status;
}
