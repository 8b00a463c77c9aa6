// SPDX-License-Identifier: MIT
#include "propagate/tree.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

enum { AHEAD = 16 }; // bonds between the prefetch of their ends and their use

// One end of a pair that must stay apart: in the list of the component of its leaf.
struct foe {
    uint32_t leaf; // the other end
    uint32_t next; // in the list, or NONE
};

#define NONE UINT32_MAX

// The components so far, by union-find.
struct components {
    uint32_t *parent;
    uint32_t *node;      // of the tree, that a root's component is
    uint32_t *foes;      // first of a root's list; NULL where there are none at all
    uint32_t *foe_count; // its length
    struct foe *foe;
};

static uint32_t find(uint32_t *parent, uint32_t leaf)
{
    while (parent[leaf] != leaf) {
        parent[leaf] = parent[parent[leaf]];
        leaf = parent[leaf];
    }
    return leaf;
}

// Whether a pair that must stay apart lies across two components: the shorter list is searched.
static bool are_foes(const struct components *c, uint32_t a, uint32_t b)
{
    uint32_t shorter = c->foe_count[a] < c->foe_count[b] ? a : b, other = shorter == a ? b : a;
    for (uint32_t f = c->foes[shorter]; f != NONE; f = c->foe[f].next) {
        if (find(c->parent, c->foe[f].leaf) == other)
            return true;
    }
    return false;
}

// Puts the shorter of two lists before the longer one.
static void join_foes(struct components *c, uint32_t into, uint32_t from)
{
    uint32_t shorter = c->foe_count[into] < c->foe_count[from] ? into : from;
    uint32_t first = c->foes[shorter == into ? from : into];
    for (uint32_t f = c->foes[shorter], next; f != NONE; f = next) {
        next = c->foe[f].next;
        c->foe[f].next = first;
        first = f;
    }
    c->foes[into] = first;
    c->foe_count[into] += c->foe_count[from];
}

static void merge(struct cdp_tree *t, struct components *c, uint32_t first, uint32_t second,
                  float score)
{
    uint32_t a = find(c->parent, first), b = find(c->parent, second);
    if (c->foe && isfinite(score) && are_foes(c, a, b)) {
        t->left_out++;
        return;
    }
    uint32_t of_a = cdp_tree_size(t, c->node[a]), of_b = cdp_tree_size(t, c->node[b]);
    uint32_t larger = of_a < of_b ? b : a, smaller = of_a < of_b ? a : b;
    t->merge[t->merges] =
        (struct cdp_merge){{c->node[a], c->node[b]}, score, of_a + of_b, {first, second}};
    c->parent[smaller] = larger;
    c->node[larger] = t->leaves + t->merges++;
    if (c->foe)
        join_foes(c, larger, smaller);
}

static void merge_all(struct cdp_tree *t, struct components *c, const struct cdp_bonds *bonds)
{
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

static int list_foes(const struct cdp_tree *t, struct components *c, const struct cdp_list *apart,
                     struct cdp_err *err)
{
    if (apart->count >= NONE / 2)
        return cdp_fail(err, "%zu pairs to keep apart; at most 2^31 can be", apart->count);
    c->foe = cdp_alloc(2 * apart->count, sizeof *c->foe, "pairs to keep apart", err);
    c->foes = cdp_alloc(t->leaves, sizeof *c->foes, "pairs to keep apart", err);
    c->foe_count = cdp_zalloc(t->leaves, sizeof *c->foe_count, "pairs to keep apart", err);
    if (!c->foe || !c->foes || !c->foe_count)
        return -1;
    for (uint32_t leaf = 0; leaf < t->leaves; leaf++)
        c->foes[leaf] = NONE;
    uint32_t used = 0;
    for (size_t p = 0; p < apart->count; p++) {
        uint64_t i = apart->edge[p].source, j = apart->edge[p].target;
        if (i >= t->items || j >= t->items || t->leaf[i] == CDP_NO_PLACE ||
            t->leaf[j] == CDP_NO_PLACE)
            continue; // one of them is alone
        uint32_t end[2] = {t->leaf[i], t->leaf[j]};
        for (int e = 0; e < 2; e++, used++) {
            c->foe[used] = (struct foe){end[!e], c->foes[end[e]]};
            c->foes[end[e]] = used;
            c->foe_count[end[e]]++;
        }
    }
    return 0;
}

static int begin(const struct cdp_tree *t, struct components *c, const struct cdp_list *apart,
                 struct cdp_err *err)
{
    c->parent = cdp_alloc(t->leaves, sizeof *c->parent, "components", err);
    c->node = cdp_alloc(t->leaves, sizeof *c->node, "components", err);
    if (!c->parent || !c->node)
        return -1;
    for (uint32_t leaf = 0; leaf < t->leaves; leaf++) {
        c->parent[leaf] = leaf;
        c->node[leaf] = leaf;
    }
    return apart && apart->count ? list_foes(t, c, apart, err) : 0;
}

int cdp_tree_new(struct cdp_tree *t, struct cdp_forest *forest, const struct cdp_list *apart,
                 struct cdp_err *err)
{
    struct cdp_bonds bonds;
    *t = (struct cdp_tree){0};
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
    t->merge = cdp_alloc(bonds.count, sizeof *t->merge, "the merge tree", err);
    if (!t->merge || begin(t, &c, apart, err))
        goto end;
    merge_all(t, &c, &bonds);
    status = 0;
end:
    free(c.parent);
    free(c.node);
    free(c.foe);
    free(c.foes);
    free(c.foe_count);
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

uint32_t *cdp_tree_item(const struct cdp_tree *t, struct cdp_err *err)
{
    uint32_t *item = cdp_alloc(t->leaves, sizeof *item, "items", err);
    for (uint64_t i = 0; item && i < t->items; i++) {
        if (t->leaf[i] != CDP_NO_PLACE)
            item[t->leaf[i]] = (uint32_t)i;
    }
    return item;
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
