// SPDX-License-Identifier: MIT
#include <string.h>

#include "cluster/steps.h"
#include "score/consensus.h"
#include "text.h"
#include "tool.h"

// Features to labels without labels or thresholds, by running the filters one after another.

// Shorter lists split identities of hundreds of items (tests/bench/NOTES.md, "Without labels").
enum { NEIGHBOURS = 80 };

struct cluster_options cluster_options;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_COUNT,
     .letter = 'k',
     .name = "neighbours",
     .arg = "K",
     .group = "Clusters",
     .help = "nearest neighbours of an item that may share its cluster",
     .value = &cluster_options.neighbours,
     .unset = "80",
     .min = 1,
     .max = 4294967294.0},
    {.type = CDP_OPTION_TEXT,
     .name = "must-link",
     .arg = "FILE",
     .help = "pairs of items in one cluster, two ids per line",
     .value = &cluster_options.must_link},
    {.type = CDP_OPTION_TEXT,
     .name = "cannot-link",
     .arg = "FILE",
     .help = "pairs of items in different clusters",
     .value = &cluster_options.cannot_link},
    {.type = CDP_OPTION_TEXT,
     .name = "previous",
     .arg = "LABELS",
     .help = "earlier labels, whose numbers clusters keep",
     .value = &cluster_options.previous},
    {.type = CDP_OPTION_TEXT,
     .name = "changes",
     .arg = "FILE",
     .help = "write what has changed since --previous to FILE",
     .value = &cluster_options.changes,
     .with = "previous"},
    {.type = CDP_OPTION_COUNTS,
     .name = "dim",
     .arg = "D,...",
     .group = "Input",
     .help = "numbers per row, of all files or of each",
     .value = &cluster_options.dims,
     .unset = "from the files",
     .min = 1,
     .max = 1e9},
    {.type = CDP_OPTION_TEXT,
     .name = "ids",
     .arg = "NAMES",
     .help = "file of the items' names, one per line",
     .value = &cluster_options.ids},
    {.type = CDP_OPTION_TEXT,
     .name = "truth",
     .arg = "META",
     .group = "Results",
     .help = "true labels: print precision, recall and F",
     .value = &cluster_options.truth},
    {.type = CDP_OPTION_TEXT,
     .name = "report",
     .arg = "PAGE",
     .help = "write a page to look at the clusters",
     .value = &cluster_options.report},
    {.type = CDP_OPTION_TEXT,
     .name = "images",
     .arg = "ROOT",
     .help = "folder of the items' pictures, whose paths are NAMES",
     .value = &cluster_options.images,
     .with = "report"},
    {.type = CDP_OPTION_TEXT,
     .name = "keep",
     .arg = "FOLDER",
     .help = "leave neighbour lists and pairs there",
     .value = &cluster_options.keep},
    {.type = CDP_OPTION_FLAG,
     .letter = 'n',
     .name = "dry-run",
     .help = "print the commands instead of running them",
     .value = &cluster_options.dry_run},
    {0},
};

static const struct tool tool = {
    .name = "cdp-cluster",
    .summary = "Clusters items by their features, without labels and thresholds",
    .synopsis = "[OPTION]... FEATURES...",
    .example = "cdp-cluster --report page.html -o labels.txt a.npy b.npy\n"
               "cdp-cluster --dim 256 -n a.bin\n",
    .options = options,
};

// Fails now rather than after the work if a file cannot be written.
static void check_output(const char *name)
{
    struct cdp_output *output;
    struct cdp_err err;
    tool_check(cdp_output_open(&output, name, false, &err), &err);
    cdp_output_abandon(output);
}

static void take_models(struct model *models, char **features, int count)
{
    const struct cdp_counts *dims = &cluster_options.dims;
    if (dims->count > 1 && dims->count != (size_t)count)
        tool_usage("--dim has %zu numbers for %d file%s of features", dims->count, count,
                   tool_s((uint64_t)count));
    for (int m = 0; m < count; m++) {
        models[m].features = features[m];
        models[m].dim = dims->count ? dims->number[dims->count > 1 ? m : 0] : 0;
        if (!strcmp(models[m].features, "-"))
            tool_usage("FEATURES is read more than once: standard input cannot be");
    }
}

int main(int argc, char **argv)
{
    int first = tool_start(&tool, argc, argv, 1, CDP_MOST_MODELS), count = argc - first;
    struct model models[CDP_MOST_MODELS] = {0};
    take_models(models, argv + first, count);
    if (cluster_options.images && !cluster_options.ids)
        tool_usage("--images needs --ids, the paths of the pictures");
    if (cluster_options.previous)
        models_check_previous(cluster_options.previous, cluster_options.ids);
    uint64_t items = models_measure(models, count, cluster_options.ids, cluster_options.truth);
    if (items < 2)
        tool_fail("%s: %llu row: nothing to cluster", models[0].features,
                  (unsigned long long)items);
    uint64_t k = cluster_options.neighbours ? cluster_options.neighbours
                 : items > NEIGHBOURS       ? NEIGHBOURS
                                            : items - 1;
    tool_warn("%llu items, %d model%s: lists of %llu neighbours of each, by cosine",
              (unsigned long long)items, count, tool_s((uint64_t)count), (unsigned long long)k);

    check_output(common.output);
    check_output(cluster_options.report);
    check_output(cluster_options.changes);
    const char *folder = cluster_options.keep ? cluster_options.keep : "cdp-streams";
    if (cluster_options.dry_run) {
        struct command make = {{"mkdir", "-p", folder}, 3};
        cluster_step(&make, false);
    } else {
        folder = command_folder(cluster_options.keep);
    }
    for (int m = 0; m < count; m++) {
        models[m].lists = cluster_lists(folder, models, m);
        cluster_neighbours(&models[m], k);
    }
    const char *pairs = text_join("%s/pairs.cdp", folder);
    cluster_score(models, count, pairs);

    // Labels are written to their place when all else has succeeded.
    bool to_file = common.output && strcmp(common.output, "-");
    const char *output = to_file ? common.output : NULL,
               *labels = text_join("%s/labels.txt", folder);
    bool at_once = !cluster_options.truth && !cluster_options.report && !cluster_options.previous;
    cluster_propagate(pairs, at_once ? output : labels);
    if (cluster_options.previous) {
        const char *before = labels;
        labels = text_join("%s/relabelled.txt", folder);
        cluster_labels(before, cluster_options.previous, labels);
    }
    if (cluster_options.truth)
        cluster_evaluate(labels, !to_file);
    if (cluster_options.report)
        cluster_report(models, count, pairs, labels);
    if (!at_once)
        cluster_labels(labels, NULL, output);
    tool_finish(NULL);
}
