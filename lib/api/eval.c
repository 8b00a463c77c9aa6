// SPDX-License-Identifier: MIT
// Labels and their evaluation.
#include "eval/eval.h"

#include <stdlib.h>

#include "api/api.h"
#include "base/mem.h"

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// Labels by dense numbers in the order of first appearance, and the number of each; below 0 is
// none.
int api_numbers(struct cdp_labels *labels, const int64_t *number, uint64_t items,
                struct cdp_err *err)
{
    *labels = (struct cdp_labels){.items = items, .integers = true};
    int64_t *sorted = cdp_alloc(items, sizeof *sorted, "labels", err);
    uint32_t *rank = cdp_alloc(items, sizeof *rank, "labels", err);
    labels->group = cdp_alloc(items, sizeof *labels->group, "labels", err);
    labels->value = cdp_alloc(items, sizeof *labels->value, "labels", err);
    int status = sorted && rank && labels->group && labels->value ? 0 : -1;
    size_t count = 0, distinct = 0;
    for (uint64_t i = 0; !status && i < items; i++) {
        if (number[i] >= 0)
            sorted[count++] = number[i];
    }
    if (!status)
        qsort(sorted, count, sizeof *sorted, by_number);
    for (size_t n = 0; !status && n < count; n++) {
        if (!distinct || sorted[n] != sorted[distinct - 1]) {
            rank[distinct] = CDP_NO_LABEL;
            sorted[distinct++] = sorted[n];
        }
    }
    for (uint64_t i = 0; !status && i < items; i++) {
        const int64_t *at =
            number[i] < 0 ? NULL : bsearch(&number[i], sorted, distinct, sizeof *sorted, by_number);
        labels->group[i] = CDP_NO_LABEL;
        if (at) {
            uint32_t *r = &rank[at - sorted];
            if (*r == CDP_NO_LABEL) {
                labels->value[labels->groups] = number[i];
                *r = labels->groups++;
            }
            labels->group[i] = *r;
        }
    }
    free(sorted);
    free(rank);
    return status;
}

int api_labels(struct cdp_labels *labels, const uint32_t *label, uint64_t items,
               struct cdp_err *err)
{
    int64_t *number = cdp_alloc(items, sizeof *number, "labels", err);
    if (!number)
        return -1;
    for (uint64_t i = 0; i < items; i++)
        number[i] = label[i] == LIBCDP_NONE ? -1 : (int64_t)label[i];
    int status = api_numbers(labels, number, items, err);
    free(number);
    return status;
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
