// SPDX-License-Identifier: MIT
#ifndef CDP_MATRIX_H
#define CDP_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// A matrix of rows x dim numbers in a file: features, or an array of an .npz. A plain file is
// mapped into memory: opening is free, and the kernel can drop the pages. Compressed files, archive
// members and pipes are read into memory.
//
//   raw    float32 rows without a header; needs the dimension; the size must be a multiple of dim x
//   4 npy    NumPy's format, versions 1 to 3, C or Fortran order, either byte order, two
//   dimensions;
//          float16/32/64, bfloat16, integers of 8 to 64 bits, bool
//   fvecs  each row preceded by its dimension (int32), float32 numbers
//   bvecs  the same with unsigned bytes
//
// `auto` detects npy by its magic, fvecs and bvecs by the ending of the name (before .gz etc.; of
// an archive member, its own name); otherwise the format is raw, unless the content is text or a
// known other format.

enum cdp_matrix_format {
    CDP_FORMAT_AUTO,
    CDP_FORMAT_RAW,
    CDP_FORMAT_NPY,
    CDP_FORMAT_FVECS,
    CDP_FORMAT_BVECS
};

enum cdp_number {
    CDP_F16,
    CDP_BF16,
    CDP_F32,
    CDP_F64,
    CDP_U8,
    CDP_I8,
    CDP_I16,
    CDP_U16,
    CDP_I32,
    CDP_U32,
    CDP_I64,
    CDP_U64,
    CDP_BOOL
};

// Bytes of a number.
size_t cdp_number_size(enum cdp_number number);

struct cdp_matrix {
    uint64_t rows;
    uint64_t dim;
    int dimensions; // of the array
    enum cdp_number number;
    bool swapped;              // not in native byte order
    const unsigned char *data; // first number of the first row; any alignment
    size_t row_stride;         // bytes between rows
    size_t number_stride;      // bytes between numbers of a row
    const uint32_t *pick;      // file row of each row; NULL = row i is file row i
    char *name;                // for error messages
    struct cdp_input *input;   // owns the memory
};

// Opens NAME (see cdp_input_open). `dim` and `rows` are the expected values, 0 = unknown; a raw
// file needs one of them. A file with other values is an error. On failure nothing is held.
int cdp_matrix_open(struct cdp_matrix *matrix, const char *name, enum cdp_matrix_format format,
                    uint64_t dim, uint64_t rows, struct cdp_err *err);
void cdp_matrix_close(struct cdp_matrix *matrix);

// Opens an npy array of one or two dimensions; with one dimension, each number is a row. `rows` as
// above.
int cdp_array_open(struct cdp_matrix *matrix, const char *name, uint64_t rows, struct cdp_err *err);

// The same for the member NAME.npy of an open npz.
int cdp_array_open_in(struct cdp_matrix *matrix, struct cdp_input *npz, const char *name,
                      struct cdp_err *err);

// The file row of row `row`.
static inline uint64_t cdp_matrix_origin(const struct cdp_matrix *matrix, uint64_t row)
{
    return matrix->pick ? matrix->pick[row] : row;
}

// The first number of row `row`.
static inline const unsigned char *cdp_matrix_at(const struct cdp_matrix *matrix, uint64_t row)
{
    return matrix->data + cdp_matrix_origin(matrix, row) * matrix->row_stride;
}

// Copies row `row` as dim float32 numbers; float64 and integers are rounded. Thread-safe.
void cdp_matrix_row_f32(const struct cdp_matrix *matrix, uint64_t row, float *out);

// Whether the rows are native float32 numbers in memory, usable without conversion.
bool cdp_matrix_plain(const struct cdp_matrix *matrix);

// Row `row` as dim float32 numbers: in place if cdp_matrix_plain, otherwise copied to `room`.
// Thread-safe.
const float *cdp_matrix_row(const struct cdp_matrix *matrix, uint64_t row, float *room);

// Copies the first `count` numbers of row `row` as ids, which may be negative. A number that is not
// an integer, or beyond the range in which its type represents all integers (2^53 for float64), is
// an error that names the row. Thread-safe.
int cdp_matrix_row_ids(const struct cdp_matrix *matrix, uint64_t row, uint64_t count, int64_t *out,
                       struct cdp_err *err);

// XXH64 of the rows as little-endian float32, for provenance: independent of the file format.
int cdp_matrix_digest(const struct cdp_matrix *matrix, int threads, uint64_t *digest,
                      struct cdp_err *err);

#endif
