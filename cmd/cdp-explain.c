// SPDX-License-Identifier: MIT
#include "explain/explain.h"
#include "io/input.h"
#include "pairs.h"
#include "tool.h"

static const char *clusters_name;

// Of the clusters: propagated with these options, or given.
#define CLUSTERS                                                                                  \
    {                                                                                             \
        .type = CDP_OPTION_TEXT, .name = "clusters", .arg = "LABELS", .group = "Clusters",        \
        .help = "labels of the items", .value = &clusters_name, .unset = "those of cdp-propagate" \
    }
#define PLAN                                                                  \
    PAIRS_STEP(.without = "clusters"), PAIRS_MAX_ITER(.without = "clusters"), \
        PAIRS_FORCED_STOP(.without = "clusters")
#define INPUT                                                                                    \
    PAIRS_MUST_LINK(.group = "Constraints"), PAIRS_CANNOT_LINK(), PAIRS_NODES(.group = "Items"), \
        PAIRS_IDS()

static const struct cdp_option why_options[] = {INPUT, {0}};

static const struct cdp_option audit_options[] = {
    CLUSTERS, PAIRS_THRESHOLD(), PAIRS_MAX_SIZE(.without = "clusters"), PLAN, INPUT, {0},
};

static const struct cdp_option soft_options[] = {
    CLUSTERS, PAIRS_THRESHOLD(), PAIRS_MAX_SIZE(), PLAN, INPUT, {0},
};

static const struct tool why_tool = {
    .name = "cdp-explain why",
    .summary = "Prints the pairs that connect two items",
    .synopsis = "[OPTION]... A B [PAIRS]...",
    .example = "cdp-explain why 17 42 pairs.cdp\n",
    .options = why_options,
};

static const struct tool audit_tool = {
    .name = "cdp-explain audit",
    .summary = "Prints for each cluster how well its pairs hold it together",
    .synopsis = "[OPTION]... [PAIRS]...",
    .example = "cdp-explain audit --clusters labels.txt pairs.cdp | sort -k 5g | head\n",
    .options = audit_options,
};

static const struct tool soft_tool = {
    .name = "cdp-explain soft",
    .summary = "Prints items' shares in the clusters near them: item, label, weight",
    .synopsis = "[OPTION]... [PAIRS]...",
    .example = "cdp-explain soft --max-size 300 pairs.cdp\n",
    .options = soft_options,
};

static const struct tool *const commands[] = {&why_tool, &audit_tool, &soft_tool, NULL};

static const struct tool whole = {
    .name = "cdp-explain",
    .summary = "Explains clusters: what connects two items, what holds each cluster together",
    .synopsis = "COMMAND [OPTION]... [PAIRS]...",
    .example = "cdp-explain why 17 42 pairs.cdp\n",
};

// Labels without names say how many items there are.
static void read_clusters(struct cdp_labels *labels, struct pairs *pairs)
{
    struct cdp_err err;
    tool_check(cdp_labels_read(labels, clusters_name, true, &err), &err);
    if (!labels->names) {
        pairs->nodes = labels->items;
        pairs->nodes_from = "the number of labels,";
    }
}

// The clusters that are given, or those that cdp-propagate makes of the same pairs. `labels` owns
// the former.
static struct explained find_clusters(struct cdp_labels *labels, const struct pairs *pairs,
                                      const struct cdp_tree *tree)
{
    struct explained explained = {0};
    struct cdp_err err;
    uint64_t none;
    if (!clusters_name) {
        explained.threshold = pairs_clusters(pairs, tree, &explained.clusters);
        return explained;
    }
    explained.threshold = pairs->floors.threshold[pairs_threshold(pairs, tree)];
    tool_check(cdp_labels_match(labels, cdp_input_shown(clusters_name), pairs->names, tree->items,
                                "the pairs", &none, &err),
               &err);
    explained.clusters = (struct cdp_clusters){labels->group, labels->items, labels->groups, 0};
    explained.number = labels->value;
    return explained;
}

static void explain_clusters(const struct tool *tool, struct pairs *pairs, char *const *name,
                             int count, struct cdp_output *output)
{
    struct cdp_labels labels = {0};
    struct cdp_tree tree;
    if (clusters_name)
        read_clusters(&labels, pairs);
    pairs->all = true;
    pairs->must_links = tool == &audit_tool;
    pairs_thresholds(pairs, NULL);
    pairs_read(pairs, name, count);
    pairs_tree(pairs, &tree);
    struct explained explained = find_clusters(&labels, pairs, &tree);
    if (tool == &audit_tool)
        explain_audit(pairs, &tree, &explained, output);
    else
        explain_soft(pairs, &explained, output);
    if (!clusters_name)
        cdp_clusters_free(&explained.clusters);
    cdp_labels_free(&labels);
    cdp_tree_free(&tree);
}

static void explain_path(struct pairs *pairs, char *const *word, int count,
                         struct cdp_output *output)
{
    struct cdp_tree tree;
    pairs_read(pairs, word + 2, count - 2);
    pairs_tree(pairs, &tree);
    explain_why(pairs, &tree, word, output);
    cdp_tree_free(&tree);
}

int main(int argc, char **argv)
{
    struct pairs pairs = {.edges = true};
    const struct tool *tool = tool_choose(&whole, commands, NULL, &argc, argv);
    int first = tool_start(tool, argc, argv, tool == &why_tool ? 2 : 0, -1);
    struct cdp_output *output = tool_output(false);
    if (tool == &why_tool)
        explain_path(&pairs, argv + first, argc - first, output);
    else
        explain_clusters(tool, &pairs, argv + first, argc - first, output);
    pairs_free(&pairs);
    tool_finish(output);
}
