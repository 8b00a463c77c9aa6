// SPDX-License-Identifier: MIT
#include "io/matrix.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/threads.h"
#include "io/input.h"

void cdp_matrix_close(struct cdp_matrix *matrix)
{
    cdp_input_close(matrix->input);
    free(matrix->name);
    memset(matrix, 0, sizeof *matrix);
}

// ---- numbers

static const unsigned char sizes[] = {
    [CDP_F16] = 2, [CDP_BF16] = 2, [CDP_F32] = 4,  [CDP_F64] = 8, [CDP_U8] = 1,
    [CDP_I8] = 1,  [CDP_I16] = 2,  [CDP_U16] = 2,  [CDP_I32] = 4, [CDP_U32] = 4,
    [CDP_I64] = 8, [CDP_U64] = 8,  [CDP_BOOL] = 1,
};

size_t cdp_number_size(enum cdp_number number)
{
    return sizes[number];
}

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
    size_t size = sizes[m->number];
    if (m->swapped != cdp_little_endian()) // little-endian bytes
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
    case CDP_BF16: // the upper half of a float32
        return cdp_bits_float((uint32_t)bits << 16);
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
    case CDP_BF16:
        return exact((double)to_float(number, bits), 0x1p8, id);
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
                    m->number == CDP_F64    ? " below 2^53, up to which float64 is exact"
                    : m->number == CDP_F32  ? " below 2^24, up to which float32 is exact"
                    : m->number == CDP_BF16 ? " below 2^8, up to which bfloat16 is exact"
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
    if (cdp_matrix_plain(m) && !m->pick && cdp_little_endian() && m->row_stride == size) {
        const unsigned char *bytes = m->data + first * size;
        touch(bytes, (last - first) * size, threads);
        XXH64_update(state, bytes, (last - first) * size);
        return;
    }
    for (uint64_t r = first; r < last; r++) {
        cdp_matrix_row_f32(m, r, row);
        for (uint64_t d = 0; !cdp_little_endian() && d < m->dim; d++) {
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
