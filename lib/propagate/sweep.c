// SPDX-License-Identifier: MIT
#include "propagate/sweep.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/prf.h"
#include "base/threads.h"

// ---- truth

// Items of each label are counted for one node at a time, along paths that go from a leaf upwards
// to where the node is the smaller part of its merge: the larger part's counts serve for the whole,
// and the smaller part's items are added one by one, each at most log2 n times in all.
struct counting {
    const struct cdp_tree *tree;
    struct cdp_truth *truth;
    uint32_t *begin;  // of each node's leaves in `class`
    uint32_t *class;  // of each leaf, in an order in which the leaves of a node are contiguous
    uint32_t *count;  // of each label's items in the node at hand
    uint32_t *path;   // merges
    uint8_t *is_part; // of each node: whether it is not a root
};

struct tally {
    uint32_t known;
    double same, recall, inverse;
};

static uint32_t larger_part(const struct cdp_tree *t, const struct cdp_merge *m)
{
    return m->part[cdp_tree_size(t, m->part[1]) > cdp_tree_size(t, m->part[0])];
}

static uint32_t smaller_part(const struct cdp_tree *t, const struct cdp_merge *m)
{
    return m->part[cdp_tree_size(t, m->part[1]) <= cdp_tree_size(t, m->part[0])];
}

static void count_leaves(struct counting *c, uint32_t node, struct tally *tally)
{
    uint32_t end = c->begin[node] + cdp_tree_size(c->tree, node);
    for (uint32_t at = c->begin[node]; at < end; at++) {
        uint32_t class = c->class[at];
        if (class == CDP_NO_LABEL)
            continue;
        double more = 2.0 * c->count[class]++ + 1, inverse = c->truth->label_share[class];
        tally->known++;
        tally->same += more;
        tally->recall += more * inverse;
        tally->inverse += inverse;
    }
}

static void record(const struct counting *c, uint32_t node, const struct tally *tally)
{
    c->truth->known[node] = tally->known;
    c->truth->same[node] = tally->same;
    c->truth->recall[node] = tally->recall;
    c->truth->inverse[node] = tally->inverse;
}

// The path that ends at `top`.
static void count_path(struct counting *c, uint32_t top)
{
    const struct cdp_tree *t = c->tree;
    struct tally tally = {0};
    uint32_t length = 0, node = top;
    for (; node >= t->leaves; node = larger_part(t, &t->merge[node - t->leaves]))
        c->path[length++] = node;
    count_leaves(c, node, &tally);
    record(c, node, &tally);
    while (length-- > 0) {
        count_leaves(c, smaller_part(t, &t->merge[c->path[length] - t->leaves]), &tally);
        record(c, c->path[length], &tally);
    }
    for (uint32_t at = c->begin[top]; at < c->begin[top] + cdp_tree_size(t, top); at++) {
        if (c->class[at] != CDP_NO_LABEL)
            c->count[c->class[at]] = 0;
    }
}

// Orders the leaves so that those of a node are contiguous, the larger part's first.
static void order_leaves(struct counting *c)
{
    const struct cdp_tree *t = c->tree;
    uint32_t next = 0;
    for (uint32_t m = 0; m < t->merges; m++) {
        c->is_part[t->merge[m].part[0]] = 1;
        c->is_part[t->merge[m].part[1]] = 1;
    }
    for (uint32_t node = t->leaves + t->merges; node-- > 0;) {
        if (!c->is_part[node]) {
            c->begin[node] = next;
            next += cdp_tree_size(t, node);
        }
        if (node < t->leaves)
            continue;
        const struct cdp_merge *m = &t->merge[node - t->leaves];
        uint32_t larger = larger_part(t, m);
        c->begin[larger] = c->begin[node];
        c->begin[smaller_part(t, m)] = c->begin[node] + cdp_tree_size(t, larger);
    }
    for (uint64_t i = 0; i < t->items; i++) {
        if (t->leaf[i] != CDP_NO_PLACE)
            c->class[c->begin[t->leaf[i]]] = c->truth->labels->group[i];
    }
}

static void count_all(struct counting *c)
{
    const struct cdp_tree *t = c->tree;
    for (uint32_t m = 0; m < t->merges; m++)
        count_path(c, smaller_part(t, &t->merge[m]));
    for (uint32_t node = 0; node < t->leaves + t->merges; node++) {
        if (!c->is_part[node])
            count_path(c, node);
    }
}

int cdp_truth_new(struct cdp_truth *truth, const struct cdp_tree *t,
                  const struct cdp_labels *labels, struct cdp_err *err)
{
    size_t nodes = (size_t)t->leaves + t->merges;
    struct counting c = {.tree = t, .truth = truth};
    *truth = (struct cdp_truth){.labels = labels};
    truth->known = cdp_alloc(nodes, sizeof *truth->known, "the truth of clusters", err);
    truth->same = cdp_alloc(nodes, sizeof *truth->same, "the truth of clusters", err);
    truth->recall = cdp_alloc(nodes, sizeof *truth->recall, "the truth of clusters", err);
    truth->inverse = cdp_alloc(nodes, sizeof *truth->inverse, "the truth of clusters", err);
    c.begin = cdp_alloc(nodes, sizeof *c.begin, "the truth of clusters", err);
    c.is_part = cdp_zalloc(nodes, 1, "the truth of clusters", err);
    c.class = cdp_alloc(t->leaves, sizeof *c.class, "labels", err);
    c.path = cdp_alloc(t->merges, sizeof *c.path, "paths", err);
    c.count = cdp_zalloc(labels->groups, sizeof *c.count, "labels", err);
    truth->label_share = cdp_zalloc(labels->groups, sizeof *truth->label_share, "labels", err);
    int status = truth->known && truth->same && truth->recall && truth->inverse &&
                         truth->label_share && c.begin && c.is_part && c.class && c.path && c.count
                     ? 0
                     : -1;
    if (!status) {
        for (uint64_t i = 0; i < labels->items; i++) {
            if (labels->group[i] == CDP_NO_LABEL)
                continue;
            truth->label_share[labels->group[i]]++;
            truth->items++;
        }
        for (uint32_t g = 0; g < labels->groups; g++) {
            double size = truth->label_share[g];
            truth->class_pairs += size * (size - 1);
            truth->label_share[g] = size > 0 ? 1 / size : 0;
            truth->classes += size > 0;
        }
        order_leaves(&c);
        count_all(&c);
    } else {
        cdp_truth_free(truth);
    }
    free(c.begin);
    free(c.is_part);
    free(c.class);
    free(c.path);
    free(c.count);
    return status;
}

void cdp_truth_free(struct cdp_truth *truth)
{
    free(truth->known);
    free(truth->label_share);
    free(truth->same);
    free(truth->recall);
    free(truth->inverse);
    *truth = (struct cdp_truth){0};
}

// ---- outcomes

// Sums over the clusters of a cut; those of labels count items whose label is known.
struct total {
    double known, same, pairs, precision, recall, inverse;
};

static void add_cluster(struct cdp_outcome *o, uint64_t items)
{
    double size = (double)items;
    o->clusters++;
    o->items += items;
    o->largest = items > o->largest ? items : o->largest;
    o->linked += items > 1 ? items : 0;
    o->squares += items > 1 ? size * size : 0;
}

static void add_truth(struct total *total, double known, double same, double recall, double inverse)
{
    total->known += known;
    total->same += same - known;
    total->pairs += known * (known - 1);
    total->precision += known > 0 ? same / known : 0;
    total->recall += recall;
    total->inverse += inverse;
}

static bool is_large(const struct cdp_tree *t, const struct cdp_cut *cut, uint32_t cluster,
                     uint64_t max_size)
{
    return cdp_tree_size(t, cut->node[cluster]) > max_size;
}

// Adds all items of clusters that are too large as one cluster.
static int add_merged(const struct cdp_tree *t, const struct cdp_cut *cut, uint64_t max_size,
                      const struct cdp_truth *truth, struct total *total, struct cdp_err *err)
{
    const struct cdp_labels *labels = truth->labels;
    double known = 0, same = 0, recall = 0, inverse = 0;
    uint32_t *count = cdp_zalloc(labels->groups, sizeof *count, "labels", err);
    if (!count)
        return -1;
    for (uint64_t i = 0; i < t->items; i++) {
        uint32_t c = t->leaf[i] == CDP_NO_PLACE ? CDP_NO_CLUSTER : cut->cluster[t->leaf[i]];
        if (c != CDP_NO_CLUSTER && is_large(t, cut, c, max_size) &&
            labels->group[i] != CDP_NO_LABEL)
            count[labels->group[i]]++;
    }
    for (uint32_t g = 0; g < labels->groups; g++) {
        known += count[g];
        same += (double)count[g] * count[g];
        recall += (double)count[g] * count[g] * truth->label_share[g];
        inverse += count[g] * truth->label_share[g];
    }
    add_truth(total, known, same, recall, inverse);
    free(count);
    return 0;
}

// Computes the metrics of a cut.
static int measure(const struct cdp_tree *t, const struct cdp_cut *cut,
                   const struct cdp_propagate_plan *plan, const struct cdp_truth *truth,
                   struct cdp_outcome *o, struct cdp_err *err)
{
    struct total total = {0};
    *o = (struct cdp_outcome){
        .forced = cut->forced, .precision = NAN, .recall = NAN, .fscore = NAN, .bcubed = NAN};
    for (uint32_t c = 0; c < cut->clusters; c++) {
        uint32_t node = cut->node[c];
        if (plan->merge && is_large(t, cut, c, plan->max_size))
            continue;
        add_cluster(o, cdp_tree_size(t, node));
        if (truth)
            add_truth(&total, truth->known[node], truth->same[node], truth->recall[node],
                      truth->inverse[node]);
    }
    if (plan->merge && cut->forced) {
        add_cluster(o, cut->forced);
        if (truth && add_merged(t, cut, plan->max_size, truth, &total, err))
            return -1;
    }
    if (!truth)
        return 0;
    // An item in no cluster has precision 1, and recalls itself.
    double items = (double)truth->items;
    struct cdp_prf pairwise = cdp_pairwise(total.same, total.pairs, truth->class_pairs);
    struct cdp_prf bcubed = cdp_bcubed(total.precision + (items - total.known),
                                       total.recall + (truth->classes - total.inverse), items);
    o->precision = pairwise.precision;
    o->recall = pairwise.recall;
    o->fscore = pairwise.fscore;
    o->bcubed = bcubed.fscore;
    return 0;
}

int cdp_sweep(const struct cdp_tree *t, const struct cdp_floors *floors,
              const struct cdp_propagate_plan *plan, const uint64_t *max_size, size_t sizes,
              const struct cdp_truth *truth, struct cdp_outcome *outcome, int threads,
              struct cdp_progress *progress, struct cdp_err *err)
{
    int status = 0;
    cdp_progress_stage(progress, 1, floors->count * sizes);
#pragma omp parallel for num_threads(cdp_threads(threads)) schedule(dynamic)
    for (size_t at = 0; at < floors->count * sizes; at++) {
        struct cdp_propagate_plan own = *plan;
        struct cdp_cut cut;
        struct cdp_err why;
        if (cdp_progress_stopped(progress))
            continue;
        own.max_size = max_size[at % sizes];
        int failed =
            cdp_cut(t, floors->threshold[at / sizes], floors->floor[at / sizes], &own, &cut, &why);
        if (!failed) {
            failed = measure(t, &cut, &own, truth, &outcome[at], &why);
            cdp_cut_free(&cut);
        }
        if (failed) {
#pragma omp critical
            {
                *err = why;
                status = -1;
            }
        }
        cdp_progress_add(progress, 1);
    }
    return status ? status : cdp_progress_check(progress, err);
}

size_t cdp_sweep_rise(const struct cdp_outcome *outcome, size_t count, size_t sizes)
{
    size_t at = sizes;
    while (at < count * sizes && outcome[at].largest <= outcome[at - sizes].largest)
        at++;
    return at < count * sizes ? at : count * sizes;
}

// Whether `squares` grows faster than `linked`^3 from one threshold to the next lower one.
static bool merges(const struct cdp_outcome *higher, const struct cdp_outcome *lower)
{
    const double most = 3;
    return log(lower->squares / higher->squares) >
           most * log((double)lower->linked / (double)higher->linked);
}

double cdp_sweep_growth(const struct cdp_outcome *higher, const struct cdp_outcome *lower)
{
    return log(lower->squares / higher->squares) /
           log((double)lower->linked / (double)higher->linked);
}

size_t cdp_sweep_choose(const struct cdp_outcome *outcome, size_t count)
{
    const double beginning = 0.1;
    size_t at = count - 1;
    while (at > 0 && (double)outcome[at].linked < beginning * (double)outcome[0].linked)
        at--;
    while (at > 0 && !(merges(&outcome[at], &outcome[at - 1]) &&
                       (at < 2 || merges(&outcome[at - 1], &outcome[at - 2]))))
        at--;
    return at;
}
