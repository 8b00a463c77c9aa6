// SPDX-License-Identifier: MIT
#ifndef CDP_MEDIATOR_H
#define CDP_MEDIATOR_H

#include "io/output.h"
#include "mediate/points.h"
#include "mediate/train.h"

// A trained network with the schema of its inputs, its provenance and its operating points. The
// file, described in cdp-mediate(1), is little-endian, versioned and checksummed.
struct cdp_mediator {
    struct cdp_header header;        // of the training features: columns, k, provenance
    unsigned input[CDP_MAX_COLUMNS]; // the columns that are its inputs
    float mean[CDP_MAX_COLUMNS], deviation[CDP_MAX_COLUMNS]; // of the inputs in training
    struct cdp_network network;
    float temperature; // that its margins were divided by; 1 = not calibrated
    bool held_out;     // there are operating points
    struct cdp_point point[CDP_POINTS];
};

// Initializes a mediator for these features with the inputs of the groups, for example
// "relationship,affinity": a group is all columns of one name, apart from the number at its end.
// Returns the number of inputs, or -1. The network is made by cdp_mediator_train.
int cdp_mediator_init(struct cdp_mediator *mediator, const struct cdp_header *features,
                      const char *groups, struct cdp_err *err);
// Trains the network by the recipe and computes the operating points, but for `fscore`, on `check`,
// the examples held out by the identities of `held` (see examples.h); NULL if none are. Changes the
// weights of `examples` if the recipe balances. Examples of a single class are an error.
int cdp_mediator_train(struct cdp_mediator *mediator, struct cdp_examples *examples,
                       const struct cdp_examples *check, const struct cdp_labels *labels,
                       const uint8_t *held, const struct cdp_recipe *recipe,
                       struct cdp_trained *trained, struct cdp_err *err);
void cdp_mediator_free(struct cdp_mediator *mediator);

// Fails, naming both, if the columns of the features are not those of the mediator.
int cdp_mediator_fits(const struct cdp_mediator *mediator, const char *name,
                      const struct cdp_header *features, struct cdp_err *err);

// The probability of each example, for free(); NULL after an error.
float *cdp_mediator_score(const struct cdp_mediator *mediator, const struct cdp_examples *examples,
                          int threads, struct cdp_err *err);

// The probability that the items have the same label, for each pair of a block.
int cdp_mediator_apply(const struct cdp_mediator *mediator, const struct cdp_block *block,
                       float *probability, int threads, struct cdp_err *err);

int cdp_mediator_write(const struct cdp_mediator *mediator, struct cdp_output *output,
                       struct cdp_err *err);

// Reads a file; `digest` becomes its checksum unless NULL.
int cdp_mediator_read(struct cdp_mediator *mediator, const char *name, uint64_t *digest,
                      struct cdp_err *err);

#endif
