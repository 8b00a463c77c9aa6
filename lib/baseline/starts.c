// SPDX-License-Identifier: MIT
#include "baseline/starts.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/threads.h"
#include "baseline/seeds.h"

enum {
    FREE_DISTANCES = 1 << 25, // rows x clusters x starts up to which starts cost about a second
    MOST_STARTS = 32,
    FEW_DISTANCES = 1 << 21, // rows x clusters up to which threads would wait more than they work
};

static const double SEED_SHARE = 0.5; // of the time of a start, about

uint32_t cdp_kmeans_starts(uint64_t rows, uint32_t clusters)
{
    uint64_t starts = FREE_DISTANCES / (rows * clusters + 1);
    return starts < 1 ? 1 : starts < MOST_STARTS ? (uint32_t)starts : MOST_STARTS;
}

static int set_centres(struct cdp_start *s, struct cdp_err *err)
{
    const struct cdp_matrix *given = s->plan->centres;
    struct cdp_centroids *c = &s->centroids;
    size_t dim = s->points->rows->dim;
    float *row = cdp_alloc(dim, sizeof *row, "a row", err);
    int status = row ? 0 : -1;
    for (uint64_t i = 0; !status && i < given->rows; i++) {
        cdp_matrix_row_f32(given, i, row);
        status = cdp_rows_finite(given->name, i, row, dim, err);
        for (size_t d = 0; d < dim; d++)
            c->number[i * dim + d] = (double)row[d];
    }
    if (!status)
        status = cdp_centroids_encode(c, s->points, NULL, c->count, s->threads, err);
    free(row);
    return status;
}

static int run_one(struct cdp_start *s, cdp_start_run *run, struct cdp_err *err)
{
    const struct cdp_kmeans_plan *plan = s->plan;
    uint64_t rows = s->points->rows->count;
    int status;
    if (plan->centres) {
        status = set_centres(s, err);
    } else {
        cdp_progress_stage(plan->progress, SEED_SHARE, plan->clusters);
        status = cdp_seeds(&s->centroids, s->points, plan->clusters, s->sample, s->seed, s->threads,
                           plan->progress, err);
    }
    cdp_assignment_clear(&s->assignment, rows);
    return status ? -1 : run(s, err);
}

static double inertia_of(const struct cdp_assignment *a, uint64_t rows)
{
    double sum = 0;
    for (uint64_t row = 0; row < rows; row++)
        sum += a->square[row];
    return sum;
}

static int run_all(struct cdp_start *s, uint32_t starts, cdp_start_run *run,
                   struct cdp_kmeans_result *result, struct cdp_err *err)
{
    uint64_t rows = s->points->rows->count;
    for (uint32_t i = 0; i < starts; i++) {
        s->seed = cdp_random(s->plan->seed, i);
        cdp_progress_limit(s->plan->progress, (i + 1.0) / starts);
        if (run_one(s, run, err))
            return -1;
        double inertia = inertia_of(&s->assignment, rows);
        if (i > 0 && !(inertia < result->inertia))
            continue;
        uint32_t *label = result->label;
        result->label = s->assignment.label;
        s->assignment.label = label;
        result->inertia = inertia;
        result->iterations = s->iterations;
    }
    return 0;
}

int cdp_starts(const struct cdp_rows *rows, const struct cdp_kmeans_plan *plan, uint64_t sample,
               cdp_start_run *run, struct cdp_kmeans_result *result, struct cdp_err *err)
{
    struct cdp_points points = {0};
    bool few = rows->count * plan->clusters <= FEW_DISTANCES;
    struct cdp_start s = {.plan = plan,
                          .points = &points,
                          .sample = sample,
                          .threads = few ? 1 : cdp_threads(plan->threads)};
    uint32_t starts = plan->starts ? plan->starts : cdp_kmeans_starts(rows->count, plan->clusters);
    *result = (struct cdp_kmeans_result){0};
    cdp_progress_start(plan->progress, "clusters", "rows", 0);
    result->label = cdp_alloc(rows->count, sizeof *result->label, "labels", err);
    if (result->label && rows->count == 0)
        return 0;
    int status = !result->label || cdp_points_new(&points, rows, s.threads, err) ||
                 cdp_centroids_new(&s.centroids, &points, plan->clusters, err) ||
                 cdp_assignment_new(&s.assignment, rows->count, err) ||
                 run_all(&s, plan->centres ? 1 : starts, run, result, err);
    cdp_assignment_free(&s.assignment);
    cdp_centroids_free(&s.centroids);
    cdp_points_free(&points);
    return status ? -1 : 0;
}

void cdp_kmeans_free(struct cdp_kmeans_result *result)
{
    free(result->label);
    *result = (struct cdp_kmeans_result){0};
}
