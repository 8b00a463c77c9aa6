// SPDX-License-Identifier: MIT
#include "stream/convert.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "io/matrix.h"
#include "io/npz.h"
#include "stream/tsv.h"

// ---- to a list

static int add_block(struct cdp_list *list, const struct cdp_block *block, struct cdp_err *err)
{
    for (size_t e = 0; e < block->edges; e++) {
        if (cdp_list_add(list, block->source[e], block->target[e], block->value[0][e], err))
            return -1;
    }
    return 0;
}

int cdp_list_from_tsv(struct cdp_list *list, const char *name, bool scored, struct cdp_err *err)
{
    struct cdp_input *input;
    struct cdp_tsv *tsv;
    struct cdp_block block;
    if (cdp_input_open(&input, name, 0, err) || cdp_tsv_open(&tsv, input, scored, err))
        return -1;
    int status;
    while ((status = cdp_tsv_next(tsv, &block, err)) > 0) {
        status = add_block(list, &block, err);
        if (status)
            break;
    }
    cdp_tsv_close(tsv);
    return status;
}

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

static int write_pairs(struct cdp_npz *npz, struct cdp_reader *reader, struct cdp_err *err)
{
    struct cdp_list list = {0};
    struct cdp_block block;
    int status;
    while ((status = cdp_reader_next(reader, &block, err)) > 0) {
        status = add_block(&list, &block, err);
        if (status)
            break;
    }
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
