// SPDX-License-Identifier: MIT
#ifndef CDP_ENTRIES_H
#define CDP_ENTRIES_H

#include <stdint.h>

#include "stream/list.h"

// Rows of arrays and entries of sparse matrices as edges. `name` is the file, for messages.

// Adds an edge of row `row` with a finite value, unless it is of an item with itself.
int cdp_list_add_row(struct cdp_list *list, uint64_t row, uint64_t source, uint64_t target,
                     float value, const char *name, struct cdp_err *err);

// A sparse matrix: rows and columns are the same items where it is square; otherwise they are two
// tables, and column j is item rows + j.
struct cdp_matrix_size {
    uint64_t rows, columns;
};

// Adds entry i, j, which is number `at` of the matrix, as cdp_list_add_row does.
int cdp_list_add_entry(struct cdp_list *list, const struct cdp_matrix_size *size, uint64_t at,
                       uint64_t i, uint64_t j, float value, const char *name, struct cdp_err *err);

// Raises *nodes to the number of items.
int cdp_matrix_items(const struct cdp_matrix_size *size, uint64_t *nodes, const char *name,
                     struct cdp_err *err);

#endif
