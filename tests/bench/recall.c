// SPDX-License-Identifier: MIT
// recall EXACT FOUND: prints the share of the neighbours in the knn stream EXACT that the knn
// stream FOUND has too. EXACT may lack rows, which do not count. A neighbour in FOUND also counts
// if it is no farther than the row's last one in EXACT (ties).
#include <stdio.h>

#include "stream/stream.h"

static int has(const uint32_t *list, uint64_t count, uint32_t id)
{
    for (uint64_t n = 0; n < count; n++) {
        if (list[n] == id)
            return 1;
    }
    return 0;
}

static int read_table(struct cdp_table *table, const char *name)
{
    struct cdp_err err;
    if (!cdp_table_read(table, name, "recall reads knn streams", 0, &err))
        return 0;
    fprintf(stderr, "recall: %s\n", err.text);
    return -1;
}

int main(int argc, char **argv)
{
    struct cdp_table exact, found;
    if (argc != 3 || read_table(&exact, argv[1]) || read_table(&found, argv[2]))
        return 1;
    if (exact.rows != found.rows) {
        fprintf(stderr, "recall: %llu rows and %llu\n", (unsigned long long)exact.rows,
                (unsigned long long)found.rows);
        return 1;
    }
    uint64_t wanted = 0, hits = 0;
    for (uint64_t i = 0; i < exact.rows; i++) {
        const uint32_t *list = exact.target + exact.offset[i];
        uint64_t k = exact.offset[i + 1] - exact.offset[i], of_row = 0;
        if (!k)
            continue;
        float farthest = exact.distance[exact.offset[i + 1] - 1];
        for (uint64_t n = found.offset[i]; n < found.offset[i + 1]; n++)
            of_row += found.distance[n] <= farthest || has(list, k, found.target[n]);
        wanted += k;
        hits += of_row < k ? of_row : k;
    }
    printf("%.5f\n", (double)hits / (double)wanted);
    cdp_table_free(&exact);
    cdp_table_free(&found);
    return 0;
}
