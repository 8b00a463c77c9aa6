// SPDX-License-Identifier: MIT
#include "knn/data/sketch.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "tap.h"

// Two sketches are never farther apart than their vectors, at any level and for any vectors. The
// bytes of sketches and of whole vectors keep their limits.

enum { COUNT = 4200, MOST_DIM = 300, QUERIES = 64 };

static float vector[COUNT * MOST_DIM], shortened[COUNT * MOST_DIM];

static float normal(uint64_t seed, uint64_t index)
{
    double sum = -6;
    for (uint64_t i = 0; i < 12; i++)
        sum += (double)cdp_random(seed, 12 * index + i) * 0x1p-64;
    return (float)sum;
}

// Vectors whose numbers spread by 1 / (1 + decay d), in directions that no axis has.
static void spread(size_t dim, double decay, double size, uint64_t seed)
{
    for (size_t i = 0; i < COUNT; i++) {
        float *v = vector + i * dim, sum = 0;
        for (size_t d = 0; d < dim; d++) {
            v[d] = (float)(size / (1 + decay * (double)d)) * normal(seed, i * dim + d);
            sum += v[d];
        }
        // The reflection that takes the axes' sum to its negative (Householder).
        for (size_t d = 0; d < dim; d++)
            v[d] -= 2 * sum / (float)dim;
    }
}

static double apart(const float *v, const float *w, size_t dim)
{
    double sum = 0;
    for (size_t d = 0; d < dim; d++)
        sum += ((double)v[d] - (double)w[d]) * ((double)v[d] - (double)w[d]);
    return sqrt(sum);
}

// Whether no pair is farther apart at a level than it is; `tight` receives what share of the
// distance that tells.
static bool bounded(const struct cdp_sketcher *s, unsigned level, const struct cdp_sketch *sketch,
                    const uint32_t *word, size_t dim, double *tight)
{
    size_t bad = 0, pairs = 0;
    double share = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const int8_t *p = (const int8_t *)(word + i * s->words);
        double own = (double)sketch[i * s->levels + level].error;
        for (size_t j = i + 1; j < COUNT; j += 1 + j % 97) {
            const int8_t *q = (const int8_t *)(word + j * s->words);
            int64_t square = 0;
            for (size_t b = 0; b < 4 * s->level[level]; b++)
                square += (p[b] - q[b]) * (p[b] - q[b]);
            double other = (double)sketch[j * s->levels + level].error;
            double least = sqrt((double)square) - own - other;
            double is = apart(vector + i * dim, vector + j * dim, dim) / s->step;
            bad += least > is;
            share += is > 0 ? least / is : 1;
            pairs++;
        }
    }
    *tight = share / (double)pairs;
    return bad == 0;
}

// What is kept beside the bytes, and their limits.
static bool consistent(const struct cdp_sketcher *s, const struct cdp_sketch *sketch,
                       const uint32_t *word)
{
    for (size_t i = 0; i < COUNT; i++) {
        const int8_t *q = (const int8_t *)(word + i * s->words);
        int32_t square = 0, sum = 0;
        size_t b = 0;
        for (unsigned l = 0; l < s->levels; l++) {
            for (; b < 4 * s->level[l]; b++) {
                square += q[b] * q[b];
                sum += q[b];
            }
            const struct cdp_sketch *level = &sketch[i * s->levels + l];
            if (square != level->square || -128 * sum != level->start)
                return false;
        }
        double exact[MOST_DIM + 4], length;
        for (b = 0; b < 4 * s->words; b++)
            exact[b] = (double)q[b];
        for (b = 0; b < 4 * s->words; b += 2) {
            if (abs(q[b]) + abs(q[b + 1]) > CDP_DOT_PAIR || q[b] == INT8_MIN ||
                q[b + 1] == INT8_MIN)
                return false;
        }
        if (b != 4 * s->level[s->levels - 1] ||
            s->quantizer->tile_scale(exact, 4 * s->words, &length) > 1.1)
            return false;
    }
    return true;
}

// Whether no byte is -128 where bytes are as fine as they can be.
static bool fits(size_t dim)
{
    const struct cdp_quantizer *quantizer = cdp_quantizer();
    for (size_t i = 0; i < COUNT; i++) {
        double v[MOST_DIM], square;
        int8_t q[MOST_DIM];
        for (size_t d = 0; d < dim; d++)
            v[d] = (double)vector[i * dim + d];
        quantizer->quantize(v, dim, fmax(quantizer->pair_scale(v, dim, &square), 1e-30), q);
        for (size_t d = 0; d < dim; d++) {
            if (q[d] == INT8_MIN)
                return false;
        }
    }
    return true;
}

// Whether the vectors spread along each direction of a level more than along the later ones, among
// which t stands.
static bool leads(const struct cdp_sketcher *s, unsigned level, const uint32_t *word)
{
    double square[MOST_DIM + 4] = {0}, least = INFINITY, most = 0;
    size_t last = s->levels > 1 ? 4 * s->level[s->levels - 2] : 0;
    for (size_t i = 0; i < COUNT; i++) {
        const int8_t *q = (const int8_t *)(word + i * s->words);
        for (size_t b = 0; b < 4 * s->words; b++)
            square[b] += q[b] * q[b];
    }
    for (size_t b = 0; b < 4 * s->level[level]; b++)
        least = fmin(least, square[b]);
    for (size_t b = 4 * s->level[level]; b < 4 * s->words; b++) {
        if (b != last + 1) // t, beside the widest
            most = fmax(most, square[b]);
    }
    return least > 0.95 * most; // they are learned from single precision, and rounded
}

// `tightest` is the share of the distance that the bound has to give in the mean.
static void check(const char *what, size_t dim, float radius, bool by_level, bool shorter,
                  double tightest, bool wide_first)
{
    struct cdp_sketcher s;
    struct cdp_err err;
    float radii[QUERIES];
    static struct cdp_sketch sketch[COUNT * CDP_SKETCH_LEVELS];
    static uint32_t word[COUNT * (MOST_DIM + 3) / 4];
    double room[MOST_DIM], tight = 0;
    size_t bad = 0;
    for (int i = 0; i < QUERIES; i++)
        radii[i] = radius;
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t d = 0; d < dim; d++)
            room[d] = (double)vector[i * dim + d];
        cdp_quantizer()->round12(room, dim, shortened + i * dim);
    }
    if (!ok(cdp_sketcher_new(&s, shortened, COUNT, dim, radii, QUERIES, by_level, cdp_kernel(), 2,
                             &err) == 0,
            "%s: learned", what))
        return;
    for (size_t i = 0; i < COUNT; i += CDP_SKETCH_BLOCK) {
        size_t here = COUNT - i < CDP_SKETCH_BLOCK ? COUNT - i : CDP_SKETCH_BLOCK;
        cdp_sketch(&s, shortened + i * dim, here, 0, room, sketch + i * s.levels,
                   word + i * s.words);
    }
    ok((s.width > 0) == shorter && s.words == (shorter ? s.width : dim + 3) / 4,
       "%s: %zu numbers of %zu", what, 4 * s.words, dim);
    for (unsigned l = 0; l < s.levels; l++) {
        bad += !bounded(&s, l, sketch, word, dim, &tight);
        bad += l + 1 < s.levels && wide_first && !leads(&s, l, word);
    }
    ok(bad == 0, "%s: no pair is farther apart than it is at any of %u levels, the widest first",
       what, s.levels);
    ok(tight > tightest, "%s: the bound is %.3f of the distance", what, tight);
    ok(consistent(&s, sketch, word), "%s: sums and limits", what);
    ok(fits(dim), "%s: no byte is -128", what);
    cdp_sketcher_free(&s);
}

int main(void)
{
    spread(256, 0.1, 0.1, 1);
    check("few directions", 256, 0.25F, false, true, 0.85, true);
    check("the same, by level", 256, 0.25F, true, true, 0.85, true);
    spread(256, 0.1, 1e-12, 1);
    check("the same, small", 256, 2.5e-12F, false, true, 0.85, true);
    spread(256, 0.1, 1e12, 1);
    check("the same, large", 256, 2.5e12F, false, true, 0.85, true);
    spread(67, 0, 0.1, 2);
    check("all directions", 67, 0.7F, false, false, 0.9, false);

    // One in ten of very different length; those that are too long for the step are off by more.
    spread(300, 0.05, 0.1, 3);
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t d = 0; d < 300 && i % 10 == 0; d++)
            vector[i * 300 + d] *= i % 20 ? 1e-4F : 40;
    }
    check("some long, some short", 300, 0.2F, false, true, -100, false);
    check("the same, by level", 300, 0.2F, true, true, -100, false);
    // One outlier.
    spread(300, 0.05, 0.1, 4);
    for (size_t d = 0; d < 300; d++)
        vector[1234 * 300 + d] *= 1000;
    check("an outlier", 300, 0.2F, false, true, 0.5, false);

    // In a plane; of the directions beyond it nothing is left but rounding.
    spread(200, 0, 1, 5);
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t d = 2; d < 200; d++)
            vector[i * 200 + d] = vector[i * 200 + d % 2];
    }
    check("a plane", 200, 0.1F, false, true, 0.9, false);
    for (size_t i = 0; i < COUNT * 200; i++)
        vector[i] = (float)(i % 200 == 7);
    check("copies", 200, 0, false, false, 0.9, false);
    // Two points that are off by as much as short numbers can be, and by nothing else: bytes of
    // 127.
    for (size_t i = 0; i < COUNT * 20; i++)
        vector[i] = i % 20 == 0 || i % 20 == 2 ? (i / 20 % 2 ? 1 : -1) * (1 + 0x1p-12F) : 0;
    check("halfway between short numbers", 20, 0, false, false, 0.9, false);
    // Two that are a little too long for the step of all others: shortened, they are farther apart.
    for (size_t i = 0; i < COUNT * 20; i++)
        vector[i] = i % 20 == 0 ? (i / 20 % 2 ? 1 : -1) : 0;
    vector[0] = vector[20] = 1.05F;
    vector[21] = 0.25F;
    check("too long", 20, 0, false, false, -100, false);
    memset(vector, 0, sizeof vector);
    check("zeros", 200, 0, false, false, 0.9, false);
    return done();
}
