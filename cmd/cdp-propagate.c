// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/labels.h"
#include "propagate/linkage.h"
#include "propagate/sweep.h"
#include "stream/stream.h"
#include "stream/tsv.h"
#include "tool.h"

static struct cdp_counts max_size;
static uint64_t max_iter = 100, nodes;
static double step = 0.05, threshold = -INFINITY, sweep[3];
static int forced_stop;
static bool make_forest, make_tree;
static const char *labels_name;

static const struct cdp_option options[] = {
    {CDP_OPTION_COUNTS, 0, "max-size", "N", "most items of a cluster (600)", &max_size, 1, 4e9,
     NULL},
    {CDP_OPTION_REAL, 0, "step", "S", "th becomes th + (1 - th) x S each round (0.05)", &step, 0, 1,
     NULL},
    {CDP_OPTION_COUNT, 0, "max-iter", "N", "most rounds of cutting (100)", &max_iter, 0, 1e6, NULL},
    {CDP_OPTION_CHOICE, 0, "forced-stop", "HOW",
     "split or merge what is too large after them (split)", &forced_stop, 0, 0,
     (const char *const[]){"split", "merge", NULL}},
    {CDP_OPTION_COUNT, 0, "nodes", "N", "number of items (default: as the pairs say)", &nodes, 1,
     4294967294.0, NULL},
    {CDP_OPTION_REAL, 0, "threshold", "T", "only pairs above T; auto: a T found without labels",
     &threshold, 0, 0, (const char *const[]){"auto", NULL}},
    {CDP_OPTION_STEPS, 0, "sweep", "A:B:STEP", "tell what thresholds A, A + STEP, ... B would make",
     &sweep, 0, 0, NULL},
    {CDP_OPTION_TEXT, 0, "labels", "META", "with --sweep: true labels to measure against",
     &labels_name, 0, 0, NULL},
    {CDP_OPTION_FLAG, 0, "forest", NULL, "write the pairs of a maximum spanning forest",
     &make_forest, 0, 0, NULL},
    {CDP_OPTION_FLAG, 0, "tree", NULL, "write the merges, as scipy's linkage has them", &make_tree,
     0, 0, NULL},
    {0},
};

static const struct tool tool = {
    .name = "cdp-propagate",
    .summary = "Turns scored pairs into clusters: a label a line, -1 for items in no pair",
    .synopsis = "[OPTION]... [PAIRS]...",
    .example = "cdp-score vote --threshold 0.6 base.cdp | cdp-propagate -o labels.txt\n",
    .options = options,
};

// ---- reading

static struct cdp_forest *forest;
static struct cdp_floors floors; // of the thresholds that are asked for
static struct cdp_header header; // of a forest stream

// Adds one block, refusing ids that --nodes leaves no room for.
static int add(const struct cdp_block *block, const char *name, struct cdp_err *err)
{
    for (size_t e = 0; nodes && e < block->edges; e++) {
        if (block->source[e] >= nodes || block->target[e] >= nodes)
            return cdp_fail(err, "%s: pair %llu, %llu: an id is not below --nodes %llu", name,
                            (unsigned long long)block->source[e],
                            (unsigned long long)block->target[e], (unsigned long long)nodes);
    }
    struct cdp_err why;
    if (cdp_forest_add(forest, block->source, block->target, block->value[0], block->edges, &why))
        return cdp_fail(err, "%s: %s", name, why.text);
    if (floors.count)
        cdp_floors_add(&floors, block->value[0], block->edges);
    cdp_progress_add(tool_progress(), block->edges);
    return 0;
}

static int add_stream(struct cdp_input *input, struct cdp_err *err)
{
    struct cdp_reader *reader;
    struct cdp_block block;
    if (cdp_reader_open_input(
            &reader, input, 1 << CDP_PAIRS | 1 << CDP_FOREST,
            "cdp-propagate reads pairs and forest streams (cdp-score makes pairs)",
            (int)common.threads, err))
        return -1;
    int status;
    while ((status = cdp_reader_next(reader, &block, err)) > 0) {
        if (add(&block, cdp_reader_name(reader), err)) {
            status = -1;
            break;
        }
    }
    if (!status) {
        const struct cdp_totals *totals = cdp_reader_totals(reader);
        cdp_forest_lower(forest, totals->floor);
        status = nodes ? 0 : cdp_forest_reserve(forest, totals->nodes, err);
        if (!status)
            status = cdp_header_note(&header, err, "pairs: digest %016llx",
                                     (unsigned long long)totals->digest) ||
                             cdp_header_inherit(&header, cdp_reader_header(reader), err)
                         ? -1
                         : 0;
    }
    cdp_reader_close(reader);
    return status;
}

static int add_text(struct cdp_input *input, struct cdp_err *err)
{
    struct cdp_tsv *tsv;
    struct cdp_block block;
    if (cdp_tsv_open(&tsv, input, err))
        return -1;
    int status;
    while ((status = cdp_tsv_next(tsv, &block, err)) > 0) {
        if (add(&block, cdp_input_name(input), err)) {
            status = -1;
            break;
        }
    }
    cdp_tsv_close(tsv);
    return status;
}

static int add_input(const char *name, struct cdp_err *err)
{
    struct cdp_input *input;
    if (cdp_input_open(&input, name, 0, err))
        return -1;
    int is_stream = cdp_reader_sniff(input, err);
    const unsigned char *byte;
    ssize_t some = cdp_input_peek(input, &byte, 1, err);
    if (!some && !strcmp(name, "-"))
        some = cdp_fail(err, "standard input: empty: the program before it in the pipe failed");
    if (is_stream < 0 || some < 0) {
        cdp_input_close(input);
        return -1;
    }
    return is_stream ? add_stream(input, err) : add_text(input, err);
}

// ---- writing

static void write_forest(struct cdp_output *output)
{
    struct cdp_bonds bonds;
    struct cdp_writer *writer;
    struct cdp_err err;
    float floor = cdp_forest_floor(forest);
    header.nodes = cdp_forest_nodes(forest);
    tool_check(cdp_forest_take(forest, CDP_BY_PAIR, &bonds, &err), &err);
    tool_check(
        cdp_writer_open(&writer, output, &header, (int)common.level, (int)common.threads, &err),
        &err);
    for (uint32_t b = 0; b < bonds.count; b++) {
        const struct cdp_bond *bond = &bonds.bond[b];
        tool_check(cdp_writer_add(writer, bond->end[0], bond->end[1], &bond->score, &err), &err);
    }
    cdp_writer_floor(writer, floor);
    tool_check(cdp_writer_finish(writer, NULL, &err), &err);
    tool_say("%u pairs", bonds.count);
    cdp_writer_free(writer);
    cdp_bonds_free(&bonds);
}

static void write_tree(const struct cdp_tree *tree, struct cdp_output *output)
{
    struct cdp_linkage linkage;
    struct cdp_err err;
    tool_check(cdp_linkage_new(&linkage, tree, &err), &err);
    for (uint64_t r = 0; r < linkage.rows; r++) {
        const struct cdp_linkage_row *row = &linkage.row[r];
        tool_check(cdp_output_printf(output, &err, "%llu\t%llu\t%.9g\t%llu\n",
                                     (unsigned long long)row->node[0],
                                     (unsigned long long)row->node[1], (double)row->distance,
                                     (unsigned long long)row->size),
                   &err);
    }
    cdp_linkage_free(&linkage);
}

// Sweeps over all thresholds that are asked for, and sizes of clusters.
static struct cdp_outcome *sweep_all(const struct cdp_tree *tree,
                                     const struct cdp_propagate_plan *plan)
{
    struct cdp_labels labels;
    struct cdp_truth truth;
    struct cdp_err err;
    struct cdp_outcome *outcome =
        cdp_alloc(floors.count * max_size.count, sizeof *outcome, "outcomes", &err);
    tool_check(outcome ? 0 : -1, &err);
    if (labels_name) {
        tool_check(cdp_labels_read(&labels, labels_name, false, &err), &err);
        if (labels.items != tree->items)
            tool_fail("%s: %llu labels, but the pairs are of %llu items: see --nodes", labels_name,
                      (unsigned long long)labels.items, (unsigned long long)tree->items);
        tool_check(cdp_truth_new(&truth, tree, &labels, &err), &err);
    }
    tool_check(cdp_sweep(tree, &floors, plan, max_size.number, max_size.count,
                         labels_name ? &truth : NULL, outcome, (int)common.threads, &err),
               &err);
    if (labels_name) {
        cdp_truth_free(&truth);
        cdp_labels_free(&labels);
    }
    return outcome;
}

static void write_sweep(const struct cdp_tree *tree, const struct cdp_propagate_plan *plan,
                        struct cdp_output *output)
{
    struct cdp_outcome *outcome = sweep_all(tree, plan);
    struct cdp_err err;
    tool_check(cdp_output_printf(output, &err,
                                 "threshold\tmax_size\tclusters\titems\tlargest\tdiscard_ratio"
                                 "%s\n",
                                 labels_name ? "\tprecision\trecall\tfscore\tbcubed" : ""),
               &err);
    for (size_t at = 0; at < floors.count * max_size.count; at++) {
        const struct cdp_outcome *o = &outcome[at];
        tool_check(cdp_output_printf(output, &err, "%.7g\t%llu\t%llu\t%llu\t%llu\t%.6f",
                                     (double)floors.threshold[at / max_size.count],
                                     (unsigned long long)max_size.number[at % max_size.count],
                                     (unsigned long long)o->clusters, (unsigned long long)o->items,
                                     (unsigned long long)o->largest,
                                     tree->items ? 1 - (double)o->items / (double)tree->items : 0),
                   &err);
        if (labels_name)
            tool_check(cdp_output_printf(output, &err, "\t%.4f\t%.4f\t%.4f\t%.4f",
                                         100 * o->precision, 100 * o->recall, 100 * o->fscore,
                                         100 * o->bcubed),
                       &err);
        tool_check(cdp_output_write(output, "\n", 1, &err), &err);
    }
    free(outcome);
}

// The threshold that is asked for, or that is chosen, among the floors.
static size_t choose_threshold(const struct cdp_tree *tree, const struct cdp_propagate_plan *plan)
{
    if (!isnan(threshold))
        return 0;
    struct cdp_counts sizes = max_size;
    max_size = (struct cdp_counts){1, {UINT32_MAX}};
    struct cdp_outcome *outcome = sweep_all(tree, plan);
    max_size = sizes;
    size_t best = cdp_sweep_choose(outcome, floors.count);
    free(outcome);
    tool_say("threshold %.7g", (double)floors.threshold[best]);
    return best;
}

static void write_labels(const struct cdp_tree *tree, const struct cdp_propagate_plan *plan,
                         struct cdp_output *output)
{
    struct cdp_clusters clusters;
    struct cdp_err err;
    size_t at = floors.count ? choose_threshold(tree, plan) : 0;
    tool_check(cdp_propagate(tree, floors.count ? floors.threshold[at] : -INFINITY,
                             floors.count ? floors.floor[at] : tree->floor, plan, &clusters, &err),
               &err);
    if (clusters.forced)
        tool_warn("%llu items are in components of more than %llu items after %llu rounds: %s",
                  (unsigned long long)clusters.forced, (unsigned long long)plan->max_size,
                  (unsigned long long)max_iter,
                  plan->merge ? "merged into one cluster" : "these components stay as they are");
    tool_say("%u clusters of %llu items", clusters.clusters, (unsigned long long)clusters.items);
    tool_check(cdp_labels_write(output, clusters.label, clusters.items, &err), &err);
    cdp_clusters_free(&clusters);
}

// The thresholds that the options ask for.
static void prepare_floors(void)
{
    static const double automatic[] = {0, 0.98, 0.02};
    const double *steps = sweep[2] > 0 ? sweep : automatic;
    double count = floor((steps[1] - steps[0]) / steps[2] * (1 + 1e-9)) + 1;
    struct cdp_err err;
    if (count > 1e5)
        tool_usage("--sweep has %.0f thresholds; at most 100,000 can be", count);
    if (sweep[2] > 0 || isnan(threshold))
        tool_check(cdp_floors_new(&floors, steps[0], steps[2], (size_t)count, &err), &err);
    else if (isfinite(threshold))
        tool_check(cdp_floors_new(&floors, threshold, 0, 1, &err), &err);
}

int main(int argc, char **argv)
{
    int first = tool_start(&tool, argc, argv, 0, -1);
    bool sweeping = sweep[2] > 0, choosing = isnan(threshold) || isfinite(threshold);
    if (make_forest + make_tree + sweeping + choosing > 1)
        tool_usage("--forest, --tree, --sweep and --threshold exclude each other");
    if (labels_name && !sweeping)
        tool_usage("--labels goes with --sweep");
    if (max_size.count > 1 && !sweeping)
        tool_usage("--max-size is given %zu times, which goes with --sweep", max_size.count);
    if (!max_size.count)
        max_size = (struct cdp_counts){1, {600}};
    prepare_floors();
    struct cdp_output *output = tool_output(make_forest);
    struct cdp_err err;
    cdp_header_init(&header, CDP_FOREST);
    tool_provenance(&header);
    tool_check(cdp_forest_new(&forest, make_forest || make_tree, &err), &err);
    cdp_progress_start(tool_progress(), "propagation", "pairs", 0);
    if (first == argc)
        tool_check(add_input("-", &err), &err);
    for (int a = first; a < argc; a++)
        tool_check(add_input(argv[a], &err), &err);
    tool_check(cdp_forest_reserve(forest, nodes, &err), &err);

    if (make_forest) {
        write_forest(output);
    } else {
        struct cdp_tree tree;
        struct cdp_propagate_plan plan = {max_size.number[0], step, max_iter, forced_stop == 1};
        cdp_floors_settle(&floors);
        tool_check(cdp_tree_new(&tree, forest, &err), &err);
        if (make_tree)
            write_tree(&tree, output);
        else if (sweeping)
            write_sweep(&tree, &plan, output);
        else
            write_labels(&tree, &plan, output);
        cdp_tree_free(&tree);
    }
    cdp_forest_free(forest);
    cdp_floors_free(&floors);
    cdp_header_free(&header);
    tool_finish(output);
}
