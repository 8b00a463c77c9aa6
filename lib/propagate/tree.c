// SPDX-License-Identifier: MIT
#include "propagate/tree.h"

#include <stdlib.h>

#include "base/mem.h"

enum { AHEAD = 16 }; // bonds between the prefetch of their ends and their use

// The components so far, by union-find.
struct components {
    uint32_t *parent;
    uint32_t *node; // of the tree, that a root's component is
};

static uint32_t find(uint32_t *parent, uint32_t leaf)
{
    while (parent[leaf] != leaf) {
        parent[leaf] = parent[parent[leaf]];
        leaf = parent[leaf];
    }
    return leaf;
}

static void merge(struct cdp_tree *t, struct components *c, uint32_t a, uint32_t b, float score)
{
    a = find(c->parent, a);
    b = find(c->parent, b);
    uint32_t of_a = cdp_tree_size(t, c->node[a]), of_b = cdp_tree_size(t, c->node[b]);
    uint32_t larger = of_a < of_b ? b : a, smaller = of_a < of_b ? a : b;
    t->merge[t->merges] = (struct cdp_merge){{c->node[a], c->node[b]}, score, of_a + of_b};
    c->parent[smaller] = larger;
    c->node[larger] = t->leaves + t->merges++;
}

static void merge_all(struct cdp_tree *t, struct components *c, const struct cdp_bonds *bonds)
{
    for (uint32_t leaf = 0; leaf < t->leaves; leaf++) {
        c->parent[leaf] = leaf;
        c->node[leaf] = leaf;
    }
    for (uint32_t b = 0; b < bonds->count; b++) {
        const struct cdp_bond *bond = &bonds->bond[b];
        if (!bonds->pairs && bonds->count - b > AHEAD) {
            __builtin_prefetch(&c->parent[bond[AHEAD].end[0]]);
            __builtin_prefetch(&c->parent[bond[AHEAD].end[1]]);
        }
        uint32_t first = bonds->pairs ? t->leaf[bond->end[0]] : bond->end[0];
        uint32_t second = bonds->pairs ? t->leaf[bond->end[1]] : bond->end[1];
        merge(t, c, first, second, bond->score);
    }
}

int cdp_tree_new(struct cdp_tree *t, struct cdp_forest *forest, struct cdp_err *err)
{
    struct cdp_bonds bonds;
    *t = (struct cdp_tree){.floor = cdp_forest_floor(forest)};
    if (cdp_forest_take(forest, CDP_BY_SCORE, &bonds, err))
        return -1;
    struct components c = {0};
    int status = -1;
    if (bonds.placed > UINT32_C(1) << 31) {
        cdp_fail(err, "%u items are in pairs; at most 2^31 can be", bonds.placed);
        goto end;
    }
    t->items = bonds.nodes;
    t->leaves = bonds.placed;
    t->leaf = bonds.place;
    bonds.place = NULL;
    c.parent = cdp_alloc(t->leaves, sizeof *c.parent, "components", err);
    c.node = cdp_alloc(t->leaves, sizeof *c.node, "components", err);
    t->merge = cdp_alloc(bonds.count, sizeof *t->merge, "the merge tree", err);
    if (!c.parent || !c.node || !t->merge)
        goto end;
    merge_all(t, &c, &bonds);
    status = 0;
end:
    free(c.parent);
    free(c.node);
    cdp_bonds_free(&bonds);
    if (status)
        cdp_tree_free(t);
    return status;
}

void cdp_tree_free(struct cdp_tree *t)
{
    free(t->leaf);
    free(t->merge);
    *t = (struct cdp_tree){0};
}

uint32_t cdp_tree_above(const struct cdp_tree *t, float threshold)
{
    uint32_t low = 0, high = t->merges;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (t->merge[middle].score > threshold)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
