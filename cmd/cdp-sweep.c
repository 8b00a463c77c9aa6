// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "io/input.h"
#include "sweep/sweep.h"
#include "tool.h"

static double steps[3] = {0, 0.98, 0.02};
static struct cdp_counts max_sizes = {.count = 1};
static const char *labels_name;
static bool automatic;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_STEPS,
     .name = "thresholds",
     .arg = "A:B:STEP",
     .group = "Table",
     .help = "thresholds A, A + STEP, ... B",
     .value = &steps,
     .without = "auto"},
    {.type = CDP_OPTION_COUNTS,
     .name = "max-sizes",
     .arg = "N,...",
     .help = "largest sizes of a cluster",
     .value = &max_sizes,
     .min = 1,
     .max = 4e9,
     .without = "auto method=map"},
    {.type = CDP_OPTION_TEXT,
     .name = "labels",
     .arg = "META",
     .help = "true labels: adds precision, recall and F",
     .value = &labels_name,
     .without = "auto"},
    {.type = CDP_OPTION_FLAG,
     .name = "auto",
     .group = "Threshold without labels",
     .help = "find a threshold without labels, and show why",
     .value = &automatic},
    PAIRS_METHOD(.group = "Clusters", .without = "auto"),
    PAIRS_STEP(.without = "auto method=map"),
    PAIRS_MAX_ITER(.without = "auto method=map"),
    PAIRS_FORCED_STOP(.without = "auto method=map"),
    PAIRS_MUST_LINK(.group = "Constraints"),
    PAIRS_CANNOT_LINK(),
    PAIRS_NODES(.group = "Items"),
    PAIRS_IDS(),
    {0},
};

static const struct tool tool = {
    .name = "cdp-sweep",
    .summary = "Prints what clusters many thresholds and sizes give, or finds a threshold",
    .synopsis = "[OPTION]... [PAIRS]...",
    .example = "cdp-sweep --thresholds 0.5:0.9:0.05 --labels meta.txt pairs.cdp\n",
    .options = options,
};

static void read_truth(struct cdp_labels *labels, const struct pairs *pairs, uint64_t items)
{
    const char *shown = cdp_input_shown(labels_name);
    struct cdp_err err;
    uint64_t unknown;
    tool_check(cdp_labels_read(labels, labels_name, false, &err), &err);
    if (!pairs->names && labels->items != items)
        tool_fail("%s: %llu labels, but the pairs are of %llu items: see --nodes", shown,
                  (unsigned long long)labels->items, (unsigned long long)items);
    tool_check(cdp_labels_match(labels, shown, pairs->names, items, "the input", &unknown, &err),
               &err);
    tool_note_unknown(shown, unknown, items);
}

// An outcome for each threshold and each size.
static struct cdp_outcome *sweep_sizes(const struct pairs *pairs, const struct cdp_tree *tree,
                                       const struct cdp_labels *labels)
{
    struct cdp_truth truth = {0};
    struct cdp_err err;
    struct cdp_progress *progress = tool_progress();
    struct cdp_outcome *outcome =
        cdp_alloc(pairs->floors.count * max_sizes.count, sizeof *outcome, "outcomes", &err);
    tool_check(outcome ? 0 : -1, &err);
    if (labels)
        tool_check(cdp_truth_new(&truth, tree, labels, &err), &err);
    cdp_progress_start(progress, "sweep", "cuts", 0);
    tool_check(cdp_sweep(tree, &pairs->floors, &pairs_options.plan, max_sizes.number,
                         max_sizes.count, labels ? &truth : NULL, outcome, (int)common.threads,
                         progress, &err),
               &err);
    cdp_truth_free(&truth);
    return outcome;
}

static void write_row(const struct cdp_outcome *o, double threshold, uint64_t max_size,
                      uint64_t items, struct cdp_output *output)
{
    struct cdp_err err;
    char size[32] = "-";
    if (pairs_options.method == PAIRS_LADDER)
        snprintf(size, sizeof size, "%llu", (unsigned long long)max_size);
    tool_check(cdp_output_printf(output, &err, "%.7g\t%s\t%llu\t%llu\t%llu\t%.6f", threshold, size,
                                 (unsigned long long)o->clusters, (unsigned long long)o->items,
                                 (unsigned long long)o->largest,
                                 items ? 1 - (double)o->items / (double)items : 0),
               &err);
    if (labels_name)
        tool_check(cdp_output_printf(output, &err, "\t%.4f\t%.4f\t%.4f\t%.4f", 100 * o->precision,
                                     100 * o->recall, 100 * o->fscore, 100 * o->bcubed),
                   &err);
    tool_check(cdp_output_write(output, "\n", 1, &err), &err);
}

static void write_table(const struct cdp_outcome *outcome, const struct cdp_floors *floors,
                        uint64_t items, struct cdp_output *output)
{
    struct cdp_err err;
    tool_check(cdp_output_printf(output, &err,
                                 "threshold\tmax_size\tclusters\titems\tlargest\tdiscard_ratio%s\n",
                                 labels_name ? "\tprecision\trecall\tfscore\tbcubed" : ""),
               &err);
    for (size_t t = 0; t < floors->count; t++) {
        for (size_t s = 0; s < max_sizes.count; s++)
            write_row(&outcome[t * max_sizes.count + s], (double)floors->threshold[t],
                      max_sizes.number[s], items, output);
    }
}

// Warns of sweeps with forced stops, or whose largest cluster grows with the threshold.
static void warn(const struct cdp_outcome *outcome, const struct cdp_floors *floors)
{
    size_t rows = floors->count * max_sizes.count, forced = 0;
    for (size_t row = 0; row < rows; row++)
        forced += outcome[row].forced > 0;
    if (forced)
        tool_warn("in %zu of %zu row%s components are too large after %llu round%s: %s", forced,
                  rows, tool_s(rows), (unsigned long long)pairs_options.plan.max_iter,
                  tool_s(pairs_options.plan.max_iter),
                  pairs_options.plan.merge ? "merged into one cluster"
                                           : "these components stay as they are");
    size_t rise = cdp_sweep_rise(outcome, floors->count, max_sizes.count);
    if (rise < rows)
        tool_warn("threshold %.7g makes a larger cluster (%llu items) than threshold %.7g (%llu): "
                  "see CAVEATS in cdp-propagate(1)",
                  (double)floors->threshold[rise / max_sizes.count],
                  (unsigned long long)outcome[rise].largest,
                  (double)floors->threshold[rise / max_sizes.count - 1],
                  (unsigned long long)outcome[rise - max_sizes.count].largest);
}

// What the choice of a threshold rests on: linked items, sum of the squared sizes, and the exponent
// by which the latter grows with the former from this threshold to the next lower one.
static void write_choice(const struct cdp_outcome *outcome, const struct cdp_floors *floors,
                         struct cdp_output *output)
{
    struct cdp_err err;
    size_t best = cdp_sweep_choose(outcome, floors->count);
    tool_check(
        cdp_output_printf(output, &err, "threshold\tlinked\tlargest\tsquares\tgrowth\tchoice\n"),
        &err);
    for (size_t t = 0; t < floors->count; t++) {
        const struct cdp_outcome *o = &outcome[t];
        double growth = t ? cdp_sweep_growth(o, o - 1) : NAN;
        char text[32] = "-";
        if (!isnan(growth))
            snprintf(text, sizeof text, "%.4g", growth);
        tool_check(cdp_output_printf(output, &err, "%.7g\t%llu\t%llu\t%.0f\t%s\t%s\n",
                                     (double)floors->threshold[t], (unsigned long long)o->linked,
                                     (unsigned long long)o->largest, o->squares, text,
                                     t == best ? "chosen" : "-"),
                   &err);
    }
}

int main(int argc, char **argv)
{
    struct pairs pairs = {0};
    struct cdp_tree tree = {0};
    struct cdp_labels labels = {0};
    struct cdp_outcome *outcome;
    max_sizes.number[0] = pairs_options.plan.max_size;
    int first = tool_start(&tool, argc, argv, 0, -1);
    struct cdp_output *output = tool_output(false);
    if (automatic)
        max_sizes = (struct cdp_counts){1, {UINT32_MAX}}; // components are not cut
    pairs.all = pairs.must_links = pairs.all_pairs = pairs_options.method == PAIRS_MAP;
    pairs_thresholds(&pairs, steps);
    pairs_read(&pairs, argv + first, argc - first);
    uint64_t items = cdp_forest_nodes(pairs.forest);
    if (labels_name)
        read_truth(&labels, &pairs, items);
    if (pairs_options.method == PAIRS_MAP) {
        outcome = sweep_map(&pairs, labels_name ? &labels : NULL);
    } else {
        pairs_tree(&pairs, &tree);
        outcome = sweep_sizes(&pairs, &tree, labels_name ? &labels : NULL);
    }
    if (automatic) {
        write_choice(outcome, &pairs.floors, output);
    } else {
        if (pairs_options.method == PAIRS_LADDER)
            warn(outcome, &pairs.floors);
        write_table(outcome, &pairs.floors, items, output);
    }
    free(outcome);
    cdp_labels_free(&labels);
    cdp_tree_free(&tree);
    pairs_free(&pairs);
    tool_finish(output);
}
