// SPDX-License-Identifier: MIT
// From scored pairs to clusters.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/clamp.h"
#include "base/mem.h"
#include "combine/outcome.h"
#include "propagate/constraints.h"
#include "propagate/linkage.h"
#include "propagate/map.h"
#include "propagate/previous.h"
#include "propagate/propagate.h"
#include "propagate/sweep.h"

PUBLIC void libcdp_cluster_init(struct libcdp_cluster_plan *plan, uint64_t size)
{
    const struct cdp_propagate_plan own = CDP_PROPAGATE_DEFAULTS;
    const struct libcdp_cluster_plan standard = {.method = LIBCDP_LADDER,
                                                 .threshold = -INFINITY,
                                                 .max_size = own.max_size,
                                                 .step = own.step,
                                                 .max_iter = own.max_iter};
    api_init(plan, size, &standard, sizeof standard);
}

// A computation on the pairs of one call.
struct job {
    const struct libcdp_edges *pairs;
    struct libcdp_cluster_plan plan;
    struct cdp_propagate_plan ladder;
    struct cdp_list must, cannot;
    struct cdp_forest *forest;
    struct cdp_floors floors;
    struct cdp_tree tree;
    struct api_run api;
};

static void job_free(struct job *job)
{
    free(job->must.edge);
    free(job->cannot.edge);
    cdp_forest_free(job->forest);
    cdp_floors_free(&job->floors);
    cdp_tree_free(&job->tree);
    api_end(&job->api);
}

// ---- plans

static int read_links(struct cdp_list *list, const uint64_t *link, uint64_t count, uint64_t items,
                      const char *what, struct cdp_err *err)
{
    for (uint64_t n = 0; n < count; n++) {
        uint64_t i = link[2 * n], j = link[2 * n + 1];
        if (i == j || i >= items || j >= items)
            return cdp_fail(err,
                            "%s %llu: items %llu and %llu: expected two different ones of %llu",
                            what, (unsigned long long)n, (unsigned long long)i,
                            (unsigned long long)j, (unsigned long long)items);
        if (cdp_list_add(list, i, j, 1, err))
            return -1;
    }
    return 0;
}

// The first contradiction, as text.
struct contradiction {
    struct cdp_err *err;
    bool found;
};

static void take_contradiction(void *context, const uint32_t *item, size_t items)
{
    struct contradiction *c = context;
    if (!c->found)
        cdp_fail(c->err, "items %u and %u are cannot-linked, but %zu must-links connect them",
                 item[0], item[items - 1], items - 1);
    c->found = true;
}

static int check_links(struct job *job, struct cdp_err *err)
{
    struct contradiction c = {err, false};
    struct cdp_list copy = {0};
    struct cdp_graph graph;
    if (!job->must.count || !job->cannot.count)
        return 0;
    int status = 0;
    for (size_t e = 0; !status && e < job->must.count; e++)
        status = cdp_list_add(&copy, job->must.edge[e].source, job->must.edge[e].target, 1, err);
    if (!status)
        status = cdp_graph_new(&graph, &copy, -INFINITY, job->pairs->nodes, err);
    if (!status) {
        status =
            cdp_contradictions(&graph, &job->cannot, take_contradiction, &c, err) == 0 ? 0 : -1;
        cdp_graph_free(&graph);
    }
    free(copy.edge);
    return status;
}

static int read_plan(struct job *job, const struct libcdp_cluster_plan *plan, struct cdp_err *err)
{
    struct libcdp_cluster_plan *p = &job->plan;
    bool map;
    libcdp_cluster_init(p, sizeof *p);
    if (api_take(p, sizeof *p, plan, "a libcdp_cluster_plan", err))
        return -1;
    job->ladder = (struct cdp_propagate_plan){p->max_size, p->step, p->max_iter, p->merge};
    map = p->method == LIBCDP_MAP;
    if (!map && p->method != LIBCDP_LADDER)
        return cdp_fail(err, "method %d", (int)p->method);
    if (p->max_size < 1 || !(p->step >= 0 && p->step <= 1) || p->max_iter > 1000 * 1000)
        return cdp_fail(err, "a plan has a max_size of 1 or more, a step from 0 to 1, and a "
                             "max_iter of at most a million");
    if (p->threshold > 1 || (map && isnan(p->threshold)))
        return cdp_fail(err, "a threshold of %g: it is at most 1%s", p->threshold,
                        map ? ", and the map equation needs none" : "");
    return api_expect(job->pairs, map ? 1 << CDP_PAIRS : 1 << CDP_PAIRS | 1 << CDP_FOREST,
                      map ? "scored pairs" : "scored pairs or a forest", err) ||
                   read_links(&job->must, p->must_link, p->must_links, job->pairs->nodes,
                              "must-link", err) ||
                   read_links(&job->cannot, p->cannot_link, p->cannot_links, job->pairs->nodes,
                              "cannot-link", err) ||
                   check_links(job, err)
               ? -1
               : 0;
}

static int job_open(struct job *job, const struct libcdp_edges *pairs,
                    const struct libcdp_cluster_plan *plan, struct libcdp_run *run,
                    struct cdp_err *err)
{
    *job = (struct job){.pairs = pairs};
    return api_begin(&job->api, run, err) || read_plan(job, plan, err) ? -1 : 0;
}

// ---- taking the pairs

// Receives a block of pairs with scores of at most 1.
typedef int add_function(struct job *job, void *context, const struct cdp_block *block,
                         const float *score, struct cdp_err *err);

static int for_blocks(struct job *job, add_function *add, void *context, struct cdp_err *err)
{
    struct cdp_clamp clamp = {0};
    const float *score;
    struct api_view *v = api_view_new(job->pairs, err);
    int status = v ? 0 : -1;
    while (!status && api_view_next(v)) {
        status = cdp_clamp_scores(&clamp, v->block.value[0], v->block.edges, &score, err) ||
                         add(job, context, &v->block, score, err) ||
                         cdp_progress_check(&job->api.progress, err)
                     ? -1
                     : 0;
        cdp_progress_add(&job->api.progress, v->block.edges);
    }
    free(clamp.copy);
    free(v);
    return status;
}

static int add_to_forest(struct job *job, void *context, const struct cdp_block *block,
                         const float *score, struct cdp_err *err)
{
    (void)context;
    return cdp_forest_add(job->forest, block->source, block->target, score, block->edges, err) ||
                   (job->floors.count && cdp_floors_add(&job->floors, block->source, block->target,
                                                        score, block->edges, err))
               ? -1
               : 0;
}

// The share of reading the pairs, about: where several thresholds follow, and where the map
// equation does.
static const double SWEPT_SHARE = 0.5, MAP_SHARE = 0.1;

// The forest of the pairs and must-links, and the floors where there are some.
static int make_forest(struct job *job, bool remember, struct cdp_err *err)
{
    const float always = INFINITY;
    cdp_progress_start(&job->api.progress, "propagation", "pairs", 0);
    cdp_progress_stage(&job->api.progress, job->floors.count > 1 ? SWEPT_SHARE : 1,
                       job->pairs->count);
    if (cdp_forest_new(&job->forest, remember || job->cannot.count, err) ||
        cdp_forest_reserve(job->forest, job->pairs->nodes, err))
        return -1;
    if (job->floors.count && job->must.count)
        cdp_floors_repeats(&job->floors);
    int status = for_blocks(job, add_to_forest, NULL, err);
    if (!status && job->floors.count && job->pairs->type == LIBCDP_FOREST && job->pairs->count)
        status = cdp_floors_add_score(&job->floors, job->pairs->floor, err);
    for (size_t e = 0; !status && e < job->must.count; e++) {
        const struct cdp_edge *edge = &job->must.edge[e];
        const struct cdp_block link = {1, &edge->source, &edge->target, NULL};
        status = add_to_forest(job, NULL, &link, &always, err);
    }
    if (!status && job->floors.count)
        status = cdp_floors_settle(&job->floors, err);
    return status;
}

static int make_tree(struct job *job, bool remember, struct cdp_err *err)
{
    return make_forest(job, remember, err) ||
                   cdp_tree_new(&job->tree, job->forest, &job->cannot, err)
               ? -1
               : 0;
}

// ---- the ladder

// The floor of the plan's threshold, or of one that is found without labels.
static int choose_threshold(struct job *job, size_t *at, struct cdp_err *err)
{
    const uint64_t unlimited = UINT32_MAX;
    *at = 0;
    if (!isnan(job->plan.threshold))
        return 0;
    struct cdp_outcome *outcome = cdp_alloc(job->floors.count, sizeof *outcome, "outcomes", err);
    int status = outcome ? cdp_sweep(&job->tree, &job->floors, &job->ladder, &unlimited, 1, NULL,
                                     outcome, job->api.threads, &job->api.progress, err)
                         : -1;
    if (!status)
        *at = cdp_sweep_choose(outcome, job->floors.count);
    free(outcome);
    return status;
}

static int64_t by_ladder(struct job *job, uint32_t *label, double *threshold, struct cdp_err *err)
{
    struct cdp_clusters clusters;
    size_t at;
    bool automatic = isnan(job->plan.threshold);
    int status = automatic ? cdp_floors_new(&job->floors, 0, 0.02, 50, err)
                           : cdp_floors_new(&job->floors, job->plan.threshold, 0, 1, err);
    if (status || make_tree(job, false, err) || choose_threshold(job, &at, err) ||
        cdp_propagate(&job->tree, job->floors.threshold[at], job->floors.floor[at], &job->ladder,
                      &clusters, err))
        return -1;
    for (uint64_t i = 0; i < job->pairs->nodes; i++)
        label[i] = i < clusters.items ? clusters.label[i] : LIBCDP_NONE;
    if (threshold)
        *threshold = (double)job->floors.threshold[at];
    int64_t count = clusters.clusters;
    cdp_clusters_free(&clusters);
    return count;
}

// ---- the map equation

struct map_take {
    struct cdp_map *map;
    float threshold;
};

static int add_to_map(struct job *job, void *context, const struct cdp_block *block,
                      const float *score, struct cdp_err *err)
{
    struct map_take *take = context;
    (void)job;
    for (size_t e = 0; e < block->edges; e++) {
        if (score[e] > take->threshold &&
            cdp_map_add(take->map, &block->source[e], &block->target[e], &score[e], 1, err))
            return -1;
    }
    return 0;
}

static int fill_map(struct job *job, struct map_take *take, struct cdp_err *err)
{
    int status = for_blocks(job, add_to_map, take, err);
    for (size_t e = 0; !status && e < job->must.count; e++)
        status = cdp_map_link(take->map, job->must.edge[e].source, job->must.edge[e].target, err);
    for (size_t e = 0; !status && e < job->cannot.count; e++)
        status =
            cdp_map_part(take->map, job->cannot.edge[e].source, job->cannot.edge[e].target, err);
    return status;
}

// Of the pairs above a threshold. Adds stages of progress.
static int64_t by_map(struct job *job, float threshold, uint32_t *label, struct cdp_err *err)
{
    struct map_take take = {.threshold = threshold};
    double length;
    int64_t count = -1;
    cdp_progress_stage(&job->api.progress, MAP_SHARE, job->pairs->count);
    if (!cdp_map_new(&take.map, err) && !fill_map(job, &take, err))
        count = cdp_map_cluster(take.map, job->pairs->nodes, label, &length, job->api.threads,
                                &job->api.progress, err);
    cdp_map_free(take.map);
    return count;
}

PUBLIC int64_t libcdp_cluster(const struct libcdp_edges *pairs,
                              const struct libcdp_cluster_plan *plan, uint32_t *label,
                              double *threshold, struct libcdp_run *run, struct libcdp_err *err)
{
    struct job job;
    struct cdp_err why;
    int64_t count = -1;
    if (!job_open(&job, pairs, plan, run, &why)) {
        bool map = job.plan.method == LIBCDP_MAP;
        if (map)
            cdp_progress_start(&job.api.progress, "map equation", "pairs", 0);
        count = map ? by_map(&job, (float)job.plan.threshold, label, &why)
                    : by_ladder(&job, label, threshold, &why);
        if (map && threshold)
            *threshold = job.plan.threshold;
    }
    job_free(&job);
    if (count < 0)
        api_tell(err, &why);
    return count;
}

// ---- forests and trees

static struct libcdp_edges *take_forest(struct job *job, struct cdp_err *err)
{
    struct cdp_header header;
    struct cdp_forest_edges taken = {0};
    cdp_header_init(&header, CDP_FOREST);
    header.scale = job->pairs->scale;
    struct api_edges *e = api_edges_new(&header, err);
    int status = e ? cdp_forest_take(job->forest, CDP_BY_PAIR, &taken, err) : -1;
    for (uint32_t b = 0; !status && b < taken.count; b++)
        status =
            api_edges_add(e, taken.edge[b].end[0], taken.edge[b].end[1], &taken.edge[b].score, err);
    cdp_forest_edges_free(&taken);
    struct libcdp_edges *done = api_edges_end(e, status, job->pairs->nodes, job->pairs, err);
    if (done)
        done->floor = job->floors.floor[0];
    return done;
}

PUBLIC struct libcdp_edges *libcdp_forest(const struct libcdp_edges *pairs, struct libcdp_err *err)
{
    struct job job;
    struct cdp_err why;
    struct libcdp_cluster_plan plan;
    struct libcdp_edges *done = NULL;
    libcdp_cluster_init(&plan, sizeof plan);
    if (!job_open(&job, pairs, &plan, NULL, &why) &&
        !cdp_floors_new(&job.floors, -INFINITY, 0, 1, &why) && !make_forest(&job, true, &why))
        done = take_forest(&job, &why);
    job_free(&job);
    if (!done)
        api_tell(err, &why);
    return done;
}

static int take_row(void *context, const struct cdp_linkage_row *row, struct cdp_err *err)
{
    double **at = context;
    (void)err;
    (*at)[0] = (double)row->node[0];
    (*at)[1] = (double)row->node[1];
    (*at)[2] = row->distance;
    (*at)[3] = (double)row->size;
    *at += 4;
    return 0;
}

PUBLIC int libcdp_linkage(const struct libcdp_edges *pairs, const struct libcdp_cluster_plan *plan,
                          double *row, struct libcdp_err *err)
{
    struct job job;
    struct cdp_err why;
    double *at = row;
    int status = job_open(&job, pairs, plan, NULL, &why) || make_tree(&job, true, &why) ||
                         cdp_linkage(&job.tree, take_row, &at, &why)
                     ? -1
                     : 0;
    job_free(&job);
    if (status)
        api_tell(err, &why);
    return status;
}

// ---- sweeps

static int sweep_ladder(struct job *job, const uint64_t *max_size, size_t sizes,
                        const struct cdp_labels *truth, struct cdp_outcome *outcome,
                        struct cdp_err *err)
{
    struct cdp_truth sums = {0};
    if (make_tree(job, false, err) || (truth && cdp_truth_new(&sums, &job->tree, truth, err)))
        return -1;
    int status =
        cdp_sweep(&job->tree, &job->floors, &job->ladder, max_size, sizes, truth ? &sums : NULL,
                  outcome, job->api.threads, &job->api.progress, err);
    cdp_truth_free(&sums);
    return status;
}

static int sweep_map(struct job *job, const struct cdp_labels *truth, struct cdp_outcome *outcome,
                     struct cdp_err *err)
{
    struct cdp_labels found = {.items = job->pairs->nodes};
    found.group = cdp_alloc(found.items, sizeof *found.group, "labels", err);
    int status = found.group ? 0 : -1;
    cdp_progress_start(&job->api.progress, "map equation", "pairs", 0);
    for (size_t t = 0; !status && t < job->floors.count; t++) {
        cdp_progress_limit(&job->api.progress, (double)(t + 1) / (double)job->floors.count);
        int64_t count = by_map(job, job->floors.threshold[t], found.group, err);
        found.groups = (uint32_t)count;
        status = count < 0 ? -1 : cdp_outcome_of(&outcome[t], &found, truth, err);
    }
    free(found.group);
    return status;
}

static int sweep(struct job *job, const uint64_t *max_size, size_t sizes, const uint32_t *truth,
                 struct cdp_outcome *own, struct cdp_err *err)
{
    struct cdp_labels labels = {0};
    bool map = job->plan.method == LIBCDP_MAP;
    if (map && sizes != 1)
        return cdp_fail(err, "%zu sizes, but the map equation takes one", sizes);
    for (size_t n = 0; n < sizes; n++) {
        if (!map && max_size[n] < 1)
            return cdp_fail(err, "a largest size of 0");
    }
    if (truth && api_labels(&labels, truth, job->pairs->nodes, err))
        return -1;
    int status = map ? sweep_map(job, truth ? &labels : NULL, own, err)
                     : sweep_ladder(job, max_size, sizes, truth ? &labels : NULL, own, err);
    cdp_labels_free(&labels);
    return status;
}

PUBLIC int libcdp_sweep(const struct libcdp_edges *pairs, const struct libcdp_cluster_plan *plan,
                        double first, double step, size_t count, const uint64_t *max_size,
                        size_t sizes, const uint32_t *truth, struct libcdp_outcome *outcome,
                        struct libcdp_run *run, struct libcdp_err *err)
{
    struct job job;
    struct cdp_err why;
    struct cdp_outcome *own = NULL;
    int status = job_open(&job, pairs, plan, run, &why);
    if (!status && (!count || !(step > 0) || !isfinite(first) ||
                    !(first + step * (double)(count - 1) <= 1 + 1e-9)))
        status = cdp_fail(&why, "%zu thresholds of %g and %g more each: the last is at most 1",
                          count, first, step);
    if (!status && !(own = cdp_alloc(count * sizes, sizeof *own, "outcomes", &why)))
        status = -1;
    if (!status)
        status = cdp_floors_new(&job.floors, first, step, count, &why) ||
                         sweep(&job, max_size, sizes, truth, own, &why)
                     ? -1
                     : 0;
    for (size_t n = 0; !status && n < count * sizes; n++)
        outcome[n] = (struct libcdp_outcome){.threshold = first + step * (double)(n / sizes),
                                             .max_size = max_size[n % sizes],
                                             .clusters = own[n].clusters,
                                             .items = own[n].items,
                                             .largest = own[n].largest,
                                             .precision = own[n].precision,
                                             .recall = own[n].recall,
                                             .fscore = own[n].fscore,
                                             .bcubed = own[n].bcubed};
    free(own);
    job_free(&job);
    if (status)
        api_tell(err, &why);
    return status;
}

// ---- earlier numbers

PUBLIC int libcdp_keep(uint64_t items, const int64_t *before, int64_t *now, struct libcdp_err *err)
{
    struct cdp_labels earlier = {0}, later = {0};
    struct cdp_err why;
    int status = items < UINT32_MAX ? 0 : cdp_fail(&why, "more than 2^32 - 2 items");
    if (!status)
        status = api_numbers(&earlier, before, items, &why) || api_numbers(&later, now, items, &why)
                     ? -1
                     : 0;
    if (!status) {
        struct cdp_clusters clusters = {later.group, items, later.groups, 0};
        status = cdp_clusters_keep(&clusters, &earlier, &why);
        for (uint64_t i = 0; !status && i < items; i++)
            now[i] = later.group[i] == CDP_NO_LABEL ? -1 : (int64_t)later.group[i];
    }
    cdp_labels_free(&earlier);
    cdp_labels_free(&later);
    if (status)
        api_tell(err, &why);
    return status;
}
