// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clamp.h"
#include "base/mem.h"
#include "io/labels.h"
#include "propagate/constraints.h"
#include "propagate/explain.h"
#include "propagate/linkage.h"
#include "propagate/previous.h"
#include "propagate/soft.h"
#include "propagate/sweep.h"
#include "stream/convert.h"
#include "stream/source.h"
#include "tool.h"

static struct cdp_counts max_size;
static uint64_t max_iter = 100, nodes;
static double step = 0.05, threshold = -INFINITY, sweep[3];
static int forced_stop;
static bool make_forest, make_tree, make_soft, make_audit;
static uint64_t min_size = 1;
static double adopt = INFINITY;
static const char *labels_name, *must_name, *cannot_name, *previous_name, *changes_name;
static const char *ids_name, *why;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_COUNTS,
     .name = "max-size",
     .arg = "N",
     .help = "most items of a cluster (600)",
     .value = &max_size,
     .min = 1,
     .max = 4e9,
     .without = "forest tree why"},
    {.type = CDP_OPTION_REAL,
     .name = "step",
     .arg = "S",
     .help = "th becomes th + (1 - th) x S each round (0.05)",
     .value = &step,
     .min = 0,
     .max = 1,
     .without = "forest tree why"},
    {.type = CDP_OPTION_COUNT,
     .name = "max-iter",
     .arg = "N",
     .help = "most rounds of cutting (100)",
     .value = &max_iter,
     .min = 0,
     .max = 1e6,
     .without = "forest tree why"},
    {.type = CDP_OPTION_CHOICE,
     .name = "forced-stop",
     .arg = "HOW",
     .help = "split or merge what is too large after them (split)",
     .value = &forced_stop,
     .choices = (const char *const[]){"split", "merge", NULL},
     .without = "forest tree why"},
    {.type = CDP_OPTION_COUNT,
     .name = "nodes",
     .arg = "N",
     .help = "number of items (default: as the pairs say)",
     .value = &nodes,
     .min = 1,
     .max = 4294967294.0},
    {.type = CDP_OPTION_REAL,
     .name = "threshold",
     .arg = "T",
     .help = "only pairs above T; auto: a T found without labels",
     .value = &threshold,
     .choices = (const char *const[]){"auto", NULL},
     .without = "forest tree sweep why",
     .min = -INFINITY,
     .max = 1},
    {.type = CDP_OPTION_STEPS,
     .name = "sweep",
     .arg = "A:B:STEP",
     .help = "write a table of the clusters of thresholds A, A + STEP, ... B",
     .value = &sweep,
     .without = "tree soft audit why forest"},
    {.type = CDP_OPTION_TEXT,
     .name = "labels",
     .arg = "META",
     .help = "with --sweep: true labels to measure against",
     .value = &labels_name,
     .with = "sweep"},
    {.type = CDP_OPTION_TEXT,
     .name = "must",
     .arg = "FILE",
     .help = "pairs of items that stay together, two ids a line",
     .value = &must_name,
     .without = "forest"},
    {.type = CDP_OPTION_TEXT,
     .name = "cannot",
     .arg = "FILE",
     .help = "pairs of items that stay apart, two ids a line",
     .value = &cannot_name,
     .without = "forest"},
    {.type = CDP_OPTION_COUNT,
     .name = "min-size",
     .arg = "N",
     .help = "clusters of fewer items are none (1)",
     .value = &min_size,
     .min = 1,
     .max = 4e9,
     .without = "forest tree sweep why"},
    {.type = CDP_OPTION_REAL,
     .name = "adopt",
     .arg = "T",
     .help = "singletons join the cluster of their best pair above T",
     .value = &adopt,
     .without = "forest tree sweep why",
     .min = -INFINITY,
     .max = 1},
    {.type = CDP_OPTION_TEXT,
     .name = "previous",
     .arg = "LABELS",
     .help = "clusters keep the numbers that they had there",
     .value = &previous_name,
     .without = "forest tree sweep why soft audit"},
    {.type = CDP_OPTION_TEXT,
     .name = "changes",
     .arg = "FILE",
     .help = "with --previous: write what has changed to FILE",
     .value = &changes_name,
     .with = "previous"},
    {.type = CDP_OPTION_TEXT,
     .name = "ids",
     .arg = "NAMES",
     .help = "names of the items, one a line, where the pairs have none",
     .value = &ids_name},
    {.type = CDP_OPTION_FLAG,
     .name = "soft",
     .help = "write item, label, weight: shares of what was cut",
     .value = &make_soft,
     .without = "audit why forest tree"},
    {.type = CDP_OPTION_TEXT,
     .name = "why",
     .arg = "A:B",
     .help = "write the pairs that lead from item A to item B",
     .value = &why,
     .without = "audit forest tree"},
    {.type = CDP_OPTION_FLAG,
     .name = "audit",
     .help = "write what holds each cluster together",
     .value = &make_audit,
     .without = "forest tree"},
    {.type = CDP_OPTION_FLAG,
     .name = "forest",
     .help = "write the pairs of a maximum spanning forest",
     .value = &make_forest,
     .without = "tree"},
    {.type = CDP_OPTION_FLAG,
     .name = "tree",
     .help = "write the merges, as scipy's linkage has them",
     .value = &make_tree},
    {0},
};

static const struct tool tool = {
    .name = "cdp-propagate",
    .summary = "Turns scored pairs into clusters: a label a line, -1 for items in no pair",
    .synopsis = "[OPTION]... [PAIRS]...",
    .example = "cdp-score vote --threshold 0.6 base.cdp | cdp-propagate -o labels.txt\n",
    .options = options,
    .stream = "forest",
};

// ---- reading

static struct cdp_forest *forest;
static struct cdp_floors floors; // of the thresholds that are asked for
static struct cdp_header header; // of a forest stream
static struct cdp_list pairs;    // all of them, where a forest does not do
static struct cdp_names *names;  // of the items
static struct cdp_output *changes;
static bool reads_text;        // some input is text
static struct cdp_clamp clamp; // of scores just above 1
static uint64_t self_pairs;    // left out

// Gives the items the names of an input (NULL = it has none), which are then ours.
static void take_names(struct cdp_names *more, const char *input)
{
    static const char *first_input;
    struct cdp_err err;
    if (ids_name) {
        if (more && cdp_names_digest(more) != cdp_names_digest(names))
            tool_fail("%s: its names are not those of %s", ids_name, input);
        cdp_names_free(more);
        return;
    }
    if (!first_input) {
        first_input = input;
        names = more;
    } else if (!names != !more) {
        tool_fail("%s: its items have %s, but those of %s have %s: cdp-view --from makes a stream "
                  "with names of any text",
                  input, more ? "names" : "numbers", first_input, names ? "names" : "numbers");
    } else if (more && cdp_names_join(&names, more, &err)) {
        tool_fail("%s: %s", input, err.text);
    }
    if (names && nodes && nodes != cdp_names_count(names))
        tool_fail("%s: %llu names, but --nodes %llu", input,
                  (unsigned long long)cdp_names_count(names), (unsigned long long)nodes);
}

// Refuses scores of another scale than those of the inputs before.
static void check_scale(float scale, const char *input)
{
    static const char *first_input;
    static float first_scale;
    if (first_input && scale != first_scale)
        tool_fail("%s: its scores have the scale %.9g, those of %s %.9g (0: none): see --scale of "
                  "cdp-score",
                  input, (double)scale, first_input, (double)first_scale);
    first_input = input;
    first_scale = scale;
}

// Adds one block, refusing ids that --nodes leaves no room for.
static int add(const struct cdp_block *block, const char *name, struct cdp_err *err)
{
    for (size_t e = 0; nodes && e < block->edges; e++) {
        if (block->source[e] >= nodes || block->target[e] >= nodes)
            return cdp_fail(err, "%s: pair %llu, %llu: an id is not below %s %llu", name,
                            (unsigned long long)block->source[e],
                            (unsigned long long)block->target[e],
                            names ? "the number of names," : "--nodes", (unsigned long long)nodes);
    }
    struct cdp_err reason;
    // Thresholds rise towards 1, so a score above that would never be cut.
    const float *score;
    if (cdp_clamp_scores(&clamp, block->value[0], block->edges, &score, &reason))
        return cdp_fail(err, "%s: %s: cdp-view --from takes --distance and --rescale", name,
                        reason.text);
    if (cdp_forest_add(forest, block->source, block->target, score, block->edges, &reason))
        return cdp_fail(err, "%s: %s", name, reason.text);
    bool cuts = !make_tree && !why;
    if (cuts && cdp_floors_add(&floors, block->source, block->target, score, block->edges, &reason))
        return cdp_fail(err, "%s: %s", name, reason.text);
    for (size_t e = 0; (make_soft || make_audit) && e < block->edges; e++) {
        if (cdp_list_add(&pairs, block->source[e], block->target[e], score[e], err))
            return -1;
    }
    cdp_progress_add(tool_progress(), block->edges);
    return 0;
}

static void add_input(const char *name)
{
    struct cdp_source *source;
    struct cdp_block block;
    struct cdp_err err;
    tool_check(
        cdp_source_open(&source, name, 1 << CDP_PAIRS | 1 << CDP_FOREST,
                        "cdp-propagate reads pairs and forest streams (cdp-score makes pairs)",
                        (int)common.threads, &err),
        &err);
    if (!cdp_source_reader(source)) {
        cdp_floors_repeats(&floors);
        reads_text = true;
    }
    while (tool_check(cdp_source_next(source, &block, &err), &err))
        tool_check(add(&block, cdp_source_name(source), &err), &err);
    struct cdp_reader *reader = cdp_source_reader(source);
    take_names(reader ? cdp_reader_take_names(reader) : NULL, name);
    if (reader) {
        check_scale(cdp_reader_header(reader)->scale, name);
        header.scale = cdp_reader_header(reader)->scale;
        const struct cdp_totals *totals = cdp_reader_totals(reader);
        if (cdp_reader_header(reader)->type == CDP_FOREST && totals->edges)
            tool_check(cdp_floors_add_score(&floors, totals->floor, &err), &err);
        tool_check(nodes ? 0 : cdp_forest_reserve(forest, totals->nodes, &err), &err);
        tool_check(cdp_header_note(&header, &err, "pairs: digest %016llx",
                                   (unsigned long long)totals->digest),
                   &err);
        tool_check(cdp_header_inherit(&header, cdp_reader_header(reader), &err), &err);
    }
    self_pairs += cdp_source_self_pairs(source);
    cdp_source_close(source);
}

// What was changed or left out.
static void note_inputs(void)
{
    if (self_pairs)
        tool_warn("%llu pairs of an item with itself are left out", (unsigned long long)self_pairs);
    if (clamp.clamped)
        tool_warn("%llu scores were above 1 by at most 1e-6, and are 1 now",
                  (unsigned long long)clamp.clamped);
}

// ---- writing

static void write_forest(struct cdp_output *output)
{
    struct cdp_bonds bonds;
    struct cdp_writer *writer;
    struct cdp_err err;
    header.nodes = cdp_forest_nodes(forest);
    header.named = names != NULL;
    tool_check(cdp_forest_take(forest, CDP_BY_PAIR, &bonds, &err), &err);
    tool_check(
        cdp_writer_open(&writer, output, &header, (int)common.level, (int)common.threads, &err),
        &err);
    for (uint32_t b = 0; b < bonds.count; b++) {
        const struct cdp_bond *bond = &bonds.bond[b];
        tool_check(cdp_writer_add(writer, bond->end[0], bond->end[1], &bond->score, &err), &err);
    }
    cdp_writer_floor(writer, floors.floor[0]);
    cdp_writer_names(writer, names);
    tool_check(cdp_writer_finish(writer, NULL, &err), &err);
    tool_say("%u pairs", bonds.count);
    cdp_writer_free(writer);
    cdp_bonds_free(&bonds);
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
        uint64_t unknown;
        tool_check(cdp_labels_read(&labels, labels_name, false, &err), &err);
        if (!names && labels.items != tree->items)
            tool_fail("%s: %llu labels, but the pairs are of %llu items: see --nodes", labels_name,
                      (unsigned long long)labels.items, (unsigned long long)tree->items);
        tool_check(
            cdp_labels_match(&labels, labels_name, names, tree->items, "the input", &unknown, &err),
            &err);
        tool_note_unknown(labels_name, unknown, tree->items);
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

// ---- constraints

static struct cdp_list cannot;

// `items` bounds the ids; 0 = they may be new ones.
static void read_constraints(struct cdp_list *list, const char *name, uint64_t items)
{
    struct cdp_err err;
    struct cdp_text_form form = {.unscored = true, .names = names, .known = true};
    tool_check(cdp_list_from_text(list, name, &form, &err), &err);
    if (list->self_pairs)
        tool_fail("%s: %llu pairs of an item with itself: expected two different ids", name,
                  (unsigned long long)list->self_pairs);
    for (size_t p = 0; p < list->count; p++) {
        const struct cdp_edge *edge = &list->edge[p];
        uint64_t largest = edge->source > edge->target ? edge->source : edge->target;
        if (items && largest >= items)
            tool_fail("%s: item %llu, but there are %llu items: see --nodes", name,
                      (unsigned long long)largest, (unsigned long long)items);
    }
}

static void tell_contradiction(void *context, const uint32_t *item, size_t items)
{
    (void)context;
    char text[2][CDP_ITEM_TEXT];
    fprintf(stderr, "%s: items %s and %s are to stay apart, but %s holds them together:", tool.name,
            cdp_item_text(names, item[0], text[0]), cdp_item_text(names, item[items - 1], text[1]),
            must_name);
    for (size_t i = 0; i < items; i++)
        fprintf(stderr, "%s%s", i ? ", " : " ", cdp_item_text(names, item[i], text[0]));
    fputc('\n', stderr);
}

// Adds the pairs of --must at a score that nothing cuts, and reads those of --cannot.
static void constrain(void)
{
    struct cdp_list must = {0};
    struct cdp_graph graph;
    struct cdp_err err;
    bool open = reads_text && !nodes; // text may leave out items that are in no pair
    if (must_name)
        read_constraints(&must, must_name, open ? 0 : cdp_forest_nodes(forest));
    const float always = INFINITY;
    for (size_t p = 0; p < must.count; p++) {
        const struct cdp_edge *edge = &must.edge[p];
        tool_check(cdp_forest_add(forest, &edge->source, &edge->target, &always, 1, &err), &err);
        tool_check(cdp_floors_add(&floors, &edge->source, &edge->target, &always, 1, &err), &err);
        if (make_audit)
            tool_check(cdp_list_add(&pairs, edge->source, edge->target, always, &err), &err);
    }
    if (cannot_name)
        read_constraints(&cannot, cannot_name, cdp_forest_nodes(forest));
    if (!must_name)
        return;
    tool_check(cdp_graph_new(&graph, &must, -INFINITY, cdp_forest_nodes(forest), &err), &err);
    int64_t contradictions = cdp_contradictions(&graph, &cannot, tell_contradiction, NULL, &err);
    tool_check(contradictions < 0 ? -1 : 0, &err);
    if (contradictions)
        tool_fail("%s: %lld of its pairs contradict %s", cannot_name, (long long)contradictions,
                  must_name);
    cdp_graph_free(&graph);
    free(must.edge);
}

// ---- clusters

// Returns the threshold above which pairs count.
static float make_clusters(struct cdp_clusters *clusters, const struct cdp_tree *tree,
                           const struct cdp_propagate_plan *plan)
{
    struct cdp_err err;
    size_t at = choose_threshold(tree, plan);
    tool_check(cdp_propagate(tree, floors.threshold[at], floors.floor[at], plan, clusters, &err),
               &err);
    if (clusters->forced)
        tool_warn("%llu items are in components of more than %llu items after %llu rounds: %s",
                  (unsigned long long)clusters->forced, (unsigned long long)plan->max_size,
                  (unsigned long long)max_iter,
                  plan->merge ? "merged into one cluster" : "these components stay as they are");
    if (min_size > 1)
        tool_check(cdp_clusters_least(clusters, min_size, &err), &err);
    if (isfinite(adopt))
        tool_check(cdp_clusters_adopt(clusters, tree, (float)adopt, &cannot, &err), &err);
    tool_say("%u clusters of %llu items", clusters->clusters, (unsigned long long)clusters->items);
    if (tree->left_out)
        tool_say("%zu links left out for %s", tree->left_out, cannot_name);
    return floors.threshold[at];
}

static void write_labels(struct cdp_clusters *clusters, struct cdp_output *output)
{
    struct cdp_err err;
    if (previous_name) {
        struct cdp_labels before;
        uint64_t missing, others;
        tool_check(cdp_labels_read(&before, previous_name, true, &err), &err);
        tool_check(cdp_labels_align(&before, previous_name, names, &missing, &others, &err), &err);
        if (names && missing == cdp_names_count(names))
            tool_fail("%s: no name in common with the pairs", previous_name);
        if (cdp_clusters_keep(clusters, &before, &err))
            tool_fail("%s: %s", previous_name, err.text);
        if (changes)
            tool_check(cdp_changes_write(changes, clusters, &before, &err), &err);
        cdp_labels_free(&before);
    }
    tool_check(cdp_labels_write(output, clusters->label, clusters->items, names, &err), &err);
}

static int write_share(void *output, uint64_t item, const struct cdp_share *share, size_t shares,
                       struct cdp_err *err)
{
    for (size_t s = 0; s < shares; s++) {
        if (cdp_item_write(output, names, item, err) ||
            cdp_output_printf(output, err, "\t%u\t%.9g\n", share[s].label, share[s].weight))
            return -1;
    }
    return 0;
}

static void write_soft(const struct cdp_clusters *clusters, float above, uint64_t max,
                       struct cdp_output *output)
{
    struct cdp_graph graph;
    struct cdp_err err;
    tool_check(cdp_graph_new(&graph, &pairs, above, clusters->items, &err), &err);
    tool_check(cdp_soft(&graph, clusters, max, write_share, output, (int)common.threads,
                        tool_progress(), &err),
               &err);
    cdp_graph_free(&graph);
}

static void write_audit(const struct cdp_clusters *clusters, const struct cdp_tree *tree,
                        float above, struct cdp_output *output)
{
    struct cdp_graph graph;
    struct cdp_err err;
    struct cdp_audit *audit = cdp_alloc(clusters->clusters, sizeof *audit, "the audit", &err);
    tool_check(audit ? 0 : -1, &err);
    tool_check(cdp_graph_new(&graph, &pairs, above, clusters->items, &err), &err);
    tool_check(cdp_audit(&graph, tree, above, clusters, audit, &err), &err);
    tool_check(cdp_audit_write(output, audit, clusters->clusters, names, &err), &err);
    cdp_graph_free(&graph);
    free(audit);
}

static bool parse_number(const char *text, size_t length, uint64_t *number)
{
    char *stop;
    *number = strtoull(text, &stop, 10);
    return *text >= '0' && *text <= '9' && stop == text + length;
}

// Finds the items of --why A:B. A name may hold a colon, so each one may be where A ends.
static void find_ends(uint64_t items, uint64_t end[2])
{
    unsigned found = 0;
    for (const char *colon = strchr(why, ':'); colon; colon = strchr(colon + 1, ':')) {
        size_t length[2] = {(size_t)(colon - why), strlen(colon + 1)};
        const char *text[2] = {why, colon + 1};
        uint64_t id[2] = {0, 0};
        bool known = true;
        for (int e = 0; e < 2; e++)
            known &= names ? cdp_names_find(names, text[e], length[e], &id[e])
                           : parse_number(text[e], length[e], &id[e]) && id[e] < items;
        if (known && id[0] != id[1]) {
            memcpy(end, id, sizeof id);
            found++;
        }
    }
    if (found != 1)
        tool_fail(names ? "--why: '%s': expected A:B, names of two different items"
                        : "--why: '%s': expected A:B, two different items of %llu",
                  why, (unsigned long long)items);
}

static void write_why(const struct cdp_tree *tree, struct cdp_output *output)
{
    struct cdp_step *path;
    struct cdp_err err;
    uint64_t end[2];
    char text[2][CDP_ITEM_TEXT];
    find_ends(tree->items, end);
    int64_t steps = cdp_why(tree, end[0], end[1], &path, &err);
    tool_check(steps < 0 ? -1 : 0, &err);
    if (!steps)
        tool_fail("no pairs lead from item %s to item %s", cdp_item_text(names, end[0], text[0]),
                  cdp_item_text(names, end[1], text[1]));
    float weakest = INFINITY;
    for (int64_t s = 0; s < steps; s++)
        weakest = fminf(weakest, path[s].score);
    for (int64_t s = 0; s < steps; s++) {
        char score[32];
        bool is_weakest = isfinite(weakest) && path[s].score <= weakest;
        tool_check(cdp_item_write(output, names, path[s].from, &err), &err);
        tool_check(cdp_output_write(output, "\t", 1, &err), &err);
        tool_check(cdp_item_write(output, names, path[s].to, &err), &err);
        tool_check(cdp_output_printf(output, &err, "\t%s%s\n", cdp_score_text(path[s].score, score),
                                     is_weakest ? "\tweakest" : ""),
                   &err);
    }
    free(path);
}

// The thresholds that the options ask for.
static void prepare_floors(void)
{
    static const double automatic[] = {0, 0.98, 0.02};
    const double *steps = sweep[2] > 0 ? sweep : automatic;
    double count = floor((steps[1] - steps[0]) / steps[2] * (1 + 1e-9)) + 1;
    struct cdp_err err;
    if (sweep[2] > 0 && steps[1] > 1)
        tool_usage("--sweep ends at %g, but scores are at most 1", steps[1]);
    if (count > 1e5)
        tool_usage("--sweep has %.0f thresholds; at most 100,000 can be", count);
    if (sweep[2] > 0 || isnan(threshold))
        tool_check(cdp_floors_new(&floors, steps[0], steps[2], (size_t)count, &err), &err);
    else
        tool_check(cdp_floors_new(&floors, threshold, 0, 1, &err), &err);
}

// There is an item for each name.
static void read_names(void)
{
    struct cdp_err err;
    tool_check(cdp_names_read(&names, ids_name, &err), &err);
    if (nodes && nodes != cdp_names_count(names))
        tool_fail("%s: %llu names, but --nodes %llu", ids_name,
                  (unsigned long long)cdp_names_count(names), (unsigned long long)nodes);
    nodes = cdp_names_count(names);
    if (!nodes)
        tool_fail("%s: holds no names", ids_name);
}

// Warns of sweeps with forced stops, or whose largest cluster grows with the threshold.
static void warn_sweep(const struct cdp_outcome *outcome, bool merge)
{
    size_t rows = floors.count * max_size.count, forced = 0;
    for (size_t row = 0; row < rows; row++)
        forced += outcome[row].forced > 0;
    if (forced)
        tool_warn("in %zu of %zu rows components are too large after %llu rounds: %s", forced, rows,
                  (unsigned long long)max_iter,
                  merge ? "merged into one cluster" : "these components stay as they are");
    size_t rise = cdp_sweep_rise(outcome, floors.count, max_size.count);
    if (rise < rows)
        tool_warn("threshold %.7g makes a larger cluster (%llu items) than threshold %.7g (%llu): "
                  "see CAVEATS in cdp-propagate(1)",
                  (double)floors.threshold[rise / max_size.count],
                  (unsigned long long)outcome[rise].largest,
                  (double)floors.threshold[rise / max_size.count - 1],
                  (unsigned long long)outcome[rise - max_size.count].largest);
}

static void write_result(struct cdp_output *output)
{
    struct cdp_tree tree;
    struct cdp_clusters clusters = {0};
    struct cdp_propagate_plan plan = {max_size.number[0], step, max_iter, forced_stop == 1};
    struct cdp_err err;
    tool_check(cdp_tree_new(&tree, forest, &cannot, &err), &err);
    if (make_tree) {
        tool_check(cdp_linkage_write(output, &tree, &err), &err);
    } else if (why) {
        write_why(&tree, output);
    } else if (sweep[2] > 0) {
        struct cdp_outcome *outcome = sweep_all(&tree, &plan);
        warn_sweep(outcome, plan.merge);
        tool_check(cdp_sweep_write(output, outcome, &floors, max_size.number, max_size.count,
                                   tree.items, labels_name != NULL, &err),
                   &err);
        free(outcome);
    } else {
        float above = make_clusters(&clusters, &tree, &plan);
        if (make_soft)
            write_soft(&clusters, above, plan.max_size, output);
        else if (make_audit)
            write_audit(&clusters, &tree, above, output);
        else
            write_labels(&clusters, output);
    }
    cdp_clusters_free(&clusters);
    cdp_tree_free(&tree);
    free(cannot.edge);
}

int main(int argc, char **argv)
{
    int first = tool_start(&tool, argc, argv, 0, -1);
    if (max_size.count > 1 && !(sweep[2] > 0))
        tool_usage("--max-size is given %zu times, which has an effect with --sweep only",
                   max_size.count);
    if (!max_size.count)
        max_size = (struct cdp_counts){1, {600}};
    prepare_floors();
    if (ids_name)
        read_names();
    struct cdp_output *output = tool_output(make_forest);
    if (changes_name)
        changes = tool_side_output(changes_name);
    struct cdp_err err;
    cdp_header_init(&header, CDP_FOREST);
    tool_provenance(&header);
    bool remember = make_forest || make_tree || make_audit || why || cannot_name || isfinite(adopt);
    tool_check(cdp_forest_new(&forest, remember, &err), &err);
    cdp_progress_start(tool_progress(), "propagation", "pairs", 0);
    if (argc - first > 1 || must_name)
        cdp_floors_repeats(&floors);
    if (first == argc)
        add_input("-");
    for (int a = first; a < argc; a++)
        add_input(argv[a]);
    note_inputs();
    if (names)
        nodes = cdp_names_count(names);
    tool_check(cdp_forest_reserve(forest, nodes, &err), &err);
    constrain();
    tool_check(cdp_floors_settle(&floors, &err), &err);
    if (make_forest)
        write_forest(output);
    else
        write_result(output);
    cdp_forest_free(forest);
    cdp_floors_free(&floors);
    cdp_header_free(&header);
    free(pairs.edge);
    cdp_names_free(names);
    tool_finish(output);
}
