// SPDX-License-Identifier: MIT
#ifndef CDP_CLAMP_H
#define CDP_CLAMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// Scores are similarities from 0 to 1. One that is outside by at most 1e-6 is a rounding error:
// inner products of float32 unit vectors of some thousand dimensions are off by as much.
#define CDP_SCORE_ROUNDING 1e-6

// The score with a rounding error below 0 or above 1 removed; *clamped counts those.
float cdp_clamp_score(float score, uint64_t *clamped);

// Scores that cannot be changed where they are. Begin with {0}; free `copy` with free().
struct cdp_clamp {
    float *copy;
    size_t room;
    uint64_t clamped; // scores so far
};

// Scores with rounding errors above 1 removed: *out is `score` itself where there are none,
// otherwise the copy. A score that is above 1 by more is an error.
int cdp_clamp_scores(struct cdp_clamp *clamp, const float *score, size_t count, const float **out,
                     struct cdp_err *err);

#endif
