// SPDX-License-Identifier: MIT
#include "baseline/methods.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "baseline/hdbscan.h"
#include "baseline/kmeans.h"
#include "baseline/knn-dbscan.h"
#include "baseline/minibatch.h"
#include "baseline/mst.h"
#include "baseline/neighbours.h"
#include "baseline/radius.h"
#include "baseline/rank-order.h"
#include "baseline/spectral.h"
#include "baseline/ward.h"
#include "baseline/whispers.h"

// ---- parameters

#define MOST_ITEMS 4294967294.0
#define MOST_SEEDS 18446744073709551615.0
#define MEMBER(name, value) .offset = offsetof(struct cdp_baseline_plan, name), .standard = (value)
// A count, a real number or a choice.
#define COUNT .type = CDP_OPTION_COUNT
#define REAL .type = CDP_OPTION_REAL
#define CHOICE .type = CDP_OPTION_CHOICE
#define WORDS(...)                   \
    .choices = (const char *const[]) \
    {                                \
        __VA_ARGS__, NULL            \
    }
// clang-format off
// Where the number of an item's neighbours includes the item.
#define LIST_OF(value) \
    {{COUNT, .name = "neighbours", .arg = "K", .group = "Clusters", .min = 1, .max = MOST_ITEMS, \
      .help = "entries of a list, the item itself among them"}, \
     MEMBER(neighbours, value)}
// The graph of similar neighbours.
#define LINKS \
    {{COUNT, .name = "neighbours", .arg = "K", .group = "Graph", .min = 1, .max = MOST_ITEMS, \
      .help = "nearest others that an item may be linked to"}, \
     MEMBER(neighbours, 80)}, \
    {{REAL, .name = "similarity", .arg = "S", .min = 0, .max = 1, \
      .help = "smallest cosine of linked items"}, \
     MEMBER(similarity, 0.5)}
#define CENTROIDS \
    {{COUNT, .name = "clusters", .arg = "K", .group = "Clusters", .min = 1, .max = MOST_ITEMS, \
      .help = "number of clusters", .required = true}, \
     MEMBER(clusters, 0)}
#define STARTS \
    {{COUNT, .name = "starts", .arg = "N", .min = 1, .max = 1e6, \
      .help = "keep the best of N starts", .unset = "1 for large inputs, up to 32 for small ones", \
      .without = "centres"}, \
     MEMBER(starts, 0)}
#define SEED(most, ...) \
    {{COUNT, .name = "seed", .arg = "N", .help = "of the random numbers", .max = (most), \
      __VA_ARGS__}, \
     MEMBER(seed, 1)}

static const struct cdp_parameter whispers_parameters[] = {
    LINKS,
    {{COUNT, .name = "rounds", .arg = "N", .min = 1, .max = 1e9,
      .help = "end after N rounds, if items still change"},
     MEMBER(rounds, 100)},
    SEED(MOST_SEEDS),
    {.option = {0}},
};

static const struct cdp_parameter dbscan_parameters[] = {
    {{REAL, .name = "eps", .arg = "E", .group = "Clusters", .min = 0, .max = 1e9,
      .help = "radius of a neighbourhood"},
     MEMBER(eps, 0.75)},
    {{COUNT, .name = "min-samples", .arg = "M", .min = 1, .max = MOST_ITEMS,
      .help = "items in a core item's neighbourhood at least, itself counted"},
     MEMBER(min_samples, 10)},
    {.option = {0}},
};

static const struct cdp_parameter finch_parameters[] = {
    {{COUNT, .name = "partition", .arg = "N", .group = "Clusters",
      .min = 1, .max = CDP_FINCH_PARTITIONS,
      .help = "the partition to write, 1 with the most clusters"},
     MEMBER(partition, 1)},
    {.option = {0}},
};

static const struct cdp_parameter hdbscan_parameters[] = {
    {{COUNT, .name = "min-cluster-size", .arg = "S", .group = "Clusters",
      .min = 2, .max = MOST_ITEMS, .help = "items of a cluster at least", .without = "tree"},
     MEMBER(min_cluster_size, 10)},
    {{COUNT, .name = "min-samples", .arg = "M", .min = 1, .max = MOST_ITEMS,
      .help = "core distance: to the M-th nearest item, the item itself counted"},
     MEMBER(min_samples, 10)},
    {{CHOICE, .name = "select", .arg = "HOW", WORDS("excess", "leaf"),
      .help = "clusters of the tree: by excess of mass, or its leaves", .without = "tree"},
     MEMBER(select, CDP_HDBSCAN_EXCESS)},
    {{.type = CDP_OPTION_FLAG, .name = "approximate",
      .help = "use pairs of the neighbour lists only"},
     MEMBER(approximate, 0)},
    {.option = {0}},
};

static const struct cdp_parameter kmeans_parameters[] = {
    CENTROIDS,
    {{REAL, .name = "tolerance", .arg = "T", .min = 0, .max = 1e9,
      .help = "stop when the centroids move, squared and summed, by T times the mean variance of a "
              "number; 0: when no label changes"},
     MEMBER(tolerance, 0)},
    STARTS,
    SEED(MOST_SEEDS, .without = "centres"),
    {.option = {0}},
};

static const struct cdp_parameter knn_dbscan_parameters[] = {
    LIST_OF(80),
    {{REAL, .name = "similarity", .arg = "S", .min = -1, .max = 1,
      .help = "smallest cosine of a neighbour that is reached"},
     MEMBER(similarity, 0.7)},
    {{REAL, .name = "eps", .arg = "E", .min = 0, .max = 2,
      .help = "largest cosine distance, 1 - cosine, of such a neighbour"},
     MEMBER(eps, 0.75)},
    {{COUNT, .name = "min-samples", .arg = "M", .min = 1, .max = MOST_ITEMS,
      .help = "items that a core item reaches at least, itself counted"},
     MEMBER(min_samples, 10)},
    {.option = {0}},
};

static const struct cdp_parameter leiden_parameters[] = {
    LINKS,
    {{CHOICE, .name = "quality", .arg = "NAME", WORDS("cpm", "modularity"),
      .help = "what is maximised: the constant Potts model, or modularity"},
     MEMBER(quality, 0)},
    {{REAL, .name = "resolution", .arg = "R", .min = 0, .max = 1e9,
      .help = "more clusters for larger R", .unset = "0.1 for cpm, 1 for modularity"},
     MEMBER(resolution, -1)},
    SEED(4294967295.0),
    {.option = {0}},
};

static const struct cdp_parameter minibatch_parameters[] = {
    CENTROIDS,
    {{COUNT, .name = "batch", .arg = "B", .min = 1, .max = MOST_ITEMS, .help = "rows of a batch"},
     MEMBER(batch, 1024)},
    STARTS,
    SEED(MOST_SEEDS),
    {.option = {0}},
};

static const struct cdp_parameter rank_order_parameters[] = {
    LIST_OF(20),
    {{REAL, .name = "threshold", .arg = "T", .min = 0, .max = 1e9,
      .help = "largest rank-order distance of linked items"},
     MEMBER(threshold, 10)},
    {.option = {0}},
};

static const struct cdp_parameter single_parameters[] = {
    {{REAL, .name = "distance", .arg = "T", .group = "Clusters", .min = 0, .max = 1e9,
      .help = "largest distance of linked items", .without = "tree"},
     MEMBER(distance, 0.7)},
    {.option = {0}},
};

static const struct cdp_parameter spectral_parameters[] = {
    {{COUNT, .name = "clusters", .arg = "C", .group = "Clusters", .min = 1, .max = MOST_ITEMS,
      .help = "number of clusters", .unset = "required", .required = true},
     MEMBER(clusters, 0)},
    LIST_OF(10),
    {{CHOICE, .name = "assign", .arg = "HOW", WORDS("discretize", "cluster-qr"),
      .help = "how eigenvectors make clusters"},
     MEMBER(assign, 0)},
    {.option = {0}},
};

static const struct cdp_parameter ward_parameters[] = {
    {{COUNT, .name = "clusters", .arg = "C", .group = "Clusters", .min = 1, .max = MOST_ITEMS,
      .help = "number of clusters", .unset = "required for labels", .without = "tree"},
     MEMBER(clusters, 0)},
    {{COUNT, .name = "neighbours", .arg = "K", .min = 1, .max = MOST_ITEMS,
      .help = "neighbours of an item that it may merge with"},
     MEMBER(neighbours, 30)},
    {.option = {0}},
};
// clang-format on

void cdp_baseline_defaults(struct cdp_baseline_plan *plan, const struct cdp_method *method)
{
    *plan = (struct cdp_baseline_plan){.eps = NAN};
    for (const struct cdp_parameter *p = method->parameters; p->option.name; p++) {
        void *value = (char *)plan + p->offset;
        switch (p->option.type) {
        case CDP_OPTION_COUNT:
            *(uint64_t *)value = (uint64_t)p->standard;
            break;
        case CDP_OPTION_REAL:
            *(double *)value = p->standard;
            break;
        case CDP_OPTION_CHOICE:
            *(int *)value = (int)p->standard;
            break;
        default:
            *(bool *)value = p->standard != 0;
        }
    }
}

static int settle(const struct cdp_method *method, const struct cdp_parameter *p, void *value,
                  struct cdp_err *err)
{
    const struct cdp_option *o = &p->option;
    uint64_t *count = value;
    double *real = value, given = 0;
    int *choice = value, choices = 0;
    switch (o->type) {
    case CDP_OPTION_COUNT:
        if (!*count && o->min > 0)
            *count = (uint64_t)p->standard;
        if (!*count && !o->required)
            return 0;
        given = (double)*count;
        break;
    case CDP_OPTION_REAL:
        if (isnan(*real))
            *real = p->standard;
        given = *real;
        break;
    case CDP_OPTION_CHOICE:
        while (o->choices[choices])
            choices++;
        if (*choice < 0 || *choice >= choices)
            return cdp_fail(err, "%s: %s %d: from 0 to %d are possible", method->name, o->name,
                            *choice, choices - 1);
        return 0;
    default:
        return 0;
    }
    if (!(given >= o->min && given <= o->max))
        return cdp_fail(err, "%s: %s is %.9g: it is from %.10g to %.10g", method->name, o->name,
                        given, o->min, o->max);
    return 0;
}

int cdp_baseline_settle(struct cdp_baseline_plan *plan, const struct cdp_method *method,
                        struct cdp_err *err)
{
    for (const struct cdp_parameter *p = method->parameters; p->option.name; p++) {
        if (settle(method, p, (char *)plan + p->offset, err))
            return -1;
    }
    return 0;
}

// ---- neighbour lists

int cdp_baseline_check_lists(const struct cdp_baseline_data *data, const char *notes,
                             struct cdp_err *err)
{
    const struct cdp_table *table = data->table;
    const uint64_t *rows = table->header.rows;
    if (data->matrix && table->rows != data->matrix->rows)
        return cdp_fail(err, "%s: lists of %llu items, but %s has %llu rows", data->file,
                        (unsigned long long)table->rows, data->matrix->name,
                        (unsigned long long)data->matrix->rows);
    if (rows[1])
        return cdp_fail(err,
                        "%s: the lists of rows %llu:%llu only: join all parts by cat, in the order "
                        "of their rows",
                        data->file, (unsigned long long)rows[0], (unsigned long long)rows[1]);
    if (notes && strstr(notes, " --copies=once"))
        return cdp_fail(err,
                        "%s: copies of a row are listed once: write lists by cdp-knn --copies list",
                        data->file);
    return 0;
}

// The lists of the k nearest: those given, or by an exact search.
static int find_lists(struct cdp_neighbours *lists, const struct cdp_baseline_data *data,
                      uint64_t k, struct cdp_err *err)
{
    if (cdp_progress_check(data->progress, err))
        return -1;
    if (data->table)
        return cdp_neighbours_take(lists, data->table, k, data->file, err);
    return cdp_neighbours_search(lists, data->matrix, k, data->threads, data->progress, err);
}

// Lists for a spanning tree with core distances: all entries of those given, or long enough that
// the tree takes less time than the search.
static int find_spanning_lists(struct cdp_neighbours *lists, const struct cdp_baseline_data *data,
                               uint64_t min_samples, struct cdp_err *err)
{
    enum { SPANNING_NEIGHBOURS = 15 }; // the longer, the fewer pairs the tree's scan compares
    uint64_t least = 1 < min_samples && min_samples <= data->items ? min_samples - 1 : 1;
    uint64_t k = SPANNING_NEIGHBOURS;
    if (data->table) {
        k = data->items;
        for (uint64_t i = 0; i < data->table->rows; i++) {
            uint64_t entries = data->table->offset[i + 1] - data->table->offset[i];
            k = entries < k ? entries : k;
        }
    }
    return find_lists(lists, data, k > least ? k : least, err);
}

int cdp_baseline_links(struct cdp_links *links, const struct cdp_baseline_plan *plan,
                       const struct cdp_baseline_data *data, struct cdp_err *err)
{
    struct cdp_neighbours lists;
    *links = (struct cdp_links){0};
    if (find_lists(&lists, data, plan->neighbours, err))
        return -1;
    int status = cdp_links_new(links, &lists, plan->similarity, data->threads, data->progress, err);
    cdp_neighbours_free(&lists);
    return status;
}

// What single linkage and DBSCAN know.
static struct cdp_radius radius_of(const struct cdp_baseline_data *data,
                                   const struct cdp_neighbours *lists, double distance)
{
    return (struct cdp_radius){.rows = data->rows,
                               .lists = lists,
                               .file = data->rows ? NULL : data->file,
                               .distance = distance};
}

// ---- runs

#define RUN(name)                                                                               \
    static int name(const struct cdp_baseline_plan *plan, const struct cdp_baseline_data *data, \
                    struct cdp_baseline_result *result, struct cdp_err *err)

RUN(run_whispers)
{
    struct cdp_links links;
    int status = cdp_baseline_links(&links, plan, data, err);
    if (!status) {
        int64_t rounds = cdp_whispers(&links, plan->seed, (uint32_t)plan->rounds, result->label,
                                      data->progress, err);
        result->iterations = (uint64_t)rounds;
        status = rounds < 0 ? -1 : 0;
    }
    cdp_links_free(&links);
    return status;
}

RUN(run_dbscan)
{
    struct cdp_neighbours lists;
    if (find_spanning_lists(&lists, data, plan->min_samples, err))
        return -1;
    struct cdp_radius radius = radius_of(data, &lists, plan->eps);
    int status =
        cdp_dbscan(&radius, plan->min_samples, result->label, data->threads, data->progress, err);
    cdp_neighbours_free(&lists);
    return status;
}

static int take_partition(const struct cdp_finch *finch, uint64_t partition, uint64_t items,
                          uint32_t *label, struct cdp_err *err)
{
    if (partition > finch->partitions)
        return cdp_fail(err, "%u partition%s: partition %llu is too large", finch->partitions,
                        finch->partitions == 1 ? "" : "s", (unsigned long long)partition);
    if (items)
        memcpy(label, finch->label[partition - 1], items * sizeof *label);
    return 0;
}

RUN(run_finch)
{
    struct cdp_neighbours lists;
    struct cdp_finch own = {0}, *finch = result->finch ? result->finch : &own;
    *finch = own;
    if (find_lists(&lists, data, 1, err))
        return -1;
    int status = cdp_finch(finch, data->rows, &lists, data->threads, data->progress, err);
    cdp_neighbours_free(&lists);
    if (!status && result->label)
        status = take_partition(finch, plan->partition, data->items, result->label, err);
    cdp_finch_free(&own);
    return status;
}

// The minimum spanning tree up to `limit` (mst.h), with core distances if min_samples > 1; NULL
// after an error.
static struct cdp_joined *span(const struct cdp_baseline_data *data, uint64_t min_samples,
                               double limit, struct cdp_err *err)
{
    struct cdp_neighbours lists;
    double *core = NULL;
    if (find_spanning_lists(&lists, data, min_samples, err))
        return NULL;
    struct cdp_joined *edge = cdp_alloc(data->items, sizeof *edge, "a spanning tree", err);
    int status = edge ? 0 : -1;
    if (!status && min_samples > 1) {
        core = cdp_alloc(data->items, sizeof *core, "core distances", err);
        if (core)
            cdp_mst_cores(core, data->rows, &lists, min_samples, data->threads);
        else
            status = -1;
    }
    if (!status)
        status = cdp_mst(edge, data->rows, &lists, core, limit, data->threads, data->progress, err);
    free(core);
    cdp_neighbours_free(&lists);
    if (!status)
        return edge;
    free(edge);
    return NULL;
}

RUN(run_hdbscan)
{
    int status;
    struct cdp_joined *edge = span(data, plan->min_samples, plan->approximate ? -1 : INFINITY, err);
    if (!edge)
        return -1;
    if (result->tree)
        status = cdp_result_tree(edge, data->items, result->tree, err);
    else
        status = cdp_hdbscan(edge, data->items, plan->min_cluster_size,
                             (enum cdp_hdbscan_select)plan->select, result->label, err);
    free(edge);
    return status;
}

static int run_centroids(bool batches, const struct cdp_baseline_plan *plan,
                         const struct cdp_baseline_data *data, struct cdp_baseline_result *result,
                         struct cdp_err *err)
{
    struct cdp_kmeans_result found = {0};
    uint64_t clusters = plan->clusters;
    if (!plan->centres && clusters > data->items)
        clusters = data->items;
    struct cdp_kmeans_plan own = {.clusters = (uint32_t)clusters,
                                  .centres = plan->centres,
                                  .seed = plan->seed,
                                  .starts = (uint32_t)plan->starts,
                                  .tolerance = plan->tolerance,
                                  .batch = (uint32_t)plan->batch,
                                  .threads = data->threads,
                                  .progress = data->progress};
    int status = batches ? cdp_minibatch(data->rows, &own, &found, err)
                         : cdp_kmeans(data->rows, &own, &found, err);
    if (!status && data->items)
        memcpy(result->label, found.label, data->items * sizeof *found.label);
    if (!status) {
        result->inertia = found.inertia;
        result->iterations = found.iterations;
    }
    cdp_kmeans_free(&found);
    return status;
}

RUN(run_kmeans)
{
    return run_centroids(false, plan, data, result, err);
}

RUN(run_minibatch)
{
    return run_centroids(true, plan, data, result, err);
}

RUN(run_knn_dbscan)
{
    struct cdp_neighbours lists;
    double eps = 1 - plan->similarity < plan->eps ? 1 - plan->similarity : plan->eps;
    if (find_lists(&lists, data, plan->neighbours - 1, err))
        return -1;
    int status = cdp_knn_dbscan(&lists, eps, plan->min_samples, result->label, err);
    cdp_neighbours_free(&lists);
    return status;
}

RUN(run_rank_order)
{
    struct cdp_neighbours lists;
    if (find_lists(&lists, data, plan->neighbours - 1, err))
        return -1;
    int status =
        cdp_rank_order(&lists, plan->threshold, data->threads, result->label, data->progress, err);
    cdp_neighbours_free(&lists);
    return status;
}

RUN(run_single)
{
    struct cdp_neighbours lists;
    if (result->tree) {
        struct cdp_joined *edge = span(data, 1, INFINITY, err);
        int status = edge ? cdp_result_tree(edge, data->items, result->tree, err) : -1;
        free(edge);
        return status;
    }
    if (find_spanning_lists(&lists, data, 1, err))
        return -1;
    struct cdp_radius radius = radius_of(data, &lists, plan->distance);
    int status = cdp_single(&radius, result->label, data->threads, data->progress, err);
    cdp_neighbours_free(&lists);
    return status;
}

RUN(run_spectral)
{
    struct cdp_neighbours lists;
    struct cdp_spectral_plan own = {plan->clusters, (enum cdp_assign)plan->assign, data->threads,
                                    data->progress};
    if (find_lists(&lists, data, plan->neighbours - 1, err))
        return -1;
    int status = cdp_spectral(&lists, &own, result->label, result->eigenvalues, err);
    cdp_neighbours_free(&lists);
    return status;
}

RUN(run_ward)
{
    struct cdp_neighbours lists;
    if (!plan->clusters && !result->tree)
        return cdp_fail(err, "ward: the number of clusters is missing");
    if (find_lists(&lists, data, plan->neighbours, err))
        return -1;
    int status = cdp_ward(data->rows, &lists, result->tree ? 1 : plan->clusters, result->label,
                          result->tree, data->threads, data->progress, err);
    cdp_neighbours_free(&lists);
    return status;
}

// ---- the methods

#define METHOD(id) static const struct cdp_method id##_method
METHOD(whispers) = {"chinese-whispers", whispers_parameters, .lists = true, .run = run_whispers};
METHOD(dbscan) = {"dbscan", dbscan_parameters, .lists = true, .run = run_dbscan};
METHOD(finch) = {"finch", finch_parameters, "finch computes means of rows", .lists = true,
                 .run = run_finch};
METHOD(hdbscan) = {"hdbscan",     hdbscan_parameters, "distances are computed from rows",
                   .lists = true, .tree = true,       .run = run_hdbscan};
METHOD(kmeans) = {"kmeans", kmeans_parameters, "k-means computes means of rows", .run = run_kmeans};
METHOD(knn_dbscan) = {"knn-dbscan", knn_dbscan_parameters, .lists = true, .run = run_knn_dbscan};
METHOD(leiden) = {"leiden", leiden_parameters, .lists = true};
METHOD(minibatch) = {"minibatch", minibatch_parameters, "k-means computes means of rows",
                     .run = run_minibatch};
METHOD(rank_order) = {"rank-order", rank_order_parameters, .lists = true, .run = run_rank_order};
METHOD(single) = {"single", single_parameters, .lists = true, .tree = true, .run = run_single};
METHOD(spectral) = {"spectral", spectral_parameters, .lists = true, .run = run_spectral};
METHOD(ward) = {"ward",        ward_parameters, "ward measures distances of means",
                .lists = true, .tree = true,    .run = run_ward};

const struct cdp_method *const cdp_methods[] = {
    &whispers_method,
    &dbscan_method,
    &finch_method,
    &hdbscan_method,
    &kmeans_method,
    &knn_dbscan_method,
    &leiden_method,
    &minibatch_method,
    &rank_order_method,
    &single_method,
    &spectral_method,
    &ward_method,
    NULL,
};

const struct cdp_method *cdp_method_find(const char *name, struct cdp_err *err)
{
    char names[256] = "";
    for (const struct cdp_method *const *m = cdp_methods; *m; m++) {
        if (!(*m)->run)
            continue;
        if (!strcmp((*m)->name, name))
            return *m;
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", (*m)->name);
    }
    cdp_fail(err, "method '%s': the methods are %s", name, names);
    return NULL;
}

int cdp_baseline_run(const struct cdp_method *method, const struct cdp_baseline_plan *plan,
                     const struct cdp_baseline_data *data, struct cdp_baseline_result *result,
                     struct cdp_err *err)
{
    for (uint64_t i = 0; result->label && i < data->items; i++)
        result->label[i] = CDP_NO_LABEL;
    if (method->run(plan, data, result, err))
        return -1;
    if (!result->label || result->tree || result->eigenvalues)
        return 0;
    int64_t clusters = cdp_result_number(result->label, data->items, err);
    result->clusters = (uint64_t)clusters;
    return clusters < 0 ? -1 : 0;
}
