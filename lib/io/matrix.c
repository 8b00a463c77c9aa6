// SPDX-License-Identifier: MIT
#include "io/matrix.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "io/input.h"

static const struct {
    const char *descr; // of npy, without the byte order
    size_t size;
} numbers[] = {
    [CDP_F16] = {"f2", 2}, [CDP_F32] = {"f4", 4}, [CDP_F64] = {"f8", 8}, [CDP_U8] = {"u1", 1},
    [CDP_I8] = {"i1", 1},  [CDP_I16] = {"i2", 2}, [CDP_U16] = {"u2", 2}, [CDP_I32] = {"i4", 4},
    [CDP_U32] = {"u4", 4}, [CDP_I64] = {"i8", 8}, [CDP_U64] = {"u8", 8},
};

static bool little_endian(void)
{
    const uint16_t one = 1;
    return *(const unsigned char *)&one == 1;
}

// ---- the formats: each fills rows, dim, number, data and strides from the file's bytes

static int parse_raw(struct cdp_matrix *m, const unsigned char *bytes, size_t size, uint64_t dim,
                     struct cdp_err *err)
{
    if (!dim)
        return cdp_fail(err, "%s: raw float32 needs --dim", m->name);
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
    if (dim < 1 || dim >= (uint64_t)1 << 31)
        return cdp_fail(err, "%s: row 0: expected its dimension, got %llu", m->name,
                        (unsigned long long)dim);
    m->number = number;
    m->dim = dim;
    m->number_stride = numbers[number].size;
    m->row_stride = 4 + dim * m->number_stride;
    if (size % m->row_stride)
        return cdp_fail(err, "%s: %zu bytes, no multiple of a row's %zu (4 + %llu x %zu)", m->name,
                        size, m->row_stride, (unsigned long long)dim, m->number_stride);
    m->rows = size / m->row_stride;
    for (uint64_t row = 1; row < m->rows; row++) {
        uint64_t other = cdp_get_le(bytes + row * m->row_stride, 4);
        if (other != dim)
            return cdp_fail(err, "%s: row %llu: dimension %llu, but row 0 has %llu", m->name,
                            (unsigned long long)row, (unsigned long long)other,
                            (unsigned long long)dim);
    }
    m->data = bytes + 4;
    m->swapped = !little_endian();
    return 0;
}

// The value of a key in npy's header, a Python dictionary.
static const char *npy_value(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    if (!at)
        return NULL;
    at += strlen(key);
    at += strspn(at, " ");
    if (*at != ':')
        return NULL;
    at++;
    return at + strspn(at, " ");
}

static int parse_descr(struct cdp_matrix *m, const char *descr)
{
    char order = descr[1];
    if (descr[0] != '\'' || !strchr("<>|=", order) || !order)
        return -1;
    for (size_t n = 0; n < sizeof numbers / sizeof numbers[0]; n++) {
        if (!strncmp(descr + 2, numbers[n].descr, 2) && descr[4] == '\'') {
            m->number = (enum cdp_number)n;
            bool big = order == '>';
            m->swapped = numbers[n].size > 1 && order != '=' && big == little_endian();
            return 0;
        }
    }
    return -1;
}

// "(3, 4)", "(3,)": rows and dim.
static int parse_shape(struct cdp_matrix *m, const char *shape)
{
    uint64_t extent[2] = {0, 1};
    int count = 0;
    if (*shape++ != '(')
        return -1;
    while (*shape != ')') {
        char *stop;
        if (count == 2 || *shape < '0' || *shape > '9')
            return -1;
        extent[count++] = strtoull(shape, &stop, 10);
        shape = stop + strspn(stop, " ,");
    }
    m->rows = extent[0];
    m->dim = extent[1];
    return count ? 0 : -1;
}

static int parse_npy(struct cdp_matrix *m, const unsigned char *bytes, size_t size,
                     struct cdp_err *err)
{
    size_t head = size > 6 && bytes[6] == 1 ? 10 : 12;
    if (size < head || memcmp(bytes, "\x93NUMPY", 6) || bytes[6] < 1 || bytes[6] > 3)
        return cdp_fail(err, "%s: not an npy file of version 1 to 3", m->name);
    size_t length = cdp_get_le(bytes + 8, head == 10 ? 2 : 4);
    if (length > size - head || length > 1 << 20)
        return cdp_fail(err, "%s: the npy header is cut", m->name);
    char *header = strndup((const char *)bytes + head, length);
    if (!header)
        return cdp_fail(err, "%s: out of memory", m->name);
    const char *descr = npy_value(header, "'descr'");
    const char *order = npy_value(header, "'fortran_order'");
    const char *shape = npy_value(header, "'shape'");
    int status = 0;
    if (!descr || !order || !shape)
        status = cdp_fail(err, "%s: the npy header lacks descr, fortran_order or shape", m->name);
    else if (parse_descr(m, descr))
        status = cdp_fail(err, "%s: expected numbers of float16/32/64 or integers, got %.20s",
                          m->name, descr);
    else if (parse_shape(m, shape))
        status = cdp_fail(err, "%s: expected 1 or 2 dimensions, got shape %.40s", m->name, shape);
    bool fortran = order && !strncmp(order, "True", 4);
    free(header);
    if (status)
        return -1;
    size_t item = numbers[m->number].size, wanted;
    if (__builtin_mul_overflow(m->rows, m->dim, &wanted) ||
        __builtin_mul_overflow(wanted, item, &wanted) || wanted != size - head - length)
        return cdp_fail(err, "%s: %llu x %llu numbers of %zu bytes, but %zu bytes of data", m->name,
                        (unsigned long long)m->rows, (unsigned long long)m->dim, item,
                        size - head - length);
    m->data = bytes + head + length;
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

static int parse(struct cdp_matrix *m, enum cdp_matrix_format format, uint64_t dim,
                 struct cdp_err *err)
{
    const unsigned char *bytes;
    size_t size;
    if (cdp_input_whole(m->input, &bytes, &size, err))
        return -1;
    if (!size)
        return cdp_fail(err, "%s: the file is empty", m->name);
    int status = -1;
    switch (format == CDP_FORMAT_AUTO ? guess_format(m->name, bytes, size) : format) {
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
        status = parse_raw(m, bytes, size, dim, err);
        break;
    }
    if (status)
        return -1;
    if (dim && m->dim != dim)
        return cdp_fail(err, "%s: rows of %llu numbers, but --dim is %llu", m->name,
                        (unsigned long long)m->dim, (unsigned long long)dim);
    if (!m->dim)
        return cdp_fail(err, "%s: rows of no numbers", m->name);
    return 0;
}

int cdp_matrix_open(struct cdp_matrix *matrix, const char *name, enum cdp_matrix_format format,
                    uint64_t dim, struct cdp_err *err)
{
    memset(matrix, 0, sizeof *matrix);
    if (cdp_input_open(&matrix->input, name, 1, err))
        return -1;
    matrix->name = strdup(strcmp(name, "-") ? name : "standard input");
    if (!matrix->name)
        cdp_fail(err, "%s: out of memory", name);
    if (matrix->name && !parse(matrix, format, dim, err))
        return 0;
    cdp_matrix_close(matrix);
    return -1;
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

// The number at `at`, as an 8-byte bit pattern of its type in this machine's order.
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

static float as_float(uint64_t bits)
{
    uint32_t word = (uint32_t)bits;
    float value;
    memcpy(&value, &word, sizeof value);
    return value;
}

static float to_float(enum cdp_number number, uint64_t bits)
{
    switch (number) {
    case CDP_F16:
        return half_to_float((uint16_t)bits);
    case CDP_F32:
        return as_float(bits);
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
    }
    return (float)bits;
}

static int64_t truncated(double value)
{
    return value >= -9223372036854775808.0 && value < 9223372036854775808.0 ? (int64_t)value
                                                                            : INT64_MIN;
}

static int64_t to_integer(enum cdp_number number, uint64_t bits)
{
    switch (number) {
    case CDP_F16:
    case CDP_F32:
        return truncated((double)to_float(number, bits));
    case CDP_F64:
        return truncated(as_double(bits));
    case CDP_I8:
        return (int8_t)bits;
    case CDP_I16:
        return (int16_t)bits;
    case CDP_I32:
        return (int32_t)bits;
    case CDP_I64:
    case CDP_U8:
    case CDP_U16:
    case CDP_U32:
    case CDP_U64:
        break;
    }
    return (int64_t)bits;
}

void cdp_matrix_row_f32(const struct cdp_matrix *m, uint64_t row, float *out)
{
    const unsigned char *at = m->data + row * m->row_stride;
    if (m->number == CDP_F32 && !m->swapped && m->number_stride == 4) {
        memcpy(out, at, m->dim * sizeof *out);
        return;
    }
    for (uint64_t d = 0; d < m->dim; d++)
        out[d] = to_float(m->number, load(m, at + d * m->number_stride));
}

const float *cdp_matrix_row(const struct cdp_matrix *m, uint64_t row, float *room)
{
    const unsigned char *at = m->data + row * m->row_stride;
    if (m->number == CDP_F32 && !m->swapped && m->number_stride == 4 && (uintptr_t)at % 4 == 0)
        return (const float *)(const void *)at;
    cdp_matrix_row_f32(m, row, room);
    return room;
}

void cdp_matrix_row_i64(const struct cdp_matrix *m, uint64_t row, int64_t *out)
{
    const unsigned char *at = m->data + row * m->row_stride;
    for (uint64_t d = 0; d < m->dim; d++)
        out[d] = to_integer(m->number, load(m, at + d * m->number_stride));
}

int cdp_matrix_digest(const struct cdp_matrix *m, uint64_t *digest, struct cdp_err *err)
{
    float *row = cdp_alloc(m->dim, sizeof *row, "a row", err);
    XXH64_state_t *state = XXH64_createState();
    int status = row && state ? 0 : -1;
    if (row && !state)
        cdp_fail(err, "out of memory: digest");
    if (!status)
        XXH64_reset(state, 0);
    for (uint64_t r = 0; !status && r < m->rows; r++) {
        cdp_matrix_row_f32(m, r, row);
        for (uint64_t d = 0; !little_endian() && d < m->dim; d++) {
            uint32_t bits;
            memcpy(&bits, &row[d], sizeof bits);
            cdp_put_le(&row[d], 4, bits);
        }
        XXH64_update(state, row, m->dim * sizeof *row);
    }
    if (!status)
        *digest = XXH64_digest(state);
    XXH64_freeState(state);
    free(row);
    return status;
}
