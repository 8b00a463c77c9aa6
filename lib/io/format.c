// SPDX-License-Identifier: MIT
#include "io/format.h"

#include <string.h>

#include "base/bytes.h"
#include "io/kind.h"

int cdp_format_raw(struct cdp_matrix *m, const unsigned char *bytes, size_t size, uint64_t dim,
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
    m->swapped = !cdp_little_endian();
    return 0;
}

int cdp_format_vecs(struct cdp_matrix *m, const unsigned char *bytes, size_t size,
                    enum cdp_number number, struct cdp_err *err)
{
    uint64_t dim = size < 4 ? 0 : cdp_get_le(bytes, 4);
    if (dim < 1 || dim > INT32_MAX || dim > size / cdp_number_size(number))
        return cdp_fail(err, "%s: row 0: expected its dimension, got %ld in a file of %zu bytes",
                        m->name, (long)(int32_t)dim, size);
    m->number = number;
    m->dim = dim;
    m->number_stride = cdp_number_size(number);
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
                        size, m->row_stride, (unsigned long long)dim, cdp_number_size(number));
    m->data = bytes + 4;
    m->swapped = !cdp_little_endian();
    return 0;
}

// ---- npy

// Types as npy names them, without the byte order. NumPy knows no bfloat16: those of other
// libraries are written as two bytes of no type.
static const char *const descr[] = {
    [CDP_F16] = "f2", [CDP_BF16] = "V2", [CDP_F32] = "f4",  [CDP_F64] = "f8", [CDP_U8] = "u1",
    [CDP_I8] = "i1",  [CDP_I16] = "i2",  [CDP_U16] = "u2",  [CDP_I32] = "i4", [CDP_U32] = "u4",
    [CDP_I64] = "i8", [CDP_U64] = "u8",  [CDP_BOOL] = "b1",
};

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
    static const char wanted[] = "expected numbers of float16/32/64, bfloat16, integers or bool";
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
    for (size_t n = 0; length == 3 && n < sizeof descr / sizeof *descr; n++) {
        if (memchr("<>|=", type[0], 4) && !memcmp(type + 1, descr[n], 2)) {
            bool big = type[0] == '>', native = type[0] == '|' || type[0] == '=';
            m->number = (enum cdp_number)n;
            m->swapped =
                cdp_number_size((enum cdp_number)n) > 1 && !native && big == cdp_little_endian();
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

int cdp_format_npy(struct cdp_matrix *m, const unsigned char *bytes, size_t size,
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
    size_t item = cdp_number_size(m->number), wanted;
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
