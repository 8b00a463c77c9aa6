// SPDX-License-Identifier: MIT
// Long computations that are told to end, at several of their progress calls: they fail with
// "interrupted", soon, and (by the sanitizer) leave no memory behind.
#include <math.h>
#include <stdlib.h>

#include "baseline/methods.h"
#include "combine/clusterer.h"
#include "knn/knn.h"
#include "mediate/train.h"
#include "propagate/map.h"
#include "propagate/sweep.h"
#include "rows.h"
#include "score/consensus.h"
#include "synth/synth.h"
#include "tap.h"

enum {
    ITEMS = 3000,
    DIM = 24,
    K = 24,
    MODELS = 2,
    THREADS = 3,
    MORE = 4 * THREADS, // progress calls that may follow: of each thread, and of ends of loops
    THRESHOLDS = 30,
    EXAMPLES = 20000,
};

static float number[MODELS][ITEMS * DIM];
static struct cdp_matrix matrix[MODELS];
static struct cdp_rows rows;
static struct cdp_neighbours lists[MODELS];
static struct cdp_table table[MODELS];
static uint64_t offset[ITEMS + 1];
static uint32_t label[ITEMS];

static void must(int status, const struct cdp_err *err)
{
    if (status) {
        printf("Bail out! %s\n", err->text);
        exit(1);
    }
}

static void make_data(void)
{
    struct cdp_synth synth = cdp_synth_default;
    struct cdp_err err;
    synth.items = ITEMS;
    synth.identities = 100;
    synth.dim = DIM;
    cdp_synth_labels(&synth, label);
    for (uint64_t i = 0; i <= ITEMS; i++)
        offset[i] = i * K;
    for (unsigned m = 0; m < MODELS; m++) {
        cdp_synth_rows(&synth, label, m, 0, ITEMS, THREADS, number[m]);
        matrix[m] = matrix_of(number[m], ITEMS, DIM);
        must(cdp_neighbours_search(&lists[m], &matrix[m], K, THREADS, NULL, &err), &err);
        table[m] = (struct cdp_table){.rows = ITEMS,
                                      .offset = offset,
                                      .target = lists[m].target,
                                      .distance = lists[m].distance};
        table[m].header.metric = CDP_COSINE;
        table[m].header.k = K;
    }
    must(cdp_rows_new(&rows, &matrix[0], THREADS, &err), &err);
}

// ---- a progress that ends the work at one of its calls

struct watch {
    struct cdp_progress progress; // the first member
    int stop;
    uint64_t calls, end;
};

static void show(struct cdp_progress *progress)
{
    struct watch *w = (struct watch *)progress;
    if (__atomic_add_fetch(&w->calls, 1, __ATOMIC_RELAXED) == w->end)
        __atomic_store_n(&w->stop, 1, __ATOMIC_RELAXED);
}

static void watch(struct watch *w, uint64_t end)
{
    *w = (struct watch){.progress = {.show = show}, .end = end};
    w->progress.stop = &w->stop;
}

typedef int work(struct cdp_progress *progress, struct cdp_err *err);

static void interrupt(const char *what, work *run)
{
    struct watch w;
    struct cdp_err err = {""};
    watch(&w, UINT64_MAX);
    int status = run(&w.progress, &err);
    uint64_t all = w.calls;
    if (!ok(!status && all > 0, "%s: %llu progress calls", what, (unsigned long long)all)) {
        printf("# %s\n", err.text);
        return;
    }
    uint64_t before = 0;
    for (int part = 0; part < 4; part++) {
        uint64_t end = part == 0 ? 1 : all * (uint64_t)part / 4;
        if (end <= before)
            continue;
        watch(&w, end);
        err.text[0] = '\0';
        status = run(&w.progress, &err);
        ok(status == -1 && !strcmp(err.text, "interrupted") && w.calls <= end + MORE,
           "%s: interrupted at call %llu, %llu follow", what, (unsigned long long)end,
           (unsigned long long)(w.calls - end));
        before = end;
    }
    watch(&w, UINT64_MAX);
    w.stop = 1;
    status = run(&w.progress, &err);
    ok(status == -1 && w.calls <= MORE, "%s: interrupted before: %llu calls", what,
       (unsigned long long)w.calls);
}

// ---- neighbours, pairs

static int ignore_row(void *context, uint64_t row, const uint32_t *target, const float *distance,
                      uint32_t count, struct cdp_err *err)
{
    (void)context, (void)row, (void)target, (void)distance, (void)count, (void)err;
    return 0;
}

static int search(enum cdp_knn_method method, struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_knn_result result;
    struct cdp_knn_plan plan = {.k = 10,
                                .metric = CDP_COSINE,
                                .last = ITEMS,
                                .threads = THREADS,
                                .progress = progress,
                                .method = method,
                                .recall = 0.99};
    return cdp_knn(&matrix[0], &plan, ignore_row, NULL, &result, err);
}

static int search_exactly(struct cdp_progress *progress, struct cdp_err *err)
{
    return search(CDP_KNN_EXACT, progress, err);
}

static int search_nearly(struct cdp_progress *progress, struct cdp_err *err)
{
    return search(CDP_KNN_APPROX, progress, err);
}

static int ignore_pair(void *context, uint64_t i, uint64_t j, const float *values,
                       struct cdp_err *err)
{
    (void)context, (void)i, (void)j, (void)values, (void)err;
    return 0;
}

static int find_consensus(struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_clusterer clusterer = {.threads = THREADS, .outer = progress};
    static struct cdp_consensus found;
    struct cdp_consensus_plan plan = {.models = MODELS,
                                      .lists = table,
                                      .features = matrix,
                                      .add = cdp_clusterer_add,
                                      .cluster = cdp_clusterer_cluster,
                                      .context = &clusterer,
                                      .threads = THREADS,
                                      .progress = progress};
    int status = cdp_consensus(&found, &plan, ignore_pair, NULL, err);
    cdp_clusterer_free(&clusterer);
    return status;
}

static int compute_features(struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_model model[MODELS];
    for (unsigned m = 0; m < MODELS; m++)
        must(cdp_model_init(&model[m], &table[m], &matrix[m], THREADS, err), err);
    int status = cdp_features(model, MODELS, true, (uint64_t[]){0, ITEMS}, ignore_pair, NULL,
                              THREADS, progress, err);
    for (unsigned m = 0; m < MODELS; m++)
        cdp_model_free(&model[m]);
    return status;
}

static int train(struct cdp_progress *progress, struct cdp_err *err)
{
    enum { INPUTS = 4 };
    static float row[EXAMPLES * INPUTS], weight[EXAMPLES];
    static uint8_t same[EXAMPLES];
    static uint32_t item[EXAMPLES][2];
    struct cdp_examples examples = {.inputs = INPUTS,
                                    .count = EXAMPLES,
                                    .row = row,
                                    .item = item,
                                    .same = same,
                                    .weight = weight};
    struct cdp_recipe recipe = cdp_recipe_default;
    struct cdp_network network;
    struct cdp_trained trained;
    for (size_t e = 0; e < EXAMPLES; e++) {
        same[e] = e % 3 == 0;
        weight[e] = 1;
        for (size_t i = 0; i < INPUTS; i++)
            row[e * INPUTS + i] = (float)((e * 7 + i * 11) % 101) / 101 + same[e];
    }
    recipe.epochs = 3;
    recipe.threads = THREADS;
    recipe.progress = progress;
    must(cdp_network_new(&network, INPUTS, 1, err), err);
    int status = cdp_train(&network, &examples, NULL, &recipe, &trained, err);
    cdp_network_free(&network);
    return status;
}

// ---- clusters

typedef int add_pair(void *to, uint64_t i, uint64_t j, float score, struct cdp_err *err);

static void add_pairs(add_pair *add, void *to)
{
    struct cdp_err err;
    for (uint64_t e = 0; e < ITEMS * K; e++)
        must(add(to, e / K, lists[0].target[e], 1 - lists[0].distance[e], &err), &err);
}

static int add_to_map(void *map, uint64_t i, uint64_t j, float score, struct cdp_err *err)
{
    return cdp_map_add(map, &i, &j, &score, 1, err);
}

static int cluster(struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_map *map;
    double length;
    static uint32_t found[ITEMS];
    must(cdp_map_new(&map, err), err);
    add_pairs(add_to_map, map);
    int64_t clusters = cdp_map_cluster(map, ITEMS, found, &length, THREADS, progress, err);
    cdp_map_free(map);
    return clusters < 0 ? -1 : 0;
}

static int add_to_forest(void *forest, uint64_t i, uint64_t j, float score, struct cdp_err *err)
{
    return cdp_forest_add(forest, &i, &j, &score, 1, err);
}

static int sweep(struct cdp_progress *progress, struct cdp_err *err)
{
    const struct cdp_propagate_plan plan = CDP_PROPAGATE_DEFAULTS;
    struct cdp_forest *forest;
    struct cdp_floors floors;
    struct cdp_tree tree;
    static struct cdp_outcome outcome[THRESHOLDS];
    must(cdp_forest_new(&forest, false, err), err);
    add_pairs(add_to_forest, forest);
    must(cdp_tree_new(&tree, forest, NULL, err), err);
    must(cdp_floors_new(&floors, 0, 1.0 / THRESHOLDS, THRESHOLDS, err), err);
    must(cdp_floors_settle(&floors, err), err);
    int status =
        cdp_sweep(&tree, &floors, &plan, &plan.max_size, 1, NULL, outcome, THREADS, progress, err);
    cdp_tree_free(&tree);
    cdp_floors_free(&floors);
    cdp_forest_free(forest);
    return status;
}

// ---- baselines

static const struct cdp_method *method;
static struct cdp_baseline_plan plan;
static bool make_tree;

static int run_method(struct cdp_progress *progress, struct cdp_err *err)
{
    static uint32_t found[ITEMS];
    static struct cdp_merged tree[ITEMS];
    struct cdp_baseline_data data = {.matrix = &matrix[0],
                                     .rows = &rows,
                                     .table = method->lists ? &table[0] : NULL,
                                     .file = "lists",
                                     .items = ITEMS,
                                     .threads = THREADS,
                                     .progress = progress};
    struct cdp_baseline_result result = {.label = make_tree ? NULL : found,
                                         .tree = make_tree ? tree : NULL};
    return cdp_baseline_run(method, &plan, &data, &result, err);
}

static void interrupt_method(const char *name, uint64_t neighbours, uint64_t clusters, int assign)
{
    char what[64];
    struct cdp_err err;
    method = cdp_method_find(name, &err);
    must(method ? 0 : -1, &err);
    cdp_baseline_defaults(&plan, method);
    plan.neighbours = neighbours;
    plan.clusters = clusters;
    plan.assign = assign;
    snprintf(what, sizeof what, "%s%s%s", name, make_tree ? ", tree" : "", assign ? ", qr" : "");
    interrupt(what, run_method);
}

int main(void)
{
    make_data();
    interrupt("exact search", search_exactly);
    interrupt("approximate search", search_nearly);
    interrupt("consensus", find_consensus);
    interrupt("pair features", compute_features);
    interrupt("training", train);
    interrupt("map equation", cluster);
    interrupt("sweep", sweep);
    interrupt_method("chinese-whispers", 20, 0, 0);
    interrupt_method("dbscan", 0, 0, 0);
    interrupt_method("finch", 0, 0, 0);
    interrupt_method("hdbscan", 0, 0, 0);
    interrupt_method("kmeans", 0, 100, 0);
    interrupt_method("minibatch", 0, 100, 0);
    interrupt_method("rank-order", 20, 0, 0);
    interrupt_method("single", 0, 0, 0);
    interrupt_method("spectral", 10, 100, 0);
    interrupt_method("spectral", 10, 100, 1);
    interrupt_method("ward", 2, 20, 0);
    make_tree = true;
    interrupt_method("hdbscan", 0, 0, 0);
    interrupt_method("single", 0, 0, 0);
    interrupt_method("ward", 10, 0, 0);
    cdp_rows_free(&rows);
    for (unsigned m = 0; m < MODELS; m++)
        cdp_neighbours_free(&lists[m]);
    return done();
}
