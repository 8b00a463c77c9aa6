// SPDX-License-Identifier: MIT
// Labels and their evaluation.
#include "eval/eval.h"

#include <stdlib.h>

#include "api/api.h"
#include "base/mem.h"

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int api_labels(struct cdp_labels *labels, const uint32_t *label, uint64_t items,
               struct cdp_err *why)
{
    *labels = (struct cdp_labels){.items = items};
    uint32_t *value = cdp_alloc(items, sizeof *value, "labels", why);
    labels->group = cdp_alloc(items, sizeof *labels->group, "labels", why);
    if (!value || !labels->group) {
        free(value);
        return -1;
    }
    uint64_t count = 0, distinct = 0;
    for (uint64_t i = 0; i < items; i++) {
        if (label[i] != LIBCDP_NONE)
            value[count++] = label[i];
    }
    qsort(value, count, sizeof *value, ascending);
    for (uint64_t v = 0; v < count; v++) {
        if (!distinct || value[v] != value[distinct - 1])
            value[distinct++] = value[v];
    }
    for (uint64_t i = 0; i < items; i++) {
        const uint32_t *at = label[i] == LIBCDP_NONE
                                 ? NULL
                                 : bsearch(&label[i], value, distinct, sizeof *value, ascending);
        labels->group[i] = at ? (uint32_t)(at - value) : CDP_NO_LABEL;
    }
    labels->groups = (uint32_t)distinct;
    free(value);
    return 0;
}

static void copy_scores(struct libcdp_scores *to, const struct cdp_scores *from)
{
    *to = (struct libcdp_scores){from->pairwise.precision,
                                 from->pairwise.recall,
                                 from->pairwise.fscore,
                                 from->bcubed.precision,
                                 from->bcubed.recall,
                                 from->bcubed.fscore,
                                 from->ari,
                                 from->homogeneity,
                                 from->completeness,
                                 from->vmeasure};
}

PUBLIC int libcdp_eval(const uint32_t *label, const uint32_t *truth, uint64_t items,
                       struct libcdp_scores *kept, struct libcdp_scores *removed,
                       struct libcdp_err *err)
{
    struct cdp_err why;
    struct cdp_labels predicted = {0}, classes = {0};
    struct cdp_eval result;
    int status = items < UINT32_MAX ? 0 : cdp_fail(&why, "more than 2^32 - 2 items");
    if (!status)
        status =
            api_labels(&predicted, label, items, &why) || api_labels(&classes, truth, items, &why)
                ? -1
                : 0;
    if (!status)
        status = cdp_eval(&predicted, &classes, &result, &why);
    if (!status) {
        copy_scores(kept, &result.kept);
        copy_scores(removed, &result.removed);
    } else {
        api_tell(err, &why);
    }
    cdp_labels_free(&predicted);
    cdp_labels_free(&classes);
    return status;
}
