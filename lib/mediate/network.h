// SPDX-License-Identifier: MIT
#ifndef CDP_NETWORK_H
#define CDP_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "mediate/examples.h"

// The mediator's classifier (section 3.3 of the paper, and its code):
//
//   linear(D, 3D) - ReLU - linear(3D, 3D) - ReLU - linear(3D, 2), softmax
//
// over inputs (x - shift) x scale. Single precision with a fixed order of summation: the same bits
// for any number of threads and any instruction set.
struct cdp_network {
    unsigned inputs;
    float *shift, *scale; // of each input
    size_t count;
    float *weight; // layer by layer: outputs x inputs weights, then the biases
};

enum { CDP_HIDDEN = 3, CDP_LAYERS = 3 };

// A layer's size, and the index of its parameters in `weight`.
struct cdp_layer {
    unsigned inputs, outputs;
    size_t weight, bias;
};
void cdp_network_layers(unsigned inputs, struct cdp_layer layer[CDP_LAYERS]);

// Initializes weights and biases uniformly in +-1/sqrt(inputs of the layer), shift 0, scale 1.
int cdp_network_new(struct cdp_network *network, unsigned inputs, uint64_t seed,
                    struct cdp_err *err);
void cdp_network_free(struct cdp_network *network);

// The margin of each of `count` rows: the second output minus the first, whose logistic function is
// the probability of the same label. Threads as cdp_threads() takes them.
int cdp_network_margins(const struct cdp_network *network, const float *row, size_t count,
                        float *margin, int threads, struct cdp_err *err);
float cdp_probability(double margin);

// The cross-entropy, -log(probability of the true class), at a margin.
double cdp_cross_entropy(double margin, int same);

// The mean over a batch of weight x cross-entropy, and its gradient.
struct cdp_gradient {
    double loss;
    float *of; // each of the network's weights
    int threads;
    double *chunk_loss;
    float *chunk, *room;
};

// For batches of up to `batch` examples. Memory: one gradient per 64 examples.
int cdp_gradient_new(struct cdp_gradient *gradient, const struct cdp_network *network, size_t batch,
                     int threads, struct cdp_err *err);
void cdp_gradient_free(struct cdp_gradient *gradient);
void cdp_gradient_compute(struct cdp_gradient *gradient, const struct cdp_network *network,
                          const struct cdp_examples *examples, const size_t *index, size_t count);

#endif
