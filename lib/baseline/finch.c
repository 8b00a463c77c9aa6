// SPDX-License-Identifier: MIT
#include "baseline/finch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"
#include "base/threads.h"
#include "baseline/components.h"

// ---- means

static void set_mean(const struct cdp_rows *rows, const uint32_t *member, uint64_t count,
                     double *sum, float *mean)
{
    bool zero = true;
    memset(sum, 0, rows->dim * sizeof *sum);
    for (uint64_t m = 0; m < count; m++) {
        const float *x = cdp_rows_at(rows, member[m]);
        double inverse = rows->inverse[member[m]];
        for (size_t d = 0; d < rows->dim; d++)
            sum[d] += (double)x[d] * inverse;
    }
    for (size_t d = 0; d < rows->dim; d++) {
        mean[d] = (float)(sum[d] / (double)count);
        zero = zero && mean[d] == 0;
    }
    if (zero)
        memcpy(mean, cdp_rows_at(rows, member[0]), rows->dim * sizeof *mean);
}

static int set_means(float *mean, const struct cdp_rows *rows, const uint32_t *label,
                     uint32_t clusters, int threads, struct cdp_err *err)
{
    uint64_t *begin = cdp_zalloc((uint64_t)clusters + 2, sizeof *begin, "clusters", err);
    uint32_t *member = cdp_alloc(rows->count, sizeof *member, "clusters", err);
    double *sum = cdp_alloc((size_t)threads, rows->dim * sizeof *sum, "threads", err);
    int status = begin && member && sum ? 0 : -1;
    if (!status) {
        for (uint64_t row = 0; row < rows->count; row++)
            begin[label[row] + 2]++;
        cdp_group_begins(begin, clusters);
        for (uint64_t row = 0; row < rows->count; row++)
            member[begin[label[row] + 1]++] = (uint32_t)row;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 16)
        for (uint32_t c = 0; c < clusters; c++)
            set_mean(rows, member + begin[c], begin[c + 1] - begin[c],
                     sum + (size_t)cdp_thread() * rows->dim, mean + c * rows->dim);
    }
    free(begin);
    free(member);
    free(sum);
    return status;
}

// The nearest other mean of each cluster.
static int nearest_means(struct cdp_neighbours *lists, const struct cdp_rows *rows,
                         const uint32_t *label, uint32_t clusters, int threads,
                         struct cdp_progress *progress, struct cdp_err *err)
{
    float *mean = cdp_alloc(clusters, rows->dim * sizeof *mean, "means", err);
    if (!mean)
        return -1;
    struct cdp_matrix matrix = {.rows = clusters,
                                .dim = rows->dim,
                                .dimensions = 2,
                                .number = CDP_F32,
                                .data = (const unsigned char *)mean,
                                .row_stride = rows->dim * sizeof *mean,
                                .number_stride = sizeof *mean,
                                .name = rows->matrix->name};
    int status = set_means(mean, rows, label, clusters, cdp_threads(threads), err) ||
                 cdp_neighbours_search(lists, &matrix, 1, threads, progress, err);
    free(mean);
    return status ? -1 : 0;
}

// ---- partitions

// Adds the partition that joins the clusters of the last one, or items, along these lists.
static int add(struct cdp_finch *f, uint64_t items, const struct cdp_neighbours *lists,
               struct cdp_err *err)
{
    uint32_t p = f->partitions;
    uint32_t *joined = cdp_alloc(lists->rows, sizeof *joined, "clusters", err);
    f->label[p] = cdp_alloc(items, sizeof *f->label[p], "labels", err);
    int64_t clusters = joined && f->label[p] ? cdp_components(lists, joined, err) : -1;
    for (uint64_t i = 0; clusters >= 0 && i < items; i++)
        f->label[p][i] = joined[p > 0 ? f->label[p - 1][i] : i];
    free(joined);
    if (clusters < 0) {
        free(f->label[p]);
        return -1;
    }
    f->clusters[p] = (uint32_t)clusters;
    f->partitions++;
    return 0;
}

int cdp_finch(struct cdp_finch *f, const struct cdp_rows *rows, const struct cdp_neighbours *first,
              int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    *f = (struct cdp_finch){0};
    int status = add(f, rows->count, first, err);
    while (!status && f->clusters[f->partitions - 1] > 1) {
        struct cdp_neighbours lists;
        uint32_t last = f->partitions - 1;
        if (nearest_means(&lists, rows, f->label[last], f->clusters[last], threads, progress, err))
            return -1;
        status = add(f, rows->count, &lists, err);
        cdp_neighbours_free(&lists);
    }
    if (!status && f->partitions > 1)
        free(f->label[--f->partitions]); // a single cluster
    return status;
}

void cdp_finch_free(struct cdp_finch *f)
{
    for (uint32_t p = 0; p < f->partitions; p++)
        free(f->label[p]);
    *f = (struct cdp_finch){0};
}
