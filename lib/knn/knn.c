// SPDX-License-Identifier: MIT
#include "knn/knn.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/allpairs.h"
#include "knn/approx.h"
#include "knn/build.h"
#include "knn/distance.h"

// See tests/bench/NOTES.md.
enum {
    EXACT_ROWS = 20 * 1000,
    EXACT_SHARE = 20, // rows a neighbour
    // From here on lists are seeded: lists that are good from the start spare the measuring of
    // pairs that do not stay.
    SEEDED_ROWS = 4 * 1000,
};

static const uint64_t LISTS_BYTES = UINT64_C(4) << 30; // of the queries that are searched together

enum cdp_knn_method cdp_knn_choose(const struct cdp_matrix *matrix, const struct cdp_knn_plan *plan)
{
    if (plan->method != CDP_KNN_AUTO)
        return plan->method;
    bool all = plan->first == 0 && plan->last == matrix->rows;
    bool many = matrix->rows > EXACT_ROWS && matrix->rows / plan->k > EXACT_SHARE;
    return all && many ? CDP_KNN_APPROX : CDP_KNN_EXACT;
}

static int check(const struct cdp_matrix *matrix, const struct cdp_knn_plan *plan,
                 struct cdp_err *err)
{
    if (matrix->rows > UINT32_MAX - 2 * CDP_TILE_COLUMNS)
        return cdp_fail(err, "%s: %llu rows; at most 2^32 - 129 can be searched", matrix->name,
                        (unsigned long long)matrix->rows);
    if (plan->k >= matrix->rows)
        return cdp_fail(err, "%s: k = %u needs more than %u rows, the file holds %llu",
                        matrix->name, plan->k, plan->k, (unsigned long long)matrix->rows);
    if (plan->first >= plan->last || plan->last > matrix->rows)
        return cdp_fail(err, "%s: rows %llu:%llu are wanted, the file holds %llu", matrix->name,
                        (unsigned long long)plan->first, (unsigned long long)plan->last,
                        (unsigned long long)matrix->rows);
    bool all = plan->first == 0 && plan->last == matrix->rows;
    if (plan->method == CDP_KNN_APPROX && !all)
        return cdp_fail(err,
                        "%s: the approximate method finds the neighbours of all rows, not of "
                        "%llu:%llu: leave --rows out, or use --method exact",
                        matrix->name, (unsigned long long)plan->first,
                        (unsigned long long)plan->last);
    return 0;
}

// Hands the lists on, the first of which is row `first`'s.
static int deliver(const struct cdp_nearest *n, uint64_t first, uint64_t count, cdp_knn_sink *sink,
                   void *context, struct cdp_err *err)
{
    float *distance = cdp_alloc(n->k, sizeof *distance, "distances", err);
    int status = distance ? 0 : -1;
    for (uint64_t i = 0; !status && i < count; i++) {
        for (uint32_t r = 0; r < n->k; r++)
            distance[r] = (float)cdp_distance_of(n->space->metric, n->key[i * n->k + r]);
        status = sink(context, first + i, n->id + i * n->k, distance, err);
    }
    free(distance);
    return status;
}

// Pairs that joining all blocks of a search takes.
static uint64_t pairs_of(uint64_t queries, uint64_t rows)
{
    return queries * (rows - queries) + queries * queries / 2;
}

static int exact(struct cdp_space *space, const struct cdp_knn_plan *plan, int threads,
                 cdp_knn_sink *sink, void *context, struct cdp_err *err)
{
    uint64_t queries = plan->last - plan->first, band = LISTS_BYTES / cdp_nearest_bytes(plan->k);
    band = band < CDP_SIDE ? CDP_SIDE : band;
    band = band < queries ? band : queries;
    struct cdp_nearest nearest;
    if (cdp_nearest_new(&nearest, space, band, plan->k, err))
        return -1;
    struct cdp_joiner *joiners = cdp_joiners_new(space, threads, err);
    int status = joiners ? 0 : -1;
    if (joiners)
        cdp_joiners_turn(joiners, threads, &nearest);
    uint64_t pairs = 0;
    for (uint64_t at = plan->first; at < plan->last; at += band)
        pairs += pairs_of(plan->last - at < band ? plan->last - at : band, space->matrix->rows);
    struct cdp_sets cells = {0};
    struct cdp_exclusion exclusion = {0};
    if (!status && space->vector && band == space->matrix->rows && band >= SEEDED_ROWS)
        status = cdp_seed(space, joiners, threads, &cells, plan->progress, err) ||
                         cdp_allpairs_order(space, &nearest, &cells, &exclusion, threads, err)
                     ? -1
                     : 0;
    cdp_sets_free(&cells);
    cdp_progress_start(plan->progress, "neighbours", "pairs", pairs);
    for (uint64_t at = plan->first; !status && at < plan->last; at += band) {
        uint64_t end = plan->last - at < band ? plan->last : at + band;
        if (at > plan->first)
            cdp_nearest_clear(&nearest);
        status = cdp_allpairs(joiners, threads, at, end, &exclusion, plan->progress, err) ||
                         deliver(&nearest, at, end - at, sink, context, err)
                     ? -1
                     : 0;
    }
    cdp_exclusion_free(&exclusion);
    cdp_joiners_free(joiners, threads);
    cdp_nearest_free(&nearest);
    return status;
}

static int approximate(struct cdp_space *space, const struct cdp_knn_plan *plan, int threads,
                       cdp_knn_sink *sink, void *context, double *found, struct cdp_err *err)
{
    struct cdp_nearest nearest;
    if (cdp_nearest_new(&nearest, space, space->matrix->rows, plan->k, err))
        return -1;
    struct cdp_joiner *joiners = cdp_joiners_new(space, threads, err);
    int status = joiners ? 0 : -1;
    if (joiners)
        cdp_joiners_turn(joiners, threads, &nearest);
    struct cdp_sets cells = {0};
    struct cdp_exclusion exclusion = {0};
    if (!status)
        status =
            cdp_approx(space, joiners, threads, plan->recall, found, &cells, plan->progress, err);
    if (!status && *found < plan->recall) {
        status = cdp_allpairs_order(space, &nearest, &cells, &exclusion, threads, err);
        cdp_progress_start(plan->progress, "neighbours, by all pairs", "pairs",
                           pairs_of(nearest.count, nearest.count));
        if (!status)
            status =
                cdp_allpairs(joiners, threads, 0, nearest.count, &exclusion, plan->progress, err);
        *found = 1;
    }
    cdp_exclusion_free(&exclusion);
    cdp_sets_free(&cells);
    if (!status)
        status = deliver(&nearest, 0, nearest.count, sink, context, err);
    cdp_joiners_free(joiners, threads);
    cdp_nearest_free(&nearest);
    return status;
}

int cdp_knn(const struct cdp_matrix *matrix, const struct cdp_knn_plan *plan, cdp_knn_sink *sink,
            void *context, double *found, struct cdp_err *err)
{
    int threads = cdp_threads(plan->threads);
    struct cdp_space space;
    if (check(matrix, plan, err))
        return -1;
    bool approx = cdp_knn_choose(matrix, plan) == CDP_KNN_APPROX;
    if (cdp_space_build(&space, matrix, plan->metric, plan->k, !approx, threads, err))
        return -1;
    int status;
    *found = 1;
    if (approx)
        status = approximate(&space, plan, threads, sink, context, found, err);
    else
        status = exact(&space, plan, threads, sink, context, err);
    cdp_space_free(&space);
    return status;
}
