// SPDX-License-Identifier: MIT
#ifndef CDP_EXAMPLES_H
#define CDP_EXAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/labels.h"
#include "stream/stream.h"

// Labelled pairs for training or evaluation.
struct cdp_examples {
    unsigned inputs;
    size_t count;
    float *row;          // count x inputs
    uint32_t (*item)[2]; // the two items
    uint8_t *same;       // 1 = same label
    float *weight;       // of the example in losses and metrics
    size_t row_room, item_room, same_room, weight_room;
};

void cdp_examples_free(struct cdp_examples *examples);

// Sets held[g] = 1 for the held-out share (0 to 1) of the identities, otherwise 0: stratified
// sampling, one at random of every 1 / share in the order of their sizes. Items of CDP_NO_LABEL are
// ignored.
int cdp_hold_out(const struct cdp_labels *labels, double share, uint64_t seed, uint8_t *held,
                 struct cdp_err *err);

// Adds the edges of a block with the values of columns input[0] .. input[inputs - 1]; `same` is set
// by cdp_examples_split.
int cdp_examples_add(struct cdp_examples *examples, const struct cdp_block *block,
                     const unsigned *input, struct cdp_err *err);

// Labels the examples, discards those with an item of CDP_NO_LABEL, and moves those with a held-out
// item to `check`. There, pairs with one held-out item get weight 1/2, which keeps the class
// balance of all pairs. Ids at or beyond labels->items are an error.
int cdp_examples_split(struct cdp_examples *examples, struct cdp_examples *check,
                       const struct cdp_labels *labels, const uint8_t *held, struct cdp_err *err);

// The mean and the standard deviation of each input.
void cdp_examples_measure(const struct cdp_examples *examples, float *mean, float *deviation);

// The sum of the weights of the examples with this value of `same`.
double cdp_examples_weight(const struct cdp_examples *examples, int same);

#endif
