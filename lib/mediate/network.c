// SPDX-License-Identifier: MIT
#include "mediate/network.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/threads.h"
#include "base/vectors.h"

// Examples are processed in chunks, transposed: number n of example s of a chunk is [n x CHUNK +
// s], so that every loop runs over examples.

enum { CHUNK = 64, UNITS = 4 };

CDP_INLINE cdp_floats all(float v)
{
    return v - (cdp_floats){0};
}

// A strided matrix: element (u, i) is at[u x row + i x column].
struct matrix {
    const float *at;
    size_t row, column;
};

CDP_INLINE void multiply_units(struct matrix w, const float *start, size_t inputs, const float *in,
                               size_t unit, size_t units, float *out)
{
    for (size_t s = 0; s < CHUNK; s += 2 * CDP_LANES) {
        cdp_floats sum[UNITS][2];
        for (size_t u = 0; u < units; u++) {
            sum[u][0] = all(start ? start[unit + u] : 0);
            sum[u][1] = sum[u][0];
        }
        for (size_t i = 0; i < inputs; i++) {
            cdp_floats x = cdp_floats_load(in + i * CHUNK + s),
                       y = cdp_floats_load(in + i * CHUNK + s + CDP_LANES);
#pragma GCC unroll 4
            for (size_t u = 0; u < units; u++) {
                float weight = w.at[(unit + u) * w.row + i * w.column];
                sum[u][0] += weight * x;
                sum[u][1] += weight * y;
            }
        }
        for (size_t u = 0; u < units; u++) {
            cdp_floats_store(out + (unit + u) * CHUNK + s, sum[u][0]);
            cdp_floats_store(out + (unit + u) * CHUNK + s + CDP_LANES, sum[u][1]);
        }
    }
}

// out = start + w in; start NULL is 0.
CDP_INLINE void multiply(struct matrix w, const float *start, size_t inputs, const float *in,
                         size_t outputs, float *out)
{
    size_t u = 0;
    for (; u + UNITS <= outputs; u += UNITS)
        multiply_units(w, start, inputs, in, u, UNITS, out);
    for (; u < outputs; u++)
        multiply_units(w, start, inputs, in, u, 1, out);
}

// Sets `values` to 0 where `by` is not above 0.
CDP_INLINE void relu(float *values, const float *by, size_t count)
{
    for (size_t n = 0; n < count; n += CDP_LANES) {
        cdp_ints above = cdp_floats_load(by + n) > (cdp_floats){0};
        cdp_floats_store(values + n, (cdp_floats)((cdp_ints)cdp_floats_load(values + n) & above));
    }
}

// Sums over examples are eight, number s % 8 of example s, and then one.
enum { SUMS = 8, EACH = SUMS / CDP_LANES };

CDP_INLINE float join(const cdp_floats sum[EACH])
{
#define NUMBER(n) sum[(n) / CDP_LANES][(n) % CDP_LANES]
    return ((NUMBER(0) + NUMBER(4)) + (NUMBER(2) + NUMBER(6))) +
           ((NUMBER(1) + NUMBER(5)) + (NUMBER(3) + NUMBER(7)));
#undef NUMBER
}

CDP_INLINE void correlate_units(const float *delta, const float *in, size_t units, float *out)
{
    cdp_floats sum[UNITS][EACH] = {0};
    for (size_t s = 0; s < CHUNK; s += SUMS) {
#pragma GCC unroll 2
        for (size_t e = 0; e < EACH; e++) {
            cdp_floats d = cdp_floats_load(delta + s + e * CDP_LANES);
#pragma GCC unroll 4
            for (size_t i = 0; i < units; i++)
                sum[i][e] += d * cdp_floats_load(in + i * CHUNK + s + e * CDP_LANES);
        }
    }
    for (size_t i = 0; i < units; i++)
        out[i] = join(sum[i]);
}

// The gradient of a layer from the deltas of its outputs and its inputs.
CDP_INLINE void correlate(const struct cdp_layer *layer, const float *delta, const float *in,
                          float *gradient)
{
    for (size_t u = 0; u < layer->outputs; u++, delta += CHUNK) {
        float *out = gradient + layer->weight + u * layer->inputs;
        size_t i = 0;
        for (; i + UNITS <= layer->inputs; i += UNITS)
            correlate_units(delta, in + i * CHUNK, UNITS, out + i);
        for (; i < layer->inputs; i++)
            correlate_units(delta, in + i * CHUNK, 1, out + i);
        cdp_floats sum[EACH] = {0};
        for (size_t s = 0; s < CHUNK; s += SUMS) {
            for (size_t e = 0; e < EACH; e++)
                sum[e] += cdp_floats_load(delta + s + e * CDP_LANES);
        }
        gradient[layer->bias + u] = join(sum);
    }
}

// The activations of a chunk and their gradients, in a thread's memory.
struct chunk {
    float *in, *value[CDP_LAYERS]; // the inputs, and the outputs of each layer
    float *delta[CDP_LAYERS];      // the gradients of the loss by them
};

static size_t room_size(unsigned inputs)
{
    return CHUNK * ((size_t)inputs + 2 * (2 * CDP_HIDDEN * (size_t)inputs + 2));
}

static struct chunk chunk_in(float *room, unsigned inputs)
{
    struct cdp_layer layer[CDP_LAYERS];
    cdp_network_layers(inputs, layer);
    struct chunk c = {.in = room};
    room += (size_t)CHUNK * inputs;
    for (int l = 0; l < CDP_LAYERS; l++) {
        size_t size = (size_t)CHUNK * layer[l].outputs;
        c.value[l] = room;
        c.delta[l] = room + size;
        room += 2 * size;
    }
    return c;
}

CDP_INLINE void forward(const struct cdp_network *n, const struct chunk *c)
{
    struct cdp_layer layer[CDP_LAYERS];
    cdp_network_layers(n->inputs, layer);
    const float *in = c->in;
    for (int l = 0; l < CDP_LAYERS; l++) {
        struct matrix w = {n->weight + layer[l].weight, layer[l].inputs, 1};
        multiply(w, n->weight + layer[l].bias, layer[l].inputs, in, layer[l].outputs, c->value[l]);
        if (l < CDP_LAYERS - 1)
            relu(c->value[l], c->value[l], (size_t)layer[l].outputs * CHUNK);
        in = c->value[l];
    }
}

// Backpropagation from the deltas of the last layer's outputs.
CDP_INLINE void backward(const struct cdp_network *n, const struct chunk *c, float *gradient)
{
    struct cdp_layer layer[CDP_LAYERS];
    cdp_network_layers(n->inputs, layer);
    for (int l = CDP_LAYERS - 1; l > 0; l--) {
        correlate(&layer[l], c->delta[l], c->value[l - 1], gradient);
        struct matrix transposed = {n->weight + layer[l].weight, 1, layer[l].inputs};
        multiply(transposed, NULL, layer[l].outputs, c->delta[l], layer[l].inputs, c->delta[l - 1]);
        relu(c->delta[l - 1], c->value[l - 1], (size_t)layer[l].inputs * CHUNK);
    }
    correlate(&layer[0], c->delta[0], c->in, gradient);
}

// Both passes, compiled for one instruction set.
struct passes {
    void (*forward)(const struct cdp_network *n, const struct chunk *c);
    void (*backward)(const struct cdp_network *n, const struct chunk *c, float *gradient);
};

#define PASSES(isa, attribute)                                                               \
    attribute static void forward_##isa(const struct cdp_network *n, const struct chunk *c)  \
    {                                                                                        \
        forward(n, c);                                                                       \
    }                                                                                        \
    attribute static void backward_##isa(const struct cdp_network *n, const struct chunk *c, \
                                         float *gradient)                                    \
    {                                                                                        \
        backward(n, c, gradient);                                                            \
    }                                                                                        \
    static const struct passes passes_##isa = {forward_##isa, backward_##isa};

PASSES(plain, )
#ifdef __x86_64__
PASSES(avx2, __attribute__((target("avx2"))))
#endif

static const struct passes *passes(void)
{
#ifdef __x86_64__
    if (cdp_isa() >= CDP_ISA_AVX2)
        return &passes_avx2;
#endif
    return &passes_plain;
}

// ---- the network

void cdp_network_layers(unsigned inputs, struct cdp_layer layer[CDP_LAYERS])
{
    unsigned sizes[CDP_LAYERS + 1] = {inputs, CDP_HIDDEN * inputs, CDP_HIDDEN * inputs, 2};
    size_t at = 0;
    for (int l = 0; l < CDP_LAYERS; l++) {
        size_t weights = (size_t)sizes[l] * sizes[l + 1];
        layer[l] = (struct cdp_layer){sizes[l], sizes[l + 1], at, at + weights};
        at += weights + sizes[l + 1];
    }
}

int cdp_network_new(struct cdp_network *n, unsigned inputs, uint64_t seed, struct cdp_err *err)
{
    struct cdp_layer layer[CDP_LAYERS];
    cdp_network_layers(inputs, layer);
    *n = (struct cdp_network){.inputs = inputs,
                              .count = layer[CDP_LAYERS - 1].bias + layer[CDP_LAYERS - 1].outputs};
    n->weight = cdp_alloc(n->count, sizeof *n->weight, "weights", err);
    n->shift = cdp_alloc(inputs, sizeof *n->shift, "inputs", err);
    n->scale = cdp_alloc(inputs, sizeof *n->scale, "inputs", err);
    if (!n->weight || !n->shift || !n->scale) {
        cdp_network_free(n);
        return -1;
    }
    for (unsigned i = 0; i < inputs; i++) {
        n->shift[i] = 0;
        n->scale[i] = 1;
    }
    for (int l = 0; l < CDP_LAYERS; l++) {
        double most = 1 / sqrt((double)layer[l].inputs);
        for (size_t w = layer[l].weight; w < layer[l].bias + layer[l].outputs; w++)
            n->weight[w] = (float)(most * ((double)(cdp_random(seed, w) >> 11) * 0x1p-52 - 1));
    }
    return 0;
}

void cdp_network_free(struct cdp_network *n)
{
    free(n->weight);
    free(n->shift);
    free(n->scale);
    *n = (struct cdp_network){0};
}

// ---- inference

// Puts a row into a chunk as example s.
static void put(const struct cdp_network *n, const struct chunk *c, size_t s, const float *row)
{
    for (unsigned i = 0; i < n->inputs; i++)
        c->in[i * CHUNK + s] = (row[i] - n->shift[i]) * n->scale[i];
}

int cdp_network_margins(const struct cdp_network *n, const float *row, size_t count, float *margin,
                        int threads, struct cdp_err *err)
{
    threads = cdp_threads(threads);
    size_t size = room_size(n->inputs);
    float *room = cdp_zalloc((size_t)threads * size, sizeof *room, "the network's values", err);
    if (!room)
        return -1;
    const struct passes *pass = passes();
#pragma omp parallel for num_threads(threads) schedule(static)
    for (size_t from = 0; from < count; from += CHUNK) {
        struct chunk c = chunk_in(room + (size_t)cdp_thread() * size, n->inputs);
        size_t used = count - from < CHUNK ? count - from : CHUNK;
        for (size_t s = 0; s < used; s++)
            put(n, &c, s, row + (from + s) * n->inputs);
        pass->forward(n, &c);
        const float *out = c.value[CDP_LAYERS - 1];
        for (size_t s = 0; s < used; s++)
            margin[from + s] = out[CHUNK + s] - out[s];
    }
    free(room);
    return 0;
}

float cdp_probability(double margin)
{
    return (float)(1 / (1 + exp(-margin)));
}

double cdp_cross_entropy(double margin, int same)
{
    double against = same ? -margin : margin;
    return against > 0 ? against + log1p(exp(-against)) : log1p(exp(against));
}

// ---- training

int cdp_gradient_new(struct cdp_gradient *g, const struct cdp_network *n, size_t batch, int threads,
                     struct cdp_err *err)
{
    size_t chunks = (batch + CHUNK - 1) / CHUNK;
    *g = (struct cdp_gradient){.threads = cdp_threads(threads)};
    g->of = cdp_alloc(n->count, sizeof *g->of, "the gradient", err);
    g->chunk = cdp_alloc(chunks, n->count * sizeof *g->chunk, "gradients", err);
    g->chunk_loss = cdp_alloc(chunks, sizeof *g->chunk_loss, "losses", err);
    g->room = cdp_zalloc((size_t)g->threads * room_size(n->inputs), sizeof *g->room,
                         "the network's values", err);
    if (g->of && g->chunk && g->chunk_loss && g->room)
        return 0;
    cdp_gradient_free(g);
    return -1;
}

void cdp_gradient_free(struct cdp_gradient *g)
{
    free(g->of);
    free(g->chunk);
    free(g->chunk_loss);
    free(g->room);
    *g = (struct cdp_gradient){0};
}

// A chunk's loss and gradient, divided by `all`, the number of examples of the batch.
static double chunk_gradient(const struct cdp_network *n, const struct passes *pass, float *room,
                             const struct cdp_examples *e, const size_t *index, size_t used,
                             size_t all, float *gradient)
{
    struct chunk c = chunk_in(room, n->inputs);
    for (size_t s = 0; s < used; s++)
        put(n, &c, s, e->row + index[s] * n->inputs);
    pass->forward(n, &c);
    const float *out = c.value[CDP_LAYERS - 1];
    float *delta = c.delta[CDP_LAYERS - 1];
    double loss = 0;
    memset(delta, 0, 2 * CHUNK * sizeof *delta);
    for (size_t s = 0; s < used; s++) {
        double margin = (double)out[CHUNK + s] - (double)out[s];
        double weight = (double)e->weight[index[s]] / (double)all;
        loss += weight * cdp_cross_entropy(margin, e->same[index[s]]);
        double slope = 1 / (1 + exp(-margin)) - (double)e->same[index[s]];
        delta[CHUNK + s] = (float)(weight * slope);
        delta[s] = -delta[CHUNK + s];
    }
    pass->backward(n, &c, gradient);
    return loss;
}

void cdp_gradient_compute(struct cdp_gradient *g, const struct cdp_network *n,
                          const struct cdp_examples *e, const size_t *index, size_t count)
{
    const struct passes *pass = passes();
    size_t size = room_size(n->inputs), chunks = (count + CHUNK - 1) / CHUNK;
#pragma omp parallel num_threads(g->threads)
    {
#pragma omp for schedule(static)
        for (size_t k = 0; k < chunks; k++) {
            size_t from = k * CHUNK, used = count - from < CHUNK ? count - from : CHUNK;
            g->chunk_loss[k] = chunk_gradient(n, pass, g->room + (size_t)cdp_thread() * size, e,
                                              index + from, used, count, g->chunk + k * n->count);
        }
#pragma omp for schedule(static)
        for (size_t w = 0; w < n->count; w++) {
            float sum = 0;
            for (size_t k = 0; k < chunks; k++)
                sum += g->chunk[k * n->count + w];
            g->of[w] = sum;
        }
    }
    g->loss = 0;
    for (size_t k = 0; k < chunks; k++)
        g->loss += g->chunk_loss[k];
}
