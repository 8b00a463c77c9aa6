// SPDX-License-Identifier: MIT
#include "io/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/threads.h"
#include "io/input.h"
#include "io/kind.h"

static const struct {
    const char *descr; // of npy, without the byte order
    size_t size;
} numbers[] = {
    [CDP_F16] = {"f2", 2}, [CDP_F32] = {"f4", 4}, [CDP_F64] = {"f8", 8}, [CDP_U8] = {"u1", 1},
    [CDP_I8] = {"i1", 1},  [CDP_I16] = {"i2", 2}, [CDP_U16] = {"u2", 2}, [CDP_I32] = {"i4", 4},
    [CDP_U32] = {"u4", 4}, [CDP_I64] = {"i8", 8}, [CDP_U64] = {"u8", 8}, [CDP_BOOL] = {"b1", 1},
};

static bool little_endian(void)
{
    const uint16_t one = 1;
    return *(const unsigned char *)&one == 1;
}

// ---- the formats: each fills rows, dim, number, data and strides from the file's bytes

static int parse_raw(struct cdp_matrix *m, const unsigned char *bytes, size_t size, uint64_t dim,
                     uint64_t rows, struct cdp_err *err)
{
    if (!dim && rows) {
        if (size % 4 || size / 4 % rows)
            return cdp_fail(err, "%s: %zu bytes, no multiple of %llu rows x 4", m->name, size,
                            (unsigned long long)rows);
        dim = size / 4 / rows;
    }
    if (!dim)
        return cdp_fail(err, "%s: raw float32 needs --dim", m->name);
    if (dim > size / 4)
        return cdp_fail(err, "%s: %zu bytes, fewer than a row's (--dim %llu x 4): another --dim?",
                        m->name, size, (unsigned long long)dim);
    if (size % (dim * 4))
        return cdp_fail(err, "%s: %zu bytes, no multiple of %llu (--dim %llu x 4): another --dim?",
                        m->name, size, (unsigned long long)dim * 4, (unsigned long long)dim);
    m->number = CDP_F32;
    m->rows = size / (dim * 4);
    m->dim = dim;
    m->data = bytes;
    m->number_stride = 4;
    m->row_stride = dim * 4;
    m->swapped = !little_endian();
    return 0;
}

// The vecs formats: each row is a 32-bit dimension and that many numbers.
static int parse_vecs(struct cdp_matrix *m, const unsigned char *bytes, size_t size,
                      enum cdp_number number, struct cdp_err *err)
{
    uint64_t dim = size < 4 ? 0 : cdp_get_le(bytes, 4);
    if (dim < 1 || dim > INT32_MAX || dim > size / numbers[number].size)
        return cdp_fail(err, "%s: row 0: expected its dimension, got %ld in a file of %zu bytes",
                        m->name, (long)(int32_t)dim, size);
    m->number = number;
    m->dim = dim;
    m->number_stride = numbers[number].size;
    m->row_stride = 4 + dim * m->number_stride;
    m->rows = size / m->row_stride;
    for (uint64_t row = 1; row < m->rows + (size % m->row_stride >= 4); row++) {
        uint64_t other = cdp_get_le(bytes + row * m->row_stride, 4);
        if (other != dim)
            return cdp_fail(err, "%s: row %llu: dimension %ld, but row 0 has %llu", m->name,
                            (unsigned long long)row, (long)(int32_t)other, (unsigned long long)dim);
    }
    if (size % m->row_stride)
        return cdp_fail(err, "%s: %zu bytes, no multiple of a row's %zu (4 + %llu x %zu)", m->name,
                        size, m->row_stride, (unsigned long long)dim, numbers[number].size);
    m->data = bytes + 4;
    m->swapped = !little_endian();
    return 0;
}

// npy's header, the text of a Python dictionary. It is not terminated.
struct header {
    const char *start, *at, *end;
};

static int fail_header(const struct cdp_matrix *m, const struct header *h, const char *wanted,
                       struct cdp_err *err)
{
    return cdp_fail(err, "%s: npy header, byte %zu: expected %s", m->name,
                    (size_t)(h->at - h->start), wanted);
}

static void skip_blanks(struct header *h)
{
    while (h->at < h->end && (*h->at == ' ' || *h->at == '\n'))
        h->at++;
}

// Consumes `token` if it is next.
static bool take(struct header *h, const char *token)
{
    size_t length = strlen(token);
    skip_blanks(h);
    if ((size_t)(h->end - h->at) < length || memcmp(h->at, token, length) != 0)
        return false;
    h->at += length;
    return true;
}

static int parse_descr(struct cdp_matrix *m, struct header *h, struct cdp_err *err)
{
    static const char wanted[] = "expected numbers of float16/32/64, integers or bool";
    if (take(h, "["))
        return cdp_fail(err, "%s: %s, got structures of several fields", m->name, wanted);
    const char *quote = take(h, "'") ? "'" : "\"";
    if (*quote != '\'' && !take(h, quote))
        return fail_header(m, h, "a type in quotes", err);
    const char *type = h->at;
    while (h->at < h->end && *h->at != *quote && *h->at >= ' ' && *h->at <= '~')
        h->at++;
    size_t length = (size_t)(h->at - type);
    if (!take(h, quote))
        return fail_header(m, h, "the end of the type", err);
    if (length && type[length - 1] == 'O')
        return cdp_fail(err, "%s: %s, got Python objects", m->name, wanted);
    for (size_t n = 0; length == 3 && n < sizeof numbers / sizeof numbers[0]; n++) {
        if (memchr("<>|=", type[0], 4) && !memcmp(type + 1, numbers[n].descr, 2)) {
            bool big = type[0] == '>', native = type[0] == '|' || type[0] == '=';
            m->number = (enum cdp_number)n;
            m->swapped = numbers[n].size > 1 && !native && big == little_endian();
            return 0;
        }
    }
    return cdp_fail(err, "%s: %s, got '%.*s': convert it with astype('float32')", m->name, wanted,
                    length < 40 ? (int)length : 40, type);
}

static int parse_order(struct cdp_matrix *m, struct header *h, bool *fortran, struct cdp_err *err)
{
    *fortran = take(h, "True");
    return *fortran || take(h, "False") ? 0 : fail_header(m, h, "True or False", err);
}

// "(3, 4)", "(3,)": rows and dim.
static int parse_shape(struct cdp_matrix *m, struct header *h, struct cdp_err *err)
{
    uint64_t extent[2] = {0, 1};
    int count = 0;
    if (!take(h, "("))
        return fail_header(m, h, "a shape in parentheses", err);
    while (!take(h, ")")) {
        uint64_t value = 0;
        const char *start = h->at;
        for (; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++) {
            if (__builtin_mul_overflow(value, 10, &value) ||
                __builtin_add_overflow(value, (uint64_t)(*h->at - '0'), &value))
                return fail_header(m, h, "an extent below 2^64", err);
        }
        if (h->at == start)
            return fail_header(m, h, "an extent of the shape", err);
        h->at += h->at < h->end && *h->at == 'L'; // long integers of Python 2
        if (count < 2)
            extent[count] = value;
        count++;
        if (!take(h, ",")) {
            if (take(h, ")"))
                break;
            return fail_header(m, h, "',' or ')'", err);
        }
    }
    if (count < 1 || count > 2)
        return cdp_fail(err, "%s: expected 1 or 2 dimensions, got %d: use numpy.reshape", m->name,
                        count);
    m->dimensions = count;
    m->rows = extent[0];
    m->dim = extent[1];
    return 0;
}

static int parse_header(struct cdp_matrix *m, struct header *h, bool *fortran, struct cdp_err *err)
{
    static const char *const keys[] = {"'descr'", "'fortran_order'", "'shape'"};
    static const char wanted[] = "descr, fortran_order and shape, each once";
    unsigned seen = 0;
    if (!take(h, "{"))
        return fail_header(m, h, "a dictionary", err);
    while (!take(h, "}")) {
        unsigned key = 0;
        while (key < 3 && (seen & 1U << key || !take(h, keys[key])))
            key++;
        if (key == 3)
            return fail_header(m, h, wanted, err);
        seen |= 1U << key;
        if (!take(h, ":"))
            return fail_header(m, h, "':'", err);
        if (key == 0   ? parse_descr(m, h, err)
            : key == 1 ? parse_order(m, h, fortran, err)
                       : parse_shape(m, h, err))
            return -1;
        if (!take(h, ",")) {
            if (take(h, "}"))
                break;
            return fail_header(m, h, "',' or '}'", err);
        }
    }
    if (seen != 7)
        return fail_header(m, h, wanted, err);
    skip_blanks(h);
    return h->at == h->end ? 0 : fail_header(m, h, "nothing behind the dictionary", err);
}

static int fail_npy(const struct cdp_matrix *m, const unsigned char *bytes, size_t size,
                    struct cdp_err *err)
{
    bool npy = size >= 6 && !memcmp(bytes, "\x93NUMPY", 6);
    const char *kind = npy ? NULL : cdp_kind(bytes, size);
    if (!kind && cdp_kind_is_text(bytes, size))
        kind = "text";
    return cdp_fail(err, "%s: not an npy file of version 1 to 3%s%s", m->name, kind ? ", but " : "",
                    kind ? kind : "");
}

static int parse_npy(struct cdp_matrix *m, const unsigned char *bytes, size_t size,
                     struct cdp_err *err)
{
    size_t start = size > 6 && bytes[6] == 1 ? 10 : 12; // of the header
    if (size < start || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3)
        return fail_npy(m, bytes, size, err);
    size_t length = cdp_get_le(bytes + 8, start == 10 ? 2 : 4), left = size - start;
    if (length > left)
        return cdp_fail(err, "%s: an npy header of %zu bytes, but the file has %zu more", m->name,
                        length, left);
    left -= length;
    const char *text = (const char *)bytes + start;
    struct header header = {text, text, text + length};
    bool fortran = false;
    if (parse_header(m, &header, &fortran, err))
        return -1;
    size_t item = numbers[m->number].size, wanted;
    if (__builtin_mul_overflow(m->rows, m->dim, &wanted) ||
        __builtin_mul_overflow(wanted, item, &wanted))
        return cdp_fail(err, "%s: %llu x %llu numbers are more than a file can hold", m->name,
                        (unsigned long long)m->rows, (unsigned long long)m->dim);
    if (wanted != left)
        return cdp_fail(err, "%s: %llu x %llu numbers of %zu bytes, but %zu bytes of data, not %zu",
                        m->name, (unsigned long long)m->rows, (unsigned long long)m->dim, item,
                        left, wanted);
    m->data = bytes + start + length;
    m->number_stride = fortran ? m->rows * item : item;
    m->row_stride = fortran ? item : m->dim * item;
    return 0;
}

// ---- opening

// Whether the name ends in `ending`, compression endings aside.
static bool ends_in(const char *name, const char *ending)
{
    static const char *const packed[] = {".gz", ".xz", ".zst", ".lz4", ".bz2"};
    size_t length = strlen(name), size = strlen(ending);
    for (size_t i = 0; i < sizeof packed / sizeof packed[0]; i++) {
        size_t p = strlen(packed[i]);
        if (length > p && !strcmp(name + length - p, packed[i])) {
            length -= p;
            break;
        }
    }
    return length >= size && !memcmp(name + length - size, ending, size);
}

static enum cdp_matrix_format guess_format(const char *name, const unsigned char *bytes,
                                           size_t size)
{
    if (size >= 6 && !memcmp(bytes, "\x93NUMPY", 6))
        return CDP_FORMAT_NPY;
    if (ends_in(name, ".fvecs"))
        return CDP_FORMAT_FVECS;
    return ends_in(name, ".bvecs") ? CDP_FORMAT_BVECS : CDP_FORMAT_RAW;
}

// Refuses known other formats, unless a format was given.
static int check_kind(const struct cdp_matrix *m, const unsigned char *bytes, size_t size,
                      struct cdp_err *err)
{
    const char *kind = cdp_kind(bytes, size);
    if (!kind && cdp_kind_is_text(bytes, size))
        kind = "text";
    if (kind && !strcmp(kind, "an npz archive"))
        return cdp_fail(err, "%s: an npz archive: name one of its arrays as %s:ARRAY", m->name,
                        m->name);
    if (kind)
        return cdp_fail(err,
                        "%s: numbers in raw float32, npy, fvecs or bvecs are wanted, and this is "
                        "%s: convert it with numpy.save",
                        m->name, kind);
    return ends_in(m->name, ".npy")
               ? cdp_fail(err, "%s: not an npy file, though named so: --format raw if it is raw",
                          m->name)
               : 0;
}

static int parse(struct cdp_matrix *m, enum cdp_matrix_format format, uint64_t dim, uint64_t rows,
                 struct cdp_err *err)
{
    const unsigned char *bytes;
    size_t size;
    if (cdp_input_whole(m->input, &bytes, &size, err))
        return -1;
    if (!size)
        return cdp_fail(err, "%s: the file is empty", m->name);
    int status = -1;
    bool guessed = format == CDP_FORMAT_AUTO;
    if (guessed)
        format = guess_format(m->name, bytes, size);
    if (guessed && format == CDP_FORMAT_RAW && check_kind(m, bytes, size, err))
        return -1;
    switch (format) {
    case CDP_FORMAT_NPY:
        status = parse_npy(m, bytes, size, err);
        break;
    case CDP_FORMAT_FVECS:
        status = parse_vecs(m, bytes, size, CDP_F32, err);
        break;
    case CDP_FORMAT_BVECS:
        status = parse_vecs(m, bytes, size, CDP_U8, err);
        break;
    case CDP_FORMAT_RAW:
    case CDP_FORMAT_AUTO:
        status = parse_raw(m, bytes, size, dim, rows, err);
        break;
    }
    if (status)
        return -1;
    if (dim && m->dim != dim)
        return cdp_fail(err, "%s: rows of %llu numbers, but --dim is %llu", m->name,
                        (unsigned long long)m->dim, (unsigned long long)dim);
    if (rows && m->rows != rows)
        return cdp_fail(err, "%s: %llu rows, but %llu are wanted", m->name,
                        (unsigned long long)m->rows, (unsigned long long)rows);
    if (!m->dim)
        return cdp_fail(err, "%s: rows of no numbers", m->name);
    return 0;
}

// Opens an input; takes ownership of it, on failure too.
static int open_input(struct cdp_matrix *matrix, struct cdp_input *input,
                      enum cdp_matrix_format format, uint64_t dim, uint64_t rows,
                      struct cdp_err *err)
{
    memset(matrix, 0, sizeof *matrix);
    matrix->input = input;
    matrix->dimensions = 2;
    matrix->name = strdup(cdp_input_name(input));
    if (!matrix->name)
        cdp_fail(err, "%s: out of memory", cdp_input_name(input));
    if (matrix->name && !parse(matrix, format, dim, rows, err))
        return 0;
    cdp_matrix_close(matrix);
    return -1;
}

int cdp_matrix_open(struct cdp_matrix *matrix, const char *name, enum cdp_matrix_format format,
                    uint64_t dim, uint64_t rows, struct cdp_err *err)
{
    struct cdp_input *input;
    if (cdp_input_open(&input, name, 1, err) || open_input(matrix, input, format, dim, rows, err))
        return -1;
    if (matrix->dimensions == 2)
        return 0;
    cdp_fail(err,
             "%s: an array of one dimension; rows of numbers are wanted: reshape it with "
             "numpy.reshape(a, (-1, DIM))",
             matrix->name);
    cdp_matrix_close(matrix);
    return -1;
}

int cdp_array_open(struct cdp_matrix *matrix, const char *name, uint64_t rows, struct cdp_err *err)
{
    struct cdp_input *input;
    return cdp_input_open(&input, name, 1, err)
               ? -1
               : open_input(matrix, input, CDP_FORMAT_NPY, 0, rows, err);
}

int cdp_array_open_in(struct cdp_matrix *matrix, struct cdp_input *npz, const char *name,
                      struct cdp_err *err)
{
    struct cdp_input *input;
    char member[256];
    snprintf(member, sizeof member, "%s.npy", name);
    return cdp_input_open_in(&input, npz, member, err)
               ? -1
               : open_input(matrix, input, CDP_FORMAT_NPY, 0, 0, err);
}

void cdp_matrix_close(struct cdp_matrix *matrix)
{
    cdp_input_close(matrix->input);
    free(matrix->name);
    memset(matrix, 0, sizeof *matrix);
}

// ---- numbers

// IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits.
static float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half >> 15) << 31, exponent = half >> 10 & 31,
             fraction = half & 1023;
    uint32_t bits;
    float value;
    if (exponent == 0) {
        value = (float)fraction * 0x1p-24F;
        return sign ? -value : value;
    }
    bits = sign | (exponent == 31 ? 255U : exponent + 112) << 23 | fraction << 13;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// The number at `at`, as a bit pattern of its type in native byte order.
static uint64_t load(const struct cdp_matrix *m, const unsigned char *at)
{
    size_t size = numbers[m->number].size;
    if (m->swapped != little_endian()) // little-endian bytes
        return cdp_get_le(at, (int)size);
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

static double as_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float to_float(enum cdp_number number, uint64_t bits)
{
    switch (number) {
    case CDP_F16:
        return half_to_float((uint16_t)bits);
    case CDP_F32:
        return cdp_bits_float((uint32_t)bits);
    case CDP_F64:
        return (float)as_double(bits);
    case CDP_I8:
        return (float)(int8_t)bits;
    case CDP_I16:
        return (float)(int16_t)bits;
    case CDP_I32:
        return (float)(int32_t)bits;
    case CDP_I64:
        return (float)(int64_t)bits;
    case CDP_U8:
    case CDP_U16:
    case CDP_U32:
    case CDP_U64:
        break;
    case CDP_BOOL:
        return bits != 0;
    }
    return (float)bits;
}

// Converts an integral floating-point number whose type represents all integers up to its size;
// `limit` is the first integer beyond.
static bool exact(double value, double limit, int64_t *id)
{
    if (!(value > -limit && value < limit))
        return false;
    *id = (int64_t)value;
    return (double)*id == value;
}

static bool to_id(enum cdp_number number, uint64_t bits, int64_t *id)
{
    *id = (int64_t)bits;
    switch (number) {
    case CDP_F16:
        return exact((double)to_float(number, bits), 0x1p11, id);
    case CDP_F32:
        return exact((double)to_float(number, bits), 0x1p24, id);
    case CDP_F64:
        return exact(as_double(bits), 0x1p53, id);
    case CDP_I8:
        *id = (int8_t)bits;
        return true;
    case CDP_I16:
        *id = (int16_t)bits;
        return true;
    case CDP_I32:
        *id = (int32_t)bits;
        return true;
    case CDP_U64:
        return bits <= INT64_MAX;
    case CDP_I64:
    case CDP_U8:
    case CDP_U16:
    case CDP_U32:
    case CDP_BOOL:
        break;
    }
    return true;
}

static int fail_id(const struct cdp_matrix *m, uint64_t row, uint64_t bits, struct cdp_err *err)
{
    if (m->number == CDP_U64)
        return cdp_fail(err, "%s: row %llu: the id %llu is not below 2^63", m->name,
                        (unsigned long long)row, (unsigned long long)bits);
    return cdp_fail(err, "%s: row %llu: %.17g is no id: a whole number is wanted%s", m->name,
                    (unsigned long long)row,
                    m->number == CDP_F64 ? as_double(bits) : (double)to_float(m->number, bits),
                    m->number == CDP_F64   ? " below 2^53, up to which float64 is exact"
                    : m->number == CDP_F32 ? " below 2^24, up to which float32 is exact"
                                           : " below 2^11, up to which float16 is exact");
}

void cdp_matrix_row_f32(const struct cdp_matrix *m, uint64_t row, float *out)
{
    const unsigned char *at = cdp_matrix_at(m, row);
    if (m->number == CDP_F32 && !m->swapped && m->number_stride == 4) {
        memcpy(out, at, m->dim * sizeof *out);
        return;
    }
    for (uint64_t d = 0; d < m->dim; d++)
        out[d] = to_float(m->number, load(m, at + d * m->number_stride));
}

bool cdp_matrix_plain(const struct cdp_matrix *m)
{
    return m->number == CDP_F32 && !m->swapped && m->number_stride == 4 && m->row_stride % 4 == 0 &&
           (uintptr_t)m->data % 4 == 0;
}

const float *cdp_matrix_row(const struct cdp_matrix *m, uint64_t row, float *room)
{
    if (cdp_matrix_plain(m))
        return (const float *)(const void *)cdp_matrix_at(m, row);
    cdp_matrix_row_f32(m, row, room);
    return room;
}

int cdp_matrix_row_ids(const struct cdp_matrix *m, uint64_t row, uint64_t count, int64_t *out,
                       struct cdp_err *err)
{
    const unsigned char *at = cdp_matrix_at(m, row);
    for (uint64_t d = 0; d < count; d++) {
        uint64_t bits = load(m, at + d * m->number_stride);
        if (!to_id(m->number, bits, &out[d]))
            return fail_id(m, row, bits, err);
    }
    return 0;
}

// Touches the pages of a mapped file: several threads fault them in faster than one.
static void touch(const unsigned char *bytes, size_t size, int threads)
{
    enum { PAGE = 4096 };
#pragma omp parallel for num_threads(cdp_threads(threads)) schedule(static)
    for (size_t at = 0; at < size; at += PAGE)
        (void)*(const volatile unsigned char *)(bytes + at);
}

// Hashes the rows from `first` to `last` - 1.
static void hash_rows(XXH64_state_t *state, const struct cdp_matrix *m, uint64_t first,
                      uint64_t last, float *row, int threads)
{
    size_t size = m->dim * sizeof *row;
    if (cdp_matrix_plain(m) && !m->pick && little_endian() && m->row_stride == size) {
        const unsigned char *bytes = m->data + first * size;
        touch(bytes, (last - first) * size, threads);
        XXH64_update(state, bytes, (last - first) * size);
        return;
    }
    for (uint64_t r = first; r < last; r++) {
        cdp_matrix_row_f32(m, r, row);
        for (uint64_t d = 0; !little_endian() && d < m->dim; d++) {
            uint32_t bits;
            memcpy(&bits, &row[d], sizeof bits);
            cdp_put_le(&row[d], 4, bits);
        }
        XXH64_update(state, row, size);
    }
}

int cdp_matrix_digest(const struct cdp_matrix *m, int threads, uint64_t *digest,
                      struct cdp_err *err)
{
    enum { TOGETHER = 1 << 24 }; // bytes
    float *row = cdp_alloc(m->dim, sizeof *row, "a row", err);
    XXH64_state_t *state = XXH64_createState();
    int status = row && state ? 0 : -1;
    if (row && !state)
        cdp_fail(err, "out of memory: digest");
    if (!status) {
        uint64_t most = TOGETHER / (m->dim * sizeof *row) + 1;
        XXH64_reset(state, 0);
        for (uint64_t r = 0; r < m->rows; r += most)
            hash_rows(state, m, r, m->rows - r < most ? m->rows : r + most, row, threads);
        *digest = XXH64_digest(state);
    }
    XXH64_freeState(state);
    free(row);
    return status;
}
