// SPDX-License-Identifier: MIT
#include "stream/convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "io/npz.h"

// ---- to a list

static int add_block(struct cdp_list *list, const struct cdp_block *block, struct cdp_err *err)
{
    for (size_t e = 0; e < block->edges; e++) {
        if (cdp_list_add(list, block->source[e], block->target[e], block->value[0][e], err))
            return -1;
    }
    return 0;
}

// Replaces the numbers of a list by names, which are their digits.
static int name_numbers(struct cdp_list *list, struct cdp_names *names, struct cdp_err *err)
{
    for (size_t e = 0; e < list->count; e++) {
        uint64_t *id[] = {&list->edge[e].source, &list->edge[e].target};
        for (int i = 0; i < 2; i++) {
            char digits[24];
            int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)*id[i]);
            if (cdp_names_add(names, digits, (size_t)length, id[i], err))
                return -1;
        }
    }
    return 0;
}

int cdp_list_from_text(struct cdp_list *list, const char *name, struct cdp_text_form *form,
                       struct cdp_err *err)
{
    struct cdp_input *input;
    struct cdp_tsv *tsv;
    struct cdp_block block;
    if (cdp_input_open(&input, name, 0, err))
        return -1;
    if (cdp_input_check_pipe(input, name, err)) {
        cdp_input_close(input);
        return -1;
    }
    if (cdp_tsv_open(&tsv, input, form, err))
        return -1;
    int status;
    while ((status = cdp_tsv_next(tsv, &block, err)) > 0) {
        form->named = form->named || status > 1;
        if (status > 1 ? name_numbers(list, form->names, err) : add_block(list, &block, err)) {
            status = -1;
            break;
        }
    }
    list->self_pairs += cdp_tsv_notes(tsv)->self_pairs;
    list->head_lines += cdp_tsv_notes(tsv)->head_lines;
    cdp_tsv_close(tsv);
    return status;
}

// ---- to npz

static int put(struct cdp_npz *npz, int width, uint64_t value, struct cdp_err *err)
{
    unsigned char bytes[8];
    cdp_put_le(bytes, width, value);
    return cdp_npz_write(npz, bytes, (size_t)width, err);
}

// Writes a row of idx or dist: `self`, a value per neighbour, and -1 as padding.
static int put_row(struct cdp_npz *npz, const struct cdp_table *t, uint64_t row, uint64_t width,
                   bool ids, struct cdp_err *err)
{
    int status = put(npz, 4, ids ? row : 0, err);
    uint64_t padding = ids ? UINT64_MAX : cdp_float_bits(-1);
    for (uint64_t n = 1, e = t->offset[row]; !status && n < width; n++, e++) {
        bool there = e < t->offset[row + 1];
        status = put(npz, 4,
                     !there ? padding
                     : ids  ? t->target[e]
                            : cdp_float_bits(t->distance[e]),
                     err);
    }
    return status;
}

static int write_lists(struct cdp_npz *npz, struct cdp_reader *reader, struct cdp_err *err)
{
    struct cdp_table t;
    if (cdp_table_load(&t, reader, err))
        return -1;
    uint64_t width = 1;
    for (uint64_t i = 0; i < t.rows; i++)
        width =
            t.offset[i + 1] - t.offset[i] + 1 > width ? t.offset[i + 1] - t.offset[i] + 1 : width;
    int status = 0;
    if (t.rows > INT32_MAX)
        status = cdp_fail(err, "%s: %llu nodes: the ids of an npz have 32 bits",
                          cdp_reader_name(reader), (unsigned long long)t.rows);
    for (int ids = 1; !status && ids >= 0; ids--) {
        status =
            cdp_npz_array(npz, ids ? "idx" : "dist", ids ? "<i4" : "<f4", 4, t.rows, width, err);
        for (uint64_t i = 0; !status && i < t.rows; i++)
            status = put_row(npz, &t, i, width, ids, err);
    }
    cdp_table_free(&t);
    return status;
}

static int load(struct cdp_list *list, struct cdp_reader *reader, struct cdp_err *err)
{
    struct cdp_block block;
    int status;
    while ((status = cdp_reader_next(reader, &block, err)) > 0) {
        if (add_block(list, &block, err))
            return -1;
    }
    return status;
}

static int write_pairs(struct cdp_npz *npz, struct cdp_reader *reader, struct cdp_err *err)
{
    struct cdp_list list = {0};
    int status = load(&list, reader, err);
    if (!status)
        status = cdp_npz_array(npz, "pairs", "<i8", 8, list.count, 2, err);
    for (size_t e = 0; !status && e < list.count; e++)
        status = put(npz, 8, list.edge[e].source, err) || put(npz, 8, list.edge[e].target, err);
    if (!status)
        status = cdp_npz_array(npz, "scores", "<f4", 4, list.count, 0, err);
    for (size_t e = 0; !status && e < list.count; e++)
        status = put(npz, 4, cdp_float_bits(list.edge[e].value), err);
    free(list.edge);
    return status ? -1 : 0;
}

int cdp_stream_to_npz(struct cdp_reader *reader, struct cdp_output *output, struct cdp_err *err)
{
    struct cdp_npz *npz;
    if (cdp_npz_open(&npz, output, err))
        return -1;
    int status = cdp_reader_header(reader)->type == CDP_KNN ? write_lists(npz, reader, err)
                                                            : write_pairs(npz, reader, err);
    if (!status)
        status = cdp_npz_finish(npz, err);
    cdp_npz_free(npz);
    return status;
}

// ---- to Matrix Market

int cdp_stream_to_mtx(struct cdp_reader *reader, struct cdp_output *output, struct cdp_err *err)
{
    struct cdp_list list = {0};
    bool directed = cdp_reader_header(reader)->type == CDP_KNN;
    int status = load(&list, reader, err);
    unsigned long long nodes = status ? 0 : cdp_reader_totals(reader)->nodes;
    if (!status)
        status = cdp_output_printf(output, err,
                                   "%%%%MatrixMarket matrix coordinate real %s\n%llu %llu %zu\n",
                                   directed ? "general" : "symmetric", nodes, nodes, list.count);
    // A symmetric matrix is stored as its lower triangle.
    for (size_t e = 0; !status && e < list.count; e++) {
        const struct cdp_edge *edge = &list.edge[e];
        status = cdp_output_printf(output, err, "%llu %llu %.9g\n",
                                   (unsigned long long)(directed ? edge->source : edge->target) + 1,
                                   (unsigned long long)(directed ? edge->target : edge->source) + 1,
                                   (double)edge->value);
    }
    free(list.edge);
    return status;
}
