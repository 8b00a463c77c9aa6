// SPDX-License-Identifier: MIT
#ifndef CDP_ENTRIES_H
#define CDP_ENTRIES_H

#include <stdint.h>

#include "stream/list.h"

// Rows of arrays and entries of sparse matrices as edges. `name` is the file's, for errors.

// Adds an edge of row `row`. Its value must be finite; an edge from an item to itself is counted
// only.
int cdp_list_add_row(struct cdp_list *list, uint64_t row, uint64_t source, uint64_t target,
                     float value, const char *name, struct cdp_err *err);

// A sparse matrix. If it is square, rows and columns are the same items; otherwise column j is item
// rows + j.
struct cdp_matrix_size {
    uint64_t rows, columns;
};

// Adds entry i, j, number `at` of the matrix, like cdp_list_add_row.
int cdp_list_add_entry(struct cdp_list *list, const struct cdp_matrix_size *size, uint64_t at,
                       uint64_t i, uint64_t j, float value, const char *name, struct cdp_err *err);

// Raises *nodes to the number of items.
int cdp_matrix_items(const struct cdp_matrix_size *size, uint64_t *nodes, const char *name,
                     struct cdp_err *err);

#endif
