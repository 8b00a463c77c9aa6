// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "io/matrix.h"
#include "io/npz.h"
#include "stream/list.h"
#include "stream/stream.h"
#include "stream/tsv.h"
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
    .example = "  cdp-view --to tsv pairs.cdp | head\n"
               "  cdp-view --from npz -o m0.cdp m0_k15.npz\n",
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

static void put_i32(struct cdp_npz *npz, int64_t value)
{
    unsigned char bytes[4];
    struct cdp_err err;
    cdp_put_le(bytes, 4, (uint64_t)value);
    tool_check(cdp_npz_write(npz, bytes, 4, &err), &err);
}

static void put_f32(struct cdp_npz *npz, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_i32(npz, (int32_t)bits);
}

// The lists as the original stores them: itself first, at distance 0; short lists padded with -1.
static void write_lists(struct cdp_npz *npz, struct cdp_reader *reader)
{
    struct cdp_table t;
    struct cdp_err err;
    tool_check(cdp_table_load(&t, reader, &err), &err);
    uint64_t width = 0;
    for (uint64_t i = 0; i < t.rows; i++)
        width = t.offset[i + 1] - t.offset[i] > width ? t.offset[i + 1] - t.offset[i] : width;
    width++;
    if (t.rows > INT32_MAX) {
        cdp_fail(&err, "%s: %llu nodes: the ids of an npz have 32 bits", cdp_reader_name(reader),
                 (unsigned long long)t.rows);
        tool_fail(&err);
    }
    tool_check(cdp_npz_array(npz, "idx", "<i4", 4, t.rows, width, &err), &err);
    for (uint64_t i = 0; i < t.rows; i++) {
        put_i32(npz, (int64_t)i);
        for (uint64_t n = 1, e = t.offset[i]; n < width; n++, e++)
            put_i32(npz, e < t.offset[i + 1] ? (int64_t)t.target[e] : -1);
    }
    tool_check(cdp_npz_array(npz, "dist", "<f4", 4, t.rows, width, &err), &err);
    for (uint64_t i = 0; i < t.rows; i++) {
        put_f32(npz, 0);
        for (uint64_t n = 1, e = t.offset[i]; n < width; n++, e++)
            put_f32(npz, e < t.offset[i + 1] ? t.distance[e] : -1);
    }
    cdp_table_free(&t);
}

// Scored pairs: `pairs`, n x 2, and `scores`.
static void write_pairs(struct cdp_npz *npz, struct cdp_reader *reader)
{
    struct cdp_list list = {0};
    struct cdp_block block;
    struct cdp_err err;
    while (tool_check(cdp_reader_next(reader, &block, &err), &err)) {
        for (size_t e = 0; e < block.edges; e++)
            tool_check(
                cdp_list_add(&list, block.source[e], block.target[e], block.value[0][e], &err),
                &err);
    }
    tool_check(cdp_npz_array(npz, "pairs", "<i8", 8, list.count, 2, &err), &err);
    for (size_t e = 0; e < list.count; e++) {
        unsigned char bytes[16];
        cdp_put_le(bytes, 8, list.edge[e].source);
        cdp_put_le(bytes + 8, 8, list.edge[e].target);
        tool_check(cdp_npz_write(npz, bytes, sizeof bytes, &err), &err);
    }
    tool_check(cdp_npz_array(npz, "scores", "<f4", 4, list.count, 0, &err), &err);
    for (size_t e = 0; e < list.count; e++)
        put_f32(npz, list.edge[e].value);
    free(list.edge);
}

static void convert_to_npz(struct cdp_output *output, struct cdp_reader *reader)
{
    struct cdp_npz *npz;
    struct cdp_err err;
    tool_check(cdp_npz_open(&npz, output, &err), &err);
    if (cdp_reader_header(reader)->type == CDP_KNN)
        write_lists(npz, reader);
    else
        write_pairs(npz, reader);
    tool_check(cdp_npz_finish(npz, &err), &err);
    cdp_npz_free(npz);
}

// ---- to a stream

static void add_tsv(struct cdp_list *list, const char *name)
{
    struct cdp_input *input;
    struct cdp_tsv *tsv;
    struct cdp_block block;
    struct cdp_err err;
    tool_check(cdp_input_open(&input, name, 0, &err), &err);
    tool_check(cdp_tsv_open(&tsv, input, &err), &err);
    while (tool_check(cdp_tsv_next(tsv, &block, &err), &err)) {
        for (size_t e = 0; e < block.edges; e++)
            tool_check(
                cdp_list_add(list, block.source[e], block.target[e], block.value[0][e], &err),
                &err);
    }
    cdp_tsv_close(tsv);
}

static int open_array(struct cdp_matrix *matrix, const char *file, const char *array,
                      struct cdp_err *err)
{
    char name[4096];
    if ((size_t)snprintf(name, sizeof name, "%s:%s.npy", file, array) >= sizeof name)
        return cdp_fail(err, "%s: the name is too long", file);
    return cdp_matrix_open(matrix, name, CDP_FORMAT_NPY, 0, err);
}

static _Noreturn void fail_shape(const char *file, const char *what)
{
    struct cdp_err err;
    cdp_fail(&err, "%s: %s", file, what);
    tool_fail(&err);
}

// Row `row` of an array of neighbour lists, less the item itself and the padding.
static void add_list(struct cdp_list *list, const char *file, uint64_t row, const int64_t *ids,
                     const float *distances, uint64_t width)
{
    struct cdp_err err;
    for (uint64_t n = 0; n < width; n++) {
        if (ids[n] == -1 || ids[n] == (int64_t)row)
            continue;
        if (ids[n] < 0) {
            cdp_fail(&err, "%s: idx: row %llu: id %lld is below -1", file, (unsigned long long)row,
                     (long long)ids[n]);
            tool_fail(&err);
        }
        tool_check(cdp_list_add(list, row, (uint64_t)ids[n], distances[n], &err), &err);
    }
}

static void add_npz(struct cdp_list *list, struct cdp_header *header, const char *file)
{
    struct cdp_matrix ids, values;
    struct cdp_err err, other;
    bool knn = !open_array(&ids, file, "idx", &err);
    if (!knn && open_array(&ids, file, "pairs", &other)) {
        struct cdp_err both;
        cdp_fail(&both, "%s; %s", err.text, other.text);
        tool_fail(&both);
    }
    tool_check(open_array(&values, file, knn ? "dist" : "scores", &err), &err);
    if (values.rows != ids.rows || values.dim != (knn ? ids.dim : 1) || (!knn && ids.dim != 2))
        fail_shape(file, knn ? "idx and dist have different shapes"
                             : "expected pairs of n x 2 and scores of n");
    if (knn)
        cdp_header_init(header, CDP_KNN);
    if (knn && !nodes)
        nodes = ids.rows;

    int64_t *id = cdp_alloc(ids.dim, sizeof *id, "a row", &err);
    float *value = id ? cdp_alloc(values.dim, sizeof *value, "a row", &err) : NULL;
    tool_check(value ? 0 : -1, &err);
    for (uint64_t row = 0; row < ids.rows; row++) {
        cdp_matrix_row_i64(&ids, row, id);
        cdp_matrix_row_f32(&values, row, value);
        if (knn)
            add_list(list, file, row, id, value, ids.dim);
        else
            tool_check(cdp_list_add(list, (uint64_t)id[0], (uint64_t)id[1], value[0], &err), &err);
    }
    free(id);
    free(value);
    cdp_matrix_close(&ids);
    cdp_matrix_close(&values);
}

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
    struct cdp_header header;
    struct cdp_writer *writer;
    struct cdp_err err;
    cdp_header_init(&header, type ? CDP_KNN : CDP_PAIRS);
    for (int f = 0; f < files; f++) {
        if (from == TSV)
            add_tsv(&list, name[f]);
        else
            add_npz(&list, &header, name[f]);
    }
    tool_check(cdp_list_sort(&list, header.type, &err), &err);
    if (header.type == CDP_KNN) {
        header.metric = (enum cdp_metric)metric;
        header.k = longest_row(&list);
    }
    header.nodes = nodes;
    tool_provenance(&header);
    tool_check(
        cdp_writer_open(&writer, output, &header, (int)common.level, (int)common.threads, &err),
        &err);
    for (size_t e = 0; e < list.count; e++) {
        const struct cdp_edge *edge = &list.edge[e];
        struct cdp_err why;
        if (cdp_writer_add(writer, edge->source, edge->target, &edge->value, &why)) {
            cdp_fail(&err, "%s: %s", files == 1 ? name[0] : "the input files", why.text);
            tool_fail(&err);
        }
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
        convert_to_npz(output, reader);
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
