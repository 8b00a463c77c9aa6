// SPDX-License-Identifier: MIT
#ifndef CDP_CLAMP_H
#define CDP_CLAMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// Scores are similarities from 0 to 1. A score outside by at most 1e-6 is a rounding error: inner
// products of float32 unit vectors of some thousand dimensions have errors of that size.
#define CDP_SCORE_ROUNDING 1e-6

// The score, set to 0 or 1 if it is a rounding error outside; adds 1 to *clamped then.
float cdp_clamp_score(float score, uint64_t *clamped);

// Clamps scores of read-only arrays into a copy. Initialize with {0}; free `copy` with free().
struct cdp_clamp {
    float *copy;
    size_t room;
    uint64_t clamped; // scores so far
};

// Sets rounding errors above 1 to 1: *out is `score` itself if there are none, otherwise the copy.
// A score above 1 + 1e-6 is an error.
int cdp_clamp_scores(struct cdp_clamp *clamp, const float *score, size_t count, const float **out,
                     struct cdp_err *err);

#endif
