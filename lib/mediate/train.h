// SPDX-License-Identifier: MIT
#ifndef CDP_TRAIN_H
#define CDP_TRAIN_H

#include <stdbool.h>

#include "base/progress.h"
#include "mediate/network.h"

// How a network learns: stochastic gradient descent with momentum 0.9 and weight decay 0.0001, on
// batches of 1,024 examples of a shuffled set.
struct cdp_recipe {
    uint64_t epochs;   // 0 = 2, or as many as make 2,000 steps
    double rate;       // of learning; it stays the same
    uint64_t patience; // epochs without a lower loss on `check` before it ends; 0 = never
    bool scale;        // inputs less their mean, divided by their deviation
    bool balance;      // examples weigh so that both kinds weigh as much
    bool calibrate;    // see cdp_calibrate
    uint64_t seed;     // of first weights and of the order of the examples
    int threads;       // as cdp_threads() takes them
    struct cdp_progress *progress;
};

extern const struct cdp_recipe cdp_recipe_default, cdp_recipe_original;

struct cdp_trained {
    uint64_t epochs; // that are in the network: with patience, those up to the lowest loss
    double loss;     // mean over the examples in the last epoch, while it learned
    double check;    // mean on `check` at the end; NaN without it
};

// Trains in place, by the recipe's epochs, rate, patience and seed. A loss that is not finite is an
// error. `check` is NULL where the recipe has no use for it. Memory: 8 bytes an example, and a
// gradient for 64 examples of a batch.
int cdp_train(struct cdp_network *network, const struct cdp_examples *examples,
              const struct cdp_examples *check, const struct cdp_recipe *recipe,
              struct cdp_trained *trained, struct cdp_err *err);

// Divides the network's margins by the temperature at which the cross-entropy on `check` is
// smallest (Guo et al., On calibration of modern neural networks, ICML 2017).
int cdp_calibrate(struct cdp_network *network, const struct cdp_examples *check, int threads,
                  float *temperature, struct cdp_err *err);

#endif
