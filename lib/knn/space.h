// SPDX-License-Identifier: MIT
#ifndef CDP_SPACE_H
#define CDP_SPACE_H

#include <stdint.h>

#include "base/err.h"
#include "base/sums.h"
#include "io/matrix.h"
#include "knn/kernel.h"
#include "knn/sets.h"
#include "stream/stream.h"

// The items as the fast pass sees them, with what bounds its error.
//
// cosine, angular, l2: item x is the vector v = u(x) - m, where u scales a row to length 1 (cosine,
// angular) or every row by one power of two (l2), and m is about the mean. Its score with item y is
//
//   -|v - w|^2 / 2 = v.w - v.v / 2 - w.w / 2,
//
// which is the cosine less 1, or half the squared distance, negated. v is held as signed bytes q
// with v = scale q + e. So v.w = scale_x scale_y (q_x.q_y) + e_x.w + scale_x q_x.e_y, where the
// last two are, by Cauchy-Schwarz, at most |e_x| |w| + (|v| + |e_x|) |e_y|: the lengths of v and e
// are computed for each item, and rounded up. What single precision adds in putting the score
// together is below 2^-20 (|v| + |w|)^2.
//
// l1, linf: the rows as they are. All terms of a sum have one sign, so a score in single precision
// is off by a share of itself, g = n u / (1 - n u) for n = dim + 1, u = 2^-24 (Higham, Accuracy and
// Stability of Numerical Algorithms, section 3.1), which `least` allows for.
//
// hamming: 32 bits a word; exact.
struct cdp_space {
    const struct cdp_matrix *matrix;
    const struct cdp_kernel *kernel;
    const struct cdp_sums *sums;
    enum cdp_metric metric;
    size_t words;         // 32-bit words of an item
    size_t stride;        // words from an item to the next
    const uint32_t *word; // of all items
    uint32_t *own;        // the same, unless the matrix's rows serve as they are
    double *square;       // x.x of each row
    float *scale;         // these five: dot products only, else NULL
    float *offset;        // -v.v / 2
    float *length;        // |v|, at least
    float *residual;      // |e|, at least
    int32_t *start;       // -128 x the sum of the bytes
    double error;         // g; dot products: what double precision is off by, of lengths up to 1
    double unit;          // what l2 scales rows by
};

// Builds the space with `threads` threads. A row with a number that is not finite, or without a
// direction where the metric needs one, is an error that names it. The matrix must outlive it.
int cdp_space_build(struct cdp_space *space, const struct cdp_matrix *matrix,
                    enum cdp_metric metric, int threads, struct cdp_err *err);
void cdp_space_free(struct cdp_space *space);

static inline const uint32_t *cdp_space_words(const struct cdp_space *space, uint64_t id)
{
    return space->word + id * space->stride;
}

// A space of `count` items of another, for the fast pass only: it knows no keys. The other space
// must outlive it.
int cdp_space_pick(struct cdp_space *picked, const struct cdp_space *space, const uint32_t *items,
                   uint64_t count, struct cdp_err *err);

// Moves each item of a picked space to the mean of the other's items that are its set, if there are
// any. The mean of rows of bits is what most of them have.
int cdp_space_move(struct cdp_space *picked, const struct cdp_space *space,
                   const struct cdp_sets *sets, int threads, struct cdp_err *err);

// The key of cdp_distance_key for two items; `x` is row a as float32 numbers, `room` holds one row.
double cdp_space_key(const struct cdp_space *space, uint64_t a, uint64_t b, const float *x,
                     float *room);

// A score which that of a pair at this key, or at a smaller one, is not below, were it computed
// without error (dot products) or by the fast pass (the others).
float cdp_space_least(const struct cdp_space *space, double key);

#endif
