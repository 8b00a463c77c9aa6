// SPDX-License-Identifier: MIT
#include "baseline/radius.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sets.h"
#include "base/threads.h"
#include "baseline/mst.h"
#include "io/labels.h"

// The distance of item i and entry e of its list. Lists have 1 - cosine, half its square.
static double apart(const struct cdp_radius *r, uint64_t i, uint32_t e)
{
    uint64_t at = i * r->lists->k + e;
    return sqrt(r->rows ? cdp_rows_square(r->rows, i, r->lists->target[at])
                        : 2 * (double)r->lists->distance[at]);
}

// ---- lists only

static bool is_core(const struct cdp_radius *r, const double *core, uint64_t i)
{
    return !core || core[i] <= r->distance;
}

// Fails if the lists of two core items in different sets end within the distance.
static int check_lists(const struct cdp_radius *r, const double *core, uint32_t *parent,
                       struct cdp_err *err)
{
    uint32_t k = r->lists->k, first = UINT32_MAX;
    for (uint32_t i = 0; k + 1 < r->lists->rows && i < r->lists->rows; i++) {
        if (!is_core(r, core, i) || (k > 0 && apart(r, i, k - 1) > r->distance))
            continue;
        if (first == UINT32_MAX)
            first = cdp_sets_find(parent, i);
        if (cdp_sets_find(parent, i) != first)
            return cdp_fail(err,
                            "%s: row %u: all neighbours within %g are needed, but its list of %u "
                            "ends before: write longer lists, or give FEATURES too",
                            r->file, i, r->distance, k);
    }
    return 0;
}

static int join_lists(const struct cdp_radius *r, const double *core, uint32_t *parent,
                      struct cdp_err *err)
{
    const struct cdp_neighbours *lists = r->lists;
    for (uint32_t i = 0; i < lists->rows; i++) {
        if (!is_core(r, core, i))
            continue;
        for (uint32_t e = 0; e < lists->k && apart(r, i, e) <= r->distance; e++) {
            uint32_t other = lists->target[(size_t)i * lists->k + e];
            if (is_core(r, core, other))
                cdp_sets_join(parent, i, other);
        }
    }
    return check_lists(r, core, parent, err);
}

// ---- with rows

// The pairs of core items within the distance are those whose mutual reachability is, so the
// components are those of the spanning tree.
static int join_rows(const struct cdp_radius *r, const double *core, uint32_t *parent, int threads,
                     struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t count = r->rows->count;
    struct cdp_joined *edge = cdp_alloc(count, sizeof *edge, "a spanning tree", err);
    int status =
        edge ? cdp_mst(edge, r->rows, r->lists, core, r->distance, threads, progress, err) : -1;
    for (uint64_t e = 0; !status && e + 1 < count && edge[e].height <= r->distance; e++)
        cdp_sets_join(parent, edge[e].end[0], edge[e].end[1]);
    free(edge);
    return status;
}

// ---- both

// Sets label[i] to the root of item i's component. core: distances, NULL = all are 0.
static int join(const struct cdp_radius *r, const double *core, uint32_t *label, int threads,
                struct cdp_progress *progress, struct cdp_err *err)
{
    uint32_t items = (uint32_t)r->lists->rows;
    cdp_sets_init(label, items);
    if (r->rows ? join_rows(r, core, label, threads, progress, err)
                : join_lists(r, core, label, err))
        return -1;
    for (uint32_t i = 0; i < items; i++)
        label[i] = cdp_sets_find(label, i);
    return 0;
}

int cdp_single(const struct cdp_radius *r, uint32_t *label, int threads,
               struct cdp_progress *progress, struct cdp_err *err)
{
    return join(r, NULL, label, threads, progress, err);
}

static void set_cores(const struct cdp_radius *r, uint64_t min_samples, double *core, int threads)
{
    if (r->rows) {
        cdp_mst_cores(core, r->rows, r->lists, min_samples, threads);
        return;
    }
    for (uint64_t i = 0; i < r->lists->rows; i++)
        core[i] = min_samples > r->lists->rows ? INFINITY
                  : min_samples > 1            ? apart(r, i, (uint32_t)min_samples - 2)
                                               : 0;
}

// The label of an item that is not core. Its list ends beyond the distance.
static uint32_t border_label(const struct cdp_radius *r, const double *core, const uint32_t *label,
                             uint32_t i)
{
    const uint32_t *target = r->lists->target + (size_t)i * r->lists->k;
    uint32_t best = CDP_NO_LABEL;
    for (uint32_t e = 0; e < r->lists->k; e++) {
        if (core[target[e]] > r->distance || label[target[e]] >= best)
            continue;
        if (apart(r, i, e) > r->distance)
            break;
        best = label[target[e]];
    }
    return best;
}

int cdp_dbscan(const struct cdp_radius *r, uint64_t min_samples, uint32_t *label, int threads,
               struct cdp_progress *progress, struct cdp_err *err)
{
    uint32_t items = (uint32_t)r->lists->rows;
    double *core = cdp_alloc(items, sizeof *core, "core distances", err);
    if (!core)
        return -1;
    set_cores(r, min_samples, core, threads);
    int status = join(r, core, label, threads, progress, err);
    // Labels of border items are not read, so they may change in any order.
#pragma omp parallel for num_threads(cdp_threads(threads)) schedule(dynamic, 256) if (!status)
    for (uint32_t i = 0; i < (status ? 0 : items); i++) {
        if (core[i] > r->distance)
            label[i] = border_label(r, core, label, i);
    }
    free(core);
    return status;
}
