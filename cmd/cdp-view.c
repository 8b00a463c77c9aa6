// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stream/convert.h"
#include "tool.h"

enum { UNSET = -1, TSV, NPZ, MTX, CSV, NPY }; // indices of from_formats and to_formats

static bool show_header, check, show_digest;
static int to = UNSET, from = UNSET, type, metric = CDP_COSINE;
static uint64_t nodes;
static bool distance, rescale, named;
static const char *chosen_columns, *ids_name, *ids_out_name;
static struct cdp_output *names_output;
static const char *const to_formats[] = {"tsv", "npz", "mtx", NULL};
static const char *const from_formats[] = {"tsv", "npz", "mtx", "csv", "npy", NULL};
static const char *const types[] = {"pairs", "knn", NULL};

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_FLAG,
     .name = "header",
     .group = "Action",
     .help = "print the header and the provenance (the default)",
     .value = &show_header,
     .without = "check digest to from"},
    {.type = CDP_OPTION_FLAG,
     .name = "check",
     .help = "read the whole stream and verify it",
     .value = &check,
     .without = "digest to from"},
    {.type = CDP_OPTION_FLAG,
     .name = "digest",
     .help = "verify the stream and print the digest of its content",
     .value = &show_digest,
     .without = "to from"},
    {.type = CDP_OPTION_CHOICE,
     .name = "to",
     .arg = "FORMAT",
     .help = "convert a stream",
     .value = &to,
     .choices = to_formats,
     .without = "from"},
    {.type = CDP_OPTION_CHOICE,
     .name = "from",
     .arg = "FORMAT",
     .help = "make a stream",
     .value = &from,
     .choices = from_formats},
    {.type = CDP_OPTION_CHOICE,
     .name = "type",
     .arg = "TYPE",
     .group = "Input of --from",
     .help = "type of the edges in tsv and csv",
     .value = &type,
     .choices = types,
     .with = "from=tsv from=csv"},
    {.type = CDP_OPTION_TEXT,
     .name = "columns",
     .arg = "I,J,S",
     .help = "columns of the two ids and the score in tsv and csv",
     .value = &chosen_columns,
     .not_file = true,
     .with = "from=tsv from=csv"},
    {.type = CDP_OPTION_FLAG,
     .name = "named",
     .help = "all ids in tsv and csv are names, even numbers",
     .value = &named,
     .with = "from=tsv from=csv",
     .without = "ids"},
    {.type = CDP_OPTION_TEXT,
     .name = "ids",
     .arg = "NAMES",
     .help = "file of item names, one per line, by id",
     .value = &ids_name,
     .with = "from"},
    {.type = CDP_OPTION_COUNT,
     .name = "nodes",
     .arg = "N",
     .help = "number of items",
     .value = &nodes,
     .unset = "highest id + 1",
     .min = 1,
     .max = 9e18,
     .with = "from"},
    {.type = CDP_OPTION_CHOICE,
     .name = "metric",
     .arg = "NAME",
     .help = "metric of knn edges",
     .value = &metric,
     .choices = cdp_metric_names,
     .with = "type=knn from=npz"},
    {.type = CDP_OPTION_FLAG,
     .name = "distance",
     .help = "values are distances: score = 1 - value",
     .value = &distance,
     .with = "from",
     .without = "type=knn"},
    {.type = CDP_OPTION_FLAG,
     .name = "rescale",
     .help = "map the scores linearly to 0..1",
     .value = &rescale,
     .with = "from",
     .without = "type=knn"},
    {.type = CDP_OPTION_TEXT,
     .name = "ids-out",
     .arg = "NAMES",
     .group = "Output",
     .help = "write the item names to NAMES, one per line",
     .value = &ids_out_name,
     .with = "from check digest to",
     .without = "ids"},
    {0},
};

static const struct tool tool = {
    .name = "cdp-view",
    .summary = "Shows, checks and converts edge streams",
    .synopsis = "[OPTION]... [FILE]...",
    .example = "cdp-view --to tsv pairs.cdp | head\n"
               "         cdp-view --from npz -o m0.cdp m0_k15.npz\n",
    .options = options,
    .stream = "from",
};

// ---- from a stream

// A line of provenance, control characters masked.
static void print_line(struct cdp_output *output, const char *at, size_t length)
{
    struct cdp_err err;
    tool_check(cdp_output_write(output, "provenance\t", 11, &err), &err);
    for (size_t i = 0; i < length; i++) {
        char c = (unsigned char)at[i] < 32 || at[i] == 127 ? '?' : at[i];
        tool_check(cdp_output_write(output, &c, 1, &err), &err);
    }
    tool_check(cdp_output_write(output, "\n", 1, &err), &err);
}

static void print_header(struct cdp_output *output, const struct cdp_header *h)
{
    struct cdp_err err;
    char line[64] = "unknown";
    if (h->nodes)
        snprintf(line, sizeof line, "%llu", (unsigned long long)h->nodes);
    tool_check(cdp_output_printf(output, &err, "type\t%s\nmetric\t%s\nk\t%u\nnodes\t%s\n",
                                 cdp_type_name(h->type), cdp_metric_names[h->metric], h->k, line),
               &err);
    if (h->rows[1])
        tool_check(cdp_output_printf(output, &err, "rows\t%llu:%llu\n",
                                     (unsigned long long)h->rows[0],
                                     (unsigned long long)h->rows[1]),
                   &err);
    if (h->scale != 0)
        tool_check(cdp_output_printf(output, &err, "scale\t%.9g\n", (double)h->scale), &err);
    if (h->named)
        tool_check(cdp_output_printf(output, &err, "names\tyes\n"), &err);
    tool_check(cdp_output_write(output, "columns", 7, &err), &err);
    for (unsigned c = 0; c < h->columns; c++)
        tool_check(cdp_output_printf(output, &err, "%s%s", c ? " " : "\t", h->column[c]), &err);
    tool_check(cdp_output_write(output, "\n", 1, &err), &err);
    for (const char *at = h->provenance; at && *at;) {
        size_t length = strcspn(at, "\n");
        print_line(output, at, length);
        at += length + (at[length] != '\0');
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

// The same with names for ids, which come behind the edges. Memory: all edges.
static void print_named(struct cdp_reader *reader, struct cdp_output *output)
{
    unsigned columns = cdp_reader_header(reader)->columns;
    struct cdp_block block;
    struct cdp_err err;
    uint64_t *ends = NULL;
    float *value = NULL;
    size_t ends_room = 0, value_room = 0, edges = 0;
    while (tool_check(cdp_reader_next(reader, &block, &err), &err)) {
        tool_check(
            cdp_grow(&ends, &ends_room, 2 * (edges + block.edges), sizeof *ends, "edges", &err),
            &err);
        tool_check(cdp_grow(&value, &value_room, columns * (edges + block.edges), sizeof *value,
                            "values", &err),
                   &err);
        for (size_t e = 0; e < block.edges; e++, edges++) {
            ends[2 * edges] = block.source[e];
            ends[2 * edges + 1] = block.target[e];
            for (unsigned c = 0; c < columns; c++)
                value[columns * edges + c] = block.value[c][e];
        }
    }
    const struct cdp_names *names = cdp_reader_names(reader);
    for (size_t e = 0; e < edges; e++) {
        tool_check(cdp_item_write(output, names, ends[2 * e], &err), &err);
        tool_check(cdp_output_write(output, "\t", 1, &err), &err);
        tool_check(cdp_item_write(output, names, ends[2 * e + 1], &err), &err);
        for (unsigned c = 0; c < columns; c++)
            tool_check(cdp_output_printf(output, &err, "\t%.9g", (double)value[columns * e + c]),
                       &err);
        tool_check(cdp_output_write(output, "\n", 1, &err), &err);
    }
    free(ends);
    free(value);
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

// Splits --columns in place; its parts are the form's.
static void choose_columns(struct cdp_text_form *form)
{
    static char text[1024];
    char *at = text;
    if (!chosen_columns)
        return;
    if (snprintf(text, sizeof text, "%s", chosen_columns) >= (int)sizeof text)
        tool_usage("--columns is longer than %zu bytes", sizeof text - 1);
    int count = 0;
    for (; at && count < 3; count++) {
        form->column[count] = strsep(&at, ",");
        if (!*form->column[count])
            break;
    }
    if (at || count < 2)
        tool_usage("--columns wants two ids, or two ids and a score, with commas between, not '%s'",
                   chosen_columns);
    form->unscored = count == 2;
}

static bool reads_text(void)
{
    return from == TSV || from == CSV;
}

static void open_names(struct cdp_text_form *form)
{
    struct cdp_err err;
    form->known = ids_name != NULL;
    form->automatic = !ids_name && !named && !ids_out_name;
    if (ids_name)
        tool_check(cdp_names_read(&form->names, ids_name, &err), &err);
    else if (reads_text())
        tool_check(cdp_names_new(&form->names, &err), &err);
}

// Reads all files into a list. Returns the type of their edges; raises *rows to the number of nodes
// where the format has one.
static enum cdp_type read_files(struct cdp_list *list, struct cdp_text_form *form, char **name,
                                int files, uint64_t *rows)
{
    enum cdp_type made = type ? CDP_KNN : CDP_PAIRS;
    struct cdp_err err;
    for (int f = 0; f < files; f++) {
        enum cdp_type before = made;
        int status = from == NPZ   ? cdp_list_from_npz(list, name[f], &made, rows, &err)
                     : from == MTX ? cdp_list_from_mtx(list, name[f], rows, &err)
                     : from == NPY
                         ? cdp_list_from_npy(list, name[f], files > 1 ? name[1] : NULL, &err)
                         : cdp_list_from_text(list, name[f], form, &err);
        tool_check(status, &err);
        if (f > 0 && made != before)
            tool_fail("%s: %s, but the files before it hold %s", name[f], cdp_type_name(made),
                      cdp_type_name(before));
        if (from == NPY)
            break;
    }
    if (list->self_pairs)
        tool_warn("%llu pairs of an item with itself are left out",
                  (unsigned long long)list->self_pairs);
    if (list->head_lines)
        tool_warn("the first line is taken for a head line, since its score is no number");
    return made;
}

// Writes --ids-out.
static void write_names(const struct cdp_names *names, const char *input)
{
    struct cdp_err err;
    if (names_output && !names)
        tool_fail("%s: its items have no names", input);
    if (names_output)
        tool_check(cdp_names_write(names, names_output, &err), &err);
}

static void convert_from(struct cdp_output *output, int files, char **name)
{
    struct cdp_list list = {0};
    struct cdp_text_form form = {.csv = from == CSV};
    uint64_t rows = 0;
    struct cdp_header header;
    struct cdp_writer *writer;
    struct cdp_err err;
    const char *all = files == 1 ? name[0] : "the input files";
    choose_columns(&form);
    open_names(&form);
    cdp_header_init(&header, read_files(&list, &form, name, files, &rows));
    if (header.type == CDP_KNN && (distance || rescale))
        tool_usage("--distance and --rescale are for pairs: %s holds neighbour lists", all);
    if (header.type == CDP_PAIRS && cdp_list_scores(&list, distance, rescale, &err))
        tool_fail("%s: %s", all, err.text);
    if (list.clamped)
        tool_warn("%llu scores were off 0 or 1 by at most 1e-6, and are 0 or 1 now",
                  (unsigned long long)list.clamped);
    tool_check(cdp_list_sort(&list, header.type, &err), &err);
    if (header.type == CDP_KNN) {
        header.metric = (enum cdp_metric)metric;
        header.k = longest_row(&list);
    }
    const struct cdp_names *names = !form.automatic || form.named ? form.names : NULL;
    if (ids_name && rows && cdp_names_count(names) != rows)
        tool_fail("%s: %llu names, but %s has %llu items", ids_name,
                  (unsigned long long)cdp_names_count(names), all, (unsigned long long)rows);
    header.nodes = nodes ? nodes : names ? cdp_names_count(names) : rows;
    header.named = names != NULL;
    tool_provenance(&header);
    tool_check(
        cdp_writer_open(&writer, output, &header, (int)common.level, (int)common.threads, &err),
        &err);
    for (size_t e = 0; e < list.count; e++) {
        const struct cdp_edge *edge = &list.edge[e];
        if (cdp_writer_add(writer, edge->source, edge->target, &edge->value, &err))
            tool_fail("%s: %s", all, err.text);
    }
    cdp_writer_names(writer, names);
    tool_check(cdp_writer_finish(writer, NULL, &err), &err);
    write_names(names, all);
    cdp_names_free(form.names);
    cdp_writer_free(writer);
    cdp_header_free(&header);
    free(list.edge);
}

static void check_usage(int files, char **name)
{
    if ((from == UNSET && files > 1) || (from == NPY && files > 2))
        tool_usage("operand '%s' is one too many", name[from == NPY ? 2 : 1]);
}

int main(int argc, char **argv)
{
    int first = tool_start(&tool, argc, argv, 0, -1);
    static char dash[] = "-", *standard[] = {dash};
    char **name = first < argc ? argv + first : standard;
    int files = first < argc ? argc - first : 1;
    check_usage(files, name);
    struct cdp_output *output = tool_output(from != UNSET || to == NPZ);
    if (ids_out_name)
        names_output = tool_side_output(ids_out_name);

    if (from != UNSET) {
        convert_from(output, files, name);
        tool_finish(output);
        return 0;
    }
    struct cdp_reader *reader;
    struct cdp_err err;
    tool_check(cdp_reader_open(&reader, name[0], ~0U, "", (int)common.threads, &err), &err);
    if (to == NPZ)
        tool_check(cdp_stream_to_npz(reader, output, &err), &err);
    else if (to == MTX)
        tool_check(cdp_stream_to_mtx(reader, output, &err), &err);
    else if (to == TSV && cdp_reader_header(reader)->named)
        print_named(reader, output);
    else if (to == TSV || check || show_digest)
        read_stream(reader, to == TSV ? output : NULL);
    else
        print_header(output, cdp_reader_header(reader));
    if ((to == NPZ || to == MTX) && cdp_reader_names(reader) && !names_output)
        tool_warn("%s: the items' names do not fit the format: --ids-out writes them", name[0]);
    write_names(cdp_reader_names(reader), name[0]);
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
