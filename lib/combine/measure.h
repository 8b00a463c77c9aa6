// SPDX-License-Identifier: MIT
#ifndef CDP_MEASURE_H
#define CDP_MEASURE_H

#include "mediate/mediator.h"

// Fills `fscore` of the mediator's operating points: of the clusters of all labelled pairs, those
// of training and the held-out ones, by the defaults of propagation, against the labels.
int cdp_measure_clusters(struct cdp_mediator *mediator, const struct cdp_examples *examples,
                         const struct cdp_examples *check, const struct cdp_labels *labels,
                         int threads, struct cdp_err *err);

#endif
