// SPDX-License-Identifier: MIT
#ifndef CDP_SYNTH_H
#define CDP_SYNTH_H

#include <stdint.h>

// Labelled features of made-up images, as a committee of models would see them.
//
// An identity is a point, and so are its images about it, all in a space whose axes count for less
// and less, as those of learnt features do: so the more identities, the more crowded they are.
// Identities come in families of look-alikes, larger ones where there are more identities. Images
// are easy or difficult, a few hopelessly so. What an image shows is the same for all models, and
// so are the errors that come of it; each model adds errors of its own about identities and images.
//
// Everything is a function of this struct, computed by integers and by single operations of IEEE
// arithmetic: the same bytes on every machine. Variances are sums over the axes, in units of that
// of the identities about the origin.
struct cdp_synth {
    uint64_t seed;
    uint64_t items;      // 1 to 2^32 - 2
    uint32_t identities; // 1 to items
    uint32_t dim;        // 2 to 65,536
    double crowding;     // the axis that counts for half as much as the first
    double likeness;     // largest share of an identity's variance that is its family's
    double pose;         // variance of the images of an identity; of the easiest ones
    double noise;        // and what a model adds to that; also of the easiest ones
    double dissent;      // variance that a model adds to an identity
};

// The defaults: 20,000 images of 260 identities, 256 numbers each, seed 1, and the published level
// of difficulty. A weaker model is one with more noise or dissent.
extern const struct cdp_synth cdp_synth_default;

// The identity, 0 to identities - 1, of every item; each identity has items. They are in no order,
// and their numbers of items have a long tail.
void cdp_synth_labels(const struct cdp_synth *synth, uint32_t *labels);

// Rows first to first + count - 1 of a model's features, each of length 1. `threads` is as
// cdp_threads() takes it.
void cdp_synth_rows(const struct cdp_synth *synth, const uint32_t *labels, uint32_t model,
                    uint64_t first, uint64_t count, int threads, float *rows);

#endif
