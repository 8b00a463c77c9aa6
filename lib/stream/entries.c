// SPDX-License-Identifier: MIT
#include "stream/entries.h"

#include <math.h>
#include <stdbool.h>

int cdp_list_add_row(struct cdp_list *list, uint64_t row, uint64_t source, uint64_t target,
                     float value, const char *name, struct cdp_err *err)
{
    if (!isfinite(value))
        return cdp_fail(err, "%s: row %llu: expected a finite number, got %g", name,
                        (unsigned long long)row, (double)value);
    if (source != target)
        return cdp_list_add(list, source, target, value, err);
    list->self_pairs++;
    return 0;
}

int cdp_list_add_entry(struct cdp_list *list, const struct cdp_matrix_size *size, uint64_t at,
                       uint64_t i, uint64_t j, float value, const char *name, struct cdp_err *err)
{
    return cdp_list_add_row(list, at, i, size->rows == size->columns ? j : size->rows + j, value,
                            name, err);
}

int cdp_matrix_items(const struct cdp_matrix_size *size, uint64_t *nodes, const char *name,
                     struct cdp_err *err)
{
    bool square = size->rows == size->columns;
    if (!square && size->rows > INT64_MAX - size->columns)
        return cdp_fail(err, "%s: %llu rows and %llu columns are too many items", name,
                        (unsigned long long)size->rows, (unsigned long long)size->columns);
    uint64_t items = square ? size->rows : size->rows + size->columns;
    *nodes = items > *nodes ? items : *nodes;
    return 0;
}
