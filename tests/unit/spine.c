// SPDX-License-Identifier: MIT
// What cdp-report shows of clusters, against plain computations on random graphs: spanning trees
// directed to a root, pairs between clusters.
#include "propagate/spine.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "propagate/between.h"
#include "propagate/graph.h"
#include "tap.h"

enum { MOST = 40 };

struct random_graph {
    uint32_t items, label[MOST];
    float score[MOST][MOST]; // 0: no pair
    struct cdp_graph graph;
    struct cdp_tree tree; // of the pairs within clusters
    struct cdp_clusters clusters;
};

static int make(struct random_graph *g, uint64_t seed)
{
    struct cdp_list list = {0};
    struct cdp_forest *forest;
    *g = (struct random_graph){.items = 3 + (uint32_t)(seed % (MOST - 2))};
    uint32_t clusters = 1 + (uint32_t)(seed % 4);
    for (uint32_t i = 0; i < g->items; i++)
        g->label[i] = i < clusters ? i : (uint32_t)(cdp_random(seed, i) % (clusters + 1));
    for (uint32_t i = 0; i < g->items; i++)
        g->label[i] = g->label[i] == clusters ? CDP_NO_LABEL : g->label[i];
    g->clusters = (struct cdp_clusters){g->label, g->items, clusters, 0};
    if (cdp_forest_new(&forest, true, NULL) || cdp_forest_reserve(forest, g->items, NULL))
        return -1;
    for (uint64_t i = 0; i < g->items; i++) {
        for (uint64_t j = i + 1; j < g->items; j++) {
            uint64_t random = cdp_random(seed, 1000 + i * MOST + j);
            if (random % 100 >= 10 + seed % 40)
                continue;
            float score = (float)(1 + random / 100 % 16) / 16; // with ties; sums are exact
            g->score[i][j] = g->score[j][i] = score;
            if (cdp_list_add(&list, i, j, score, NULL) ||
                (g->label[i] == g->label[j] && g->label[i] != CDP_NO_LABEL &&
                 cdp_forest_add(forest, &i, &j, &score, 1, NULL)))
                return -1;
        }
    }
    int status = cdp_graph_new(&g->graph, &list, -INFINITY, g->items, NULL) ||
                 cdp_tree_new(&g->tree, forest, NULL, NULL);
    free(list.edge);
    cdp_forest_free(forest);
    return status;
}

// Marks what is connected with an item by pairs of its cluster above a score.
static void spread(const struct random_graph *g, uint32_t item, float above, bool *in)
{
    in[item] = true;
    for (uint32_t j = 0; j < g->items; j++) {
        if (!in[j] && g->label[j] == g->label[item] && g->score[item][j] > above)
            spread(g, j, above, in);
    }
}

// Each item leads to its root by pairs of the cluster, of which no path could do with stronger
// ones, if there is a path at all.
static bool right_paths(const struct random_graph *g, const uint32_t *root, const uint32_t *next,
                        const float *score)
{
    for (uint32_t i = 0; i < g->items; i++) {
        if (g->label[i] == CDP_NO_LABEL) {
            if (next[i] != CDP_NO_ITEM)
                return false;
            continue;
        }
        bool in[MOST] = {0};
        uint32_t last = i, steps = 0, end = root[g->label[i]];
        float weakest = INFINITY;
        for (; next[last] != CDP_NO_ITEM && steps < MOST; last = next[last], steps++) {
            if (score[last] != g->score[last][next[last]] || score[last] == 0)
                return false;
            weakest = fminf(weakest, score[last]);
        }
        spread(g, i, 0, in);
        if (in[end] != (last == end) || (!in[end] && last != i))
            return false;
        memset(in, 0, sizeof in);
        spread(g, i, weakest, in);
        if (last != i && in[end])
            return false;
    }
    return true;
}

static bool right_counts(const struct random_graph *g, const uint32_t *root, const uint32_t *next,
                         const uint32_t *below)
{
    for (uint32_t top = 0; top < g->items; top++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < g->items; i++) {
            uint32_t last = i;
            bool over = i == top;
            while (next[last] != CDP_NO_ITEM) {
                last = next[last];
                over = over || last == top;
            }
            count += g->label[i] != CDP_NO_LABEL && last == root[g->label[i]] && over;
        }
        if (below[top] != count)
            return false;
    }
    return true;
}

static bool right_between(const struct random_graph *g, const struct cdp_between *got,
                          int64_t count)
{
    for (uint32_t a = 0; a < g->clusters.clusters; a++) {
        for (uint32_t b = a + 1; b < g->clusters.clusters; b++) {
            struct cdp_between wanted = {.cluster = {a, b}};
            for (uint32_t i = 0; i < g->items; i++) {
                for (uint32_t j = 0; j < g->items; j++) {
                    if (g->label[i] != a || g->label[j] != b || g->score[i][j] == 0)
                        continue;
                    wanted.pairs++;
                    wanted.sum += (double)g->score[i][j];
                    wanted.score = fmaxf(wanted.score, g->score[i][j]);
                }
            }
            if (!wanted.pairs)
                continue;
            if (count-- == 0 || got->cluster[0] != a || got->cluster[1] != b ||
                got->pairs != wanted.pairs || got->sum != wanted.sum ||
                got->score != wanted.score || g->label[got->best[0]] != a ||
                g->label[got->best[1]] != b || g->score[got->best[0]][got->best[1]] != got->score)
                return false;
            got++;
        }
    }
    return count == 0;
}

int main(void)
{
    enum { GRAPHS = 600 };
    int paths = 0, counts = 0, betweens = 0, deep = 0;
    for (uint64_t seed = 0; seed < GRAPHS; seed++) {
        struct random_graph g;
        struct cdp_between *between;
        uint32_t root[4], next[MOST], below[MOST];
        float score[MOST];
        if (make(&g, seed))
            return 1;
        for (uint32_t i = g.items; i-- > 0;) {
            if (g.label[i] != CDP_NO_LABEL)
                root[g.label[i]] = i;
        }
        if (cdp_spine(&g.tree, &g.clusters, root, next, score, below, NULL))
            return 1;
        int64_t count = cdp_between(&g.graph, &g.clusters, &between, NULL);
        paths += right_paths(&g, root, next, score);
        counts += right_counts(&g, root, next, below);
        betweens += right_between(&g, between, count);
        deep += below[root[0]] > 5;
        free(between);
        cdp_tree_free(&g.tree);
        cdp_graph_free(&g.graph);
    }
    ok(paths == GRAPHS, "paths of strongest pairs: %d of %d graphs", paths, GRAPHS);
    ok(counts == GRAPHS, "items below others: %d of %d graphs", counts, GRAPHS);
    ok(deep > GRAPHS / 3, "of which %d have more than five in the first cluster", deep);
    ok(betweens == GRAPHS, "pairs between clusters: %d of %d graphs", betweens, GRAPHS);
    return done();
}
