// SPDX-License-Identifier: MIT
#include "baseline/hdbscan.h"

#include <stdlib.h>

#include "base/mem.h"

// The merge tree, of which a node has all parts that merge at one height. Nodes 0 to items - 1 are
// the items; of two merges the higher one has the larger number.
struct hierarchy {
    uint32_t items, nodes;
    uint32_t *parent; // of each node; the root's is unset
    struct merge {
        double height;
        uint32_t size;
        uint32_t large;   // parts of at least S items
        uint32_t largest; // items of the last such part
        uint32_t cluster; // which the node is in
        bool alive;       // it has not left that cluster
    } * merge;            // of each node from `items` on
};

// Of the condensed tree. Cluster 0 is the root; a cluster has a larger number than its parent.
struct cluster {
    double birth, stability, below; // below: of the clusters kept below
    uint32_t parent;
    uint32_t kept; // the cluster that its items get: itself, one above, or CDP_NO_LABEL
    bool leaf;
};

static void add_part(struct hierarchy *h, uint32_t part, uint64_t least)
{
    struct merge *m = &h->merge[h->nodes - h->items];
    uint32_t size = part < h->items ? 1 : h->merge[part - h->items].size;
    h->parent[part] = h->nodes;
    m->size += size;
    if (size >= least) {
        m->large++;
        m->largest = size;
    }
}

// The edges of a merge share height and end[0], the first item of the first part; the others' first
// items are end[1].
static int grow(struct hierarchy *h, const struct cdp_joined *edge, uint64_t least,
                struct cdp_err *err)
{
    uint32_t *node = cdp_alloc(h->items, sizeof *node, "a merge tree", err); // of each first item
    if (!node)
        return -1;
    for (uint32_t i = 0; i < h->items; i++)
        node[i] = i;
    h->nodes = h->items;
    for (uint32_t e = 0; e + 1 < h->items; h->nodes++) {
        struct cdp_joined first = edge[e];
        h->merge[h->nodes - h->items] = (struct merge){.height = first.height};
        add_part(h, node[first.end[0]], least);
        for (; e + 1 < h->items && edge[e].height == first.height && edge[e].end[0] == first.end[0];
             e++)
            add_part(h, node[edge[e].end[1]], least);
        node[first.end[0]] = h->nodes;
    }
    free(node);
    return 0;
}

// Puts all nodes in their clusters, from the root down; label[i] = the last cluster of item i.
// Returns the number of clusters.
static uint32_t condense(struct hierarchy *h, struct cluster *cluster, uint64_t least,
                         uint32_t *label)
{
    uint32_t count = 1;
    cluster[0] = (struct cluster){.kept = CDP_NO_LABEL, .leaf = true};
    for (uint32_t v = h->nodes; v-- > 0;) {
        const struct merge *up = v + 1 < h->nodes ? &h->merge[h->parent[v] - h->items] : NULL;
        uint32_t own = up ? up->cluster : 0;
        struct merge *m = v < h->items ? NULL : &h->merge[v - h->items];
        bool alive = m && (!up || (up->alive && m->size >= least));
        if (alive && up && up->large > 1) {
            cluster[own].leaf = false;
            cluster[count] = (struct cluster){.birth = 1 / up->height, .parent = own, .leaf = true};
            own = count++;
        }
        if (!m) {
            label[v] = own;
            continue;
        }
        m->cluster = own;
        m->alive = alive;
        uint32_t leaving = m->large == 1 ? m->size - m->largest : m->size;
        if (alive)
            cluster[own].stability += leaving * (1 / m->height - cluster[own].birth);
    }
    return count;
}

static void keep(struct cluster *cluster, uint32_t count, enum cdp_hdbscan_select select)
{
    for (uint32_t c = count; c-- > 1;) {
        bool kept = select == CDP_HDBSCAN_LEAF ? cluster[c].leaf
                                               : !(cluster[c].below > cluster[c].stability);
        cluster[c].kept = kept ? c : CDP_NO_LABEL;
        cluster[cluster[c].parent].below += kept ? cluster[c].stability : cluster[c].below;
    }
    for (uint32_t c = 1; c < count; c++) {
        uint32_t above = cluster[cluster[c].parent].kept;
        cluster[c].kept = above == CDP_NO_LABEL ? cluster[c].kept : above;
    }
}

int cdp_hdbscan(const struct cdp_joined *edge, uint64_t items, uint64_t min_cluster_size,
                enum cdp_hdbscan_select select, uint32_t *label, struct cdp_err *err)
{
    if (items > INT32_MAX)
        return cdp_fail(err, "%llu items: a merge tree holds at most 2^31 - 1",
                        (unsigned long long)items);
    if (items < 2) {
        for (uint64_t i = 0; i < items; i++)
            label[i] = CDP_NO_LABEL;
        return 0;
    }
    struct hierarchy h = {.items = (uint32_t)items};
    // Clusters other than the root have a sibling, and the leaves S items or more.
    uint64_t clusters = 2 * (items / min_cluster_size) + 1;
    struct cluster *cluster = cdp_alloc(clusters, sizeof *cluster, "clusters", err);
    h.parent = cdp_alloc(items, 2 * sizeof *h.parent, "a merge tree", err);
    h.merge = cdp_alloc(items - 1, sizeof *h.merge, "a merge tree", err);
    int status = cluster && h.parent && h.merge ? grow(&h, edge, min_cluster_size, err) : -1;
    if (!status) {
        keep(cluster, condense(&h, cluster, min_cluster_size, label), select);
        for (uint64_t i = 0; i < items; i++)
            label[i] = cluster[label[i]].kept;
    }
    free(cluster);
    free(h.parent);
    free(h.merge);
    return status;
}
