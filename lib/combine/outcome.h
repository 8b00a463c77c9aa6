// SPDX-License-Identifier: MIT
#ifndef CDP_OUTCOME_H
#define CDP_OUTCOME_H

#include "propagate/sweep.h"

// The outcome of clusters of any method, as cdp_sweep has it for those of the ladder, but for
// `linked`, `squares` and `forced`, which are 0. `truth` may be NULL.
int cdp_outcome_of(struct cdp_outcome *outcome, const struct cdp_labels *found,
                   const struct cdp_labels *truth, struct cdp_err *err);

#endif
