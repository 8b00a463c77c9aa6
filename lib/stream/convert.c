// SPDX-License-Identifier: MIT
#include "stream/convert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "io/matrix.h"
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

// Gives the numbers of a list names, which are their digits.
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
                       struct cdp_text_notes *notes, struct cdp_err *err)
{
    struct cdp_input *input;
    struct cdp_tsv *tsv;
    struct cdp_block block;
    if (cdp_input_open(&input, name, 0, err) || cdp_tsv_open(&tsv, input, form, err))
        return -1;
    int status;
    while ((status = cdp_tsv_next(tsv, &block, err)) > 0) {
        form->named = form->named || status > 1;
        if (status > 1 ? name_numbers(list, form->names, err) : add_block(list, &block, err)) {
            status = -1;
            break;
        }
    }
    if (notes) {
        notes->self_pairs += cdp_tsv_notes(tsv)->self_pairs;
        notes->head_lines += cdp_tsv_notes(tsv)->head_lines;
    }
    cdp_tsv_close(tsv);
    return status;
}

// ---- arrays

static int open_array(struct cdp_matrix *matrix, const char *file, const char *array,
                      struct cdp_err *err)
{
    char name[4096];
    if ((size_t)snprintf(name, sizeof name, "%s:%s.npy", file, array) >= sizeof name)
        return cdp_fail(err, "%s: the name is too long", file);
    return cdp_matrix_open(matrix, name, CDP_FORMAT_NPY, 0, 0, err);
}

static int add_neighbours(struct cdp_list *list, uint64_t row, const int64_t *id,
                          const float *distance, uint64_t width, const char *name,
                          struct cdp_err *err)
{
    for (uint64_t n = 0; n < width; n++) {
        if (id[n] == -1 || id[n] == (int64_t)row)
            continue;
        if (id[n] < 0)
            return cdp_fail(err, "%s: idx: row %llu: id %lld is below -1", name,
                            (unsigned long long)row, (long long)id[n]);
        if (cdp_list_add(list, row, (uint64_t)id[n], distance[n], err))
            return -1;
    }
    return 0;
}

static int add_pair(struct cdp_list *list, uint64_t row, const int64_t id[2], float score,
                    const char *name, struct cdp_err *err)
{
    if (id[0] < 0 || id[1] < 0)
        return cdp_fail(err, "%s: pairs: row %llu: an id is below 0", name,
                        (unsigned long long)row);
    return cdp_list_add(list, (uint64_t)id[0], (uint64_t)id[1], score, err);
}

static int add_rows(struct cdp_list *list, const struct cdp_matrix *ids,
                    const struct cdp_matrix *values, enum cdp_type type, const char *name,
                    struct cdp_err *err)
{
    int64_t *id = cdp_alloc(ids->dim, sizeof *id, "a row", err);
    float *value = cdp_alloc(values->dim, sizeof *value, "a row", err);
    int status = id && value ? 0 : -1;
    for (uint64_t row = 0; !status && row < ids->rows; row++) {
        cdp_matrix_row_i64(ids, row, id);
        cdp_matrix_row_f32(values, row, value);
        status = type == CDP_KNN ? add_neighbours(list, row, id, value, ids->dim, name, err)
                                 : add_pair(list, row, id, value[0], name, err);
    }
    free(id);
    free(value);
    return status;
}

int cdp_list_from_npz(struct cdp_list *list, const char *name, enum cdp_type *type, uint64_t *nodes,
                      struct cdp_err *err)
{
    struct cdp_matrix ids, values;
    struct cdp_err no_lists, no_pairs;
    bool knn = !open_array(&ids, name, "idx", &no_lists);
    if (!knn && open_array(&ids, name, "pairs", &no_pairs))
        return cdp_fail(err, "%s; %s", no_lists.text, no_pairs.text);
    int status = -1;
    if (open_array(&values, name, knn ? "dist" : "scores", err)) {
        cdp_matrix_close(&ids);
        return -1;
    }
    *type = knn ? CDP_KNN : CDP_PAIRS;
    if (knn && *nodes < ids.rows)
        *nodes = ids.rows;
    if (knn && (values.rows != ids.rows || values.dim != ids.dim))
        cdp_fail(err, "%s: idx and dist have different shapes", name);
    else if (!knn && (values.rows != ids.rows || ids.dim != 2 || values.dim != 1))
        cdp_fail(err, "%s: expected pairs of n x 2 and scores of n", name);
    else
        status = add_rows(list, &ids, &values, *type, name, err);
    cdp_matrix_close(&ids);
    cdp_matrix_close(&values);
    return status;
}

static int add_triples(struct cdp_list *list, const struct cdp_matrix *triples, const char *name,
                       struct cdp_err *err)
{
    for (uint64_t row = 0; row < triples->rows; row++) {
        int64_t id[3];
        float value[3];
        cdp_matrix_row_i64(triples, row, id);
        cdp_matrix_row_f32(triples, row, value);
        if (add_pair(list, row, id, value[2], name, err))
            return -1;
    }
    return 0;
}

int cdp_list_from_npy(struct cdp_list *list, const char *name, const char *scores,
                      struct cdp_err *err)
{
    struct cdp_matrix ids, values;
    if (cdp_matrix_open(&ids, name, CDP_FORMAT_NPY, 0, 0, err))
        return -1;
    int status = -1;
    if (!scores) {
        status = ids.dim == 3 ? add_triples(list, &ids, name, err)
                              : cdp_fail(err,
                                         "%s: rows of %llu; expected two ids and a score, or "
                                         "two ids and a second file of scores",
                                         name, (unsigned long long)ids.dim);
    } else if (!cdp_matrix_open(&values, scores, CDP_FORMAT_NPY, 0, ids.rows, err)) {
        status =
            ids.dim == 2 && values.dim == 1
                ? add_rows(list, &ids, &values, CDP_PAIRS, name, err)
                : cdp_fail(err, "%s, %s: expected pairs of n x 2 and scores of n", name, scores);
        cdp_matrix_close(&values);
    }
    cdp_matrix_close(&ids);
    return status;
}

// ---- Matrix Market (Boisvert, Pozo, Remington: The Matrix Market exchange formats, NISTIR 5935)

struct mtx {
    const char *name;
    const char *at, *end;
    uint64_t line;
    bool pattern;
    uint64_t rows, columns, entries;
};

// The next line that is no comment, as a text of its own; false at the end.
static bool next_line(struct mtx *m, char *line, size_t size)
{
    while (m->at < m->end) {
        const char *stop = memchr(m->at, '\n', (size_t)(m->end - m->at));
        size_t length = (size_t)((stop ? stop : m->end) - m->at);
        const char *at = m->at;
        m->at = stop ? stop + 1 : m->end;
        m->line++;
        if (length && at[length - 1] == '\r')
            length--;
        if ((length && *at == '%' && m->line > 1) || strspn(at, " \t") >= length)
            continue;
        snprintf(line, size, "%.*s", (int)(length < size ? length : size - 1), at);
        return true;
    }
    return false;
}

static int read_mtx_head(struct mtx *m, struct cdp_err *err)
{
    char line[256] = "", object[32], format[32], field[32], symmetry[32], rest;
    if (!next_line(m, line, sizeof line) ||
        sscanf(line, "%%%%MatrixMarket %31s %31s %31s %31s", object, format, field, symmetry) !=
            4 ||
        strcasecmp(object, "matrix") != 0 || strcasecmp(format, "coordinate") != 0)
        return cdp_fail_line(err, m->name, 1, "%%MatrixMarket matrix coordinate ...", line,
                             strlen(line));
    m->pattern = !strcasecmp(field, "pattern");
    if ((!m->pattern && strcasecmp(field, "real") != 0 && strcasecmp(field, "integer") != 0) ||
        (strcasecmp(symmetry, "general") != 0 && strcasecmp(symmetry, "symmetric") != 0))
        return cdp_fail_line(err, m->name, 1, "real, integer or pattern; general or symmetric",
                             line, strlen(line));
    unsigned long long size[3];
    if (!next_line(m, line, sizeof line) ||
        sscanf(line, "%llu %llu %llu %c", &size[0], &size[1], &size[2], &rest) != 3)
        return cdp_fail_line(err, m->name, m->line, "rows, columns and entries", line,
                             strlen(line));
    m->rows = size[0];
    m->columns = size[1];
    m->entries = size[2];
    return 0;
}

static int read_mtx_entry(struct mtx *m, struct cdp_list *list, struct cdp_err *err)
{
    char line[256] = "", rest;
    unsigned long long i = 0, j = 0;
    float value = 1;
    if (!next_line(m, line, sizeof line))
        return cdp_fail(err, "%s: line %llu: it ends before its %llu entries", m->name,
                        (unsigned long long)m->line, (unsigned long long)m->entries);
    int fields = m->pattern ? sscanf(line, "%llu %llu %c", &i, &j, &rest)
                            : sscanf(line, "%llu %llu %f %c", &i, &j, &value, &rest);
    if (fields != (m->pattern ? 2 : 3) || i < 1 || i > m->rows || j < 1 || j > m->columns ||
        !isfinite(value))
        return cdp_fail_line(err, m->name, m->line,
                             m->pattern ? "two indices from 1 to the matrix's size"
                                        : "two indices from 1 to the matrix's size and a number",
                             line, strlen(line));
    return i == j ? 0 : cdp_list_add(list, i - 1, j - 1, value, err);
}

int cdp_list_from_mtx(struct cdp_list *list, const char *name, uint64_t *nodes, struct cdp_err *err)
{
    struct cdp_input *input;
    const unsigned char *bytes;
    size_t size;
    char line[256];
    if (cdp_input_open(&input, name, 0, err))
        return -1;
    int status = cdp_input_whole(input, &bytes, &size, err);
    struct mtx m = {.name = cdp_input_name(input)};
    if (!status) {
        m.at = (const char *)bytes;
        m.end = m.at + size;
        status = read_mtx_head(&m, err);
    }
    for (uint64_t e = 0; !status && e < m.entries; e++)
        status = read_mtx_entry(&m, list, err);
    if (!status && next_line(&m, line, sizeof line))
        status = cdp_fail(err, "%s: line %llu: more than its %llu entries", m.name,
                          (unsigned long long)m.line, (unsigned long long)m.entries);
    uint64_t larger = m.rows > m.columns ? m.rows : m.columns;
    *nodes = larger > *nodes ? larger : *nodes;
    cdp_input_close(input);
    return status;
}

// ---- to npz

static int put(struct cdp_npz *npz, int width, uint64_t value, struct cdp_err *err)
{
    unsigned char bytes[8];
    cdp_put_le(bytes, width, value);
    return cdp_npz_write(npz, bytes, (size_t)width, err);
}

// One row of idx or dist: `self`, then a value for each neighbour, then -1 for those that it lacks.
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
    // Of a symmetric matrix the lower triangle is written.
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
