// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/names.h"
#include "view/view.h"

// Writes a line of provenance, with ? for control characters.
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

void print_header(struct cdp_output *output, const struct cdp_header *h)
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

static void print_numbered(struct cdp_output *output, struct cdp_reader *reader)
{
    struct cdp_block block;
    struct cdp_err err;
    while (tool_check(cdp_reader_next(reader, &block, &err), &err)) {
        if (output)
            print_block(output, &block, cdp_reader_header(reader)->columns);
        cdp_progress_add(tool_progress(), block.edges);
    }
}

// Names follow the edges in a stream: all edges are read first.
static void print_named(struct cdp_output *output, struct cdp_reader *reader)
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
        cdp_progress_add(tool_progress(), block.edges);
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

void print_edges(struct cdp_output *output, struct cdp_reader *reader)
{
    cdp_progress_start(tool_progress(), "reading", "edges", 0);
    if (output && cdp_reader_header(reader)->named)
        print_named(output, reader);
    else
        print_numbered(output, reader);
}

void print_names(struct cdp_output *output, const struct cdp_names *names, const char *input)
{
    struct cdp_err err;
    if (!names)
        tool_fail("%s: its items have no names", input);
    tool_check(cdp_names_write(names, output, &err), &err);
}
