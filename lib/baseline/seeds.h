// SPDX-License-Identifier: MIT
#ifndef CDP_SEEDS_H
#define CDP_SEEDS_H

#include <stdint.h>

#include "base/progress.h"
#include "baseline/nearest.h"

// Greedy k-means++ (Arthur, Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007,
// section 3 and its conclusion): each next centroid is a row drawn with a probability proportional
// to its squared distance to the nearest centroid so far, the best of 2 + ln K such rows. Of more
// than `sample` rows, a random sample of so many takes part.

// Sets the centroids, at most the `count` that they have room for; fewer if no more rows differ.
// `sample` is at least `count`. Adds `count` to the progress. `threads` is at least 1.
int cdp_seeds(struct cdp_centroids *centroids, const struct cdp_points *points, uint32_t count,
              uint64_t sample, uint64_t seed, int threads, struct cdp_progress *progress,
              struct cdp_err *err);

#endif
