// SPDX-License-Identifier: MIT
// Other clusterings.
#include <math.h>
#include <stdlib.h>

#include "api/api.h"
#include "base/mem.h"
#include "baseline/hdbscan.h"
#include "baseline/methods.h"
#include "baseline/spectral.h"

PUBLIC void libcdp_baseline_init(struct libcdp_baseline_plan *plan, uint64_t size)
{
    const struct libcdp_baseline_plan standard = {.seed = 1,
                                                  .eps = NAN,
                                                  .similarity = NAN,
                                                  .distance = NAN,
                                                  .threshold = NAN,
                                                  .tolerance = NAN};
    api_init(plan, size, &standard, sizeof standard);
}

// A run of a method on the arrays of one call.
struct job {
    struct api_run api;
    const struct cdp_method *method;
    struct cdp_baseline_plan plan;
    struct cdp_matrix matrix, centres;
    struct cdp_rows rows;
    struct cdp_table table;
    struct cdp_baseline_data data;
};

static int read_centres(struct job *job, const struct libcdp_matrix *centres, struct cdp_err *err)
{
    const struct cdp_matrix *given = &job->centres;
    if (api_matrix(&job->centres, centres, err))
        return -1;
    if (given->dim != job->matrix.dim || given->rows != job->plan.clusters)
        return cdp_fail(
            err, "centres of %llu x %llu numbers: %llu clusters of these rows want %llu x %llu",
            (unsigned long long)given->rows, (unsigned long long)given->dim,
            (unsigned long long)job->plan.clusters, (unsigned long long)job->plan.clusters,
            (unsigned long long)job->matrix.dim);
    job->plan.centres = given;
    return 0;
}

static int read_plan(struct job *job, const struct libcdp_baseline_plan *plan, struct cdp_err *err)
{
    struct libcdp_baseline_plan p;
    libcdp_baseline_init(&p, sizeof p);
    if (api_take(&p, sizeof p, plan, "a libcdp_baseline_plan", err))
        return -1;
    _Static_assert((int)LIBCDP_LEAF == (int)CDP_HDBSCAN_LEAF &&
                       (int)LIBCDP_CLUSTER_QR == (int)CDP_ASSIGN_CLUSTER_QR,
                   "choices have one order");
    job->plan = (struct cdp_baseline_plan){.clusters = p.clusters,
                                           .neighbours = p.neighbours,
                                           .min_samples = p.min_samples,
                                           .min_cluster_size = p.min_cluster_size,
                                           .starts = p.starts,
                                           .batch = p.batch,
                                           .rounds = p.rounds,
                                           .partition = p.partition,
                                           .seed = p.seed,
                                           .eps = p.eps,
                                           .similarity = p.similarity,
                                           .distance = p.distance,
                                           .threshold = p.threshold,
                                           .tolerance = p.tolerance,
                                           .select = p.select,
                                           .assign = p.assign,
                                           .approximate = p.approximate != 0};
    return cdp_baseline_settle(&job->plan, job->method, err) ||
                   (p.centres && job->data.matrix && read_centres(job, p.centres, err))
               ? -1
               : 0;
}

static int read_lists(struct job *job, const struct libcdp_edges *lists, struct cdp_err *err)
{
    const struct api_edges *edges = (const struct api_edges *)lists;
    if (!job->method->lists)
        return cdp_fail(err, "%s takes no lists", job->method->name);
    if (api_table(&job->table, lists, err))
        return -1;
    if (lists->floor < -1e-6F) // up to there a rounding error of 0
        return cdp_fail(err, "the lists: the smallest distance is %.9g: distances are at least 0",
                        (double)lists->floor);
    if (edges->copies_once)
        return cdp_fail(err, "the lists: copies of a row are listed once: list them all");
    job->data.table = &job->table;
    job->data.file = "the lists";
    job->data.items = job->table.rows;
    return cdp_baseline_check_lists(&job->data, edges->header.provenance, err);
}

static int job_open(struct job *job, const char *method, bool tree,
                    const struct libcdp_matrix *matrix, const struct libcdp_edges *lists,
                    const struct libcdp_baseline_plan *plan, struct libcdp_run *run,
                    struct cdp_err *err)
{
    *job = (struct job){.method = NULL};
    if (api_begin(&job->api, run, err))
        return -1;
    job->method = cdp_method_find(method, err);
    if (!job->method)
        return -1;
    if (tree && !job->method->tree)
        return cdp_fail(err, "%s has no merge tree: hdbscan, single and ward have one", method);
    if (!matrix && (tree || job->method->features || !lists))
        return cdp_fail(err, "%s: a matrix is needed%s", method,
                        tree || job->method->features ? "" : ", or lists");
    if (matrix) {
        if (api_matrix(&job->matrix, matrix, err) ||
            cdp_rows_new(&job->rows, &job->matrix, job->api.threads, err))
            return -1;
        job->data.matrix = &job->matrix;
        job->data.rows = &job->rows;
        job->data.items = job->matrix.rows;
    }
    job->data.threads = job->api.threads;
    job->data.progress = &job->api.progress;
    return (lists && read_lists(job, lists, err)) || read_plan(job, plan, err) ? -1 : 0;
}

static void job_free(struct job *job)
{
    cdp_rows_free(&job->rows);
    api_end(&job->api);
}

PUBLIC int64_t libcdp_baseline(const char *method, const struct libcdp_matrix *matrix,
                               const struct libcdp_edges *lists,
                               const struct libcdp_baseline_plan *plan, uint32_t *label,
                               struct libcdp_run *run, struct libcdp_err *err)
{
    struct job job;
    struct cdp_err why;
    struct cdp_baseline_result result = {.label = label};
    int status = job_open(&job, method, false, matrix, lists, plan, run, &why);
    if (!status)
        status = cdp_baseline_run(job.method, &job.plan, &job.data, &result, &why);
    job_free(&job);
    if (!status)
        return (int64_t)result.clusters;
    api_tell(err, &why);
    return -1;
}

PUBLIC int libcdp_baseline_tree(const char *method, const struct libcdp_matrix *matrix,
                                const struct libcdp_edges *lists,
                                const struct libcdp_baseline_plan *plan, double *row,
                                struct libcdp_run *run, struct libcdp_err *err)
{
    struct job job;
    struct cdp_err why;
    struct cdp_merged *tree = NULL;
    int status = job_open(&job, method, true, matrix, lists, plan, run, &why);
    if (!status && !(tree = cdp_alloc(job.data.items, sizeof *tree, "a merge tree", &why)))
        status = -1;
    if (!status) {
        struct cdp_baseline_result result = {.tree = tree};
        status = cdp_baseline_run(job.method, &job.plan, &job.data, &result, &why);
    }
    for (uint64_t r = 0; !status && r + 1 < job.data.items; r++, row += 4) {
        row[0] = tree[r].node[0];
        row[1] = tree[r].node[1];
        row[2] = tree[r].height;
        row[3] = tree[r].size;
    }
    free(tree);
    job_free(&job);
    if (status)
        api_tell(err, &why);
    return status;
}
