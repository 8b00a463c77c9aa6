// SPDX-License-Identifier: MIT
#include <math.h>

#include "pairs.h"
#include "propagate/linkage.h"
#include "tool.h"

static bool make_tree;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_FLAG,
     .name = "tree",
     .group = "Merge tree",
     .help = "write the merge tree, as SciPy's linkage",
     .value = &make_tree},
    PAIRS_MUST_LINK(.with = "tree"),
    PAIRS_CANNOT_LINK(.with = "tree"),
    PAIRS_NODES(.group = "Items"),
    PAIRS_IDS(),
    {0},
};

static const struct tool tool = {
    .name = "cdp-forest",
    .summary = "Writes a maximum spanning forest of scored pairs, or their merge tree",
    .synopsis = "[OPTION]... [PAIRS]...",
    .example = "cdp-forest part1.cdp part2.cdp | cdp-propagate --threshold 0.7 >labels.txt\n",
    .options = options,
    .stream = "",
};

static void write_forest(struct pairs *pairs, struct cdp_output *output)
{
    struct cdp_forest_edges edges;
    struct cdp_writer *writer;
    struct cdp_err err;
    pairs->header.nodes = cdp_forest_nodes(pairs->forest);
    pairs->header.named = pairs->names != NULL;
    tool_check(cdp_forest_take(pairs->forest, CDP_BY_PAIR, &edges, &err), &err);
    tool_check(cdp_writer_open(&writer, output, &pairs->header, (int)common.level,
                               (int)common.threads, &err),
               &err);
    for (uint32_t b = 0; b < edges.count; b++) {
        const struct cdp_forest_edge *edge = &edges.edge[b];
        tool_check(cdp_writer_add(writer, edge->end[0], edge->end[1], &edge->score, &err), &err);
    }
    cdp_writer_floor(writer, pairs->floors.floor[0]);
    cdp_writer_names(writer, pairs->names);
    tool_check(cdp_writer_finish(writer, NULL, &err), &err);
    tool_say("%u pair%s", edges.count, tool_s(edges.count));
    cdp_writer_free(writer);
    cdp_forest_edges_free(&edges);
}

static int write_row(void *output, const struct cdp_linkage_row *row, struct cdp_err *err)
{
    return cdp_output_printf(output, err, "%llu\t%llu\t%.9g\t%llu\n",
                             (unsigned long long)row->node[0], (unsigned long long)row->node[1],
                             row->distance, (unsigned long long)row->size);
}

static void write_tree(struct pairs *pairs, struct cdp_output *output)
{
    struct cdp_tree tree;
    struct cdp_err err;
    pairs_tree(pairs, &tree);
    tool_check(cdp_linkage(&tree, write_row, output, &err), &err);
    cdp_tree_free(&tree);
}

int main(int argc, char **argv)
{
    struct pairs pairs = {.edges = true};
    int first = tool_start(&tool, argc, argv, 0, -1);
    struct cdp_output *output = tool_output(!make_tree);
    if (!make_tree)
        pairs_thresholds(&pairs, NULL); // a forest stream has the floor of all pairs
    pairs_read(&pairs, argv + first, argc - first);
    if (make_tree)
        write_tree(&pairs, output);
    else
        write_forest(&pairs, output);
    pairs_free(&pairs);
    tool_finish(output);
}
