// SPDX-License-Identifier: MIT
// Neighbours.
#include "knn/knn.h"

#include "api/api.h"
#include "base/mem.h"

PUBLIC void libcdp_knn_init(struct libcdp_knn_plan *plan, uint64_t size)
{
    const struct libcdp_knn_plan standard = {
        .k = 15, .metric = LIBCDP_COSINE, .method = LIBCDP_AUTO, .recall = 0.99};
    api_init(plan, size, &standard, sizeof standard);
}

static int add_row(void *edges, uint64_t row, const uint32_t *target, const float *distance,
                   uint32_t count, struct cdp_err *err)
{
    for (uint32_t n = 0; n < count; n++) {
        if (api_edges_add(edges, row, target[n], &distance[n], err))
            return -1;
    }
    return 0;
}

static int read_plan(struct cdp_knn_plan *own, const struct libcdp_knn_plan *plan,
                     const struct cdp_matrix *matrix, struct api_run *api, struct cdp_err *err)
{
    struct libcdp_knn_plan whole;
    libcdp_knn_init(&whole, sizeof whole);
    if (api_take(&whole, sizeof whole, plan, "a libcdp_knn_plan", err))
        return -1;
    if (whole.k < 1 || whole.k >= matrix->rows)
        return cdp_fail(err, "k is %u, but there are %llu rows: at most %llu other rows are there",
                        whole.k, (unsigned long long)matrix->rows,
                        (unsigned long long)matrix->rows - 1);
    if (whole.metric < LIBCDP_COSINE || whole.metric > LIBCDP_HAMMING)
        return cdp_fail(err, "metric %d", (int)whole.metric);
    if (whole.method < LIBCDP_AUTO || whole.method > LIBCDP_APPROX)
        return cdp_fail(err, "method %d", (int)whole.method);
    if (whole.copies < LIBCDP_COPIES_LIST || whole.copies > LIBCDP_COPIES_ONCE)
        return cdp_fail(err, "copies %d", (int)whole.copies);
    if (!(whole.recall >= 0 && whole.recall <= 1))
        return cdp_fail(err, "a recall of %g: it is from 0 to 1", whole.recall);
    *own = (struct cdp_knn_plan){.k = whole.k,
                                 .metric = (enum cdp_metric)whole.metric,
                                 .last = matrix->rows,
                                 .threads = api->threads,
                                 .progress = &api->progress,
                                 .method = (enum cdp_knn_method)whole.method,
                                 .recall = whole.recall,
                                 .copies = (enum cdp_knn_copies)whole.copies};
    return 0;
}

static struct libcdp_edges *search(const struct cdp_matrix *matrix, const struct cdp_knn_plan *plan,
                                   struct cdp_knn_result *result, struct cdp_err *err)
{
    struct cdp_header header;
    cdp_header_init(&header, CDP_KNN);
    header.metric = plan->metric;
    header.k = plan->k;
    struct api_edges *edges = api_edges_new(&header, err);
    if (!edges)
        return NULL;
    edges->copies_once = plan->copies == CDP_COPIES_ONCE;
    int status = api_edges_reserve(edges, matrix->rows, matrix->rows * plan->k, err) ||
                         cdp_knn(matrix, plan, add_row, edges, result, err)
                     ? -1
                     : 0;
    return api_edges_end(edges, status, matrix->rows, NULL, err);
}

PUBLIC struct libcdp_edges *libcdp_knn(const struct libcdp_matrix *matrix,
                                       const struct libcdp_knn_plan *plan,
                                       struct libcdp_found *found, struct libcdp_run *run,
                                       struct libcdp_err *err)
{
    struct api_run api;
    struct cdp_matrix rows;
    struct cdp_knn_plan own;
    struct cdp_knn_result result;
    struct cdp_err why;
    struct libcdp_edges *edges = NULL;
    if (!api_begin(&api, run, &why) && !api_matrix(&rows, matrix, &why) &&
        !read_plan(&own, plan, &rows, &api, &why))
        edges = search(&rows, &own, &result, &why);
    api_end(&api);
    if (!edges)
        api_tell(err, &why);
    else if (found)
        *found = (struct libcdp_found){result.recall, result.crowded};
    return edges;
}
