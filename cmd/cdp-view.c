// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "stream/convert.h"
#include "tool.h"

enum { TSV = 1, NPZ = 2 };

static bool show_header, check, show_digest;
static int to, from, type, metric = CDP_COSINE;
static uint64_t nodes;
static const char *const formats[] = {"none", "tsv", "npz", NULL};
static const char *const types[] = {"pairs", "knn", NULL};

static const struct cdp_option options[] = {
    {CDP_OPTION_FLAG, 0, "header", NULL,
     "show what the stream is and where it comes from (default)", &show_header, 0, 0, NULL},
    {CDP_OPTION_FLAG, 0, "check", NULL, "read the whole stream and check all that it promises",
     &check, 0, 0, NULL},
    {CDP_OPTION_FLAG, 0, "digest", NULL, "check, and show the digest of the content", &show_digest,
     0, 0, NULL},
    {CDP_OPTION_CHOICE, 0, "to", "FORMAT", "write the edges as tsv or npz", &to, 0, 0, formats},
    {CDP_OPTION_CHOICE, 0, "from", "FORMAT", "make a stream of tsv or npz", &from, 0, 0, formats},
    {CDP_OPTION_COUNT, 0, "nodes", "N", "with --from: number of nodes (default: as the ids say)",
     &nodes, 1, 9e18, NULL},
    {CDP_OPTION_CHOICE, 0, "type", "TYPE", "with --from tsv: pairs or knn (pairs)", &type, 0, 0,
     types},
    {CDP_OPTION_CHOICE, 0, "metric", "NAME", "with --from: metric of knn distances (cosine)",
     &metric, 0, 0, cdp_metric_names},
    {0},
};

static const struct tool tool = {
    .name = "cdp-view",
    .summary = "Shows, checks and converts edge streams",
    .synopsis = "[OPTION]... [FILE]...",
    .example = "cdp-view --to tsv pairs.cdp | head\n"
               "         cdp-view --from npz -o m0.cdp m0_k15.npz\n",
    .options = options,
};

// ---- from a stream

static void print_header(struct cdp_output *output, const struct cdp_header *h)
{
    struct cdp_err err;
    char line[64] = "unknown";
    if (h->nodes)
        snprintf(line, sizeof line, "%llu", (unsigned long long)h->nodes);
    tool_check(cdp_output_printf(output, &err, "type\t%s\nmetric\t%s\nk\t%u\nnodes\t%s\ncolumns",
                                 cdp_type_name(h->type), cdp_metric_names[h->metric], h->k, line),
               &err);
    for (unsigned c = 0; c < h->columns; c++)
        tool_check(cdp_output_printf(output, &err, "%s%s", c ? " " : "\t", h->column[c]), &err);
    tool_check(cdp_output_write(output, "\n", 1, &err), &err);
    for (const char *at = h->provenance; at && *at;) {
        size_t length = strcspn(at, "\n");
        tool_check(cdp_output_write(output, "provenance\t", 11, &err), &err);
        tool_check(cdp_output_write(output, at, length + 1, &err), &err);
        at += length + 1;
    }
}

static void print_block(struct cdp_output *output, const struct cdp_block *block, unsigned columns)
{
    struct cdp_err err;
    for (size_t e = 0; e < block->edges; e++) {
        char line[64 + 16 * CDP_MAX_COLUMNS];
        int used = snprintf(line, sizeof line, "%llu\t%llu", (unsigned long long)block->source[e],
                            (unsigned long long)block->target[e]);
        for (unsigned c = 0; c < columns; c++)
            used += snprintf(line + used, sizeof line - (size_t)used, "\t%.9g",
                             (double)block->value[c][e]);
        line[used++] = '\n';
        tool_check(cdp_output_write(output, line, (size_t)used, &err), &err);
    }
}

// Reads to the end, printing the edges where `output` is given.
static void read_stream(struct cdp_reader *reader, struct cdp_output *output)
{
    struct cdp_block block;
    struct cdp_err err;
    cdp_progress_start(tool_progress(), "reading", "edges", 0);
    while (tool_check(cdp_reader_next(reader, &block, &err), &err)) {
        if (output)
            print_block(output, &block, cdp_reader_header(reader)->columns);
        cdp_progress_add(tool_progress(), block.edges);
    }
}

// ---- to a stream

// The most neighbours of any source: the k of lists made elsewhere.
static uint32_t longest_row(const struct cdp_list *list)
{
    uint32_t longest = 0, run = 0;
    for (size_t e = 0; e < list->count; e++) {
        run = e && list->edge[e].source == list->edge[e - 1].source ? run + 1 : 1;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void convert_from(struct cdp_output *output, int files, char **name)
{
    struct cdp_list list = {0};
    uint64_t rows = 0; // of neighbour lists in npz
    struct cdp_header header;
    struct cdp_writer *writer;
    struct cdp_err err;
    enum cdp_type made = type ? CDP_KNN : CDP_PAIRS;
    for (int f = 0; f < files; f++) {
        enum cdp_type before = made;
        tool_check(from == TSV ? cdp_list_from_tsv(&list, name[f], true, &err)
                               : cdp_list_from_npz(&list, name[f], &made, &rows, &err),
                   &err);
        if (f > 0 && made != before)
            tool_fail("%s: %s, but the files before it hold %s", name[f], cdp_type_name(made),
                      cdp_type_name(before));
    }
    cdp_header_init(&header, made);
    tool_check(cdp_list_sort(&list, header.type, &err), &err);
    if (header.type == CDP_KNN) {
        header.metric = (enum cdp_metric)metric;
        header.k = longest_row(&list);
    }
    header.nodes = nodes ? nodes : rows;
    tool_provenance(&header);
    tool_check(
        cdp_writer_open(&writer, output, &header, (int)common.level, (int)common.threads, &err),
        &err);
    for (size_t e = 0; e < list.count; e++) {
        const struct cdp_edge *edge = &list.edge[e];
        if (cdp_writer_add(writer, edge->source, edge->target, &edge->value, &err))
            tool_fail("%s: %s", files == 1 ? name[0] : "the input files", err.text);
    }
    tool_check(cdp_writer_finish(writer, NULL, &err), &err);
    cdp_writer_free(writer);
    cdp_header_free(&header);
    free(list.edge);
}

int main(int argc, char **argv)
{
    int first = tool_start(&tool, argc, argv, 0, -1);
    static char dash[] = "-", *standard[] = {dash};
    char **name = first < argc ? argv + first : standard;
    int files = first < argc ? argc - first : 1;
    if (show_header + check + show_digest + (to > 0) + (from > 0) > 1)
        tool_usage("--header, --check, --digest, --to and --from exclude each other");
    if (!from && files > 1)
        tool_usage("operand '%s' is one too many", name[1]);
    struct cdp_output *output = tool_output(from || to == NPZ);

    if (from) {
        convert_from(output, files, name);
        tool_finish(output);
        return 0;
    }
    struct cdp_reader *reader;
    struct cdp_err err;
    tool_check(cdp_reader_open(&reader, name[0], ~0U, "", (int)common.threads, &err), &err);
    if (to == NPZ)
        tool_check(cdp_stream_to_npz(reader, output, &err), &err);
    else if (to || check || show_digest)
        read_stream(reader, to ? output : NULL);
    else
        print_header(output, cdp_reader_header(reader));
    const struct cdp_totals *totals = cdp_reader_totals(reader);
    if (check || show_digest)
        tool_say("%llu edges, %llu nodes, values from %g to %g", (unsigned long long)totals->edges,
                 (unsigned long long)totals->nodes, (double)totals->floor, (double)totals->ceiling);
    if (show_digest)
        tool_check(cdp_output_printf(output, &err, "%016llx\n", (unsigned long long)totals->digest),
                   &err);
    cdp_reader_close(reader);
    tool_finish(output);
}
