// SPDX-License-Identifier: MIT
#ifndef CDP_SWEEP_SWEEP_H
#define CDP_SWEEP_SWEEP_H

#include "io/labels.h"
#include "pairs.h"
#include "propagate/sweep.h"

// An outcome for each threshold of the floors, by the map equation: of the pairs and must-links in
// pairs->list. `truth` may be NULL. The caller frees the outcomes. Failures end the program.
struct cdp_outcome *sweep_map(const struct pairs *pairs, const struct cdp_labels *truth);

#endif
