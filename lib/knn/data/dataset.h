// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_DATASET_H
#define CDP_KNN_DATASET_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/sums.h"
#include "io/matrix.h"
#include "knn/data/sketch.h"
#include "knn/kernel/kernel.h"
#include "stream/stream.h"

// The items as the fast passes see them, with what bounds their errors.
//
// cosine, angular, l2: item x is the vector v = u(x) - m, where u scales a row to length 1 (cosine,
// angular) or every row by one power of two (l2), and m is about the mean. Its score with item y is
//
//   -|v - w|^2 / 2 = v.w - v.v / 2 - w.w / 2,
//
// which is the cosine less 1, or half the squared distance, negated. Tiles see the vectors'
// sketches, which rule most pairs out. Of the others the score is computed with v as signed bytes
// q, v = scale q + e: v.w = scale_x scale_y (q_x.q_y) + e_x.w + scale_x q_x.e_y, where the
// last two are, by Cauchy-Schwarz, at most |e_x| |w| + (|v| + |e_x|) |e_y|: the lengths of v and e
// are computed for each item, and rounded up. What single precision adds in putting the score
// together is below 2^-20 (|v| + |w|)^2.
//
// l1, linf: the rows as they are. All terms of a sum have one sign, so a score in single precision
// is off by a share of itself, g = n u / (1 - n u) for n = dim + 1, u = 2^-24 (Higham, Accuracy and
// Stability of Numerical Algorithms, section 3.1), which `least` allows for.
//
// hamming: 32 bits a word; exact.
struct cdp_dataset {
    const struct cdp_matrix *matrix;
    const struct cdp_kernel *kernel;
    const struct cdp_sums *sums;
    const struct cdp_quantizer *quantizer;
    enum cdp_metric metric;
    uint32_t *row;  // of the matrix, of each item; NULL: item i is row i
    size_t words;   // 32-bit words of an item, as tiles see it
    uint32_t *word; // of all items; NULL: the matrix's rows serve as they are
    double *square; // x.x of each row
    double error;   // g; dot products: what double precision is off by, of lengths up to 1
    double unit;    // what l2 scales rows by
    // Dot products only:
    struct cdp_sketcher *sketcher; // shared with spaces that were picked
    unsigned levels;               // of sketches; of a picked data one,
    unsigned level;                // which is this one of the other data
    struct cdp_sketch *sketch;     // of each item, the levels
    size_t byte_words;             // words of the bytes of an item
    uint32_t *bytes;
    struct cdp_vector {
        float scale;
        float offset;   // -v.v / 2
        float length;   // |v|, at least
        float residual; // |e|, at least
    } * vector;
};

void cdp_dataset_free(struct cdp_dataset *data);

static inline uint32_t cdp_dataset_row(const struct cdp_dataset *data, uint64_t item)
{
    return data->row ? data->row[item] : (uint32_t)item;
}

static inline const uint32_t *cdp_dataset_words(const struct cdp_dataset *data, uint64_t item)
{
    if (data->word)
        return data->word + item * data->words;
    return (const void *)cdp_matrix_at(data->matrix, cdp_dataset_row(data, item));
}

// The words of a level of items, and what stands beside those of an item: of dot products only.
static inline size_t cdp_dataset_level_words(const struct cdp_dataset *data, unsigned level)
{
    return level + 1 < data->levels ? data->sketcher->level[level] : data->words;
}

static inline const struct cdp_sketch *cdp_dataset_sketch(const struct cdp_dataset *data,
                                                          uint64_t item, unsigned level)
{
    return &data->sketch[item * data->levels + level];
}

// Puts the items in another order, that of the numbers that they had. Items that are looked at
// together are best side by side in memory.
int cdp_dataset_permute(struct cdp_dataset *data, const uint32_t *order, int threads,
                        struct cdp_err *err);

// The products, or minus distances, of item a and as many others by a level of what tiles see.
void cdp_dataset_products(const struct cdp_dataset *data, uint64_t a,
                          const struct cdp_dataset *others, const uint32_t *items, uint32_t count,
                          unsigned level, float *out);

// Asks the memory for what an item's scores are made of.
static inline void cdp_dataset_prefetch(const struct cdp_dataset *data, uint64_t item)
{
    if (data->vector) {
        cdp_fetch(data->bytes + item * data->byte_words, data->byte_words * sizeof *data->bytes);
        __builtin_prefetch(&data->vector[item]);
    }
}

// The scores of item a of one data and `count` items, at most CDP_TILE_COLUMNS, of it, or of
// another that was picked from it, but for the error of bytes: the same bits whichever of a pair is
// a.
void cdp_dataset_scores(const struct cdp_dataset *data, uint64_t a,
                        const struct cdp_dataset *others, const uint32_t *items, uint32_t count,
                        float *score);

// What tells how near item a is to as many centroids, by what tiles see: larger is nearer. (Of l1
// the sums of floats are in another order than those of tiles.)
void cdp_dataset_sketch_scores(const struct cdp_dataset *data, uint64_t a,
                               const struct cdp_dataset *centroids, const uint32_t *items,
                               uint32_t count, float *score);

// What that score of two items may be off by.
static inline float cdp_dataset_score_error(const struct cdp_dataset *s, uint64_t a, uint64_t b)
{
    if (!s->vector)
        return 0;
    const struct cdp_vector *v = &s->vector[a], *w = &s->vector[b];
    float error = v->residual * w->length + (v->length + v->residual) * w->residual;
    float both = v->length + w->length;
    return error * (1 + 0x1p-20F) + 0x1p-20F * both * both;
}

// Pairs whose keys are computed together, at most.
enum { CDP_KEY_BATCH = 4 };

// The keys of cdp_distance_key for `count` pairs of items a[i] and b[i]; `room` holds 2 x
// CDP_KEY_BATCH rows. Thread-safe.
void cdp_dataset_keys(const struct cdp_dataset *data, const uint32_t *a, const uint32_t *b,
                      uint32_t count, float *room, double *key);

// A score which that of a pair at this key, or at a smaller one, is not below, were it computed
// without error (dot products) or in single precision (the others).
float cdp_dataset_threshold(const struct cdp_dataset *data, double key);

// How far apart the vectors of a pair of this score are, in steps of sketches, at least. Dot
// products only.
static inline float cdp_dataset_radius(const struct cdp_dataset *data, float least)
{
    float square = -2 * least, step = (float)data->sketcher->step * (1 - 0x1p-20F);
    return square > 0 ? sqrtf(square) / step : 0;
}

#endif
