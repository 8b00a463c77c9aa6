// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>

#include "io/input.h"
#include "names.h"
#include "pairs.h"
#include "relabel/relabel.h"
#include "tool.h"

static uint64_t min_size = 1;
static double adopt = INFINITY; // INFINITY: not given
static struct cdp_texts pairs_names;
static const char *previous_name, *changes_name;
static bool singletons, no_names;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_COUNT,
     .name = "min-size",
     .group = "Clusters",
     .arg = "N",
     .help = "discard clusters of fewer items",
     .value = &min_size,
     .min = 1,
     .max = 4e9},
    {.type = CDP_OPTION_REAL,
     .name = "adopt",
     .arg = "T",
     .help = "singletons join the cluster of their best pair above T",
     .value = &adopt,
     .with = "pairs",
     .min = -INFINITY,
     .max = 1},
    {.type = CDP_OPTION_TEXTS,
     .name = "pairs",
     .arg = "PAIRS",
     .help = "pairs for --adopt; may be given several times",
     .value = &pairs_names,
     .with = "adopt"},
    PAIRS_MUST_LINK(.with = "adopt"),
    PAIRS_CANNOT_LINK(.with = "adopt"),
    {.type = CDP_OPTION_FLAG,
     .name = "singletons",
     .help = "make each unclustered item a cluster of its own",
     .value = &singletons},
    {.type = CDP_OPTION_TEXT,
     .name = "previous",
     .group = "Numbers",
     .arg = "LABELS",
     .help = "keep the numbers that clusters have there",
     .value = &previous_name},
    {.type = CDP_OPTION_TEXT,
     .name = "changes",
     .arg = "FILE",
     .help = "write what has changed since --previous",
     .value = &changes_name,
     .with = "previous"},
    PAIRS_IDS(.group = "Names"),
    {.type = CDP_OPTION_FLAG,
     .name = "no-names",
     .help = "write labels without names",
     .value = &no_names},
    {0},
};

static const struct tool tool = {
    .name = "cdp-relabel",
    .summary = "Changes labels: numbers of before, least sizes, adoption, singletons, names",
    .synopsis = "[OPTION]... [LABELS]",
    .example = "cdp-propagate pairs.cdp | cdp-relabel --min-size 2 --previous old.txt >new.txt\n",
    .options = options,
};

// Gives the items the names of --ids.
static void attach_names(struct cdp_labels *labels, const char *shown)
{
    const char *file = cdp_input_shown(pairs_options.ids);
    struct cdp_names *names;
    struct cdp_err err;
    tool_check(cdp_names_read(&names, pairs_options.ids, &err), &err);
    if (cdp_names_count(names) != labels->items)
        tool_fail("%s: %llu names, but %s has %llu labels%s", file,
                  (unsigned long long)cdp_names_count(names), shown,
                  (unsigned long long)labels->items,
                  names_hint(cdp_names_count(names), labels->items));
    if (labels->names && cdp_names_digest(names) != cdp_names_digest(labels->names))
        tool_fail("%s: its names are not those of %s", file, shown);
    cdp_names_free(labels->names);
    labels->names = names;
    pairs_options.ids = NULL;
}

// Pairs and constraints are of the items that have labels.
static void adopt_singletons(struct cdp_clusters *clusters, struct cdp_labels *labels,
                             const char *shown)
{
    struct pairs pairs = {.edges = true, .nodes = labels->items};
    struct cdp_tree tree;
    struct cdp_err err;
    pairs.nodes_from = "the number of labels,";
    if (labels->names) {
        tool_check(cdp_names_copy(&pairs.names, labels->names, &err), &err);
        pairs.names_file = shown;
    }
    pairs_read(&pairs, (char *const *)pairs_names.text, (int)pairs_names.count);
    if (pairs.names && !labels->names)
        tool_fail("%s: its items have no names, but those of the pairs have: see --ids", shown);
    pairs_tree(&pairs, &tree);
    tool_check(cdp_clusters_adopt(clusters, &tree, (float)adopt, &pairs.cannot, &err), &err);
    cdp_tree_free(&tree);
    pairs_free(&pairs);
}

int main(int argc, char **argv)
{
    struct cdp_labels labels;
    struct cdp_err err;
    int first = tool_start(&tool, argc, argv, 0, 1);
    const char *name = first < argc ? argv[first] : "-", *shown = cdp_input_shown(name);
    struct cdp_output *output = tool_output(false);
    struct cdp_output *changes = changes_name ? tool_side_output(changes_name) : NULL;
    tool_check(cdp_labels_read(&labels, name, true, &err), &err);
    if (pairs_options.ids)
        attach_names(&labels, shown);
    struct cdp_clusters clusters = {labels.group, labels.items, labels.groups, 0};
    if (min_size > 1)
        tool_check(cdp_clusters_least(&clusters, min_size, &err), &err);
    if (isfinite(adopt))
        adopt_singletons(&clusters, &labels, shown);
    if (singletons)
        tool_check(cdp_clusters_singletons(&clusters, &err), &err);
    if (previous_name)
        relabel_previous(&clusters, labels.names, previous_name, changes);
    else if (min_size == 1 && !isfinite(adopt) && !singletons)
        relabel_restore(&clusters, labels.value, shown);
    tool_check(cdp_labels_write(output, clusters.label, clusters.items,
                                no_names ? NULL : labels.names, &err),
               &err);
    cdp_labels_free(&labels);
    tool_finish(output);
}
