// SPDX-License-Identifier: MIT
#include "baseline/kmeans.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"
#include "base/threads.h"

// Rows that k-means++ chooses from: so many a centroid, and at least so many.
enum { SAMPLE_EACH = 16, SAMPLE = 1 << 15 };

// A centroid that moved.
struct mover {
    uint32_t id;
    float distance; // rounded up
};

struct lloyd {
    struct cdp_start *start;
    uint64_t *begin; // rows by centroid: member[begin[c]] to member[begin[c + 1] - 1], ascending
    uint32_t *member;
    bool *changed; // of each centroid: rows came or left in the last assignment
    float *move;   // of each centroid: the distance that it moved, rounded up
    uint32_t movers;
    struct mover *mover; // farthest first
    uint32_t *id;        // of the movers
    struct cdp_columns columns;
    double shift;          // sum of the squares of the movers' distances
    double *mean;          // threads x dim
    uint64_t *job, *spare; // of each row
};

static void free_lloyd(struct lloyd *l)
{
    free(l->begin);
    free(l->member);
    free(l->changed);
    free(l->move);
    free(l->mover);
    free(l->id);
    cdp_columns_free(&l->columns);
    free(l->mean);
    free(l->job);
    free(l->spare);
}

static int new_lloyd(struct lloyd *l, struct cdp_start *start, struct cdp_err *err)
{
    uint64_t rows = start->points->rows->count, clusters = start->centroids.count;
    size_t dim = start->points->rows->dim;
    *l = (struct lloyd){.start = start};
    l->begin = cdp_alloc(clusters + 2, sizeof *l->begin, "clusters", err);
    l->member = cdp_alloc(rows, sizeof *l->member, "clusters", err);
    l->changed = cdp_alloc(clusters, sizeof *l->changed, "clusters", err);
    l->move = cdp_zalloc(clusters, sizeof *l->move, "clusters", err);
    l->mover = cdp_alloc(clusters, sizeof *l->mover, "clusters", err);
    l->id = cdp_alloc(clusters, sizeof *l->id, "clusters", err);
    l->mean = cdp_alloc((size_t)start->threads, dim * sizeof *l->mean, "threads", err);
    l->job = cdp_alloc(rows, sizeof *l->job, "rows", err);
    l->spare = cdp_alloc(rows, sizeof *l->spare, "rows", err);
    return l->begin && l->member && l->changed && l->move && l->mover && l->id && l->mean &&
                   l->job && l->spare &&
                   !cdp_columns_new(&l->columns, start->points, (uint32_t)clusters, err)
               ? 0
               : -1;
}

// ---- means

static void group(struct lloyd *l)
{
    uint64_t rows = l->start->points->rows->count, clusters = l->start->centroids.count;
    const uint32_t *label = l->start->assignment.label;
    memset(l->begin, 0, (clusters + 2) * sizeof *l->begin);
    for (uint64_t row = 0; row < rows; row++)
        l->begin[label[row] + 2]++;
    cdp_group_begins(l->begin, clusters);
    for (uint64_t row = 0; row < rows; row++)
        l->member[l->begin[label[row] + 1]++] = (uint32_t)row;
}

// Moves a centroid to the mean of its rows. Returns the distance.
static double move(const struct lloyd *l, uint32_t c, double *mean)
{
    const struct cdp_rows *rows = l->start->points->rows;
    double *number = l->start->centroids.number + c * rows->dim, square = 0;
    uint64_t first = l->begin[c], end = l->begin[c + 1];
    memset(mean, 0, rows->dim * sizeof *mean);
    for (uint64_t m = first; m < end; m++) {
        const float *x = cdp_rows_at(rows, l->member[m]);
        double inverse = rows->inverse[l->member[m]];
        for (size_t d = 0; d < rows->dim; d++)
            mean[d] += (double)x[d] * inverse;
    }
    for (size_t d = 0; d < rows->dim; d++) {
        mean[d] /= (double)(end - first);
        square += (mean[d] - number[d]) * (mean[d] - number[d]);
        number[d] = mean[d];
    }
    return sqrt(square);
}

static int farthest_first(const void *a, const void *b)
{
    const struct mover *x = a, *y = b;
    if (x->distance != y->distance)
        return x->distance > y->distance ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int move_all(struct lloyd *l, struct cdp_err *err)
{
    struct cdp_start *s = l->start;
    uint32_t clusters = s->centroids.count;
    size_t dim = s->points->rows->dim;
    group(l);
#pragma omp parallel for num_threads(s->threads) schedule(dynamic, 1)
    for (uint32_t c = 0; c < clusters; c++) {
        bool moves = l->changed[c] && l->begin[c] < l->begin[c + 1];
        double distance = moves ? move(l, c, l->mean + (size_t)cdp_thread() * dim) : 0;
        l->move[c] = (float)(distance * (1 + 0x1p-20));
    }
    l->movers = 0;
    l->shift = 0;
    for (uint32_t c = 0; c < clusters; c++) {
        if (l->move[c] > 0)
            l->mover[l->movers++] = (struct mover){c, l->move[c]};
        l->shift += (double)l->move[c] * (double)l->move[c];
    }
    qsort(l->mover, l->movers, sizeof *l->mover, farthest_first);
    for (uint32_t m = 0; m < l->movers; m++)
        l->id[m] = l->mover[m].id;
    if (cdp_centroids_encode(&s->centroids, s->points, l->id, l->movers, s->threads, err))
        return -1;
    cdp_columns_pack(&l->columns, s->points, &s->centroids.codes, l->id, l->movers, s->threads);
    return 0;
}

// ---- assignment

// The number of movers that moved at least this far.
static uint32_t movers_beyond(const struct lloyd *l, float distance)
{
    uint32_t from = 0, end = l->movers;
    while (from < end) {
        uint32_t middle = (from + end) / 2;
        if (l->mover[middle].distance >= distance)
            from = middle + 1;
        else
            end = middle;
    }
    return from;
}

// Brings what is known of a row up to date, and returns with how many movers it must be compared;
// more than there are centroids: with all of these.
//
// Another centroid is at least lower - move away now. So those that moved less than the gap between
// lower and the distance to the own centroid are not nearer. Half the gap is left for the next
// iterations.
static uint32_t update(const struct lloyd *l, uint64_t row)
{
    struct cdp_start *s = l->start;
    struct cdp_assignment *a = &s->assignment;
    uint32_t label = a->label[row];
    if (l->move[label] > 0)
        a->square[row] =
            cdp_points_square(s->points, row, s->centroids.number + label * s->points->rows->dim);
    float own = (float)(sqrt(a->square[row]) * (1 + 0x1p-20));
    if (!(own < a->lower[row])) {
        a->lower[row] = INFINITY;
        return s->centroids.count + 1;
    }
    uint32_t compared = movers_beyond(l, (a->lower[row] - own) / 2);
    if (compared < l->movers)
        a->lower[row] = cdp_lower((double)a->lower[row] - (double)l->mover[compared].distance);
    return compared;
}

static uint64_t columns_of(const void *job)
{
    return *(const uint64_t *)job >> 32;
}

static int assign(struct lloyd *l, struct cdp_err *err)
{
    struct cdp_start *s = l->start;
    struct cdp_progress *progress = s->plan->progress;
    uint64_t rows = s->points->rows->count, none = 0, all = rows;
    uint32_t count = s->centroids.count;
    cdp_progress_stage(progress, CDP_PROGRESS_ROUND, rows);
#pragma omp parallel for num_threads(s->threads) schedule(static)
    for (uint64_t row = 0; row < rows; row++)
        l->job[row] = cdp_job(update(l, row), (uint32_t)row);
    struct cdp_radix radix = {l->job, l->spare};
    cdp_radix_sort(&radix, rows, sizeof *l->job, columns_of);
    l->job = radix.items;
    l->spare = radix.spare;
    while (none < rows && columns_of(&l->job[none]) == 0)
        none++;
    for (; all > 0 && columns_of(&l->job[all - 1]) > count; all--)
        l->job[all - 1] = cdp_job(count, (uint32_t)l->job[all - 1]);
    cdp_progress_add(progress, none);
    if (cdp_nearest(&s->assignment, s->points, &s->centroids, &l->columns, l->job + none,
                    all - none, s->threads, progress, err))
        return -1;
    return cdp_nearest(&s->assignment, s->points, &s->centroids, &s->centroids.columns,
                       l->job + all, rows - all, s->threads, progress, err);
}

// The first assignment: of all rows to all centroids.
static int assign_first(struct lloyd *l, struct cdp_err *err)
{
    struct cdp_start *s = l->start;
    uint64_t rows = s->points->rows->count;
    cdp_progress_stage(s->plan->progress, CDP_PROGRESS_ROUND, rows);
    for (uint64_t row = 0; row < rows; row++)
        l->job[row] = cdp_job(s->centroids.count, (uint32_t)row);
    memset(l->changed, true, s->centroids.count * sizeof *l->changed);
    return cdp_nearest(&s->assignment, s->points, &s->centroids, &s->centroids.columns, l->job,
                       rows, s->threads, s->plan->progress, err);
}

// Sets `changed`, and returns whether any label has changed since the rows were grouped.
static bool find_changes(struct lloyd *l)
{
    const uint32_t *label = l->start->assignment.label;
    uint32_t clusters = l->start->centroids.count;
    bool any = false;
    memset(l->changed, false, clusters * sizeof *l->changed);
    for (uint32_t c = 0; c < clusters; c++) {
        for (uint64_t m = l->begin[c]; m < l->begin[c + 1]; m++) {
            uint32_t now = label[l->member[m]];
            if (now != c)
                any = l->changed[c] = l->changed[now] = true;
        }
    }
    return any;
}

// ---- iterations

// The mean over d of the variance of number d of all rows.
static double variance(const struct cdp_rows *rows, double *mean)
{
    double square = 0;
    memset(mean, 0, rows->dim * sizeof *mean);
    for (uint64_t row = 0; row < rows->count; row++) {
        const float *x = cdp_rows_at(rows, row);
        for (size_t d = 0; d < rows->dim; d++)
            mean[d] += (double)x[d] * rows->inverse[row] / (double)rows->count;
    }
    for (size_t d = 0; d < rows->dim; d++)
        square += mean[d] * mean[d];
    return (1 - square) / (double)rows->dim; // rows have length 1
}

static int run(struct cdp_start *s, struct cdp_err *err)
{
    struct lloyd l;
    int status = new_lloyd(&l, s, err) || assign_first(&l, err) ? -1 : 0;
    double tolerance = s->plan->tolerance, enough = -1;
    if (!status && tolerance > 0)
        enough = tolerance * variance(s->points->rows, l.mean);
    bool any = true;
    for (s->iterations = 0; !status && any && s->iterations < CDP_KMEANS_ITERATIONS;
         s->iterations++) {
        status = move_all(&l, err) || assign(&l, err) ? -1 : 0;
        any = !status && find_changes(&l) && !(l.shift <= enough);
    }
    free_lloyd(&l);
    return status;
}

int cdp_kmeans(const struct cdp_rows *rows, const struct cdp_kmeans_plan *plan,
               struct cdp_kmeans_result *result, struct cdp_err *err)
{
    uint64_t sample = SAMPLE_EACH * (uint64_t)plan->clusters;
    return cdp_starts(rows, plan, sample > SAMPLE ? sample : SAMPLE, run, result, err);
}
