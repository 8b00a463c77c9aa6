// SPDX-License-Identifier: MIT
#include "propagate/between.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/sort.h"

struct pair {
    uint32_t cluster[2], item[2];
    float score;
};

static uint64_t by_clusters(const void *item)
{
    const struct pair *pair = item;
    return (uint64_t)pair->cluster[0] << 32 | pair->cluster[1];
}

// Of a pair i < j, the end in the smaller cluster comes first.
static bool between(const struct cdp_clusters *clusters, uint32_t i, uint32_t j, struct pair *pair)
{
    uint32_t a = clusters->label[i], b = clusters->label[j];
    if (i >= j || a == b || a == CDP_NO_LABEL || b == CDP_NO_LABEL)
        return false;
    *pair = a < b ? (struct pair){{a, b}, {i, j}, 0} : (struct pair){{b, a}, {j, i}, 0};
    return true;
}

// The pairs between clusters, or, without `out`, how many there are.
static size_t collect(const struct cdp_graph *graph, const struct cdp_clusters *clusters,
                      struct pair *out)
{
    struct pair pair;
    size_t count = 0;
    for (uint64_t i = 0; i < graph->items; i++) {
        for (uint64_t n = graph->offset[i]; n < graph->offset[i + 1]; n++) {
            if (!between(clusters, (uint32_t)i, graph->partner[n].item, &pair))
                continue;
            if (out) {
                out[count] = pair;
                out[count].score = graph->partner[n].score;
            }
            count++;
        }
    }
    return count;
}

// Sums of sorted pairs; without `out`, how many there are.
static size_t sum_up(const struct pair *pair, size_t count, struct cdp_between *out)
{
    size_t sums = 0;
    for (size_t p = 0; p < count; p++) {
        bool first = p == 0 || by_clusters(&pair[p]) != by_clusters(&pair[p - 1]);
        sums += first;
        if (!out)
            continue;
        struct cdp_between *b = &out[sums - 1];
        if (first)
            *b = (struct cdp_between){.cluster = {pair[p].cluster[0], pair[p].cluster[1]},
                                      .score = -1};
        if (pair[p].score > b->score) {
            b->score = pair[p].score;
            b->best[0] = pair[p].item[0];
            b->best[1] = pair[p].item[1];
        }
        b->pairs++;
        b->sum += (double)pair[p].score;
    }
    return sums;
}

int64_t cdp_between(const struct cdp_graph *graph, const struct cdp_clusters *clusters,
                    struct cdp_between **out, struct cdp_err *err)
{
    size_t count = collect(graph, clusters, NULL), sums = 0;
    struct pair *pair = cdp_alloc(count, sizeof *pair, "pairs between clusters", err);
    struct pair *spare = cdp_alloc(count, sizeof *spare, "pairs between clusters", err);
    *out = NULL;
    int status = pair && spare ? 0 : -1;
    if (!status) {
        struct cdp_radix radix = {pair, spare};
        collect(graph, clusters, pair);
        cdp_radix_sort(&radix, count, sizeof *pair, by_clusters);
        sums = sum_up(radix.items, count, NULL);
        *out = cdp_alloc(sums, sizeof **out, "clusters with pairs between them", err);
        status = *out ? 0 : -1;
        if (!status)
            sum_up(radix.items, count, *out);
    }
    free(pair);
    free(spare);
    return status ? -1 : (int64_t)sums;
}
