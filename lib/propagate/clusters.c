// SPDX-License-Identifier: MIT
#include "propagate/clusters.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

void cdp_clusters_free(struct cdp_clusters *clusters)
{
    free(clusters->label);
    *clusters = (struct cdp_clusters){0};
}

static uint32_t *sizes_of(const struct cdp_clusters *c, struct cdp_err *err)
{
    uint32_t *size = cdp_zalloc(c->clusters, sizeof *size, "cluster sizes", err);
    for (uint64_t i = 0; size && i < c->items; i++) {
        if (c->label[i] != CDP_NO_LABEL)
            size[c->label[i]]++;
    }
    return size;
}

// Numbers the labels anew, in order of first appearance; `number` has room for one of each.
static void number(struct cdp_clusters *c, uint32_t *number)
{
    uint32_t next = 0;
    for (uint32_t l = 0; l < c->clusters; l++)
        number[l] = CDP_NO_LABEL;
    for (uint64_t i = 0; i < c->items; i++) {
        uint32_t label = c->label[i];
        if (label == CDP_NO_LABEL)
            continue;
        if (number[label] == CDP_NO_LABEL)
            number[label] = next++;
        c->label[i] = number[label];
    }
    c->clusters = next;
}

int cdp_clusters_least(struct cdp_clusters *c, uint64_t least, struct cdp_err *err)
{
    uint32_t *size = sizes_of(c, err);
    if (!size)
        return -1;
    for (uint64_t i = 0; i < c->items; i++) {
        if (c->label[i] != CDP_NO_LABEL && size[c->label[i]] < least)
            c->label[i] = CDP_NO_LABEL;
    }
    number(c, size);
    free(size);
    return 0;
}

int cdp_clusters_singletons(struct cdp_clusters *c, struct cdp_err *err)
{
    uint32_t *room = cdp_alloc(c->clusters + c->items, sizeof *room, "clusters", err);
    if (!room)
        return -1;
    for (uint64_t i = 0; i < c->items; i++) {
        if (c->label[i] == CDP_NO_LABEL)
            c->label[i] = c->clusters++;
    }
    number(c, room);
    free(room);
    return 0;
}

// ---- adoption

// The best pair of an item.
struct best {
    uint32_t other;
    float score; // -inf: it is in no pair
};

// A leaf is part of one merge, at the score of its best pair; and one end of it.
static int find_best(const struct cdp_tree *t, struct best *best, struct cdp_err *err)
{
    uint32_t *item = cdp_tree_item(t, err);
    if (!item)
        return -1;
    for (uint64_t i = 0; i < t->items; i++)
        best[i] = (struct best){0, -INFINITY};
    for (uint32_t m = 0; m < t->merges; m++) {
        const struct cdp_merge *merge = &t->merge[m];
        for (int p = 0; p < 2; p++) {
            uint32_t leaf = merge->part[p];
            if (leaf < t->leaves)
                best[item[leaf]] =
                    (struct best){item[merge->end[merge->end[0] == leaf]], merge->score};
        }
    }
    free(item);
    return 0;
}

// The cannot-link pairs, each in both directions, sorted.
static int by_ids(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    if (x[0] != y[0])
        return x[0] < y[0] ? -1 : 1;
    return (x[1] > y[1]) - (x[1] < y[1]);
}

static uint32_t (*list_cannot_links(const struct cdp_clusters *c, const struct cdp_list *cannot,
                                    size_t *count, struct cdp_err *err))[2]
{
    uint32_t(*link)[2] =
        cdp_alloc(cannot ? 2 * cannot->count : 0, sizeof *link, "cannot-links", err);
    *count = 0;
    for (size_t p = 0; link && cannot && p < cannot->count; p++) {
        uint64_t i = cannot->edge[p].source, j = cannot->edge[p].target;
        if (i >= c->items || j >= c->items)
            continue;
        link[*count][0] = (uint32_t)i;
        link[(*count)++][1] = (uint32_t)j;
        link[*count][0] = (uint32_t)j;
        link[(*count)++][1] = (uint32_t)i;
    }
    if (link)
        qsort(link, *count, sizeof *link, by_ids);
    return link;
}

// An item that may join a cluster.
struct adoption {
    uint32_t item, home;
    float score;
};

static int by_score(const void *a, const void *b)
{
    const struct adoption *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

// Lists the singletons whose best pair leads to a larger cluster, best scores first. Clusters are
// those before any adoption, so that the order of items does not matter.
static size_t list_adoptions(const struct cdp_clusters *c, const uint32_t *size,
                             const struct best *best, float threshold, struct adoption *adoption)
{
    size_t count = 0;
    for (uint64_t i = 0; i < c->items; i++) {
        uint32_t own = c->label[i];
        uint32_t home = best[i].score > threshold ? c->label[best[i].other] : CDP_NO_LABEL;
        if ((own == CDP_NO_LABEL || size[own] == 1) && home != CDP_NO_LABEL && size[home] > 1)
            adoption[count++] = (struct adoption){(uint32_t)i, home, best[i].score};
    }
    qsort(adoption, count, sizeof *adoption, by_score);
    return count;
}

// Whether the item is cannot-linked to an item of the cluster.
static bool has_cannot_link(const struct cdp_clusters *c, uint32_t (*link)[2], size_t cannots,
                            uint32_t item, uint32_t home)
{
    size_t low = 0, high = cannots;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (link[middle][0] < item)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < cannots && link[low][0] == item; low++) {
        if (c->label[link[low][1]] == home)
            return true;
    }
    return false;
}

int cdp_clusters_adopt(struct cdp_clusters *c, const struct cdp_tree *t, float threshold,
                       const struct cdp_list *cannot, struct cdp_err *err)
{
    size_t cannots;
    uint32_t *size = sizes_of(c, err);
    struct best *best = cdp_alloc(c->items, sizeof *best, "best pairs", err);
    struct adoption *adoption = cdp_alloc(c->items, sizeof *adoption, "adoptions", err);
    uint32_t(*link)[2] = list_cannot_links(c, cannot, &cannots, err);
    int status = size && best && adoption && link ? find_best(t, best, err) : -1;
    if (!status) {
        size_t count = list_adoptions(c, size, best, threshold, adoption);
        for (size_t a = 0; a < count; a++) {
            if (!has_cannot_link(c, link, cannots, adoption[a].item, adoption[a].home))
                c->label[adoption[a].item] = adoption[a].home;
        }
        number(c, size);
    }
    free(size);
    free(best);
    free(adoption);
    free(link);
    return status;
}
