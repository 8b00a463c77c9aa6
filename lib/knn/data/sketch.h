// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_SKETCH_H
#define CDP_KNN_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "knn/kernel/kernel.h"

enum { CDP_SKETCH_LEVELS = 4 };

// Vectors in fewer numbers, which stand no farther apart than the vectors do.
//
// With directions P that make no vector longer, nearly orthonormal ones, a vector v becomes
// (Ptv, t), where t = sqrt(|v|^2 - |Ptv|^2) is the length of what they leave out: of
// (I - PPt)^1/2 v. For two vectors, |v - w|^2 is |Ptv - Ptw|^2 plus the squared distance of what is
// left out of them, which is at least (t_v - t_w)^2. Directions of most spread make the bound close
// (principal components: Pearson, On lines and planes of closest fit, 1901). The numbers are held
// as bytes, all of one scale, the step: |Ptv - Ptw| in steps is at
// least |q_v - q_w| - e_v - e_w, where e, computed for each vector and rounded up, is what
// rounding, the directions and single precision may have moved it by. The first numbers alone,
// those of most spread, are a sketch too, without t: a lower level of it. Vectors that spread in
// all directions keep all their numbers, without t, in one level.
struct cdp_sketcher {
    const struct cdp_kernel *kernel;
    const struct cdp_quantizer *quantizer;
    const struct cdp_sums *sums;
    size_t dim;                      // numbers of a vector
    unsigned levels;                 // at most CDP_SKETCH_LEVELS
    size_t level[CDP_SKETCH_LEVELS]; // 32-bit words of each, ascending
    size_t words;                    // of the last one, which is the whole sketch
    size_t width;                    // directions; 0: all numbers are kept
    float *directions;               // dim lines of `width`
    double shrink;                   // what projections are multiplied by, so as not to be longer
    double slack;                    // that of a vector of length 1 is off by
    double tail;                     // taken off t, to keep it small
    double step;
};

// A level of a sketch but for its bytes.
struct cdp_sketch {
    int32_t square; // q.q
    int32_t start;  // -128 x the sum of the bytes
    float error;    // e, in steps
};

enum { CDP_SKETCH_REACHES = 64 };

// Learns from `count` vectors, a line of `dim` numbers each, of which those farther apart than
// `reach`, at most CDP_SKETCH_REACHES, must be told from neighbours. by_level: whoever compares
// sketches will choose the level that suits them, so that the whole one is for those that reach
// farthest; otherwise it suits all, and there are two levels at most. The caller frees it, after an
// error too.
int cdp_sketcher_new(struct cdp_sketcher *sketcher, const float *vectors, size_t count, size_t dim,
                     const float *reach, size_t reaches, bool by_level,
                     const struct cdp_kernel *kernel, int threads, struct cdp_err *err);
void cdp_sketcher_free(struct cdp_sketcher *sketcher);

enum { CDP_SKETCH_BLOCK = 16 };

// What a pair of vectors of `dim` numbers costs if it costs `tile` in a tile of sketches, which let
// a share of the pairs pass, in multiply-adds of a tile.
double cdp_sketch_cost(double tile, double share, size_t dim);

// Sketches at most CDP_SKETCH_BLOCK vectors of `dim` numbers, each of which is off by at most
// `error`. `word` receives their words, `sketches` the levels of each; `room` holds dim numbers.
void cdp_sketch(const struct cdp_sketcher *sketcher, const float *vectors, size_t count,
                double error, double *room, struct cdp_sketch *sketches, uint32_t *word);

#endif
