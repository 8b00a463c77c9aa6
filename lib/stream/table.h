// SPDX-License-Identifier: MIT
#ifndef CDP_TABLE_H
#define CDP_TABLE_H

#include <stdint.h>

#include "stream/reader.h"

// A whole knn stream in memory.

// Row i's neighbours are target/distance[offset[i]] .. [offset[i + 1] - 1], nearest first.
struct cdp_table {
    struct cdp_header header;
    struct cdp_totals totals;
    struct cdp_names *names; // NULL = none
    uint64_t rows;
    uint64_t *offset; // rows + 1
    uint32_t *target;
    float *distance;
};

// Reads the whole of a knn stream of at most 2^32 - 2 nodes; rows without neighbours are empty.
int cdp_table_load(struct cdp_table *table, struct cdp_reader *reader, struct cdp_err *err);

// Opens, loads and closes; `wanted` as for cdp_reader_open.
int cdp_table_read(struct cdp_table *table, const char *name, const char *wanted, int threads,
                   struct cdp_err *err);
void cdp_table_free(struct cdp_table *table);

#endif
