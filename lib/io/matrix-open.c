// SPDX-License-Identifier: MIT
// Opening a matrix: its format, by the content or the name, and its size.
#include <stdio.h>
#include <string.h>

#include "io/format.h"
#include "io/input.h"
#include "io/kind.h"
#include "io/matrix.h"

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
        status = cdp_format_npy(m, bytes, size, err);
        break;
    case CDP_FORMAT_FVECS:
        status = cdp_format_vecs(m, bytes, size, CDP_F32, err);
        break;
    case CDP_FORMAT_BVECS:
        status = cdp_format_vecs(m, bytes, size, CDP_U8, err);
        break;
    case CDP_FORMAT_RAW:
    case CDP_FORMAT_AUTO:
        status = cdp_format_raw(m, bytes, size, dim, rows, err);
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
