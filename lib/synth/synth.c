// SPDX-License-Identifier: MIT
#include "synth/synth.h"

#include <math.h>
#include <stddef.h>

#include "base/random.h"
#include "base/threads.h"

// The streams of random numbers.
enum { SIZES, ORDER, FAMILY, LIKENESS, IDENTITY, DIFFICULTY, IMAGE, MODELS };

static uint64_t key(const struct cdp_synth *synth, uint64_t stream, uint64_t index)
{
    return cdp_random(cdp_random(synth->seed, stream), index);
}

// Evenly between 0 and 1, both excluded.
static double uniform(uint64_t random)
{
    return ((double)(random >> 32) + 0.5) * 0x1p-32;
}

// Nearly normal, of variance 2^32/3: the sum of four 16-bit numbers less its mean. An integer, so
// that every machine gets the same.
static int32_t normal(uint64_t random)
{
    const uint64_t odd = UINT64_C(0x0000FFFF0000FFFF);
    uint64_t pairs = (random & odd) + (random >> 16 & odd);
    return (int32_t)((uint32_t)pairs + (uint32_t)(pairs >> 32)) - 131070;
}
#define NORMAL_SCALE (1.7320508075688772 / 65536)

static uint64_t weight(const struct cdp_synth *synth, uint64_t identity)
{
    double z = NORMAL_SCALE * normal(key(synth, SIZES, identity));
    double w = 1 + 0.7 / 8 * z; // (1 + x/8)^8 for e^x
    w *= w;
    w *= w;
    w *= w;
    return (uint64_t)(w * 0x1p20);
}

void cdp_synth_labels(const struct cdp_synth *synth, uint32_t *labels)
{
    uint64_t total = 0, sum = 0, item = 0;
    for (uint64_t i = 0; i < synth->identities; i++)
        total += weight(synth, i);
    for (uint64_t i = 0; i < synth->identities; i++) {
        sum += weight(synth, i);
        uint64_t spare = synth->items - synth->identities;
        uint64_t end = i + 1 + (uint64_t)((unsigned __int128)spare * sum / total);
        while (item < end)
            labels[item++] = (uint32_t)i;
    }
    for (uint64_t i = synth->items; i > 1; i--) {
        uint64_t j = (uint64_t)((unsigned __int128)key(synth, ORDER, i) * i >> 64);
        uint32_t label = labels[i - 1];
        labels[i - 1] = labels[j];
        labels[j] = label;
    }
}

static void add_normals(float *row, uint32_t dim, uint64_t seed, double variance)
{
    float scale = (float)(NORMAL_SCALE * sqrt(variance));
    for (uint32_t d = 0; d < dim; d++)
        row[d] += scale * (float)normal(cdp_random(seed, d));
}

static void make_row(const struct cdp_synth *s, uint64_t item, uint32_t identity, uint32_t model,
                     float *row)
{
    uint32_t dim = s->dim;
    uint64_t family = identity / s->family;
    double alike = s->alike * uniform(key(s, LIKENESS, family));
    // Pareto
    double u = uniform(key(s, DIFFICULTY, item));
    double spread = s->spread * (s->tail > 0 ? 1 / sqrt(u) : 1);
    if (s->tail > 1)
        spread = s->spread / sqrt(sqrt(u));
    if (s->tail > 2)
        spread = s->spread / sqrt(sqrt(u) * u);
    for (uint32_t d = 0; d < dim; d++)
        row[d] = 0;
    add_normals(row, dim, key(s, FAMILY, family), (1 - s->dissent) * alike);
    add_normals(row, dim, key(s, IDENTITY, identity), (1 - s->dissent) * (1 - alike));
    add_normals(row, dim, key(s, IMAGE, item), spread * s->shared);
    add_normals(row, dim, key(s, MODELS + 2 * (uint64_t)model, identity), s->dissent);
    add_normals(row, dim, key(s, MODELS + 2 * (uint64_t)model + 1, item), spread * (1 - s->shared));
    double norm = 0;
    for (uint32_t d = 0; d < dim; d++) {
        row[d] *= (float)s->crowding / ((float)s->crowding + (float)d);
        norm += (double)row[d] * row[d];
    }
    float scale = (float)(1 / sqrt(norm));
    for (uint32_t d = 0; d < dim; d++)
        row[d] *= scale;
}

void cdp_synth_rows(const struct cdp_synth *synth, const uint32_t *labels, uint32_t model,
                    uint64_t first, uint64_t count, int threads, float *rows)
{
#pragma omp parallel for num_threads(cdp_threads(threads)) schedule(static)
    for (uint64_t i = 0; i < count; i++)
        make_row(synth, first + i, labels[first + i], model, rows + (size_t)i * synth->dim);
}
