// SPDX-License-Identifier: MIT
#include "combine/outcome.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "eval/eval.h"

int cdp_outcome_of(struct cdp_outcome *outcome, const struct cdp_labels *found,
                   const struct cdp_labels *truth, struct cdp_err *err)
{
    struct cdp_eval result;
    *outcome = (struct cdp_outcome){
        .clusters = found->groups, .precision = NAN, .recall = NAN, .fscore = NAN, .bcubed = NAN};
    uint32_t *size = cdp_zalloc(found->groups, sizeof *size, "clusters", err);
    if (!size)
        return -1;
    for (uint64_t i = 0; i < found->items; i++) {
        if (found->group[i] == CDP_NO_LABEL)
            continue;
        outcome->items++;
        uint64_t now = ++size[found->group[i]];
        outcome->largest = now > outcome->largest ? now : outcome->largest;
    }
    free(size);
    if (!truth)
        return 0;
    if (cdp_eval(found, truth, &result, err))
        return -1;
    outcome->precision = result.kept.pairwise.precision;
    outcome->recall = result.kept.pairwise.recall;
    outcome->fscore = result.kept.pairwise.fscore;
    outcome->bcubed = result.kept.bcubed.fscore;
    return 0;
}
