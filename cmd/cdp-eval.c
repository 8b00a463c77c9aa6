// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/eval.h"
#include "stream/list.h"
#include "tool.h"

enum { TEXT, JSON, TABLE };

static int format;
static const char *ids_name;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_CHOICE,
     .name = "format",
     .arg = "NAME",
     .help = "text, json or tsv (text)",
     .value = &format,
     .choices = (const char *const[]){"text", "json", "tsv", NULL}},
    {.type = CDP_OPTION_TEXT,
     .name = "ids",
     .arg = "NAMES",
     .help = "names of the items, one a line, for the file that has none",
     .value = &ids_name},
    {0},
};

static const struct tool labels_tool = {
    .name = "cdp-eval",
    .summary = "Evaluates clusters against true labels, in per cent (json, tsv: more digits)",
    .synopsis = "[OPTION]... PREDICTED META\n       cdp-eval pairs [OPTION]... PAIRS.cdp META",
    .example = "cdp-propagate pairs.cdp | cdp-eval - meta.txt\n",
    .options = options,
};

static const struct tool pairs_tool = {
    .name = "cdp-eval pairs",
    .summary = "Tells which share of scored pairs joins items of one true label",
    .synopsis = "[OPTION]... PAIRS.cdp META",
    .example = "cdp-score vote base.cdp | cdp-eval pairs - meta.txt\n",
    .options = options,
};

static const struct tool *const commands[] = {&pairs_tool, NULL};

// ---- results as a flat list of figures with dotted names, from which json's objects follow

enum { MOST_FIGURES = 64 };

static struct figure {
    const char *name;
    double value;
} figures[MOST_FIGURES];
static int figure_count;

static void add(const char *name, double value)
{
    figures[figure_count++] = (struct figure){name, value};
}

// The length of the first `depth` parts of a dotted name.
static size_t path_length(const char *name, int depth)
{
    const char *at = name;
    for (int d = 0; d < depth && *at; d++)
        at += strcspn(at + (d > 0), ".") + (d > 0);
    return (size_t)(at - name);
}

static int path_depth(const char *name)
{
    int depth = 1;
    for (; *name; name++)
        depth += *name == '.';
    return depth;
}

// How many objects two neighbouring figures are both in.
static int shared_depth(const char *a, const char *b)
{
    int depth = 0;
    while (depth + 1 < path_depth(a) && depth + 1 < path_depth(b)) {
        size_t length = path_length(a, depth + 1);
        if (length != path_length(b, depth + 1) || memcmp(a, b, length))
            break;
        depth++;
    }
    return depth;
}

static int print_number(struct cdp_output *output, double value, const char *undefined,
                        struct cdp_err *err)
{
    if (isnan(value))
        return cdp_output_printf(output, err, "%s", undefined);
    return cdp_output_printf(output, err, "%.17g", value);
}

static int print_json(struct cdp_output *output, struct cdp_err *err)
{
    int open = 0;
    if (cdp_output_printf(output, err, "{"))
        return -1;
    for (int f = 0; f < figure_count; f++) {
        const char *name = figures[f].name;
        int depth = path_depth(name);
        int shared = f ? shared_depth(figures[f - 1].name, name) : 0;
        for (; open > shared; open--) {
            if (cdp_output_printf(output, err, "}"))
                return -1;
        }
        if (f && cdp_output_printf(output, err, ", "))
            return -1;
        for (; open < depth - 1; open++) {
            const char *part = name + path_length(name, open) + (open > 0);
            if (cdp_output_printf(output, err, "\"%.*s\": {", (int)strcspn(part, "."), part))
                return -1;
        }
        const char *last = strrchr(name, '.');
        if (cdp_output_printf(output, err, "\"%s\": ", last ? last + 1 : name) ||
            print_number(output, figures[f].value, "null", err))
            return -1;
    }
    for (; open > 0; open--) {
        if (cdp_output_printf(output, err, "}"))
            return -1;
    }
    return cdp_output_printf(output, err, "}\n");
}

static int print_tsv(struct cdp_output *output, struct cdp_err *err)
{
    for (int f = 0; f < figure_count; f++) {
        if (cdp_output_printf(output, err, "%s\t", figures[f].name) ||
            print_number(output, figures[f].value, "nan", err) ||
            cdp_output_printf(output, err, "\n"))
            return -1;
    }
    return 0;
}

// ---- clusters

static double percent(double share)
{
    return 100 * share;
}

static void add_figures(const struct cdp_eval *e)
{
    const struct cdp_scores *k = &e->kept, *r = &e->removed;
    add("pairwise.kept.precision", percent(k->pairwise.precision));
    add("pairwise.kept.recall", percent(k->pairwise.recall));
    add("pairwise.kept.fscore", percent(k->pairwise.fscore));
    add("pairwise.removed.precision", percent(r->pairwise.precision));
    add("pairwise.removed.recall", percent(r->pairwise.recall));
    add("pairwise.removed.fscore", percent(r->pairwise.fscore));
    add("bcubed.kept.precision", percent(k->bcubed.precision));
    add("bcubed.kept.recall", percent(k->bcubed.recall));
    add("bcubed.kept.fscore", percent(k->bcubed.fscore));
    add("bcubed.removed.precision", percent(r->bcubed.precision));
    add("bcubed.removed.recall", percent(r->bcubed.recall));
    add("bcubed.removed.fscore", percent(r->bcubed.fscore));
    add("nmi.kept", percent(k->vmeasure));
    add("nmi.removed", percent(r->vmeasure));
    add("ari.kept", percent(k->ari));
    add("ari.removed", percent(r->ari));
    add("vmeasure.kept.homogeneity", percent(k->homogeneity));
    add("vmeasure.kept.completeness", percent(k->completeness));
    add("vmeasure.kept.v", percent(k->vmeasure));
    add("vmeasure.removed.homogeneity", percent(r->homogeneity));
    add("vmeasure.removed.completeness", percent(r->completeness));
    add("vmeasure.removed.v", percent(r->vmeasure));
    add("items", (double)e->items);
    add("items_kept", (double)(e->items - e->discarded));
    add("discarded", (double)e->discarded);
    add("discard_ratio", (double)e->discarded / (double)e->items);
    add("classes", (double)e->kept.classes);
    add("clusters", (double)e->clusters);
    add("singletons", (double)e->singletons);
    add("mean_size", e->mean_size);
    static const char *const names[CDP_QUANTILES] = {"size.min", "size.p10", "size.p25", "size.p50",
                                                     "size.p75", "size.p90", "size.max"};
    for (int q = 0; q < CDP_QUANTILES; q++)
        add(names[q], e->clusters ? (double)e->size_quantile[q] : NAN);
}

// Two decimals, or a dash for what cannot be told.
static const char *cell(double value, char text[32])
{
    if (isnan(value))
        return "-";
    snprintf(text, 32, "%.2f", value);
    return text;
}

static int print_row(struct cdp_output *output, const char *name, const struct cdp_prf *removed,
                     const struct cdp_prf *kept, struct cdp_err *err)
{
    char text[6][32];
    return cdp_output_printf(
        output, err, "%-10s%9s %9s %9s    %9s %9s %9s\n", name,
        cell(percent(removed->precision), text[0]), cell(percent(removed->recall), text[1]),
        cell(percent(removed->fscore), text[2]), cell(percent(kept->precision), text[3]),
        cell(percent(kept->recall), text[4]), cell(percent(kept->fscore), text[5]));
}

static int print_text(struct cdp_output *output, const struct cdp_eval *e, struct cdp_err *err)
{
    const struct cdp_scores *k = &e->kept, *r = &e->removed;
    struct cdp_prf kept_v = {k->homogeneity, k->completeness, k->vmeasure};
    struct cdp_prf removed_v = {r->homogeneity, r->completeness, r->vmeasure};
    char text[2][32];
    if (cdp_output_printf(output, err, "%-10s%-29s    %s\n", "", "singular removed",
                          "singular kept") ||
        cdp_output_printf(output, err, "%-10s%9s %9s %9s    %9s %9s %9s\n", "", "precision",
                          "recall", "F", "precision", "recall", "F") ||
        print_row(output, "pairwise", &r->pairwise, &k->pairwise, err) ||
        print_row(output, "BCubed", &r->bcubed, &k->bcubed, err) ||
        print_row(output, "V-measure", &removed_v, &kept_v, err) ||
        cdp_output_printf(output, err, "%-10s%29s    %29s\n", "ARI", cell(percent(r->ari), text[0]),
                          cell(percent(k->ari), text[1])) ||
        cdp_output_printf(output, err, "%-10s%29s    %29s\n\n", "NMI",
                          cell(percent(r->vmeasure), text[0]), cell(percent(k->vmeasure), text[1])))
        return -1;
    if (cdp_output_printf(output, err,
                          "items     %" PRIu64 ", in clusters %" PRIu64 ", discarded %" PRIu64
                          " (ratio %.4f)\nclasses   %" PRIu64 "\nclusters  %" PRIu64
                          ", of one item %" PRIu64 ", mean size %s\nsizes    ",
                          e->items, e->items - e->discarded, e->discarded,
                          (double)e->discarded / (double)e->items, k->classes, e->clusters,
                          e->singletons, cell(e->mean_size, text[0])))
        return -1;
    for (int q = 0; q < CDP_QUANTILES; q++) {
        if (cdp_output_printf(output, err, "%s %s %" PRIu64, q ? "," : "", cdp_quantile_names[q],
                              e->size_quantile[q]))
            return -1;
    }
    return cdp_output_printf(output, err, "\n");
}

// Whether labels are as cdp-propagate writes them: numbers in order of first appearance, and -1.
static bool looks_predicted(const struct cdp_labels *labels)
{
    bool ordered = labels->integers && labels->groups && cdp_labels_none(labels) > 0;
    for (uint32_t g = 0; ordered && g < labels->groups; g++)
        ordered = labels->value[g] == (int64_t)g;
    return ordered;
}

// Reads labels, which get the names of --ids where they have none.
static int read_labels(struct cdp_labels *labels, const char *name, bool discards,
                       struct cdp_err *err)
{
    if (cdp_labels_read(labels, name, discards, err))
        return -1;
    if (!ids_name || labels->names)
        return 0;
    if (cdp_names_read(&labels->names, ids_name, err))
        return -1;
    uint64_t count = cdp_names_count(labels->names);
    return count == labels->items
               ? 0
               : cdp_fail(err, "%s: %" PRIu64 " names, but %s has %" PRIu64 " labels", ids_name,
                          count, name, labels->items);
}

// Brings both into one order of items: by name, where they have names, else line by line.
static int join(struct cdp_labels *predicted, const char *name, struct cdp_labels *truth,
                const char *meta, struct cdp_err *err)
{
    uint64_t missing, others;
    if (!predicted->names != !truth->names)
        return cdp_fail(err,
                        "%s has names of items, %s has none: give it lines of NAME<tab>LABEL, "
                        "or its names by --ids",
                        truth->names ? meta : name, truth->names ? name : meta);
    if (cdp_labels_align(truth, meta, predicted->names, &missing, &others, err))
        return -1;
    if (predicted->names && missing == predicted->items)
        return cdp_fail(err, "%s and %s have no name in common", name, meta);
    if (others)
        tool_warn("%s: %" PRIu64 " items of %s are not there: they are in no cluster", name, others,
                  meta);
    if (predicted->names && cdp_labels_extend(predicted, truth->items, err))
        return -1;
    if (predicted->items != truth->items)
        return cdp_fail(err, "%s: %" PRIu64 " labels, but %s has %" PRIu64, name, predicted->items,
                        meta, truth->items);
    tool_note_unknown(meta, cdp_labels_none(truth), truth->items);
    return 0;
}

static int evaluate_labels(struct cdp_output *output, const char *name, const char *meta,
                           struct cdp_err *err)
{
    struct cdp_labels predicted, truth;
    struct cdp_eval result;
    if (read_labels(&predicted, name, true, err)) {
        struct cdp_err other;
        bool swapped = !cdp_labels_read(&truth, meta, true, &other);
        other = *err;
        return swapped
                   ? cdp_fail(err, "%s: are the files swapped? PREDICTED comes first", other.text)
                   : -1;
    }
    if (read_labels(&truth, meta, false, err))
        return -1;
    if (looks_predicted(&truth) && !looks_predicted(&predicted))
        tool_warn("%s looks like clusters, and %s does not: are the files swapped? PREDICTED comes "
                  "first",
                  meta, name);
    if (join(&predicted, name, &truth, meta, err))
        return -1;
    if (cdp_eval(&predicted, &truth, &result, err))
        return -1;
    cdp_labels_free(&predicted);
    cdp_labels_free(&truth);
    if (format == TEXT)
        return print_text(output, &result, err);
    add_figures(&result);
    return 0;
}

// ---- pairs

// Adds the pairs of a block; their ids must be those of labels.
static int count_block(const struct cdp_labels *truth, const struct cdp_block *block,
                       const char *name, const char *meta, struct cdp_pair_counts *counts,
                       struct cdp_err *err)
{
    for (size_t e = 0; e < block->edges; e++) {
        if (block->target[e] >= truth->items)
            return cdp_fail(err, "%s: pair %" PRIu64 ", %" PRIu64 ", but %s has %" PRIu64 " labels",
                            name, block->source[e], block->target[e], meta, truth->items);
    }
    cdp_count_pairs(truth, block->source, block->target, block->edges, counts);
    return 0;
}

// Counts pairs with names, which come after them. Memory: 24 bytes a pair.
static int count_named(struct cdp_reader *reader, struct cdp_labels *truth, const char *name,
                       const char *meta, struct cdp_pair_counts *counts, struct cdp_err *err)
{
    struct cdp_list list = {0};
    struct cdp_block block;
    uint64_t unknown;
    int status;
    while ((status = cdp_reader_next(reader, &block, err)) > 0) {
        for (size_t e = 0; e < block.edges; e++) {
            if (cdp_list_add(&list, block.source[e], block.target[e], 0, err))
                return -1;
        }
    }
    if (status || cdp_labels_match(truth, meta, cdp_reader_names(reader),
                                   cdp_reader_totals(reader)->nodes, name, &unknown, err))
        return -1;
    tool_note_unknown(meta, unknown, truth->items);
    for (size_t e = 0; e < list.count; e++)
        cdp_count_pairs(truth, &list.edge[e].source, &list.edge[e].target, 1, counts);
    free(list.edge);
    return 0;
}

static int count_numbered(struct cdp_reader *reader, const struct cdp_labels *truth,
                          const char *name, const char *meta, struct cdp_pair_counts *counts,
                          struct cdp_err *err)
{
    struct cdp_block block;
    int status;
    if (truth->names)
        return cdp_fail(err, "%s has names of items, %s has none", meta, name);
    tool_note_unknown(meta, cdp_labels_none(truth), truth->items);
    while ((status = cdp_reader_next(reader, &block, err)) > 0) {
        if (count_block(truth, &block, name, meta, counts, err))
            return -1;
    }
    return status;
}

static int evaluate_pairs(struct cdp_output *output, const char *name, const char *meta,
                          struct cdp_err *err)
{
    struct cdp_labels truth;
    struct cdp_reader *reader;
    struct cdp_pair_counts counts = {0};
    if (read_labels(&truth, meta, false, err) ||
        cdp_reader_open(&reader, name, 1 << CDP_PAIRS | 1 << CDP_FEATURES | 1 << CDP_FOREST,
                        "cdp-eval pairs reads pairs, features and forest streams",
                        (int)common.threads, err))
        return -1;
    bool named = cdp_reader_header(reader)->named;
    int status = named ? count_named(reader, &truth, name, meta, &counts, err)
                       : count_numbered(reader, &truth, name, meta, &counts, err);
    cdp_reader_close(reader);
    cdp_labels_free(&truth);
    if (status)
        return -1;
    double accuracy = counts.known ? (double)counts.same / (double)counts.known : NAN;
    if (format == TEXT) {
        char text[32] = "-";
        if (counts.known)
            snprintf(text, sizeof text, "%.2f", percent(accuracy));
        return cdp_output_printf(output, err, "pairs %" PRIu64 ", true %" PRIu64 ", accuracy %s\n",
                                 counts.known, counts.same, text);
    }
    add("pairs", (double)counts.known);
    add("true_pairs", (double)counts.same);
    add("pair_accuracy", accuracy);
    return 0;
}

int main(int argc, char **argv)
{
    const struct tool *tool = tool_choose(&labels_tool, commands, &labels_tool, &argc, argv);
    int first = tool_start(tool, argc, argv, 2, 2);
    struct cdp_output *output = tool_output(false);
    struct cdp_err err;
    tool_check(tool == &pairs_tool ? evaluate_pairs(output, argv[first], argv[first + 1], &err)
                                   : evaluate_labels(output, argv[first], argv[first + 1], &err),
               &err);
    if (format == JSON)
        tool_check(print_json(output, &err), &err);
    else if (format == TABLE)
        tool_check(print_tsv(output, &err), &err);
    tool_finish(output);
}
