// SPDX-License-Identifier: MIT
#include "io/labels.h"
#include "pairs.h"
#include "tool.h"

static const struct cdp_option options[] = {
    PAIRS_MAX_SIZE(.group = "Clusters"),
    PAIRS_STEP(),
    PAIRS_MAX_ITER(),
    PAIRS_FORCED_STOP(),
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

int main(int argc, char **argv)
{
    struct pairs pairs = {0};
    struct cdp_tree tree;
    struct cdp_clusters clusters;
    struct cdp_err err;
    int first = tool_start(&tool, argc, argv, 0, -1);
    struct cdp_output *output = tool_output(false);
    pairs_thresholds(&pairs, NULL);
    pairs_read(&pairs, argv + first, argc - first);
    pairs_tree(&pairs, &tree);
    pairs_clusters(&pairs, &tree, &clusters);
    tool_check(cdp_labels_write(output, clusters.label, clusters.items, pairs.names, &err), &err);
    cdp_clusters_free(&clusters);
    cdp_tree_free(&tree);
    pairs_free(&pairs);
    tool_finish(output);
}
