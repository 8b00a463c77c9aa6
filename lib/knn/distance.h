// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_DISTANCE_H
#define CDP_KNN_DISTANCE_H

#include <stddef.h>

#include "base/sums.h"
#include "stream/stream.h"

// Where 1 - c or 1 + c is at most this, the cosine c of a sum of products has too few digits. It is
// off by some 2^-52, and by a few times that for thousands of numbers: a part of 2^-40 of distances
// above this border, 2^-16 of the last digit of float32. Neighbours are seldom that close, so that
// the longer computation below the border costs nothing as a rule.
#define CDP_CLOSE 0x1p-10

// Distances in double precision, by sums of a fixed order: the same bits on every machine.

// The sum over two rows that the distance is made of. No hamming.
cdp_sum_function *cdp_distance_sum(const struct cdp_sums *sums, enum cdp_metric metric);

// What neighbours are ranked by, smaller being nearer, from that sum of rows x and y, whose x.x and
// y.y are xx and yy: the squared distance for l2; the distance for l1 and linf; for cosine and
// angular a number that rises with the angle and has all its digits at both ends: with c the
// cosine and b = CDP_CLOSE,
//
//   -1 / (1 - c)   where c > 1 - b, below -1 / b; -inf at angle 0
//   -c             elsewhere
//   1 / (1 + c)    where c < b - 1, above 1 / b; inf at opposite directions.
//
// The key of y and x has the same bits.
double cdp_distance_key(enum cdp_metric metric, double sum, const float *x, const float *y,
                        size_t dim, double xx, double yy);

// The smallest key: that of equal rows.
double cdp_distance_min_key(enum cdp_metric metric);

// The distance that a key stands for; for hamming, whose keys are the distances, too.
double cdp_distance_of(enum cdp_metric metric, double key);

#endif
