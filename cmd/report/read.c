// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sort.h"
#include "base/threads.h"
#include "io/input.h"
#include "labels.h"
#include "report/report.h"
#include "tool.h"

void *report_alloc(size_t count, size_t size)
{
    struct cdp_err err;
    void *memory = cdp_zalloc(count, size, "the report", &err);
    tool_check(memory ? 0 : -1, &err);
    return memory;
}

// Items by clusters.
static void group_items(struct report *r)
{
    const struct cdp_clusters *c = &r->clusters;
    r->begin = report_alloc((size_t)c->clusters + 3, sizeof *r->begin);
    r->member = report_alloc(c->items, sizeof *r->member);
    r->place = report_alloc(c->items, sizeof *r->place);
    for (int put = 0; put < 2; put++) {
        for (uint64_t i = 0; i < c->items; i++) {
            uint64_t g = c->label[i] == CDP_NO_LABEL ? c->clusters : c->label[i];
            if (put)
                r->member[r->begin[g + 1]++] = (uint32_t)i;
            else
                r->begin[g + 2]++;
        }
        if (!put)
            cdp_group_begins(r->begin, c->clusters + 1ULL);
    }
    for (uint32_t g = 0; g <= c->clusters; g++) {
        for (uint64_t m = r->begin[g]; m < r->begin[g + 1U]; m++)
            r->place[r->member[m]] = (uint32_t)(m - r->begin[g]);
    }
}

// True labels of the same items as the clusters, by names where both have them.
static struct cdp_labels *read_truth(const struct report *r)
{
    struct cdp_labels *labels = report_alloc(1, sizeof *labels);
    struct cdp_err err;
    uint64_t none;
    tool_check(labels_read(labels, report_options.truth, false, report_options.ids, &err), &err);
    tool_check(cdp_labels_match(labels, cdp_input_shown(report_options.truth), r->labels.names,
                                r->clusters.items, r->shown, &none, &err),
               &err);
    return labels;
}

// Earlier labels may be of fewer items or more.
static struct cdp_labels *read_previous(const struct report *r)
{
    const char *name = cdp_input_shown(report_options.previous);
    struct cdp_labels *labels = report_alloc(1, sizeof *labels);
    struct cdp_err err;
    uint64_t missing, others;
    tool_check(labels_read(labels, report_options.previous, true, report_options.ids, &err), &err);
    tool_check(cdp_labels_align(labels, name, r->labels.names, &missing, &others, &err), &err);
    tool_check(cdp_labels_extend(labels, r->clusters.items, &err), &err);
    return labels;
}

// `here` counts the true labels of a cluster's items; all are 0 before and after. `size`: of all
// items.
static struct report_truth compare(const struct cdp_labels *truth, const uint32_t *item,
                                   const uint32_t *end, const uint64_t *size, uint64_t *here)
{
    struct report_truth found = {0};
    for (const uint32_t *i = item; i < end; i++) {
        uint32_t class = truth->group[*i];
        if (class == CDP_NO_LABEL)
            continue;
        found.known++;
        found.identities += !here[class]++;
        if (here[class] > found.largest)
            found.largest = (uint32_t)here[class];
    }
    for (const uint32_t *i = item; i < end; i++) {
        uint32_t class = truth->group[*i];
        if (class == CDP_NO_LABEL || !here[class])
            continue;
        double both = (double)here[class];
        found.precision += both * both / found.known;
        found.recall += both * both / (double)size[class];
        here[class] = 0;
    }
    return found;
}

static void compare_truth(struct report *r)
{
    const struct cdp_labels *truth = r->truth;
    uint64_t *size = report_alloc(truth->groups, sizeof *size);
    uint64_t *here = report_alloc(truth->groups, sizeof *here);
    struct cdp_err err;
    tool_note_unknown(report_options.truth, cdp_labels_none(truth), truth->items);
    tool_check(cdp_eval(&r->labels, truth, &r->eval, &err), &err);
    for (uint64_t i = 0; i < truth->items; i++) {
        if (truth->group[i] != CDP_NO_LABEL)
            size[truth->group[i]]++;
    }
    r->of_cluster = report_alloc(r->clusters.clusters, sizeof *r->of_cluster);
    for (uint32_t c = 0; c < r->clusters.clusters; c++)
        r->of_cluster[c] =
            compare(truth, r->member + r->begin[c], r->member + r->begin[c + 1U], size, here);
    free(size);
    free(here);
}

// ---- order

static int by_rank(const void *a, const void *b)
{
    const struct report_rank *x = a, *y = b;
    if (x->number != y->number)
        return x->number > y->number ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

void report_sort(struct report_rank *rank, size_t count)
{
    qsort(rank, count, sizeof *rank, by_rank);
}

// With true labels the items of other identities; with pairs the product of the mean and the least
// support of its items, which showed more clusters of several identities than either, density,
// weakest pairs and size did (tests/bench/NOTES.md); otherwise the size. Single items are last.
static double doubt_of(const struct report *r, uint32_t cluster)
{
    uint64_t size = report_size(r, cluster);
    if (size < 2)
        return -INFINITY;
    if (r->truth)
        return (double)(r->of_cluster[cluster].known - r->of_cluster[cluster].largest);
    return r->cohesion ? -r->cohesion[cluster] * r->least[cluster] : (double)size;
}

// The most doubtful clusters first.
static void rank_clusters(struct report *r)
{
    uint32_t clusters = r->clusters.clusters;
    struct report_rank *rank = report_alloc(clusters, sizeof *rank);
    r->order = report_alloc(clusters, sizeof *r->order);
    for (uint32_t c = 0; c < clusters; c++)
        rank[c] = (struct report_rank){doubt_of(r, c), c};
    report_sort(rank, clusters);
    for (uint32_t c = 0; c < clusters; c++)
        r->order[c] = rank[c].at;
    free(rank);
}

// ---- all of it

static void read_list(struct report *r)
{
    struct cdp_err err;
    tool_check(cdp_names_read(&r->list, report_options.list, &err), &err);
    if (cdp_names_count(r->list) != r->clusters.items)
        tool_fail("%s: %llu lines, but %s has %llu items", cdp_input_shown(report_options.list),
                  (unsigned long long)cdp_names_count(r->list), r->shown,
                  (unsigned long long)r->clusters.items);
}

// The files beside labels and pairs.
static void read_others(struct report *r)
{
    if (report_options.list)
        read_list(r);
    if (report_options.truth) {
        r->truth = read_truth(r);
        compare_truth(r);
    }
    if (report_options.previous)
        r->previous = read_previous(r);
}

void report_read(struct report *r, const char *name)
{
    const bool pairs = report_options.pairs.count > 0;
    struct cdp_graph graph = {0};
    struct cdp_tree tree = {0};
    struct cdp_err err;
    r->shown = cdp_input_shown(name);
    tool_check(labels_read(&r->labels, name, true, report_options.ids, &err), &err);
    if (pairs)
        report_read_pairs(r, &graph);
    r->clusters = (struct cdp_clusters){r->labels.group, r->labels.items, r->labels.groups, 0};
    group_items(r);
#pragma omp parallel sections num_threads(cdp_threads((int)common.threads))
    {
#pragma omp section
        if (pairs)
            report_measure(r, &graph, &tree);
#pragma omp section
        if (pairs)
            report_audit(r, &graph);
#pragma omp section
        read_others(r);
    }
    cdp_graph_free(&graph);
    if (pairs)
        report_paths(r, &tree);
    cdp_tree_free(&tree);
    rank_clusters(r);
}

static void free_labels(struct cdp_labels *labels)
{
    if (labels)
        cdp_labels_free(labels);
    free(labels);
}

void report_free(struct report *r)
{
    cdp_labels_free(&r->labels);
    free_labels(r->truth);
    free_labels(r->previous);
    cdp_names_free(r->list);
    void *const owned[] = {r->begin, r->member,   r->place, r->order,   r->of_cluster,
                           r->audit, r->cohesion, r->least, r->support, r->next,
                           r->score, r->between,  r->split, r->below};
    free(r->must.edge);
    free(r->cannot.edge);
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
    *r = (struct report){0};
}
