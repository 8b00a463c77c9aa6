// SPDX-License-Identifier: MIT
#include "stream/convert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/number.h"
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
    list->self_pairs += cdp_tsv_notes(tsv)->self_pairs;
    cdp_tsv_close(tsv);
    return status;
}

// Adds an edge of an array's row, unless it is of an item with itself.
static int add_edge(struct cdp_list *list, uint64_t row, uint64_t source, uint64_t target,
                    float value, const char *name, struct cdp_err *err)
{
    if (!isfinite(value))
        return cdp_fail(err, "%s: row %llu: expected a finite number, got %g", name,
                        (unsigned long long)row, (double)value);
    if (source != target)
        return cdp_list_add(list, source, target, value, err);
    list->self_pairs++;
    return 0;
}

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
        if (add_edge(list, row, row, (uint64_t)id[n], distance[n], name, err))
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
    return add_edge(list, row, (uint64_t)id[0], (uint64_t)id[1], score, name, err);
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

// ---- sparse matrices, of which those that are not square are between two tables of items

struct size {
    uint64_t rows, columns;
};

// Entry i, j of a matrix as an edge; `at` is the number of the entry.
static int add_entry(struct cdp_list *list, const struct size *size, uint64_t at, uint64_t i,
                     uint64_t j, float value, const char *name, struct cdp_err *err)
{
    return add_edge(list, at, i, size->rows == size->columns ? j : size->rows + j, value, name,
                    err);
}

static int raise_nodes(const struct size *size, uint64_t *nodes, const char *name,
                       struct cdp_err *err)
{
    bool square = size->rows == size->columns;
    if (!square && size->rows > INT64_MAX - size->columns)
        return cdp_fail(err, "%s: %llu rows and %llu columns are too many items", name,
                        (unsigned long long)size->rows, (unsigned long long)size->columns);
    uint64_t items = square ? size->rows : size->rows + size->columns;
    *nodes = items > *nodes ? items : *nodes;
    return 0;
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

// The word that a scipy.sparse file has for its format, of one or of four bytes a letter.
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

static int read_shape(const struct npz *npz, struct size *size, struct cdp_err *err)
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
    *size = (struct size){(uint64_t)extent[0], (uint64_t)extent[1]};
    return status;
}

// A number of a one-dimensional array, below `bound`.
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

// The entries of csr and csc: those of row (column) r are from first[r] to first[r + 1].
static int add_compressed(struct cdp_list *list, const struct npz *npz, const struct size *size,
                          bool by_row, const struct cdp_matrix *value,
                          const struct cdp_matrix *index, const struct cdp_matrix *first,
                          struct cdp_err *err)
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
            if (add_entry(list, size, at, by_row ? line : other, by_row ? other : line, score,
                          npz->name, err))
                return -1;
        }
        if (at != end)
            break;
    }
    return at == value->rows && at == end
               ? 0
               : cdp_fail(err, "%s: indptr does not rise to the number of entries", npz->name);
}

static int add_coordinates(struct cdp_list *list, const struct npz *npz, const struct size *size,
                           const struct cdp_matrix *value, const struct cdp_matrix *row,
                           const struct cdp_matrix *column, struct cdp_err *err)
{
    for (uint64_t at = 0; at < value->rows; at++) {
        uint64_t i, j;
        float score;
        if (take_index(row, at, size->rows, &i, err) ||
            take_index(column, at, size->columns, &j, err))
            return -1;
        cdp_matrix_row_f32(value, at, &score);
        if (add_entry(list, size, at, i, j, score, npz->name, err))
            return -1;
    }
    return 0;
}

// What scipy.sparse.save_npz writes.
static int add_sparse(struct cdp_list *list, const struct npz *npz, uint64_t *nodes,
                      struct cdp_err *err)
{
    struct cdp_matrix value, a, b;
    struct size size = {0, 0};
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
    if (read_shape(npz, &size, err) || raise_nodes(&size, nodes, npz->name, err) ||
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

// ---- Matrix Market (Boisvert, Pozo, Remington: The Matrix Market exchange formats, NISTIR 5935)

struct mtx {
    const char *name;
    const char *at, *end;
    uint64_t line;
    bool pattern, symmetric;
    struct size size;
    uint64_t entries;
};

struct word {
    const char *at;
    size_t length;
};

enum { WORDS = 6 };

// The words of the next line that is no comment, of which there may be more than WORDS: their
// number, 0 at the end of the file. *line is the whole line.
static int next_line(struct mtx *m, struct word word[WORDS], struct word *line)
{
    int words = 0;
    while (!words && m->at < m->end) {
        const char *stop = memchr(m->at, '\n', (size_t)(m->end - m->at)), *at = m->at;
        const char *end = stop ? stop : m->end;
        *line = (struct word){at, (size_t)(end - at)};
        m->at = stop ? stop + 1 : m->end;
        m->line++;
        while (at < end && !(m->line > 1 && *line->at == '%')) {
            const char *begin = at;
            while (at < end && *at != ' ' && *at != '\t' && *at != '\r')
                at++;
            if (at > begin && words++ < WORDS)
                word[words - 1] = (struct word){begin, (size_t)(at - begin)};
            while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
                at++;
        }
    }
    return words;
}

static bool is_word(const struct word *word, const char *text)
{
    return strlen(text) == word->length && !strncasecmp(word->at, text, word->length);
}

static int fail_mtx(const struct mtx *m, const char *wanted, const struct word *line,
                    struct cdp_err *err)
{
    return cdp_fail_line(err, m->name, m->line, wanted, line->at, line->length);
}

static int read_mtx_head(struct mtx *m, struct cdp_err *err)
{
    struct word word[WORDS], line = {"", 0};
    m->line = 0;
    int words = next_line(m, word, &line);
    if (words != 5 || !is_word(&word[0], "%%MatrixMarket") || !is_word(&word[1], "matrix"))
        return fail_mtx(m, "%%MatrixMarket matrix coordinate ...", &line, err);
    if (!is_word(&word[2], "coordinate"))
        return fail_mtx(m, "a sparse matrix ('coordinate')", &word[2], err);
    m->pattern = is_word(&word[3], "pattern");
    m->symmetric = is_word(&word[4], "symmetric");
    if (!m->pattern && !is_word(&word[3], "real") && !is_word(&word[3], "integer") &&
        !is_word(&word[3], "double"))
        return fail_mtx(m, "real, integer or pattern", &word[3], err);
    if (!m->symmetric && !is_word(&word[4], "general"))
        return fail_mtx(m, "general or symmetric", &word[4], err);
    words = next_line(m, word, &line);
    if (words != 3 || cdp_parse_id(word[0].at, word[0].length, &m->size.rows) ||
        cdp_parse_id(word[1].at, word[1].length, &m->size.columns) ||
        cdp_parse_id(word[2].at, word[2].length, &m->entries))
        return fail_mtx(m, "rows, columns and entries", &line, err);
    if (m->symmetric && m->size.rows != m->size.columns)
        return fail_mtx(m, "a symmetric matrix to be square", &line, err);
    return 0;
}

static int read_mtx_entry(struct mtx *m, struct cdp_list *list, uint64_t entry, struct cdp_err *err)
{
    struct word word[WORDS], line;
    uint64_t i, j;
    float value = 1;
    int words = next_line(m, word, &line);
    if (!words)
        return cdp_fail(err, "%s: line %llu: it ends before its %llu entries", m->name,
                        (unsigned long long)m->line, (unsigned long long)m->entries);
    if (words != (m->pattern ? 2 : 3) || cdp_parse_id(word[0].at, word[0].length, &i) ||
        cdp_parse_id(word[1].at, word[1].length, &j) || i < 1 || i > m->size.rows || j < 1 ||
        j > m->size.columns || (!m->pattern && cdp_parse_float(word[2].at, word[2].length, &value)))
        return fail_mtx(m,
                        m->pattern ? "two indices from 1 to the matrix's size"
                                   : "two indices from 1 to the matrix's size and a number",
                        &line, err);
    return add_entry(list, &m->size, entry, i - 1, j - 1, value, m->name, err);
}

int cdp_list_from_mtx(struct cdp_list *list, const char *name, uint64_t *nodes, struct cdp_err *err)
{
    struct cdp_input *input;
    const unsigned char *bytes;
    size_t size;
    struct word word[WORDS], line;
    if (cdp_input_open_text(&input, name, err))
        return -1;
    int status = cdp_input_whole(input, &bytes, &size, err);
    struct mtx m = {.name = cdp_input_name(input)};
    if (!status) {
        m.at = (const char *)bytes;
        m.end = m.at + size;
        status = read_mtx_head(&m, err) || raise_nodes(&m.size, nodes, m.name, err) ? -1 : 0;
    }
    for (uint64_t e = 0; !status && e < m.entries; e++)
        status = read_mtx_entry(&m, list, e, err);
    if (!status && next_line(&m, word, &line))
        status = cdp_fail(err, "%s: line %llu: more than its %llu entries", m.name,
                          (unsigned long long)m.line, (unsigned long long)m.entries);
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
