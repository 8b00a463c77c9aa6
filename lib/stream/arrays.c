// SPDX-License-Identifier: MIT
#include "stream/convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "io/matrix.h"
#include "stream/entries.h"

// ---- arrays

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
        if (cdp_list_add_row(list, row, row, (uint64_t)id[n], distance[n], name, err))
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
    return cdp_list_add_row(list, row, (uint64_t)id[0], (uint64_t)id[1], score, name, err);
}

static int add_rows(struct cdp_list *list, const struct cdp_matrix *ids,
                    const struct cdp_matrix *values, enum cdp_type type, const char *name,
                    struct cdp_err *err)
{
    int64_t *id = cdp_alloc(ids->dim, sizeof *id, "a row", err);
    float *value = cdp_alloc(values->dim, sizeof *value, "a row", err);
    int status = id && value ? 0 : -1;
    for (uint64_t row = 0; !status && row < ids->rows; row++) {
        cdp_matrix_row_f32(values, row, value);
        status = cdp_matrix_row_ids(ids, row, ids->dim, id, err);
        if (!status)
            status = type == CDP_KNN ? add_neighbours(list, row, id, value, ids->dim, name, err)
                                     : add_pair(list, row, id, value[0], name, err);
    }
    free(id);
    free(value);
    return status;
}

static int add_triples(struct cdp_list *list, const struct cdp_matrix *triples, const char *name,
                       struct cdp_err *err)
{
    for (uint64_t row = 0; row < triples->rows; row++) {
        int64_t id[2];
        float value[3];
        cdp_matrix_row_f32(triples, row, value);
        if (cdp_matrix_row_ids(triples, row, 2, id, err) ||
            add_pair(list, row, id, value[2], name, err))
            return -1;
    }
    return 0;
}

int cdp_list_from_npy(struct cdp_list *list, const char *name, const char *scores,
                      struct cdp_err *err)
{
    struct cdp_matrix ids, values;
    if (cdp_array_open(&ids, name, 0, err))
        return -1;
    int status = -1;
    if (!scores) {
        status = ids.dim == 3 ? add_triples(list, &ids, name, err)
                              : cdp_fail(err,
                                         "%s: rows of %llu; expected two ids and a score, or "
                                         "two ids and a second file of scores",
                                         name, (unsigned long long)ids.dim);
    } else if (!cdp_array_open(&values, scores, ids.rows, err)) {
        status =
            ids.dim == 2 && values.dim == 1
                ? add_rows(list, &ids, &values, CDP_PAIRS, name, err)
                : cdp_fail(err, "%s, %s: expected pairs of n x 2 and scores of n", name, scores);
        cdp_matrix_close(&values);
    }
    cdp_matrix_close(&ids);
    return status;
}

// ---- npz

enum array { IDX, DIST, PAIRS, SCORES, FORMAT, SHAPE, DATA, INDICES, INDPTR, ROW, COL, ARRAYS };

static const char *const array_names[ARRAYS] = {
    "idx", "dist", "pairs", "scores", "format", "shape", "data", "indices", "indptr", "row", "col"};

struct npz {
    struct cdp_input *input;
    const char *name;
    bool has[ARRAYS];
    char listed[400];
};

static int list_array(void *context, const char *path, uint64_t size, struct cdp_input *content,
                      struct cdp_err *err)
{
    struct npz *npz = context;
    size_t length = strlen(path), used = strlen(npz->listed);
    (void)size;
    (void)content;
    (void)err;
    length -= length > 4 && !strcmp(path + length - 4, ".npy") ? 4 : 0;
    for (int a = 0; a < ARRAYS; a++)
        npz->has[a] |= strlen(array_names[a]) == length && !strncmp(path, array_names[a], length);
    snprintf(npz->listed + used, sizeof npz->listed - used, "%s%.*s", used ? ", " : "", (int)length,
             path);
    return 0;
}

static int open_two(const struct npz *npz, enum array first, enum array second,
                    struct cdp_matrix *a, struct cdp_matrix *b, struct cdp_err *err)
{
    if (cdp_array_open_in(a, npz->input, array_names[first], err))
        return -1;
    if (cdp_array_open_in(b, npz->input, array_names[second], err)) {
        cdp_matrix_close(a);
        return -1;
    }
    return 0;
}

static int add_arrays(struct cdp_list *list, const struct npz *npz, enum cdp_type type,
                      uint64_t *nodes, struct cdp_err *err)
{
    struct cdp_matrix ids, values;
    bool knn = type == CDP_KNN;
    if (open_two(npz, knn ? IDX : PAIRS, knn ? DIST : SCORES, &ids, &values, err))
        return -1;
    int status = -1;
    if (knn && (values.rows != ids.rows || values.dim != ids.dim))
        cdp_fail(err, "%s: idx and dist have different shapes", npz->name);
    else if (!knn && (values.rows != ids.rows || ids.dim != 2 || values.dim != 1))
        cdp_fail(err, "%s: expected pairs of n x 2 and scores of n", npz->name);
    else
        status = add_rows(list, &ids, &values, type, npz->name, err);
    if (knn && *nodes < ids.rows)
        *nodes = ids.rows;
    cdp_matrix_close(&ids);
    cdp_matrix_close(&values);
    return status;
}

// Reads the format name of a scipy.sparse file, stored as 1 or 4 bytes per letter.
static int read_format(const struct npz *npz, char word[8], struct cdp_err *err)
{
    struct cdp_input *input;
    const unsigned char *bytes;
    size_t size, used = 0;
    if (cdp_input_open_in(&input, npz->input, "format.npy", err))
        return -1;
    int status = cdp_input_whole(input, &bytes, &size, err);
    size_t at = 0;
    if (!status && size > 12)
        at = bytes[6] == 1 ? 10 + cdp_get_le(bytes + 8, 2) : 12 + cdp_get_le(bytes + 8, 4);
    for (; !status && at < size && used < 7; at++) {
        if (bytes[at] >= 'a' && bytes[at] <= 'z')
            word[used++] = (char)bytes[at];
    }
    word[used] = '\0';
    cdp_input_close(input);
    return status;
}

static int read_shape(const struct npz *npz, struct cdp_matrix_size *size, struct cdp_err *err)
{
    struct cdp_matrix shape;
    int64_t extent[2] = {-1, -1};
    if (cdp_array_open_in(&shape, npz->input, "shape", err))
        return -1;
    bool two = shape.rows == 2 && shape.dim == 1;
    int status = !two || cdp_matrix_row_ids(&shape, 0, 1, &extent[0], err) ||
                         cdp_matrix_row_ids(&shape, 1, 1, &extent[1], err)
                     ? -1
                     : 0;
    cdp_matrix_close(&shape);
    if (!two || (!status && (extent[0] < 0 || extent[1] < 0)))
        return cdp_fail(err, "%s: shape: expected rows and columns", npz->name);
    *size = (struct cdp_matrix_size){(uint64_t)extent[0], (uint64_t)extent[1]};
    return status;
}

// Reads number `at` of a one-dimensional array, which must be from 0 to bound - 1.
static int take_index(const struct cdp_matrix *array, uint64_t at, uint64_t bound, uint64_t *index,
                      struct cdp_err *err)
{
    int64_t id;
    if (cdp_matrix_row_ids(array, at, 1, &id, err))
        return -1;
    *index = (uint64_t)id;
    return id >= 0 && *index < bound
               ? 0
               : cdp_fail(err, "%s: row %llu: %lld is not from 0 to %llu", array->name,
                          (unsigned long long)at, (long long)id, (unsigned long long)bound - 1);
}

// The entries of csr and csc: row (column) r has entries first[r] .. first[r + 1] - 1.
static int add_compressed(struct cdp_list *list, const struct npz *npz,
                          const struct cdp_matrix_size *size, bool by_row,
                          const struct cdp_matrix *value, const struct cdp_matrix *index,
                          const struct cdp_matrix *first, struct cdp_err *err)
{
    uint64_t lines = by_row ? size->rows : size->columns, at = 0, end = 0;
    if (first->rows != lines + 1)
        return cdp_fail(err, "%s: indptr of %llu numbers; expected %llu", npz->name,
                        (unsigned long long)first->rows, (unsigned long long)lines + 1);
    if (take_index(first, 0, 1, &at, err))
        return -1;
    for (uint64_t line = 0; line < lines; line++) {
        if (take_index(first, line + 1, value->rows + 1, &end, err))
            return -1;
        for (; at < end; at++) {
            uint64_t other;
            float score;
            if (take_index(index, at, by_row ? size->columns : size->rows, &other, err))
                return -1;
            cdp_matrix_row_f32(value, at, &score);
            if (cdp_list_add_entry(list, size, at, by_row ? line : other, by_row ? other : line,
                                   score, npz->name, err))
                return -1;
        }
        if (at != end)
            break;
    }
    return at == value->rows && at == end
               ? 0
               : cdp_fail(err, "%s: indptr does not rise to the number of entries", npz->name);
}

static int add_coordinates(struct cdp_list *list, const struct npz *npz,
                           const struct cdp_matrix_size *size, const struct cdp_matrix *value,
                           const struct cdp_matrix *row, const struct cdp_matrix *column,
                           struct cdp_err *err)
{
    for (uint64_t at = 0; at < value->rows; at++) {
        uint64_t i, j;
        float score;
        if (take_index(row, at, size->rows, &i, err) ||
            take_index(column, at, size->columns, &j, err))
            return -1;
        cdp_matrix_row_f32(value, at, &score);
        if (cdp_list_add_entry(list, size, at, i, j, score, npz->name, err))
            return -1;
    }
    return 0;
}

// The arrays of scipy.sparse.save_npz.
static int add_sparse(struct cdp_list *list, const struct npz *npz, uint64_t *nodes,
                      struct cdp_err *err)
{
    struct cdp_matrix value, a, b;
    struct cdp_matrix_size size = {0, 0};
    char format[8];
    if (read_format(npz, format, err))
        return -1;
    bool by_row = !strcmp(format, "csr"), by_column = !strcmp(format, "csc"),
         compressed = by_row || by_column;
    if (!compressed && strcmp(format, "coo") != 0)
        return cdp_fail(err,
                        "%s: a scipy.sparse matrix in the format '%s'; csr, csc and coo are read: "
                        "convert it with tocsr()",
                        npz->name, format);
    if (read_shape(npz, &size, err) || cdp_matrix_items(&size, nodes, npz->name, err) ||
        cdp_array_open_in(&value, npz->input, "data", err))
        return -1;
    int status = open_two(npz, compressed ? INDICES : ROW, compressed ? INDPTR : COL, &a, &b, err);
    if (!status) {
        if (value.dim != 1 || a.dim != 1 || b.dim != 1 || a.rows != value.rows ||
            (!compressed && b.rows != value.rows))
            status = cdp_fail(err, "%s: its arrays have different lengths", npz->name);
        else
            status = compressed ? add_compressed(list, npz, &size, by_row, &value, &a, &b, err)
                                : add_coordinates(list, npz, &size, &value, &a, &b, err);
        cdp_matrix_close(&a);
        cdp_matrix_close(&b);
    }
    cdp_matrix_close(&value);
    return status;
}

int cdp_list_from_npz(struct cdp_list *list, const char *name, enum cdp_type *type, uint64_t *nodes,
                      struct cdp_err *err)
{
    struct npz npz = {0};
    if (cdp_input_open(&npz.input, name, 1, err))
        return -1;
    npz.name = cdp_input_name(npz.input);
    int status = cdp_input_members_in(npz.input, list_array, &npz, err);
    if (!status && npz.has[IDX] && npz.has[DIST]) {
        *type = CDP_KNN;
        status = add_arrays(list, &npz, CDP_KNN, nodes, err);
    } else if (!status && npz.has[PAIRS] && npz.has[SCORES]) {
        *type = CDP_PAIRS;
        status = add_arrays(list, &npz, CDP_PAIRS, nodes, err);
    } else if (!status && npz.has[FORMAT] && npz.has[SHAPE] && npz.has[DATA]) {
        *type = CDP_PAIRS;
        status = add_sparse(list, &npz, nodes, err);
    } else if (!status) {
        status = cdp_fail(err,
                          "%s: expected the arrays idx and dist, or pairs and scores, or those of "
                          "scipy.sparse.save_npz; it has %s",
                          npz.name, *npz.listed ? npz.listed : "none");
    }
    cdp_input_close(npz.input);
    return status;
}
