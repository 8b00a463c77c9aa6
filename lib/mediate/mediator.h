// SPDX-License-Identifier: MIT
#ifndef CDP_MEDIATOR_H
#define CDP_MEDIATOR_H

#include "io/output.h"
#include "mediate/ladder.h"
#include "mediate/train.h"

// A network with all that is needed to use it safely: what it was made for and how good it is. In a
// file (cdp-mediate(1) describes it) it is little-endian, versioned and checksummed.
struct cdp_mediator {
    struct cdp_header header;        // of the features that it learned from: columns, k, provenance
    unsigned input[CDP_MAX_COLUMNS]; // the columns that the network takes
    float mean[CDP_MAX_COLUMNS], deviation[CDP_MAX_COLUMNS]; // of the inputs, as learned from
    struct cdp_network network;
    float temperature; // that its margins were divided by; 1 where it was not calibrated
    bool held_out;     // the ladder is there
    struct cdp_rung rung[CDP_RUNGS];
};

// A mediator for these features with the inputs of the groups, "relationship,affinity" for example:
// a group is all columns of one name but for the number behind it. Its network is still missing;
// the number of inputs is returned, or -1.
int cdp_mediator_init(struct cdp_mediator *mediator, const struct cdp_header *features,
                      const char *groups, struct cdp_err *err);
// Makes the network by the recipe, and the ladder by `check`, the examples that are held out by the
// identities of `held` (see examples.h); NULL where none are. Weights of `examples` change where
// the recipe balances. Examples of one kind only are an error.
int cdp_mediator_learn(struct cdp_mediator *mediator, struct cdp_examples *examples,
                       const struct cdp_examples *check, const struct cdp_labels *labels,
                       const uint8_t *held, const struct cdp_recipe *recipe,
                       struct cdp_trained *trained, struct cdp_err *err);
void cdp_mediator_free(struct cdp_mediator *mediator);

// Fails, and names both, where the columns of the features are not those of the mediator.
int cdp_mediator_fits(const struct cdp_mediator *mediator, const char *name,
                      const struct cdp_header *features, struct cdp_err *err);

// The probability of one identity for each pair of a block.
int cdp_mediator_judge(const struct cdp_mediator *mediator, const struct cdp_block *block,
                       float *probability, int threads, struct cdp_err *err);

int cdp_mediator_write(const struct cdp_mediator *mediator, struct cdp_output *output,
                       struct cdp_err *err);

// Reads a file; `digest`, which may be NULL, becomes its checksum.
int cdp_mediator_read(struct cdp_mediator *mediator, const char *name, uint64_t *digest,
                      struct cdp_err *err);

#endif
