// SPDX-License-Identifier: MIT
#ifndef CDP_DISTANCE_H
#define CDP_DISTANCE_H

#include <stddef.h>

#include "base/sums.h"
#include "stream/stream.h"

// Distances in double precision, by sums of a fixed order: the same bits on every machine.

// The sum over two rows that the distance is made of. No hamming.
cdp_sum_function *cdp_distance_sum(const struct cdp_sums *sums, enum cdp_metric metric);

// What neighbours are ranked by, smaller being nearer, from that sum: the negative cosine for
// cosine and angular, from the rows' x.x and y.y; the squared distance for l2; the distance for l1
// and linf.
double cdp_distance_key(enum cdp_metric metric, double sum, double xx, double yy);

// The distance that a key stands for; for hamming, whose keys are the distances, too.
double cdp_distance_of(enum cdp_metric metric, double key);

#endif
