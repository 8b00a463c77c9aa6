// SPDX-License-Identifier: MIT
#include "knn/allpairs.h"

#include "base/threads.h"

// The rows from `from` on with the columns from `to` on, all of which have lists.
static void join_queries(struct cdp_joiner *j, uint64_t first, uint64_t last, uint64_t to,
                         bool same, struct cdp_progress *progress)
{
    uint32_t columns = cdp_least(last - to, CDP_SIDE);
    cdp_lay_columns(j, NULL, to, NULL, to - first, columns);
    cdp_join(j, same);
    cdp_progress_add(progress, (uint64_t)j->rows.count * columns / (same ? 2 : 1));
}

// The rows with columns that are no queries.
static void join_others(struct cdp_joiner *j, uint64_t from, uint64_t end,
                        struct cdp_progress *progress)
{
    for (; from < end; from += CDP_SIDE) {
        uint32_t columns = cdp_least(end - from, CDP_SIDE);
        cdp_lay_columns(j, NULL, from, NULL, CDP_NO_LIST, columns);
        cdp_join(j, false);
        cdp_progress_add(progress, (uint64_t)j->rows.count * columns);
    }
}

void cdp_allpairs(struct cdp_joiner *joiners, int threads, uint64_t first, uint64_t last,
                  struct cdp_progress *progress)
{
    uint64_t all = joiners->nearest->space->matrix->rows;
    // Each block with itself first: neighbours often stand side by side, and lists that are good
    // early spare measuring.
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = first; from < last; from += CDP_SIDE) {
        struct cdp_joiner *j = &joiners[cdp_thread()];
        cdp_lay_rows(j, NULL, from, NULL, from - first, cdp_least(last - from, CDP_SIDE));
        join_queries(j, first, last, from, true, progress);
    }
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = first; from < last; from += CDP_SIDE) {
        struct cdp_joiner *j = &joiners[cdp_thread()];
        cdp_lay_rows(j, NULL, from, NULL, from - first, cdp_least(last - from, CDP_SIDE));
        for (uint64_t to = from + CDP_SIDE; to < last; to += CDP_SIDE)
            join_queries(j, first, last, to, false, progress);
        join_others(j, 0, first, progress);
        join_others(j, last, all, progress);
    }
}
