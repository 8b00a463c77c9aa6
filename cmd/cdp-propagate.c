// SPDX-License-Identifier: MIT
#include <string.h>

#include "io/labels.h"
#include "propagate/propagate.h"
#include "stream/stream.h"
#include "stream/tsv.h"
#include "tool.h"

static uint64_t max_size = 600, max_iter = 100, nodes;
static double step = 0.05;
static int forced_stop;

static const struct cdp_option options[] = {
    {CDP_OPTION_COUNT, 0, "max-size", "N", "most items of a cluster (600)", &max_size, 1, 4e9,
     NULL},
    {CDP_OPTION_REAL, 0, "step", "S", "th becomes th + (1 - th) x S each round (0.05)", &step, 0, 1,
     NULL},
    {CDP_OPTION_COUNT, 0, "max-iter", "N", "most rounds of cutting (100)", &max_iter, 0, 1e6, NULL},
    {CDP_OPTION_CHOICE, 0, "forced-stop", "HOW",
     "split or merge what is too large after them (split)", &forced_stop, 0, 0,
     (const char *const[]){"split", "merge", NULL}},
    {CDP_OPTION_COUNT, 0, "nodes", "N", "number of items (default: as the pairs say)", &nodes, 1,
     4294967294.0, NULL},
    {0},
};

static const struct tool tool = {
    .name = "cdp-propagate",
    .summary = "Turns scored pairs into clusters: a label a line, -1 for items in no pair",
    .synopsis = "[OPTION]... [PAIRS]...",
    .example = "cdp-score vote --threshold 0.6 base.cdp | cdp-propagate -o labels.txt\n",
    .options = options,
};

// Adds one block, refusing ids that --nodes leaves no room for.
static int add(struct cdp_forest *forest, const struct cdp_block *block, const char *name,
               struct cdp_err *err)
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
    cdp_progress_add(tool_progress(), block->edges);
    return 0;
}

static int add_stream(struct cdp_forest *forest, struct cdp_input *input, struct cdp_err *err)
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
        if (add(forest, &block, cdp_reader_name(reader), err)) {
            status = -1;
            break;
        }
    }
    if (!status) {
        const struct cdp_totals *totals = cdp_reader_totals(reader);
        cdp_forest_floor(forest, totals->floor);
        status = nodes ? 0 : cdp_forest_reserve(forest, totals->nodes, err);
    }
    cdp_reader_close(reader);
    return status;
}

static int add_text(struct cdp_forest *forest, struct cdp_input *input, struct cdp_err *err)
{
    struct cdp_tsv *tsv;
    struct cdp_block block;
    if (cdp_tsv_open(&tsv, input, err))
        return -1;
    int status;
    while ((status = cdp_tsv_next(tsv, &block, err)) > 0) {
        if (add(forest, &block, cdp_input_name(input), err)) {
            status = -1;
            break;
        }
    }
    cdp_tsv_close(tsv);
    return status;
}

static int add_input(struct cdp_forest *forest, const char *name, struct cdp_err *err)
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
    return is_stream ? add_stream(forest, input, err) : add_text(forest, input, err);
}

static int write_labels(struct cdp_output *output, const struct cdp_clusters *clusters,
                        struct cdp_err *err)
{
    for (uint64_t n = 0; n < clusters->nodes; n++) {
        char line[16], *at = line + sizeof line;
        uint32_t label = clusters->label[n];
        *--at = '\n';
        if (label == CDP_NO_LABEL) {
            *--at = '1';
            *--at = '-';
        } else {
            do {
                *--at = (char)('0' + label % 10);
            } while (label /= 10);
        }
        if (cdp_output_write(output, at, (size_t)(line + sizeof line - at), err))
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    int first = tool_start(&tool, argc, argv, 0, -1);
    struct cdp_output *output = tool_output(false);
    struct cdp_forest *forest;
    struct cdp_clusters clusters;
    struct cdp_err err;
    tool_check(cdp_forest_new(&forest, &err), &err);
    cdp_progress_start(tool_progress(), "propagation", "pairs", 0);
    if (first == argc)
        tool_check(add_input(forest, "-", &err), &err);
    for (int a = first; a < argc; a++)
        tool_check(add_input(forest, argv[a], &err), &err);
    tool_check(cdp_forest_reserve(forest, nodes, &err), &err);

    struct cdp_propagate_plan plan = {max_size, step, max_iter, forced_stop == 1};
    tool_check(cdp_propagate(forest, &plan, &clusters, &err), &err);
    if (clusters.forced)
        tool_warn("%llu items are in components of more than %llu items after %llu rounds: %s",
                  (unsigned long long)clusters.forced, (unsigned long long)max_size,
                  (unsigned long long)max_iter,
                  plan.merge ? "merged into one cluster" : "these components stay as they are");
    tool_say("%u clusters of %llu items", clusters.clusters, (unsigned long long)clusters.nodes);
    tool_check(write_labels(output, &clusters, &err), &err);
    cdp_clusters_free(&clusters);
    cdp_forest_free(forest);
    tool_finish(output);
}
