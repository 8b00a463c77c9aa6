// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "pairs.h"
#include "propagate/spine.h"
#include "report/report.h"
#include "tool.h"

// Means and sums of scores within clusters.
static void measure(struct report *r, const struct cdp_graph *graph)
{
    const uint32_t *label = r->clusters.label;
    r->cohesion = report_alloc(r->clusters.clusters, sizeof *r->cohesion);
    r->support = report_alloc(r->clusters.items, sizeof *r->support);
    for (uint64_t i = 0; i < graph->items; i++) {
        if (label[i] == CDP_NO_LABEL)
            continue;
        double sum = 0, others = (double)(r->audit[label[i]].items - 1);
        for (uint64_t e = graph->offset[i]; e < graph->offset[i + 1]; e++) {
            if (label[graph->partner[e]] == label[i])
                sum += (double)graph->score[e];
        }
        r->support[i] = others > 0 ? (float)(sum / others) : 1;
        r->cohesion[label[i]] += sum;
    }
    for (uint32_t c = 0; c < r->clusters.clusters; c++) {
        double size = (double)r->audit[c].items;
        r->cohesion[c] = size > 1 ? r->cohesion[c] / (size * (size - 1)) : 1;
    }
}

// The tree of the pairs within clusters. Pairs are counted.
static void make_tree(struct report *r, const struct cdp_graph *graph, struct cdp_tree *tree)
{
    const uint32_t *label = r->clusters.label;
    struct cdp_forest *forest;
    struct cdp_err err;
    tool_check(cdp_forest_new(&forest, true, &err), &err);
    tool_check(cdp_forest_reserve(forest, graph->items, &err), &err);
    for (uint64_t i = 0; i < graph->items; i++) {
        for (uint64_t e = graph->offset[i]; e < graph->offset[i + 1]; e++) {
            uint64_t j = graph->partner[e];
            r->pairs += i < j;
            if (i >= j || label[i] == CDP_NO_LABEL || label[i] != label[j])
                continue;
            r->inside++;
            tool_check(cdp_forest_add(forest, &i, &j, &graph->score[e], 1, &err), &err);
        }
    }
    tool_check(cdp_tree_new(tree, forest, NULL, &err), &err);
    cdp_forest_free(forest);
}

static void find_paths(struct report *r, const struct cdp_tree *tree)
{
    uint32_t clusters = r->clusters.clusters;
    uint32_t *medoid = report_alloc(clusters, sizeof *medoid);
    struct cdp_err err;
    for (uint32_t c = 0; c < clusters; c++)
        medoid[c] = (uint32_t)r->audit[c].medoid;
    r->next = report_alloc(r->clusters.items, sizeof *r->next);
    r->score = report_alloc(r->clusters.items, sizeof *r->score);
    tool_check(cdp_spine(tree, &r->clusters, medoid, r->next, r->score, &err), &err);
    free(medoid);
}

// ---- clusters that might be one

static const struct cdp_audit *ranked;

// The sum of the scores for each item of the smaller cluster: of rankings by sum, best pair, mean
// of all possible pairs and others it showed most clusters of one identity among its first 300
// (tests/bench/NOTES.md).
static double likelihood(const struct cdp_between *b)
{
    uint64_t x = ranked[b->cluster[0]].items, y = ranked[b->cluster[1]].items;
    return b->sum / (double)(x < y ? x : y);
}

static int by_likelihood(const void *a, const void *b)
{
    const struct cdp_between *x = a, *y = b;
    double p = likelihood(x), q = likelihood(y);
    if (p != q)
        return p > q ? -1 : 1;
    if (x->cluster[0] != y->cluster[0])
        return x->cluster[0] < y->cluster[0] ? -1 : 1;
    return x->cluster[1] < y->cluster[1] ? -1 : 1;
}

static void find_between(struct report *r, const struct cdp_graph *graph)
{
    struct cdp_err err;
    int64_t count = cdp_between(graph, &r->clusters, &r->between, &err);
    tool_check(count < 0 ? -1 : 0, &err);
    ranked = r->audit;
    qsort(r->between, (size_t)count, sizeof *r->between, by_likelihood);
    r->betweens = (uint64_t)count;
}

// The pairs say how many items there are and their names, if the labels do not.
void report_pairs(struct report *r)
{
    struct pairs pairs = {.all = true, .all_pairs = true};
    struct cdp_tree tree;
    struct cdp_graph graph;
    struct cdp_err err;
    uint64_t none;
    if (!r->labels.names) {
        pairs.nodes = r->labels.items;
        pairs.nodes_from = "the number of labels,";
    }
    pairs_read(&pairs, (char *const *)report_options.pairs.text, (int)report_options.pairs.count);
    tool_check(cdp_labels_match(&r->labels, r->shown, pairs.names, cdp_forest_nodes(pairs.forest),
                                "the pairs", &none, &err),
               &err);
    r->clusters = (struct cdp_clusters){r->labels.group, r->labels.items, r->labels.groups, 0};
    tool_check(cdp_graph_new(&graph, &pairs.list, (float)report_options.threshold,
                             r->clusters.items, &err),
               &err);
    pairs_free(&pairs);
    make_tree(r, &graph, &tree);
    r->audit = report_alloc(r->clusters.clusters, sizeof *r->audit);
    tool_check(cdp_audit(&graph, &tree, -INFINITY, &r->clusters, r->audit, &err), &err);
    measure(r, &graph);
    find_paths(r, &tree);
    find_between(r, &graph);
    cdp_tree_free(&tree);
    cdp_graph_free(&graph);
}
