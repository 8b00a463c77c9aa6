// SPDX-License-Identifier: MIT
#ifndef CDP_FORMAT_H
#define CDP_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "io/matrix.h"

// The matrix formats (io/matrix.h). Each function sets rows, dim, number, data and strides from a
// file's bytes, which the matrix then refers to. Errors name m->name.

// `dim` and `rows`: the expected values, 0 = unknown; one of them is needed.
int cdp_format_raw(struct cdp_matrix *m, const unsigned char *bytes, size_t size, uint64_t dim,
                   uint64_t rows, struct cdp_err *err);

// fvecs and bvecs: each row is a 32-bit dimension and that many numbers.
int cdp_format_vecs(struct cdp_matrix *m, const unsigned char *bytes, size_t size,
                    enum cdp_number number, struct cdp_err *err);

// Sets `dimensions` too.
int cdp_format_npy(struct cdp_matrix *m, const unsigned char *bytes, size_t size,
                   struct cdp_err *err);

#endif
