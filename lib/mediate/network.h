// SPDX-License-Identifier: MIT
#ifndef CDP_NETWORK_H
#define CDP_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "mediate/examples.h"

// The mediator's classifier (section 3.3 of the paper, as its code has it):
//
//   linear(D, 3D) - ReLU - linear(3D, 3D) - ReLU - linear(3D, 2), softmax
//
// over inputs (x - shift) x scale. Single precision, sums in a fixed order: the same bits for any
// number of threads and from every instruction set.
struct cdp_network {
    unsigned inputs;
    float *shift, *scale; // of each input
    size_t count;
    float *weight; // of each layer in turn: outputs x inputs weights, then a bias for each output
};

enum { CDP_HIDDEN = 3, CDP_LAYERS = 3 };

// A layer's place in the weights.
struct cdp_layer {
    unsigned inputs, outputs;
    size_t weight, bias;
};
void cdp_network_layers(unsigned inputs, struct cdp_layer layer[CDP_LAYERS]);

// Weights and biases uniform in +-1/sqrt(inputs of the layer), shift 0 and scale 1.
int cdp_network_new(struct cdp_network *network, unsigned inputs, uint64_t seed,
                    struct cdp_err *err);
void cdp_network_free(struct cdp_network *network);

// For each of `count` rows: the second output less the first, whose logistic function is the
// probability of one identity. Threads as cdp_threads() takes them.
int cdp_network_margins(const struct cdp_network *network, const float *row, size_t count,
                        float *margin, int threads, struct cdp_err *err);
float cdp_probability(double margin);

// The cross-entropy -log(probability of what is true) at a margin.
double cdp_cross_entropy(double margin, int same);

// The mean over a batch of weight x cross-entropy, and its gradient.
struct cdp_gradient {
    double loss;
    float *of; // each of the network's weights
    int threads;
    double *chunk_loss;
    float *chunk, *room;
};

// For batches of up to `batch` examples: memory for a gradient a 64 examples.
int cdp_gradient_new(struct cdp_gradient *gradient, const struct cdp_network *network, size_t batch,
                     int threads, struct cdp_err *err);
void cdp_gradient_free(struct cdp_gradient *gradient);
void cdp_gradient_compute(struct cdp_gradient *gradient, const struct cdp_network *network,
                          const struct cdp_examples *examples, const size_t *index, size_t count);

#endif
