// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pairs.h"
#include "propagate/spine.h"
#include "report/report.h"
#include "tool.h"

// Pairs of a cluster follow each other here, so that what they touch stays in the cache.
struct inside {
    uint64_t i[1024], j[1024];
    float score[1024];
    size_t count;
};

static void add_inside(struct cdp_forest *forest, struct inside *inside)
{
    struct cdp_err err;
    tool_check(cdp_forest_add(forest, inside->i, inside->j, inside->score, inside->count, &err),
               &err);
    inside->count = 0;
}

void report_measure(struct report *r, const struct cdp_graph *graph, struct cdp_tree *tree)
{
    const uint32_t *label = r->clusters.label;
    struct inside *inside = report_alloc(1, sizeof *inside);
    struct cdp_forest *forest;
    struct cdp_err err;
    r->cohesion = report_alloc(r->clusters.clusters, sizeof *r->cohesion);
    r->least = report_alloc(r->clusters.clusters, sizeof *r->least);
    r->support = report_alloc(r->clusters.items, sizeof *r->support);
    tool_check(cdp_forest_new(&forest, true, &err), &err);
    tool_check(cdp_forest_reserve(forest, graph->items, &err), &err);
    for (uint32_t c = 0; c < r->clusters.clusters; c++) {
        uint64_t others = report_size(r, c) - 1;
        double all = 0, least = 1;
        for (uint64_t m = r->begin[c]; m < r->begin[c + 1U]; m++) {
            uint32_t i = r->member[m];
            uint64_t possible = graph->offset[i + 1U] - graph->offset[i];
            double sum = 0;
            for (uint64_t e = graph->offset[i]; e < graph->offset[i + 1U]; e++) {
                uint32_t j = graph->partner[e].item;
                if (label[j] != c)
                    continue;
                sum += fmin((double)graph->partner[e].score, 1); // a must-link has INFINITY
                if (j < i)
                    continue;
                inside->i[inside->count] = i;
                inside->j[inside->count] = j;
                inside->score[inside->count++] = graph->partner[e].score;
                r->inside++;
                if (inside->count == sizeof inside->i / sizeof inside->i[0])
                    add_inside(forest, inside);
            }
            possible = possible > r->neighbours ? possible : r->neighbours;
            possible = possible < others ? possible : others;
            double support = possible ? sum / (double)possible : 1;
            r->support[i] = (float)support;
            all += support;
            least = support < least ? support : least;
        }
        r->cohesion[c] = all / (double)(others + 1);
        r->least[c] = least;
    }
    add_inside(forest, inside);
    tool_check(cdp_tree_new(tree, forest, NULL, &err), &err);
    cdp_forest_free(forest);
    free(inside);
}

// Where a cluster might part: of the pairs of the spanning tree with two items and more on either
// side the weakest one. CDP_NO_ITEM: there is none.
static uint32_t find_split(const struct report *r, uint32_t cluster)
{
    uint32_t all = r->below[r->audit[cluster].medoid], weakest = CDP_NO_ITEM;
    for (uint64_t m = r->begin[cluster]; m < r->begin[cluster + 1U]; m++) {
        uint32_t i = r->member[m], part = r->below[i];
        if (r->next[i] != CDP_NO_ITEM && part > 1 && all - part > 1 &&
            (weakest == CDP_NO_ITEM || r->score[i] < r->score[weakest]))
            weakest = i;
    }
    return weakest;
}

// The K of the lists that the pairs were made of; 0 = unknown.
static uint64_t find_neighbours(const char *provenance)
{
    static const char option[] = "--neighbours=";
    uint64_t most = 0;
    const char *at = provenance ? provenance : "";
    while ((at = strstr(at, option))) {
        at += sizeof option - 1;
        uint64_t k = strtoull(at, NULL, 10);
        most = k > most ? k : most;
    }
    return most;
}

static uint64_t most_pairs(const struct cdp_graph *graph)
{
    uint64_t most = 0;
    for (uint64_t i = 0; i < graph->items; i++) {
        uint64_t pairs = graph->offset[i + 1] - graph->offset[i];
        most = pairs > most ? pairs : most;
    }
    return most;
}

void report_read_pairs(struct report *r, struct cdp_graph *graph)
{
    struct pairs pairs = {.all = true, .all_pairs = true, .list_only = true, .must_links = true};
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
    tool_check(
        cdp_graph_new(graph, &pairs.list, (float)report_options.threshold, r->labels.items, &err),
        &err);
    r->neighbours = find_neighbours(pairs.header.provenance);
    r->verdict = report_verdict(pairs.header.provenance);
    r->listed = r->neighbours > 0;
    if (!r->listed)
        r->neighbours = most_pairs(graph);
    for (size_t e = 0; e < pairs.list.count; e++) {
        const struct cdp_edge *edge = &pairs.list.edge[e];
        if (isinf(edge->value))
            tool_check(cdp_list_add(&r->must, edge->source, edge->target, 1, &err), &err);
    }
    r->cannot = pairs.cannot;
    pairs.cannot = (struct cdp_list){0};
    pairs_free(&pairs);
    r->pairs = graph->offset[graph->items] / 2;
}

static int by_clusters(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    int order = (x[0] > y[0]) - (x[0] < y[0]);
    return order ? order : (x[1] > y[1]) - (x[1] < y[1]);
}

// Leaves out clusters of which two items were judged to be different.
static void drop_cannot_linked(struct report *r)
{
    uint32_t(*parted)[2] = report_alloc(r->cannot.count, sizeof *parted);
    uint64_t kept = 0;
    for (size_t e = 0; e < r->cannot.count; e++) {
        uint32_t a = r->clusters.label[r->cannot.edge[e].source],
                 b = r->clusters.label[r->cannot.edge[e].target];
        parted[e][0] = a < b ? a : b;
        parted[e][1] = a < b ? b : a;
    }
    qsort(parted, r->cannot.count, sizeof *parted, by_clusters);
    for (uint64_t n = 0; n < r->betweens; n++) {
        if (!bsearch(r->between[n].cluster, parted, r->cannot.count, sizeof *parted, by_clusters))
            r->between[kept++] = r->between[n];
    }
    r->betweens = kept;
    free(parted);
}

void report_audit(struct report *r, const struct cdp_graph *graph)
{
    struct cdp_err err;
    r->audit = report_alloc(r->clusters.clusters, sizeof *r->audit);
    tool_check(cdp_audit(graph, &r->clusters, r->audit, &err), &err);
    int64_t count = cdp_between(graph, &r->clusters, &r->between, &err);
    tool_check(count < 0 ? -1 : 0, &err);
    r->betweens = (uint64_t)count;
    if (r->cannot.count)
        drop_cannot_linked(r);
}

void report_paths(struct report *r, const struct cdp_tree *tree)
{
    uint32_t clusters = r->clusters.clusters;
    uint64_t items = r->clusters.items;
    uint32_t *medoid = report_alloc(clusters, sizeof *medoid);
    struct cdp_err err;
    tool_check(cdp_audit_weakest(tree, -INFINITY, &r->clusters, r->audit, &err), &err);
    for (uint32_t c = 0; c < clusters; c++)
        medoid[c] = (uint32_t)r->audit[c].medoid;
    r->next = report_alloc(items, sizeof *r->next);
    r->score = report_alloc(items, sizeof *r->score);
    r->below = report_alloc(items, sizeof *r->below);
    tool_check(cdp_spine(tree, &r->clusters, medoid, r->next, r->score, r->below, &err), &err);
    r->split = report_alloc(clusters, sizeof *r->split);
    for (uint32_t c = 0; c < clusters; c++)
        r->split[c] = find_split(r, c);
    free(medoid);
}
