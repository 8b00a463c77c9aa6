// SPDX-License-Identifier: MIT
#ifndef CDP_ROWS_H
#define CDP_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/matrix.h"

// Feature rows divided by their lengths, in double precision, and exact distances between them.
// The divided rows are not stored: a distance computes them again.
struct cdp_rows {
    const struct cdp_matrix *matrix;
    uint64_t count, dim;
    float *copy;     // rows as native float32; NULL = the matrix has them in place
    double *inverse; // 1 / length of each row
};

// So that the number of a row and a block of rows more fits 32 bits.
#define CDP_MOST_ROWS (UINT32_MAX - 4095)

// Prepares the rows of a matrix, which must outlive them. A row with NaN or Inf and a row of zeros
// are errors. At most CDP_MOST_ROWS rows. Memory: 8 bytes a row, and 4 a number unless the matrix
// is plain float32.
int cdp_rows_new(struct cdp_rows *rows, const struct cdp_matrix *matrix, int threads,
                 struct cdp_err *err);
void cdp_rows_free(struct cdp_rows *rows);

// Fails, naming the file and the place, if a number of row `row` is NaN or Inf.
int cdp_rows_finite(const char *file, uint64_t row, const float *x, size_t dim,
                    struct cdp_err *err);

// Row `row` as it is in the matrix, `dim` numbers.
const float *cdp_rows_at(const struct cdp_rows *rows, uint64_t row);

// The row divided by its length.
void cdp_rows_unit(const struct cdp_rows *rows, uint64_t row, double *out);

// square[i] = the squared Euclidean distance of divided rows `row` and other[i]: sums of squared
// differences in a fixed order, the same bits for any instruction set, and for both orders of two
// rows. Below 2^-96 they are 0: rows of one direction differ by rounding only. Thread-safe.
void cdp_rows_squares(const struct cdp_rows *rows, uint64_t row, const uint32_t *other,
                      size_t count, double *square);

// The square for one pair.
double cdp_rows_square(const struct cdp_rows *rows, uint64_t i, uint64_t j);

#endif
