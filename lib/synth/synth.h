// SPDX-License-Identifier: MIT
#ifndef CDP_SYNTH_H
#define CDP_SYNTH_H

#include <stdint.h>

// Labelled synthetic features, as from a committee of models.
//
// An identity is a point and its images are points around it, in a space whose axes have decreasing
// variance, as learned features have: more identities are more crowded. Identities belong to
// families of look-alikes, which grow with the number of identities. An identity may have several
// modes, as poses or ages are, each a point of its own. Images are easy or difficult, a few
// hopelessly so. All models see the same image, and share the errors that its content causes;
// each model adds errors of its own to identities and images.
//
// All values are a function of this struct, computed in integers and single IEEE operations: the
// same bytes on every machine. Variances are sums over the axes, in units of the variance of the
// identities around the origin.
struct cdp_synth {
    uint64_t seed;
    uint64_t items;      // 1 to 2^32 - 2
    uint32_t identities; // 1 to items
    uint32_t dim;        // 2 to 65,536
    double sizes;        // deviation of the logarithm of identities' sizes
    double crowding;     // index of the axis that has half the weight of the first
    double likeness;     // largest share of an identity's variance due to its family,
    uint32_t draws;      // times the largest of so many uniform numbers, one for each family
    uint32_t modes;      // of an identity, equally frequent
    double mode;         // variance of a mode around its identity
    double pose;         // variance of an identity's easiest images
    double noise;        // variance that a model adds to these
    double dissent;      // variance that a model adds to an identity
};

// 20,000 images of 260 identities, 256 numbers each, seed 1. A weaker model is one with more noise
// or dissent.
extern const struct cdp_synth cdp_synth_default; // votes as published for faces
extern const struct cdp_synth cdp_synth_emore;   // and other methods' clusters too

// The identity, 0 to identities - 1, of every item, in random order. Each identity has items; their
// numbers have a long tail.
void cdp_synth_labels(const struct cdp_synth *synth, uint32_t *labels);

// Rows first to first + count - 1 of a model's features, each of length 1. `threads` is as
// cdp_threads() takes it.
void cdp_synth_rows(const struct cdp_synth *synth, const uint32_t *labels, uint32_t model,
                    uint64_t first, uint64_t count, int threads, float *rows);

#endif
