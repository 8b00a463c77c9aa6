// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_SKETCH_H
#define CDP_KNN_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sums.h"
#include "knn/kernel/kernel.h"

// Compressed vectors: int8 quantization, PCA, and sketches, which are both together.

// ---- int8 quantization: v = scale q + e

struct cdp_quantized {
    int32_t sum;     // of q
    int32_t square;  // q.q
    double residual; // e.e
};

// The same bits from every instruction set.
struct cdp_quantizer {
    // The smallest scale for which q, rounded, keeps the limits of tiles (kernel.h), and for which
    // it keeps those of pairs only. *square receives v.v.
    double (*tile_scale)(const double *v, size_t dim, double *square);
    double (*pair_scale)(const double *v, size_t dim, double *square);
    // Rounds v to q. `scale` is at least one of the above.
    struct cdp_quantized (*quantize)(const double *v, size_t dim, double scale, int8_t *q);
    // v += scale q
    void (*add)(double *v, size_t dim, double scale, const int8_t *q);
    // v = unit x - origin
    void (*center)(const float *x, size_t dim, double unit, const double *origin, double *v);
    // Rounds to 12 bits, as projections need (cdp_round12).
    void (*round12)(const double *v, size_t dim, float *rounded);
};

// The functions for the instruction set that cdp_isa() returns. Thread-safe.
const struct cdp_quantizer *cdp_quantizer(void);

// ---- PCA

// Finds the first `width` principal directions of `count` rows of `dim` numbers by orthogonal
// iteration (Golub and Van Loan, Matrix Computations, section 8.2.4), and writes them as `dim`
// lines of `width` numbers, largest variance first. All numbers have 12 bits. *slack receives the
// Frobenius norm of PtP - I. The same bits from every instruction set and number of threads.
// `width` is a multiple of CDP_PANEL_COLUMNS, at most `dim` and at most `count`.
int cdp_pca(float *directions, size_t width, double *slack, const float *rows, size_t count,
            size_t dim, const struct cdp_kernel *kernel, int threads, struct cdp_err *err);

// out = rows x directions
void cdp_pca_project(const struct cdp_kernel *kernel, const float *rows, size_t count, size_t dim,
                     const float *directions, size_t width, float *out, int threads);

// ---- PCA sketches

enum {
    CDP_SKETCH_LEVELS = 2,
    CDP_SKETCH_BLOCK = 16,   // vectors that are sketched together, at most
    CDP_SKETCH_QUERIES = 64, // vectors whose radius is known when sketches are learned, at most
};

// A vector in fewer numbers. Two sketches are never farther apart than their vectors.
//
// With nearly orthonormal directions P that lengthen no vector, v becomes (Ptv, t), where
// t = sqrt(|v|^2 - |Ptv|^2) is the length of (I - PPt)^1/2 v. For two vectors |v - w|^2 is
// |Ptv - Ptw|^2 plus the squared distance of the rests, which is at least (t_v - t_w)^2. Principal
// directions make this bound tight (Pearson, On lines and planes of closest fit, 1901). Numbers are
// int8 in units of one `step`. |Ptv - Ptw| / step is at least |q_v - q_w| - e_v - e_w, where e is
// rounded up and covers quantization, directions and single precision. The first numbers alone,
// without t, are a lower level of the sketch. Vectors with variance in all directions keep all
// numbers, without t, in one level.
struct cdp_sketcher {
    const struct cdp_kernel *kernel;
    const struct cdp_quantizer *quantizer;
    const struct cdp_sums *sums;
    size_t dim;                      // numbers of a vector
    unsigned levels;                 // 1 to CDP_SKETCH_LEVELS
    size_t level[CDP_SKETCH_LEVELS]; // 32-bit words of each level, ascending
    size_t words;                    // of the last level, the whole sketch
    size_t width;                    // directions; 0: all numbers are kept
    float *directions;               // dim x width
    double shrink;                   // factor of projections, so that no vector gets longer
    double slack;                    // error of the projection of a vector of length 1
    double tail;                     // mean of t, which is subtracted to keep it small
    double step;
};

// One level of a sketch, except its bytes.
struct cdp_sketch {
    int32_t square; // q.q
    int32_t start;  // -128 x sum of q
    float error;    // e, in steps
};

// Learns from `count` vectors of `dim` numbers, the first `queries` of which, at most
// CDP_SKETCH_QUERIES, have their k-th neighbour at distance `radius`. by_level: the search will
// choose a level for each block, so the whole sketch suits rows of large radius. Otherwise it suits
// all rows. Free it also after an error.
int cdp_sketcher_new(struct cdp_sketcher *sketcher, const float *vectors, size_t count, size_t dim,
                     const float *radius, size_t queries, bool by_level,
                     const struct cdp_kernel *kernel, int threads, struct cdp_err *err);
void cdp_sketcher_free(struct cdp_sketcher *sketcher);

// Cost of a pair in multiply-adds of a tile: `tile` for the tile itself, plus exact scoring of the
// share of pairs that pass.
double cdp_sketch_cost(double tile, double share, size_t dim);

// Sketches at most CDP_SKETCH_BLOCK vectors whose numbers are off by at most `error` together.
// `sketches` receives the levels of each, `word` their words. `room` holds dim numbers.
void cdp_sketch(const struct cdp_sketcher *sketcher, const float *vectors, size_t count,
                double error, double *room, struct cdp_sketch *sketches, uint32_t *word);

#endif
