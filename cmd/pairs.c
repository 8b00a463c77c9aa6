// SPDX-License-Identifier: MIT
#include "pairs.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "io/input.h"
#include "names.h"
#include "propagate/constraints.h"
#include "propagate/sweep.h"
#include "stream/convert.h"
#include "stream/source.h"
#include "tool.h"

struct pairs_options pairs_options = {
    .threshold = -INFINITY,
    .plan = CDP_PROPAGATE_DEFAULTS,
};

// ---- thresholds

void pairs_thresholds(struct pairs *p, const double sweep[3])
{
    static const double automatic[] = {0, 0.98, 0.02};
    double threshold = pairs_options.threshold;
    struct cdp_err err;
    if (!sweep && !isnan(threshold)) {
        tool_check(cdp_floors_new(&p->floors, threshold, 0, 1, &err), &err);
        return;
    }
    const double *steps = sweep ? sweep : automatic;
    double count = floor((steps[1] - steps[0]) / steps[2] * (1 + 1e-9)) + 1;
    if (steps[1] > 1)
        tool_usage("--thresholds ends at %g, but scores are at most 1", steps[1]);
    if (count > 1e5)
        tool_usage("--thresholds has %.0f thresholds; at most 100,000 can be", count);
    tool_check(cdp_floors_new(&p->floors, steps[0], steps[2], (size_t)count, &err), &err);
}

size_t pairs_threshold(const struct pairs *p, const struct cdp_tree *tree)
{
    if (!isnan(pairs_options.threshold))
        return 0;
    const uint64_t unlimited = UINT32_MAX;
    struct cdp_err err;
    struct cdp_outcome *outcome = cdp_alloc(p->floors.count, sizeof *outcome, "outcomes", &err);
    tool_check(outcome ? 0 : -1, &err);
    tool_check(cdp_sweep(tree, &p->floors, &pairs_options.plan, &unlimited, 1, NULL, outcome,
                         (int)common.threads, NULL, &err),
               &err);
    size_t best = cdp_sweep_choose(outcome, p->floors.count);
    free(outcome);
    tool_say("threshold %.7g", (double)p->floors.threshold[best]);
    return best;
}

float pairs_clusters(const struct pairs *p, const struct cdp_tree *tree,
                     struct cdp_clusters *clusters)
{
    const struct cdp_propagate_plan *plan = &pairs_options.plan;
    struct cdp_err err;
    size_t at = pairs_threshold(p, tree);
    float threshold = p->floors.threshold[at];
    tool_check(cdp_propagate(tree, threshold, p->floors.floor[at], plan, clusters, &err), &err);
    if (clusters->forced)
        tool_warn("%llu items are in components of more than %llu item%s after %llu round%s: %s",
                  (unsigned long long)clusters->forced, (unsigned long long)plan->max_size,
                  tool_s(plan->max_size), (unsigned long long)plan->max_iter,
                  tool_s(plan->max_iter),
                  plan->merge ? "merged into one cluster" : "these components stay as they are");
    tool_say("%u cluster%s of %llu item%s", clusters->clusters, tool_s(clusters->clusters),
             (unsigned long long)clusters->items, tool_s(clusters->items));
    return threshold;
}

// ---- names

static void read_names(struct pairs *p)
{
    const char *file = cdp_input_shown(pairs_options.ids);
    names_read(&p->names, pairs_options.ids);
    uint64_t count = cdp_names_count(p->names);
    if (!count)
        tool_fail("%s: holds no names", file);
    if (p->nodes && p->nodes != count)
        tool_fail("%s: %llu names, but %s %llu%s", file, (unsigned long long)count, p->nodes_from,
                  (unsigned long long)p->nodes, names_hint(count, p->nodes));
    p->names_file = file;
    p->nodes = count;
    p->nodes_from = "the number of names,";
}

// Gives the items the names of an input (NULL = it has none), which are then ours.
static void take_names(struct pairs *p, struct cdp_names *more, const char *input)
{
    struct cdp_err err;
    if (p->names_file) {
        if (more && cdp_names_join(&p->names, more, &err))
            tool_fail("%s: its names are not those of %s: %s: cdp-view --from with --ids takes the "
                      "names of all items, in any order",
                      p->names_file, input, err.text);
        if (cdp_names_count(p->names) > p->nodes)
            tool_fail(
                "%s: its names are not those of %s, which has more: cdp-view --from with --ids "
                "takes the names of all items, in any order",
                p->names_file, input);
        return;
    }
    if (!p->input) {
        p->names = more;
    } else if (!p->names != !more) {
        tool_fail("%s: its items have %s, but those of %s have %s: cdp-view --from makes a stream "
                  "with names of any text",
                  input, more ? "names" : "numbers", p->input, p->names ? "names" : "numbers");
    } else if (more && cdp_names_join(&p->names, more, &err)) {
        tool_fail("%s: %s", input, err.text);
    }
    if (p->names && p->nodes && p->nodes != cdp_names_count(p->names))
        tool_fail("%s: %llu names, but %s %llu", input,
                  (unsigned long long)cdp_names_count(p->names), p->nodes_from,
                  (unsigned long long)p->nodes);
}

// ---- reading

// The forest only counts the items.
static int count_items(struct pairs *p, const struct cdp_block *block, struct cdp_err *err)
{
    uint64_t items = 0;
    for (size_t e = 0; e < block->edges; e++) {
        items = block->source[e] >= items ? block->source[e] + 1 : items;
        items = block->target[e] >= items ? block->target[e] + 1 : items;
    }
    return cdp_forest_reserve(p->forest, items, err);
}

// Adds the pairs above --threshold.
static int add_to_map(struct pairs *p, const struct cdp_block *block, const float *score,
                      struct cdp_err *err)
{
    for (size_t e = 0; e < block->edges; e++) {
        if (score[e] > (float)pairs_options.threshold &&
            cdp_map_add(p->map, &block->source[e], &block->target[e], &score[e], 1, err))
            return -1;
        p->weightless += score[e] <= 0;
    }
    return 0;
}

// Adds one block, refusing ids that leave the known number of items.
static int add(struct pairs *p, const struct cdp_block *block, const char *name,
               struct cdp_err *err)
{
    for (size_t e = 0; p->nodes && e < block->edges; e++) {
        if (block->source[e] >= p->nodes || block->target[e] >= p->nodes)
            return cdp_fail(err, "%s: pair %llu, %llu: an id is not below %s %llu", name,
                            (unsigned long long)block->source[e],
                            (unsigned long long)block->target[e], p->nodes_from,
                            (unsigned long long)p->nodes);
    }
    struct cdp_err reason;
    // Thresholds rise towards 1, so a score above that would never be cut.
    const float *score;
    if (cdp_clamp_scores(&p->clamp, block->value[0], block->edges, &score, &reason))
        return cdp_fail(err, "%s: %s: cdp-view --from takes --distance and --rescale", name,
                        reason.text);
    bool forest = !p->map && !p->list_only;
    if (forest
            ? cdp_forest_add(p->forest, block->source, block->target, score, block->edges, &reason)
            : count_items(p, block, &reason) || (p->map && add_to_map(p, block, score, &reason)))
        return cdp_fail(err, "%s: %s", name, reason.text);
    if (p->floors.count &&
        cdp_floors_add(&p->floors, block->source, block->target, score, block->edges, &reason))
        return cdp_fail(err, "%s: %s", name, reason.text);
    for (size_t e = 0; p->all && e < block->edges; e++) {
        if (cdp_list_add(&p->list, block->source[e], block->target[e], score[e], err))
            return -1;
    }
    cdp_progress_add(tool_progress(), block->edges);
    return 0;
}

// Takes over what a stream says beside its pairs.
static void take_stream(struct pairs *p, struct cdp_reader *reader, const char *input)
{
    const struct cdp_header *header = cdp_reader_header(reader);
    const struct cdp_totals *totals = cdp_reader_totals(reader);
    struct cdp_err err;
    if (p->stream && header->scale != p->header.scale)
        tool_fail("%s: its scores have the scale %.9g, those of %s %.9g (0: none): see --scale of "
                  "cdp-score",
                  input, (double)header->scale, p->stream, (double)p->header.scale);
    p->stream = p->stream ? p->stream : input;
    p->header.scale = header->scale;
    if (p->floors.count && header->type == CDP_FOREST && totals->edges)
        tool_check(cdp_floors_add_score(&p->floors, totals->floor, &err), &err);
    tool_check(p->nodes ? 0 : cdp_forest_reserve(p->forest, totals->nodes, &err), &err);
    tool_check(cdp_header_note(&p->header, &err, "pairs: digest %016llx",
                               (unsigned long long)totals->digest),
               &err);
    tool_check(cdp_header_inherit(&p->header, header, &err), &err);
}

static void add_input(struct pairs *p, const char *name)
{
    const char *shown = cdp_input_shown(name);
    struct cdp_source *source;
    struct cdp_block block;
    struct cdp_err err;
    unsigned types = p->map || p->all_pairs ? 1 << CDP_PAIRS : 1 << CDP_PAIRS | 1 << CDP_FOREST;
    tool_check(cdp_source_open(&source, name, types,
                               types & 1 << CDP_FOREST
                                   ? "expected a pairs or a forest stream (cdp-score makes pairs)"
                                   : "expected a pairs stream: a forest has too few pairs for "
                                     "--method map",
                               (int)common.threads, &err),
               &err);
    struct cdp_reader *reader = cdp_source_reader(source);
    if (!reader) {
        p->text = true;
        if (p->floors.count)
            cdp_floors_repeats(&p->floors);
    }
    while (tool_check(cdp_source_next(source, &block, &err), &err))
        tool_check(add(p, &block, cdp_source_name(source), &err), &err);
    take_names(p, reader ? cdp_reader_take_names(reader) : NULL, shown);
    if (reader)
        take_stream(p, reader, shown);
    p->input = p->input ? p->input : shown;
    p->self_pairs += cdp_source_self_pairs(source);
    cdp_source_close(source);
}

// ---- constraints

// `items` bounds the ids; 0 = they may be new ones.
static void read_constraints(const struct pairs *p, struct cdp_list *list, const char *name,
                             uint64_t items)
{
    struct cdp_err err;
    struct cdp_text_form form = {.unscored = true, .names = p->names, .known = true};
    tool_check(cdp_list_from_text(list, name, &form, &err), &err);
    if (list->self_pairs)
        tool_fail("%s: %llu pair%s of an item with itself: expected two different ids",
                  cdp_input_shown(name), (unsigned long long)list->self_pairs,
                  tool_s(list->self_pairs));
    for (size_t e = 0; e < list->count; e++) {
        const struct cdp_edge *edge = &list->edge[e];
        uint64_t largest = edge->source > edge->target ? edge->source : edge->target;
        if (items && largest >= items)
            tool_fail("%s: item %llu, but there are %llu items%s", cdp_input_shown(name),
                      (unsigned long long)largest, (unsigned long long)items,
                      p->nodes ? "" : ": see --nodes");
    }
}

static void print_contradiction(void *context, const uint32_t *item, size_t items)
{
    const struct cdp_names *names = context;
    char text[2][CDP_ITEM_TEXT], *path = NULL;
    size_t size;
    FILE *file = open_memstream(&path, &size);
    for (size_t i = 0; file && i < items; i++)
        fprintf(file, "%s%s", i ? ", " : "", cdp_item_text(names, item[i], text[0]));
    if (!file || fclose(file))
        tool_fail("out of memory: a path of must-links");
    tool_problem("items %s and %s are cannot-linked, but must-links of %s connect them: %s",
                 cdp_item_text(names, item[0], text[0]),
                 cdp_item_text(names, item[items - 1], text[1]),
                 cdp_input_shown(pairs_options.must_link), path);
    free(path);
}

// Adds the pairs of --must-link at a score that nothing cuts.
static void add_must_links(struct pairs *p, struct cdp_list *must)
{
    const float always = INFINITY;
    bool open = p->text && !p->nodes; // text may leave out items that are in no pair
    struct cdp_err err;
    read_constraints(p, must, pairs_options.must_link, open ? 0 : cdp_forest_nodes(p->forest));
    for (size_t e = 0; e < must->count; e++) {
        const struct cdp_edge *edge = &must->edge[e];
        const uint64_t *i = &edge->source, *j = &edge->target;
        tool_check(cdp_forest_add(p->forest, i, j, &always, 1, &err), &err);
        if (p->floors.count)
            tool_check(cdp_floors_add(&p->floors, i, j, &always, 1, &err), &err);
        if (p->must_links)
            tool_check(cdp_list_add(&p->list, *i, *j, always, &err), &err);
        if (p->map)
            tool_check(cdp_map_link(p->map, *i, *j, &err), &err);
    }
}

static void constrain(struct pairs *p)
{
    struct cdp_list must = {0};
    struct cdp_graph graph;
    struct cdp_err err;
    if (pairs_options.must_link)
        add_must_links(p, &must);
    if (pairs_options.cannot_link)
        read_constraints(p, &p->cannot, pairs_options.cannot_link, cdp_forest_nodes(p->forest));
    for (size_t e = 0; p->map && e < p->cannot.count; e++)
        tool_check(cdp_map_part(p->map, p->cannot.edge[e].source, p->cannot.edge[e].target, &err),
                   &err);
    if (!pairs_options.must_link || !pairs_options.cannot_link) {
        free(must.edge);
        return;
    }
    tool_check(cdp_graph_new(&graph, &must, -INFINITY, cdp_forest_nodes(p->forest), &err), &err);
    int64_t count = cdp_contradictions(&graph, &p->cannot, print_contradiction, p->names, &err);
    tool_check(count < 0 ? -1 : 0, &err);
    if (count)
        tool_fail("%s: pairs that contradict %s: %lld", cdp_input_shown(pairs_options.cannot_link),
                  cdp_input_shown(pairs_options.must_link), (long long)count);
    cdp_graph_free(&graph);
    free(must.edge);
}

// ---- all of it

// What was changed or left out.
static void note_inputs(const struct pairs *p)
{
    if (p->self_pairs)
        tool_warn("%llu pair%s of an item with itself left out", (unsigned long long)p->self_pairs,
                  tool_s(p->self_pairs));
    if (p->weightless)
        tool_warn("%llu pair%s with a score of 0 or less left out: scores must be probabilities "
                  "that a pair is true",
                  (unsigned long long)p->weightless, tool_s(p->weightless));
    if (p->clamp.clamped)
        tool_warn("%llu score%s above 1 by at most 1e-6 replaced by 1",
                  (unsigned long long)p->clamp.clamped, tool_s(p->clamp.clamped));
}

void pairs_read(struct pairs *p, char *const *name, int count)
{
    struct cdp_err err;
    pairs_options.plan.merge = pairs_options.forced_stop;
    if (pairs_options.nodes) {
        p->nodes = pairs_options.nodes;
        p->nodes_from = "--nodes";
    }
    if (pairs_options.ids)
        read_names(p);
    cdp_header_init(&p->header, CDP_FOREST);
    tool_provenance(&p->header);
    // Without cannot-link pairs a tree is that of any forest.
    tool_check(cdp_forest_new(&p->forest, p->edges || pairs_options.cannot_link, &err), &err);
    cdp_progress_start(tool_progress(), "propagation", "pairs", 0);
    if (p->floors.count && (count > 1 || pairs_options.must_link))
        cdp_floors_repeats(&p->floors);
    if (!count)
        add_input(p, "-");
    for (int a = 0; a < count; a++)
        add_input(p, name[a]);
    note_inputs(p);
    if (p->names)
        p->nodes = cdp_names_count(p->names);
    tool_check(cdp_forest_reserve(p->forest, p->nodes, &err), &err);
    constrain(p);
    if (p->floors.count)
        tool_check(cdp_floors_settle(&p->floors, &err), &err);
}

void pairs_tree(struct pairs *p, struct cdp_tree *tree)
{
    struct cdp_err err;
    tool_check(cdp_tree_new(tree, p->forest, &p->cannot, &err), &err);
    if (tree->left_out)
        tool_say("%zu link%s left out for %s", tree->left_out, tool_s(tree->left_out),
                 cdp_input_shown(pairs_options.cannot_link));
}

void pairs_free(struct pairs *p)
{
    cdp_forest_free(p->forest);
    cdp_floors_free(&p->floors);
    cdp_header_free(&p->header);
    cdp_names_free(p->names);
    free(p->list.edge);
    free(p->cannot.edge);
    free(p->clamp.copy);
    *p = (struct pairs){0};
}
