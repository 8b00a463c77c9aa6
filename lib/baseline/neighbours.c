// SPDX-License-Identifier: MIT
#include "baseline/neighbours.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "knn/knn.h"

static int allocate(struct cdp_neighbours *lists, uint64_t rows, uint64_t k, struct cdp_err *err)
{
    *lists = (struct cdp_neighbours){.rows = rows};
    lists->k = (uint32_t)(k < rows ? k : rows > 0 ? rows - 1 : 0);
    lists->target = cdp_alloc(rows, lists->k * sizeof *lists->target, "neighbours", err);
    lists->distance = cdp_alloc(rows, lists->k * sizeof *lists->distance, "distances", err);
    if (lists->target && lists->distance)
        return 0;
    cdp_neighbours_free(lists);
    return -1;
}

static void set_row(const struct cdp_neighbours *lists, uint64_t row, const uint32_t *target,
                    const float *distance)
{
    memcpy(lists->target + row * lists->k, target, lists->k * sizeof *target);
    memcpy(lists->distance + row * lists->k, distance, lists->k * sizeof *distance);
}

static int receive(void *context, uint64_t row, const uint32_t *target, const float *distance,
                   uint32_t count, struct cdp_err *err)
{
    (void)count; // k, since copies are listed
    (void)err;
    set_row(context, row, target, distance);
    return 0;
}

int cdp_neighbours_search(struct cdp_neighbours *lists, const struct cdp_matrix *matrix, uint64_t k,
                          int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    if (allocate(lists, matrix->rows, k, err))
        return -1;
    struct cdp_knn_plan plan = {.k = lists->k,
                                .metric = CDP_COSINE,
                                .last = matrix->rows,
                                .threads = threads,
                                .progress = progress,
                                .method = CDP_KNN_EXACT};
    struct cdp_knn_result result;
    if (lists->k > 0 && cdp_knn(matrix, &plan, receive, lists, &result, err)) {
        cdp_neighbours_free(lists);
        return -1;
    }
    return 0;
}

static int fail_short(const struct cdp_table *table, uint64_t row, uint32_t k, const char *name,
                      struct cdp_err *err)
{
    unsigned long long has = table->offset[row + 1] - table->offset[row];
    return cdp_fail(err,
                    "%s: row %llu: its list has %llu neighbour%s, %u are needed: write longer "
                    "lists by cdp-knn --neighbours %u",
                    name, (unsigned long long)row, has, has == 1 ? "" : "s", k, k);
}

int cdp_neighbours_take(struct cdp_neighbours *lists, const struct cdp_table *table, uint64_t k,
                        const char *name, struct cdp_err *err)
{
    if (table->header.metric != CDP_COSINE)
        return cdp_fail(err, "%s: the metric is %s, lists by cosine are needed", name,
                        cdp_metric_names[table->header.metric]);
    if (allocate(lists, table->rows, k, err))
        return -1;
    for (uint64_t row = 0; row < table->rows; row++) {
        const uint64_t *offset = table->offset + row;
        if (offset[1] - offset[0] < lists->k) {
            uint32_t needed = lists->k;
            cdp_neighbours_free(lists);
            return fail_short(table, row, needed, name, err);
        }
        set_row(lists, row, table->target + offset[0], table->distance + offset[0]);
    }
    for (uint64_t e = 0; e < lists->rows * lists->k; e++)
        lists->distance[e] = lists->distance[e] < 0 ? 0 : lists->distance[e];
    return 0;
}

void cdp_neighbours_free(struct cdp_neighbours *lists)
{
    free(lists->target);
    free(lists->distance);
    *lists = (struct cdp_neighbours){0};
}
