// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stream/table.h"

// Appends a block's edges and sets the offsets of completed rows.
static int append(struct cdp_table *t, const struct cdp_block *block, size_t *edges,
                  size_t *target_room, size_t *distance_room, size_t *offset_room, const char *name,
                  struct cdp_err *err)
{
    size_t want = *edges + block->edges;
    uint64_t last = block->source[block->edges - 1];
    if (block->source[0] + 1 < t->rows)
        return cdp_fail(err,
                        "%s: the row of node %llu comes behind that of %llu; lay the shards "
                        "end to end in the order of their rows",
                        name, (unsigned long long)block->source[0],
                        (unsigned long long)t->rows - 1);
    if (last >= UINT32_MAX)
        return cdp_fail(err, "%s: node %llu: at most 2^32 - 2 nodes fit a table in memory", name,
                        (unsigned long long)last);
    if (cdp_grow(&t->target, target_room, want, sizeof *t->target, "neighbours", err) ||
        cdp_grow(&t->distance, distance_room, want, sizeof *t->distance, "distances", err) ||
        cdp_grow(&t->offset, offset_room, last + 2, sizeof *t->offset, "rows", err))
        return -1;
    for (size_t i = 0; i < block->edges; i++) {
        if (block->target[i] >= UINT32_MAX)
            return cdp_fail(err, "%s: node %llu: at most 2^32 - 2 nodes fit a table in memory",
                            name, (unsigned long long)block->target[i]);
        while (t->rows <= block->source[i])
            t->offset[t->rows++] = *edges;
        t->target[*edges] = (uint32_t)block->target[i];
        t->distance[(*edges)++] = block->value[0][i];
    }
    return 0;
}

int cdp_table_load(struct cdp_table *t, struct cdp_reader *reader, struct cdp_err *err)
{
    memset(t, 0, sizeof *t);
    const char *name = cdp_reader_name(reader);
    size_t edges = 0, target_room = 0, distance_room = 0, offset_room = 0;
    struct cdp_block block;
    int status;
    while ((status = cdp_reader_next(reader, &block, err)) > 0) {
        status = append(t, &block, &edges, &target_room, &distance_room, &offset_room, name, err);
        if (status)
            break;
    }
    if (status)
        goto fail;
    t->totals = *cdp_reader_totals(reader);
    t->names = cdp_reader_take_names(reader);
    t->header = *cdp_reader_header(reader);
    t->header.provenance = NULL;
    if (t->totals.nodes >= UINT32_MAX) {
        cdp_fail(err, "%s: %llu nodes: at most 2^32 - 2 fit a table in memory", name,
                 (unsigned long long)t->totals.nodes);
        goto fail;
    }
    if (cdp_grow(&t->offset, &offset_room, t->totals.nodes + 1, sizeof *t->offset, "rows", err) ||
        cdp_header_inherit(&t->header, cdp_reader_header(reader), err))
        goto fail;
    while (t->rows <= t->totals.nodes)
        t->offset[t->rows++] = edges;
    t->rows = t->totals.nodes;
    return 0;
fail:
    cdp_table_free(t);
    return -1;
}

int cdp_table_read(struct cdp_table *t, const char *name, const char *wanted, int threads,
                   struct cdp_err *err)
{
    struct cdp_reader *reader;
    if (cdp_reader_open(&reader, name, 1 << CDP_KNN, wanted, threads, err))
        return -1;
    int status = cdp_table_load(t, reader, err);
    cdp_reader_close(reader);
    return status;
}

void cdp_table_free(struct cdp_table *t)
{
    cdp_header_free(&t->header);
    cdp_names_free(t->names);
    free(t->offset);
    free(t->target);
    free(t->distance);
    memset(t, 0, sizeof *t);
}
