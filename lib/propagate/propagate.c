// SPDX-License-Identifier: MIT
// An item's cluster is its component at the first threshold at which that component has at most
// max_size items. The tree is walked from its roots: a node that is too large at one threshold is
// replaced by its parts at the next one that divides it.
#include "propagate/propagate.h"

#include <stdlib.h>

#include "base/mem.h"

// The thresholds, ascending.
struct thresholds {
    double *threshold;
    uint32_t count;
};

// Lists those of all rounds; once they stop rising, more rounds change nothing.
static int list_thresholds(struct thresholds *ts, float floor,
                           const struct cdp_propagate_plan *plan, struct cdp_err *err)
{
    size_t room = 0;
    double threshold = (double)floor, before;
    do {
        if (cdp_grow(&ts->threshold, &room, ts->count + 1U, sizeof *ts->threshold, "thresholds",
                     err))
            return -1;
        ts->threshold[ts->count++] = threshold;
        before = threshold;
        threshold = threshold + (1 - threshold) * plan->step;
    } while (threshold > before && ts->count <= plan->max_iter);
    return 0;
}

// The index of the first threshold above the score, or their number.
static uint32_t next_threshold(const struct thresholds *ts, float score)
{
    uint32_t low = 0, high = ts->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ts->threshold[middle] > (double)score)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

// While the tree is walked a node holds its cluster, or this bit and the index of a threshold.
#define UNDECIDED UINT32_C(0x80000000)

static uint32_t new_cluster(struct cdp_cut *cut, uint32_t node)
{
    cut->node[cut->clusters] = node;
    return cut->clusters++;
}

// The state of merge m, and so of its parts, if no node above it is a cluster.
static uint32_t decide(const struct cdp_tree *t, uint32_t m, uint32_t index,
                       const struct thresholds *ts, uint64_t max_size, struct cdp_cut *cut)
{
    const struct cdp_merge *merge = &t->merge[m];
    if ((double)merge->score < ts->threshold[index])
        return UNDECIDED | index; // its parts are not joined there
    uint32_t next = merge->size <= max_size ? index : next_threshold(ts, merge->score);
    if (merge->size <= max_size || next == ts->count) {
        cut->forced += merge->size <= max_size ? 0 : merge->size;
        return new_cluster(cut, t->leaves + m);
    }
    return UNDECIDED | next;
}

int cdp_cut(const struct cdp_tree *t, float threshold, float floor,
            const struct cdp_propagate_plan *plan, struct cdp_cut *cut, struct cdp_err *err)
{
    uint32_t merges = cdp_tree_above(t, threshold);
    struct thresholds thresholds = {0};
    *cut = (struct cdp_cut){0};
    cut->node = cdp_alloc(t->leaves, sizeof *cut->node, "clusters", err);
    cut->cluster = cdp_alloc((size_t)t->leaves + merges, sizeof *cut->cluster, "clusters", err);
    if (!cut->node || !cut->cluster || list_thresholds(&thresholds, floor, plan, err)) {
        cdp_cut_free(cut);
        free(thresholds.threshold);
        return -1;
    }
    uint32_t *state = cut->cluster;
    for (uint32_t leaf = 0; leaf < t->leaves; leaf++)
        state[leaf] = CDP_NO_CLUSTER;
    for (uint32_t m = 0; m < merges; m++)
        state[t->leaves + m] = UNDECIDED;
    for (uint32_t m = merges; m-- > 0;) {
        uint32_t *own = &state[t->leaves + m];
        if (*own & UNDECIDED)
            *own = decide(t, m, *own & ~UNDECIDED, &thresholds, plan->max_size, cut);
        state[t->merge[m].part[0]] = *own;
        state[t->merge[m].part[1]] = *own;
    }
    for (uint32_t leaf = 0; leaf < t->leaves; leaf++) {
        if (state[leaf] & UNDECIDED && state[leaf] != CDP_NO_CLUSTER)
            state[leaf] = new_cluster(cut, leaf);
    }
    free(thresholds.threshold);
    return 0;
}

void cdp_cut_free(struct cdp_cut *cut)
{
    free(cut->node);
    free(cut->cluster);
    *cut = (struct cdp_cut){0};
}

int cdp_propagate(const struct cdp_tree *t, float threshold, float floor,
                  const struct cdp_propagate_plan *plan, struct cdp_clusters *clusters,
                  struct cdp_err *err)
{
    struct cdp_cut cut;
    *clusters = (struct cdp_clusters){.items = t->items};
    if (cdp_cut(t, threshold, floor, plan, &cut, err))
        return -1;
    clusters->forced = cut.forced;
    clusters->label = cdp_alloc(t->items, sizeof *clusters->label, "labels", err);
    int status = clusters->label ? 0 : -1;
    // Numbers in order of first appearance; with `merge` all components that are too large get one.
    uint32_t *number = cut.node, merged = CDP_NO_LABEL;
    for (uint32_t c = 0; c < cut.clusters; c++) {
        bool large = plan->merge && cdp_tree_size(t, cut.node[c]) > plan->max_size;
        if (large && merged == CDP_NO_LABEL)
            merged = c;
        number[c] = large ? UNDECIDED | merged : CDP_NO_LABEL;
    }
    if (merged != CDP_NO_LABEL)
        number[merged] = CDP_NO_LABEL;
    for (uint64_t i = 0; !status && i < t->items; i++) {
        uint32_t c = t->leaf[i] == CDP_NO_PLACE ? CDP_NO_CLUSTER : cut.cluster[t->leaf[i]];
        clusters->label[i] = CDP_NO_LABEL;
        if (c == CDP_NO_CLUSTER)
            continue;
        if (number[c] & UNDECIDED && number[c] != CDP_NO_LABEL)
            c = number[c] & ~UNDECIDED;
        if (number[c] == CDP_NO_LABEL)
            number[c] = clusters->clusters++;
        clusters->label[i] = number[c];
    }
    cdp_cut_free(&cut);
    return status;
}
