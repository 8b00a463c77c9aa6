// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "combine/outcome.h"
#include "sweep/sweep.h"
#include "tool.h"

// The clusters of the map equation above a threshold. Constraints are linked in any case.
static void map_clusters(struct cdp_labels *found, const struct pairs *pairs, float threshold,
                         struct cdp_progress *progress)
{
    struct cdp_map *map;
    struct cdp_err err;
    double length;
    tool_check(cdp_map_new(&map, &err), &err);
    for (size_t e = 0; e < pairs->list.count; e++) {
        const struct cdp_edge *edge = &pairs->list.edge[e];
        int status = 0;
        if (edge->value == INFINITY)
            status = cdp_map_link(map, edge->source, edge->target, &err);
        else if (edge->value > threshold)
            status = cdp_map_add(map, &edge->source, &edge->target, &edge->value, 1, &err);
        tool_check(status, &err);
    }
    for (size_t e = 0; e < pairs->cannot.count; e++) {
        const struct cdp_edge *edge = &pairs->cannot.edge[e];
        tool_check(cdp_map_part(map, edge->source, edge->target, &err), &err);
    }
    int64_t clusters = cdp_map_cluster(map, found->items, found->group, &length,
                                       (int)common.threads, progress, &err);
    tool_check(clusters < 0 ? -1 : 0, &err);
    found->groups = (uint32_t)clusters;
    cdp_map_free(map);
}

struct cdp_outcome *sweep_map(const struct pairs *pairs, const struct cdp_labels *truth)
{
    struct cdp_labels found = {.items = cdp_forest_nodes(pairs->forest)};
    struct cdp_err err;
    struct cdp_progress *progress = tool_progress();
    size_t count = pairs->floors.count;
    struct cdp_outcome *outcome = cdp_alloc(count, sizeof *outcome, "outcomes", &err);
    found.group = cdp_alloc(found.items, sizeof *found.group, "labels", &err);
    tool_check(outcome && found.group ? 0 : -1, &err);
    cdp_progress_start(progress, "map equation", "items", 0);
    for (size_t t = 0; t < count; t++) {
        cdp_progress_limit(progress, (double)(t + 1) / (double)count);
        map_clusters(&found, pairs, pairs->floors.threshold[t], progress);
        tool_check(cdp_outcome_of(&outcome[t], &found, truth, &err), &err);
    }
    free(found.group);
    return outcome;
}
