// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "base/mem.h"
#include "io/input.h"
#include "propagate/previous.h"
#include "relabel/relabel.h"
#include "tool.h"

void relabel_restore(struct cdp_clusters *c, const int64_t *number, const char *shown)
{
    for (uint32_t g = 0; g < c->clusters; g++) {
        if (number[g] >= CDP_NO_LABEL)
            tool_fail("%s: a cluster has number %lld; the largest possible is 2^32 - 2", shown,
                      (long long)number[g]);
    }
    for (uint64_t i = 0; i < c->items; i++) {
        if (c->label[i] != CDP_NO_LABEL)
            c->label[i] = (uint32_t)number[c->label[i]];
    }
}

// ---- changes

struct changes {
    struct cdp_output *output;
    const struct cdp_names *names; // of the items, those of before too
};

static void write_numbers(struct cdp_output *output, const int64_t *number, size_t count)
{
    struct cdp_err err;
    if (!count)
        tool_check(cdp_output_printf(output, &err, "\t-"), &err);
    for (size_t n = 0; n < count; n++)
        tool_check(cdp_output_printf(output, &err, "%s%lld", n ? "," : "\t", (long long)number[n]),
                   &err);
}

static int write_change(void *context, const struct cdp_change *change, struct cdp_err *err)
{
    static const char *const kinds[] = {"added", "joined", "moved", "left",
                                        "gone",  "merged", "split"};
    const struct changes *c = context;
    bool cluster = change->kind == CDP_MERGED || change->kind == CDP_SPLIT;
    tool_check(cdp_output_printf(c->output, err, "%s\t", kinds[change->kind]), err);
    tool_check(cdp_item_write(c->output, cluster ? NULL : c->names, change->id, err), err);
    write_numbers(c->output, change->before, change->befores);
    write_numbers(c->output, change->now, change->nows);
    return cdp_output_write(c->output, "\n", 1, err);
}

// Whether each of the items with a name has a label before.
static bool *find_items(const struct cdp_labels *before, const struct cdp_names *names)
{
    struct cdp_err err;
    uint64_t count = cdp_names_count(names);
    bool *there = cdp_alloc(count, sizeof *there, "items", &err);
    tool_check(there ? 0 : -1, &err);
    for (uint64_t i = 0; i < count; i++) {
        size_t length;
        uint64_t id;
        const char *name = cdp_names_get(names, i, &length);
        there[i] = cdp_names_find(before->names, name, length, &id);
    }
    return there;
}

void relabel_previous(struct cdp_clusters *c, const struct cdp_names *names, const char *previous,
                      struct cdp_output *output)
{
    const char *shown = cdp_input_shown(previous);
    struct cdp_labels before;
    struct cdp_err err;
    uint64_t missing, others;
    tool_check(cdp_labels_read(&before, previous, true, &err), &err);
    bool *there = names && before.names ? find_items(&before, names) : NULL;
    tool_check(cdp_labels_align(&before, shown, names, &missing, &others, &err), &err);
    if (names && missing == cdp_names_count(names))
        tool_fail("%s: no name in common with the labels", shown);
    if (cdp_clusters_keep(c, &before, &err))
        tool_fail("%s: %s", shown, err.text);
    struct changes changes = {output, before.names};
    if (output)
        tool_check(cdp_changes(c, &before, there, write_change, &changes, &err), &err);
    free(there);
    cdp_labels_free(&before);
}
