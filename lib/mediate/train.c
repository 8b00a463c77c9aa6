// SPDX-License-Identifier: MIT
#include "mediate/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"

enum { BATCH = 1024, EPOCHS = 2, STEPS = 2000 };

const struct cdp_recipe cdp_recipe_default = {.rate = 0.01};
const struct cdp_recipe cdp_recipe_original = {.epochs = EPOCHS, .rate = 0.001};

// State of training besides the network.
struct state {
    struct cdp_gradient gradient;
    size_t *order;
    float *velocity, *best;
};

static void shuffle(size_t *order, size_t count, uint64_t seed)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = cdp_random(seed, i) % i, held = order[i - 1];
        order[i - 1] = order[other];
        order[other] = held;
    }
}

// The weighted mean loss.
static int loss_on(const struct cdp_network *n, const struct cdp_examples *e, int threads,
                   double *loss, struct cdp_err *err)
{
    float *margin = cdp_alloc(e->count, sizeof *margin, "margins", err);
    if (!margin || cdp_network_margins(n, e->row, e->count, margin, threads, err)) {
        free(margin);
        return -1;
    }
    double sum = 0, weight = 0;
    for (size_t i = 0; i < e->count; i++) {
        sum += (double)e->weight[i] * cdp_cross_entropy((double)margin[i], e->same[i]);
        weight += (double)e->weight[i];
    }
    free(margin);
    *loss = sum / weight;
    return 0;
}

static void step(struct cdp_network *n, const struct state *s, const struct cdp_recipe *recipe)
{
    float rate = (float)recipe->rate, momentum = 0.9F, decay = 1e-4F;
    for (size_t w = 0; w < n->count; w++) {
        s->velocity[w] = momentum * s->velocity[w] + (s->gradient.of[w] + decay * n->weight[w]);
        n->weight[w] -= rate * s->velocity[w];
    }
}

static int epoch(struct cdp_network *n, struct state *s, const struct cdp_examples *e,
                 const struct cdp_recipe *recipe, uint64_t number, double *loss,
                 struct cdp_err *err)
{
    double sum = 0;
    shuffle(s->order, e->count, cdp_random(recipe->seed, number));
    for (size_t from = 0; from < e->count; from += BATCH) {
        size_t count = e->count - from < BATCH ? e->count - from : BATCH;
        cdp_gradient_compute(&s->gradient, n, e, s->order + from, count);
        if (!isfinite(s->gradient.loss))
            return cdp_fail(err,
                            "the loss is %g in epoch %llu, batch %zu: scale the inputs, or learn "
                            "at a lower rate than %g",
                            s->gradient.loss, (unsigned long long)number, from / BATCH + 1,
                            recipe->rate);
        sum += s->gradient.loss * (double)count;
        step(n, s, recipe);
        cdp_progress_add(recipe->progress, count);
        if (cdp_progress_check(recipe->progress, err))
            return -1;
    }
    *loss = sum / (double)e->count;
    return 0;
}

int cdp_train(struct cdp_network *n, const struct cdp_examples *e, const struct cdp_examples *check,
              const struct cdp_recipe *recipe, struct cdp_trained *trained, struct cdp_err *err)
{
    struct state s = {0};
    int status =
        cdp_gradient_new(&s.gradient, n, BATCH < e->count ? BATCH : e->count, recipe->threads, err);
    s.order = cdp_alloc(e->count, sizeof *s.order, "the order of examples", err);
    s.velocity = cdp_zalloc(n->count, sizeof *s.velocity, "velocities", err);
    s.best = cdp_alloc(n->count, sizeof *s.best, "weights", err);
    if (!s.order || !s.velocity || !s.best)
        status = -1;
    for (size_t i = 0; !status && i < e->count; i++)
        s.order[i] = i;
    *trained = (struct cdp_trained){.check = NAN};
    uint64_t best = 0, steps = (e->count + BATCH - 1) / BATCH, epochs = recipe->epochs;
    if (!epochs)
        epochs = steps * EPOCHS < STEPS ? (STEPS + steps - 1) / steps : EPOCHS;
    double lowest = INFINITY;
    cdp_progress_start(recipe->progress, "training", "examples", epochs * e->count);
    while (!status && trained->epochs < epochs) {
        status = epoch(n, &s, e, recipe, ++trained->epochs, &trained->loss, err);
        bool last = trained->epochs == epochs;
        if (!status && check && (recipe->patience || last))
            status = loss_on(n, check, recipe->threads, &trained->check, err);
        if (status || !recipe->patience)
            continue;
        if (trained->check < lowest) {
            lowest = trained->check;
            best = trained->epochs;
            memcpy(s.best, n->weight, n->count * sizeof *s.best);
        }
        if (last || trained->epochs - best >= recipe->patience)
            break;
    }
    if (!status && best) {
        memcpy(n->weight, s.best, n->count * sizeof *s.best);
        trained->check = lowest;
        trained->epochs = best;
    }
    cdp_gradient_free(&s.gradient);
    free(s.order);
    free(s.velocity);
    free(s.best);
    return status;
}

// ---- calibration

// The derivative of the loss by the factor of the margins.
static double slope(const struct cdp_examples *e, const float *margin, double factor)
{
    double sum = 0;
    for (size_t i = 0; i < e->count; i++) {
        double m = (double)margin[i];
        sum += (double)e->weight[i] * m * (1 / (1 + exp(-factor * m)) - (double)e->same[i]);
    }
    return sum;
}

int cdp_calibrate(struct cdp_network *n, const struct cdp_examples *check, int threads,
                  float *temperature, struct cdp_err *err)
{
    enum { HALVINGS = 40 };
    float *margin = cdp_alloc(check->count, sizeof *margin, "margins", err);
    if (!margin || cdp_network_margins(n, check->row, check->count, margin, threads, err)) {
        free(margin);
        return -1;
    }
    // The loss is convex in the factor: bisect its derivative over the logarithm of the factor.
    double low = -10, high = 10;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        if (slope(check, margin, exp2(middle)) < 0)
            low = middle;
        else
            high = middle;
    }
    free(margin);
    double factor = exp2(low);
    struct cdp_layer layer[CDP_LAYERS];
    cdp_network_layers(n->inputs, layer);
    for (size_t w = layer[CDP_LAYERS - 1].weight; w < n->count; w++)
        n->weight[w] = (float)((double)n->weight[w] * factor);
    *temperature = (float)(1 / factor);
    return 0;
}
