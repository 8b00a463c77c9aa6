// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "eval/commands.h"
#include "io/input.h"
#include "labels.h"

// Whether labels are as cdp-propagate writes them: numbers in order of first appearance, and -1.
static bool looks_predicted(const struct cdp_labels *labels)
{
    bool ordered = labels->integers && labels->groups && cdp_labels_none(labels) > 0;
    for (uint32_t g = 0; ordered && g < labels->groups; g++)
        ordered = labels->value[g] == (int64_t)g;
    return ordered;
}

// Brings both into one order of items: by name if they have names, otherwise by line.
static void align(struct cdp_labels *predicted, const char *name, struct cdp_labels *truth,
                  const char *meta)
{
    struct cdp_err err;
    uint64_t missing, others;
    if (!predicted->names != !truth->names)
        tool_fail("%s has names of items, %s has none: give it lines of NAME<tab>LABEL, or its "
                  "names by --ids",
                  truth->names ? meta : name, truth->names ? name : meta);
    tool_check(cdp_labels_align(truth, meta, predicted->names, &missing, &others, &err), &err);
    if (predicted->names && missing == predicted->items)
        tool_fail("%s and %s have no name in common", name, meta);
    if (others)
        tool_warn("%s: no label for %" PRIu64 " item%s of %s: in no cluster", name, others,
                  tool_s(others), meta);
    if (predicted->names)
        tool_check(cdp_labels_extend(predicted, truth->items, &err), &err);
    if (predicted->items != truth->items)
        tool_fail("%s: %" PRIu64 " labels, but %s has %" PRIu64, name, predicted->items, meta,
                  truth->items);
    tool_note_unknown(meta, cdp_labels_none(truth), truth->items);
}

void eval_labels(struct cdp_output *output, const char *name, const char *meta)
{
    struct cdp_labels predicted, truth;
    struct cdp_eval result;
    struct cdp_err err, other;
    if (labels_read(&predicted, name, true, ids_name, &err)) {
        bool swapped = cdp_labels_read(&predicted, name, true, &other) &&
                       !cdp_labels_read(&truth, meta, true, &other);
        tool_fail("%s%s", err.text,
                  swapped ? ": are the files swapped? PREDICTED comes first" : "");
    }
    tool_check(labels_read(&truth, meta, false, ids_name, &err), &err);
    if (looks_predicted(&truth) && !looks_predicted(&predicted))
        tool_warn("%s looks like clusters, and %s does not: are the files swapped? PREDICTED comes "
                  "first",
                  meta, name);
    align(&predicted, cdp_input_shown(name), &truth, cdp_input_shown(meta));
    tool_check(cdp_eval(&predicted, &truth, &result, &err), &err);
    cdp_labels_free(&predicted);
    cdp_labels_free(&truth);
    print_clusters(output, &result);
}
