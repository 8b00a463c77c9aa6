// SPDX-License-Identifier: MIT
#include "baseline/minibatch.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"

// As in scikit-learn: it ends after so many epochs, in each of which a row is once in a batch, or
// when so many batches in a row have not made the smoothed inertia smaller.
enum { EPOCHS = 100, PATIENCE = 10 };

// Rows that k-means++ chooses from: so many a centroid, and at least so many. Fewer gave a higher
// inertia than scikit-learn's, which moves centroids of few rows to others (tests/bench/NOTES.md).
enum { SAMPLE_EACH = 12, SAMPLE = 12 << 10 };

struct minibatch {
    struct cdp_start *start;
    uint32_t *order;   // of the rows in this epoch
    uint64_t *job;     // of each row
    uint32_t *touched; // centroids that were given rows of the batch, in the order of these
    uint32_t *joined;  // how many, of each centroid
    double *weight;    // rows that each centroid was given in all batches
    double *sum;       // of a centroid's rows in the batch, dim numbers in its place
    double inertia, smoothed, smallest; // of a row: of the batch, and over batches
    uint32_t waited;                    // batches since the smallest
};

static void free_minibatch(struct minibatch *m)
{
    free(m->order);
    free(m->job);
    free(m->touched);
    free(m->joined);
    free(m->weight);
    free(m->sum);
}

static int new_minibatch(struct minibatch *m, struct cdp_start *start, struct cdp_err *err)
{
    uint64_t rows = start->points->rows->count, clusters = start->centroids.count;
    *m = (struct minibatch){.start = start, .smoothed = -1, .smallest = INFINITY};
    m->order = cdp_alloc(rows, sizeof *m->order, "an order", err);
    m->job = cdp_alloc(rows, sizeof *m->job, "rows", err);
    m->touched = cdp_alloc(clusters, sizeof *m->touched, "clusters", err);
    m->joined = cdp_zalloc(clusters, sizeof *m->joined, "clusters", err);
    m->weight = cdp_zalloc(clusters, sizeof *m->weight, "clusters", err);
    m->sum = cdp_alloc(clusters, start->points->rows->dim * sizeof *m->sum, "clusters", err);
    for (uint64_t row = 0; m->order && row < rows; row++)
        m->order[row] = (uint32_t)row;
    return m->order && m->job && m->touched && m->joined && m->weight && m->sum ? 0 : -1;
}

// Fisher and Yates.
static void shuffle(uint32_t *order, uint64_t count, uint64_t seed)
{
    for (uint64_t i = count; i > 1; i--) {
        uint64_t other = cdp_random(seed, i) % i;
        uint32_t row = order[i - 1];
        order[i - 1] = order[other];
        order[other] = row;
    }
}

// Finds the nearest centroids of rows about which nothing is known.
static int assign(struct minibatch *m, const uint32_t *row, uint64_t count,
                  struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_start *s = m->start;
    for (uint64_t i = 0; i < count; i++) {
        s->assignment.label[row[i]] = CDP_NO_CENTROID;
        s->assignment.square[row[i]] = INFINITY;
        s->assignment.lower[row[i]] = INFINITY;
        m->job[i] = cdp_job(s->centroids.count, row[i]);
    }
    return cdp_nearest(&s->assignment, s->points, &s->centroids, &s->centroids.columns, m->job,
                       count, s->threads, progress, err);
}

static int step(struct minibatch *m, const uint32_t *row, uint64_t count, struct cdp_err *err)
{
    struct cdp_start *s = m->start;
    const struct cdp_rows *rows = s->points->rows;
    size_t dim = rows->dim;
    uint32_t touched = 0;
    if (assign(m, row, count, s->plan->progress, err))
        return -1;
    m->inertia = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t c = s->assignment.label[row[i]];
        const float *x = cdp_rows_at(rows, row[i]);
        double inverse = rows->inverse[row[i]], *sum = m->sum + c * dim;
        if (m->joined[c]++ == 0) {
            m->touched[touched++] = c;
            memset(sum, 0, dim * sizeof *sum);
        }
        for (size_t d = 0; d < dim; d++)
            sum[d] += (double)x[d] * inverse;
        m->inertia += s->assignment.square[row[i]] / (double)count;
    }
    for (uint32_t t = 0; t < touched; t++) {
        uint32_t c = m->touched[t];
        double *number = s->centroids.number + c * dim, before = m->weight[c];
        m->weight[c] += m->joined[c];
        m->joined[c] = 0;
        for (size_t d = 0; d < dim; d++)
            number[d] = (number[d] * before + m->sum[c * dim + d]) / m->weight[c];
    }
    return cdp_centroids_encode(&s->centroids, s->points, m->touched, touched, s->threads, err);
}

// Whether the inertia has stopped falling. That of the first batch is of the first centroids, which
// are rows, and does not count.
static bool settled(struct minibatch *m, double part)
{
    if (m->start->iterations < 2)
        return false;
    m->smoothed = m->smoothed < 0 ? m->inertia : m->smoothed * (1 - part) + m->inertia * part;
    m->waited = m->smoothed < m->smallest ? 0 : m->waited + 1;
    m->smallest = fmin(m->smallest, m->smoothed);
    return m->waited >= PATIENCE;
}

static int run_batches(struct minibatch *m, struct cdp_err *err)
{
    struct cdp_start *s = m->start;
    uint64_t rows = s->points->rows->count, batches = (rows + s->plan->batch - 1) / s->plan->batch;
    double part = fmin(1, 2 * (double)s->plan->batch / ((double)rows + 1));
    s->iterations = 0;
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
        cdp_progress_stage(s->plan->progress, CDP_PROGRESS_ROUND, rows);
        shuffle(m->order, rows, cdp_random(s->seed, epoch));
        for (uint64_t b = 0; b < batches; b++) {
            uint64_t from = b * rows / batches, count = (b + 1) * rows / batches - from;
            s->iterations++;
            if (step(m, m->order + from, count, err))
                return -1;
            if (settled(m, part))
                return 0;
        }
    }
    return 0;
}

static int run(struct cdp_start *s, struct cdp_err *err)
{
    struct minibatch m;
    uint64_t rows = s->points->rows->count;
    int status = new_minibatch(&m, s, err) || run_batches(&m, err) ? -1 : 0;
    if (!status) {
        for (uint64_t row = 0; row < rows; row++)
            m.order[row] = (uint32_t)row;
        cdp_progress_stage(s->plan->progress, 1, rows);
        status = assign(&m, m.order, rows, s->plan->progress, err);
    }
    free_minibatch(&m);
    return status;
}

int cdp_minibatch(const struct cdp_rows *rows, const struct cdp_kmeans_plan *plan,
                  struct cdp_kmeans_result *result, struct cdp_err *err)
{
    uint64_t sample = SAMPLE_EACH * (uint64_t)plan->clusters;
    return cdp_starts(rows, plan, sample > SAMPLE ? sample : SAMPLE, run, result, err);
}
