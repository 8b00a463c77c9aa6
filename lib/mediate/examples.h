// SPDX-License-Identifier: MIT
#ifndef CDP_EXAMPLES_H
#define CDP_EXAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/labels.h"
#include "stream/stream.h"

// Labelled pairs: a mediator learns from some, and is evaluated on others.
struct cdp_examples {
    unsigned inputs;
    size_t count;
    float *row;          // count x inputs
    uint32_t (*item)[2]; // the items of each
    uint8_t *same;       // 1 = one identity
    float *weight;       // how much an example counts
    size_t row_room, item_room, same_room, weight_room;
};

void cdp_examples_free(struct cdp_examples *examples);

// held[g] = 1 for the share of the identities (0 to 1) that are held out, else 0: one at random of
// each 1 / share in the order of their sizes, so that large and small ones are among them alike.
// Items of CDP_NO_LABEL are ignored.
int cdp_hold_out(const struct cdp_labels *labels, double share, uint64_t seed, uint8_t *held,
                 struct cdp_err *err);

// Adds the edges of a block, the values of columns input[0] .. input[inputs - 1] of each, `same`
// not known yet.
int cdp_examples_add(struct cdp_examples *examples, const struct cdp_block *block,
                     const unsigned *input, struct cdp_err *err);

// Labels the examples, discards those with an end of CDP_NO_LABEL, and moves those with an end that
// is held out to `check`. There, pairs with one held-out end get weight 1/2, which keeps the class
// balance of all pairs. Ids at or beyond labels->items are an error.
int cdp_examples_split(struct cdp_examples *examples, struct cdp_examples *check,
                       const struct cdp_labels *labels, const uint8_t *held, struct cdp_err *err);

// The mean and the standard deviation of each input.
void cdp_examples_measure(const struct cdp_examples *examples, float *mean, float *deviation);

// The sum of the weights of the examples that are of one identity, or of those that are not.
double cdp_examples_weight(const struct cdp_examples *examples, int same);

#endif
