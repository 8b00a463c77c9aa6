// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "base/mem.h"
#include "io/labels.h"
#include "pairs.h"
#include "tool.h"

static const struct cdp_option options[] = {
    PAIRS_METHOD(.group = "Clusters"),
    PAIRS_MAX_SIZE(.without = "method=map"),
    PAIRS_STEP(.without = "method=map"),
    PAIRS_MAX_ITER(.without = "method=map"),
    PAIRS_FORCED_STOP(.without = "method=map"),
    PAIRS_THRESHOLD(),
    PAIRS_MUST_LINK(.group = "Constraints"),
    PAIRS_CANNOT_LINK(),
    PAIRS_NODES(.group = "Items"),
    PAIRS_IDS(),
    {0},
};

static const struct tool tool = {
    .name = "cdp-propagate",
    .summary = "Clusters scored pairs: writes a label a line, -1 for items in no cluster",
    .synopsis = "[OPTION]... [PAIRS]...",
    .example = "cdp-score vote --threshold 0.6 base.cdp | cdp-propagate -o labels.txt\n",
    .options = options,
};

// By the map equation (propagate/map.h).
static void cluster_by_map(struct pairs *pairs, struct cdp_clusters *clusters)
{
    struct cdp_err err;
    double length;
    uint64_t items = cdp_forest_nodes(pairs->forest);
    *clusters = (struct cdp_clusters){.items = items};
    clusters->label = cdp_alloc(items, sizeof *clusters->label, "labels", &err);
    tool_check(clusters->label ? 0 : -1, &err);
    struct cdp_progress *progress = tool_progress();
    cdp_progress_start(progress, "map equation", "items", 0);
    int64_t count = cdp_map_cluster(pairs->map, items, clusters->label, &length,
                                    (int)common.threads, progress, &err);
    tool_check(count < 0 ? -1 : 0, &err);
    clusters->clusters = (uint32_t)count;
    uint64_t *size = cdp_zalloc((size_t)count, sizeof *size, "sizes", &err), single = 0, none = 0;
    tool_check(size ? 0 : -1, &err);
    for (uint64_t i = 0; i < items; i++) {
        if (clusters->label[i] == CDP_NO_LABEL)
            none++;
        else
            size[clusters->label[i]]++;
    }
    for (int64_t c = 0; c < count; c++)
        single += size[c] == 1;
    free(size);
    tool_say("%llu cluster%s of several items, %llu item%s alone (%llu without a pair, %llu "
             "cluster%s of one), of %llu; codelength %.6f bits",
             (unsigned long long)count - single, tool_s((uint64_t)count - single),
             (unsigned long long)(single + none), tool_s(single + none), (unsigned long long)none,
             (unsigned long long)single, tool_s(single), (unsigned long long)items, length);
}

int main(int argc, char **argv)
{
    struct pairs pairs = {0};
    struct cdp_tree tree = {0};
    struct cdp_clusters clusters;
    struct cdp_err err;
    int first = tool_start(&tool, argc, argv, 0, -1);
    bool map = pairs_options.method == PAIRS_MAP;
    if (map && isnan(pairs_options.threshold))
        tool_usage("--threshold auto is for --method ladder: the map equation needs no threshold");
    struct cdp_output *output = tool_output(false);
    if (map)
        tool_check(cdp_map_new(&pairs.map, &err), &err);
    else
        pairs_thresholds(&pairs, NULL);
    pairs_read(&pairs, argv + first, argc - first);
    if (map) {
        cluster_by_map(&pairs, &clusters);
    } else {
        pairs_tree(&pairs, &tree);
        pairs_clusters(&pairs, &tree, &clusters);
    }
    tool_check(cdp_labels_write(output, clusters.label, clusters.items, pairs.names, &err), &err);
    cdp_clusters_free(&clusters);
    cdp_tree_free(&tree);
    cdp_map_free(pairs.map);
    pairs_free(&pairs);
    tool_finish(output);
}
