// SPDX-License-Identifier: MIT
#ifndef CDP_TRAIN_H
#define CDP_TRAIN_H

#include <stdbool.h>

#include "base/progress.h"
#include "mediate/network.h"

// Stochastic gradient descent with momentum 0.9 and weight decay 0.0001, in shuffled batches of
// 1,024 examples.
struct cdp_recipe {
    uint64_t epochs;   // 0 = 2, or more if needed for 2,000 batches
    double rate;       // learning rate; constant
    uint64_t patience; // early stopping: epochs without a lower loss on `check`; 0 = off
    bool scale;        // standardize the inputs
    bool balance;      // give both classes the same total weight
    bool calibrate;    // see cdp_calibrate
    uint64_t seed;     // of the initial weights and the order of the examples
    int threads;       // as cdp_threads() takes them
    struct cdp_progress *progress;
};

extern const struct cdp_recipe cdp_recipe_default, cdp_recipe_original;

struct cdp_trained {
    uint64_t epochs; // of the network; with patience, up to the lowest loss
    double loss;     // mean over the examples during the last epoch
    double check;    // mean on `check` at the end; NaN without it
};

// Trains in place, by the recipe's epochs, rate, patience and seed. A loss that is not finite is an
// error. `check` may be NULL without patience. Memory: 8 bytes per example, and one gradient per 64
// examples of a batch.
int cdp_train(struct cdp_network *network, const struct cdp_examples *examples,
              const struct cdp_examples *check, const struct cdp_recipe *recipe,
              struct cdp_trained *trained, struct cdp_err *err);

// Divides the network's margins by the temperature at which the cross-entropy on `check` is
// smallest (Guo et al., On calibration of modern neural networks, ICML 2017).
int cdp_calibrate(struct cdp_network *network, const struct cdp_examples *check, int threads,
                  float *temperature, struct cdp_err *err);

#endif
