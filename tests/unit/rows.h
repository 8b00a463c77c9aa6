// SPDX-License-Identifier: MIT
#ifndef ROWS_H
#define ROWS_H

#include "io/matrix.h"

// A matrix of float32 numbers that are in memory, row after row; they must outlive it.
static inline struct cdp_matrix matrix_of(const float *number, uint64_t rows, size_t dim)
{
    static char name[] = "rows";
    return (struct cdp_matrix){.rows = rows,
                               .dim = dim,
                               .number = CDP_F32,
                               .data = (const unsigned char *)number,
                               .row_stride = dim * sizeof *number,
                               .number_stride = sizeof *number,
                               .name = name};
}

#endif
