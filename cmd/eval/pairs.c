// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>

#include "eval/commands.h"
#include "io/input.h"
#include "labels.h"
#include "stream/list.h"

// Adds the pairs of a block; their ids must be those of labels.
static int count_block(const struct cdp_labels *truth, const struct cdp_block *block,
                       const char *name, const char *meta, struct cdp_pair_counts *counts,
                       struct cdp_err *err)
{
    for (size_t e = 0; e < block->edges; e++) {
        if (block->target[e] >= truth->items)
            return cdp_fail(err, "%s: pair %" PRIu64 ", %" PRIu64 ", but %s has %" PRIu64 " labels",
                            name, block->source[e], block->target[e], meta, truth->items);
    }
    cdp_count_pairs(truth, block->source, block->target, block->edges, counts);
    return 0;
}

// Counts pairs with names, which come after them. Memory: 24 bytes a pair.
static int count_named(struct cdp_reader *reader, struct cdp_labels *truth, const char *name,
                       const char *meta, struct cdp_pair_counts *counts, struct cdp_err *err)
{
    struct cdp_list list = {0};
    struct cdp_block block;
    uint64_t unknown;
    int status;
    while ((status = cdp_reader_next(reader, &block, err)) > 0) {
        for (size_t e = 0; e < block.edges; e++) {
            if (cdp_list_add(&list, block.source[e], block.target[e], 0, err))
                return -1;
        }
    }
    if (status || cdp_labels_match(truth, meta, cdp_reader_names(reader),
                                   cdp_reader_totals(reader)->nodes, name, &unknown, err))
        return -1;
    tool_note_unknown(meta, unknown, truth->items);
    for (size_t e = 0; e < list.count; e++)
        cdp_count_pairs(truth, &list.edge[e].source, &list.edge[e].target, 1, counts);
    free(list.edge);
    return 0;
}

static int count_numbered(struct cdp_reader *reader, const struct cdp_labels *truth,
                          const char *name, const char *meta, struct cdp_pair_counts *counts,
                          struct cdp_err *err)
{
    struct cdp_block block;
    int status;
    if (truth->names)
        return cdp_fail(err, "%s has names of items, %s has none", meta, name);
    tool_note_unknown(meta, cdp_labels_none(truth), truth->items);
    while ((status = cdp_reader_next(reader, &block, err)) > 0) {
        if (count_block(truth, &block, name, meta, counts, err))
            return -1;
    }
    return status;
}

void eval_pairs(struct cdp_output *output, const char *name, const char *meta)
{
    struct cdp_labels truth;
    struct cdp_reader *reader;
    struct cdp_pair_counts counts = {0};
    struct cdp_err err;
    tool_check(labels_read(&truth, meta, false, ids_name, &err), &err);
    tool_check(cdp_reader_open(&reader, name, 1 << CDP_PAIRS | 1 << CDP_FEATURES | 1 << CDP_FOREST,
                               "cdp-eval pairs reads pairs, features and forest streams",
                               (int)common.threads, &err),
               &err);
    bool named = cdp_reader_header(reader)->named;
    tool_check(named ? count_named(reader, &truth, cdp_input_shown(name), cdp_input_shown(meta),
                                   &counts, &err)
                     : count_numbered(reader, &truth, cdp_input_shown(name), cdp_input_shown(meta),
                                      &counts, &err),
               &err);
    cdp_reader_close(reader);
    cdp_labels_free(&truth);
    print_pairs(output, &counts);
}
