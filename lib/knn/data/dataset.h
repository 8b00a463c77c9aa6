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

// The items as the search reads them: compressed, with bounds of their errors.
//
// cosine, angular, l2: item x is the vector v = u(x) - m, where u scales a row to length 1 (cosine,
// angular) or all rows by one power of two (l2), and m is about the mean. The score of two items is
//
//   -|v - w|^2 / 2 = v.w - v.v / 2 - w.w / 2,
//
// the cosine less 1, or half the squared distance, negated. Tiles compare sketches (sketch.h),
// which rule out most pairs. The others are scored with v as int8, v = scale q + e: v.w = scale_x
// scale_y (q_x.q_y) + e_x.w + scale_x q_x.e_y. By Cauchy-Schwarz the last two terms are at most
// |e_x| |w| + (|v| + |e_x|) |e_y|; the lengths of v and e are stored rounded up. Single precision
// adds less than 2^-20 (|v| + |w|)^2.
//
// l1, linf: the rows as float32. All terms of a sum have one sign, so the relative error of a score
// in single precision is g = n u / (1 - n u) with n = dim + 1, u = 2^-24 (Higham, Accuracy and
// Stability of Numerical Algorithms, section 3.1).
//
// hamming: 32 bits a word; exact.
struct cdp_dataset {
    const struct cdp_matrix *matrix;
    const struct cdp_kernel *kernel;
    const struct cdp_sums *sums;
    const struct cdp_quantizer *quantizer;
    enum cdp_metric metric;
    uint32_t *row;  // matrix row of each item; NULL: item i is row i
    size_t words;   // 32-bit words of an item as tiles read it
    uint32_t *word; // items x words; NULL: the matrix's rows are used
    double *square; // x.x of each matrix row
    double error;   // g; dot products: error of double precision for lengths up to 1
    double unit;    // factor of l2 rows
    // Dot products only:
    struct cdp_sketcher *sketcher; // shared with datasets selected from this one
    unsigned levels;               // of sketches; 1 in a selected dataset,
    unsigned level;                // which holds this level of the original
    struct cdp_sketch *sketch;     // items x levels
    size_t byte_words;             // words of an item's int8 numbers
    uint32_t *bytes;               // items x byte_words
    struct cdp_vector {
        float scale;
        float offset;   // -v.v / 2
        float length;   // at least |v|
        float residual; // at least |e|
    } * vector;         // of each item
};

// Builds the dataset for lists of k neighbours. all_pairs: sketches suit exact search, otherwise
// approximate search. Fails for a row with a number that is not finite, and for a row of zeros if
// the metric needs a direction. The matrix must outlive the dataset.
int cdp_dataset_build(struct cdp_dataset *data, const struct cdp_matrix *matrix,
                      enum cdp_metric metric, uint32_t k, bool all_pairs, int threads,
                      struct cdp_err *err);
void cdp_dataset_free(struct cdp_dataset *data);

// Makes a dataset of `count` items of another one, with one level of their sketches and without
// keys. The other dataset must outlive it.
int cdp_dataset_select(struct cdp_dataset *selected, const struct cdp_dataset *data, unsigned level,
                       const uint32_t *items, uint64_t count, struct cdp_err *err);

// Moves item i of a selected dataset to the mean of items member[start[i]] to
// member[start[i + 1] - 1] of the other one, unless there are none; i < count. For bits, the mean
// is the majority. For dot products, the squared distance of any item to a mean grows by a quarter
// of the mean square distance of its own members: the mean of scattered items is near everything,
// and would attract too many.
int cdp_dataset_set_means(struct cdp_dataset *selected, const struct cdp_dataset *data,
                          const uint64_t *start, const uint32_t *member, uint64_t count,
                          int threads, struct cdp_err *err);

// Item i becomes what item order[i] was.
int cdp_dataset_permute(struct cdp_dataset *data, const uint32_t *order, int threads,
                        struct cdp_err *err);

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

// Words of an item at a level of its sketch.
static inline size_t cdp_dataset_level_words(const struct cdp_dataset *data, unsigned level)
{
    return level + 1 < data->levels ? data->sketcher->level[level] : data->words;
}

// A level of an item's sketch; dot products only.
static inline const struct cdp_sketch *cdp_dataset_sketch(const struct cdp_dataset *data,
                                                          uint64_t item, unsigned level)
{
    return &data->sketch[item * data->levels + level];
}

// Prefetches what the scores of an item read.
static inline void cdp_dataset_prefetch(const struct cdp_dataset *data, uint64_t item)
{
    if (data->vector) {
        cdp_fetch(data->bytes + item * data->byte_words, data->byte_words * sizeof *data->bytes);
        __builtin_prefetch(&data->vector[item]);
    }
}

// The products, or minus distances, of item a and `count` items of another dataset, as tiles
// compute them at a level of `others`. At most CDP_TILE_COLUMNS items.
void cdp_dataset_products(const struct cdp_dataset *data, uint64_t a,
                          const struct cdp_dataset *others, const uint32_t *items, uint32_t count,
                          unsigned level, float *out);

// The scores of item a and `count` items, at most CDP_TILE_COLUMNS, of this dataset or of one
// selected from it. The same bits whichever item of a pair is a.
void cdp_dataset_scores(const struct cdp_dataset *data, uint64_t a,
                        const struct cdp_dataset *others, const uint32_t *items, uint32_t count,
                        float *score);

// The same by sketches, less what is equal for all items: q_v.q_w - q_w.q_w / 2. (For l1, sums are
// rounded differently than in tiles.)
void cdp_dataset_sketch_scores(const struct cdp_dataset *data, uint64_t a,
                               const struct cdp_dataset *others, const uint32_t *items,
                               uint32_t count, float *score);

// Bound of the error of a score.
static inline float cdp_dataset_score_error(const struct cdp_dataset *s, uint64_t a, uint64_t b)
{
    if (!s->vector)
        return 0;
    const struct cdp_vector *v = &s->vector[a], *w = &s->vector[b];
    float error = v->residual * w->length + (v->length + v->residual) * w->residual;
    float both = v->length + w->length;
    return error * (1 + 0x1p-20F) + 0x1p-20F * both * both;
}

enum { CDP_KEY_BATCH = 4 }; // pairs whose keys are computed together, at most

// The keys (cdp_distance_key) of `count` pairs of items a[i] and b[i]. `room` holds
// 2 x CDP_KEY_BATCH rows. Thread-safe.
void cdp_dataset_keys(const struct cdp_dataset *data, const uint32_t *a, const uint32_t *b,
                      uint32_t count, float *room, double *key);

// A lower bound of the scores of all pairs with this key or a smaller one: without the error of
// int8 (dot products), or as computed in single precision.
float cdp_dataset_threshold(const struct cdp_dataset *data, double key);

// A lower bound of the distance, in steps of sketches, of pairs with this score. Dot products only.
static inline float cdp_dataset_radius(const struct cdp_dataset *data, float score)
{
    float square = -2 * score, step = (float)data->sketcher->step * (1 - 0x1p-20F);
    return square > 0 ? sqrtf(square) / step : 0;
}

// ---- for build.c

// Allocates `count` items: `words` words each; int8 numbers; `levels` levels of sketches.
int cdp_dataset_alloc_words(struct cdp_dataset *data, uint64_t count, struct cdp_err *err);
int cdp_dataset_alloc_bytes(struct cdp_dataset *data, uint64_t count, struct cdp_err *err);
int cdp_dataset_alloc_sketches(struct cdp_dataset *data, uint64_t count, struct cdp_err *err);

// Quantizes vector v as item i.
void cdp_dataset_quantize(struct cdp_dataset *data, uint64_t i, const double *v);

// ---- permutation

// An array of lines of `size` bytes; first == NULL: none.
struct cdp_array {
    void *first;
    size_t size;
};

enum { CDP_PERMUTE_ARRAYS = 8 };

// Line i of each array becomes what line order[i] was, in place. `arrays` has `some` arrays, at
// most CDP_PERMUTE_ARRAYS, of `count` lines; `order` is a permutation.
int cdp_permute(const struct cdp_array *arrays, size_t some, uint64_t count, const uint32_t *order,
                int threads, struct cdp_err *err);

// ---- distances, in double precision with a fixed order of summation

// Where |cosine| is above 1 - CDP_CLOSE, the key is computed from the sine. A cosine has an error
// of a few 2^-52, so below that border distances have a relative error of 2^-40. Few neighbours are
// closer, so that the slower path costs little.
#define CDP_CLOSE 0x1p-10

// The sum that the distance of two rows is computed from. Not for hamming.
cdp_sum_function *cdp_distance_sum(const struct cdp_sums *sums, enum cdp_metric metric);

// The key that neighbours are ranked by, smallest first, from that sum, the rows x and y, and
// xx = x.x, yy = y.y. l2: the squared distance; l1, linf: the distance; cosine and angular: with c
// the cosine and b = CDP_CLOSE,
//
//   -1 / (1 - c)   if c > 1 - b, so below -1 / b; -inf at angle 0
//   -c             otherwise
//   1 / (1 + c)    if c < b - 1, so above 1 / b; inf at opposite directions,
//
// which keeps all digits at both ends. Symmetric in x and y, to the bit.
double cdp_distance_key(enum cdp_metric metric, double sum, const float *x, const float *y,
                        size_t dim, double xx, double yy);

// The smallest key: that of equal rows.
double cdp_distance_min_key(enum cdp_metric metric);

// The distance for a key.
double cdp_distance_of(enum cdp_metric metric, double key);

#endif
