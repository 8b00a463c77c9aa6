// SPDX-License-Identifier: MIT
#ifndef CDP_DISTANCE_H
#define CDP_DISTANCE_H

#include <stddef.h>

#include "base/sums.h"
#include "stream/stream.h"

// Distances in double precision, by sums of a fixed order: the same bits on every machine.

// What neighbours are ranked by, smaller being nearer: the negative cosine for cosine and angular,
// from the rows and their x.x and y.y; the squared distance for l2; the distance for l1 and linf.
double cdp_distance_key(const struct cdp_sums *sums, enum cdp_metric metric, const float *x,
                        const float *y, size_t dim, double xx, double yy);

// The distance that a key stands for; for hamming, whose keys are the distances, too.
double cdp_distance_of(enum cdp_metric metric, double key);

#endif
