// SPDX-License-Identifier: MIT
#include "base/clamp.h"

#include <stdbool.h>

#include "base/mem.h"

float cdp_clamp_score(float score, uint64_t *clamped)
{
    bool above = score > 1 && (double)score <= 1 + CDP_SCORE_ROUNDING;
    bool below = score < 0 && (double)score >= -CDP_SCORE_ROUNDING;
    *clamped += above || below;
    return above ? 1 : below ? 0 : score;
}

static float highest(const float *score, size_t count)
{
    float most = 0;
    for (size_t s = 0; s < count; s++)
        most = score[s] > most ? score[s] : most;
    return most;
}

int cdp_clamp_scores(struct cdp_clamp *clamp, const float *score, size_t count, const float **out,
                     struct cdp_err *err)
{
    float most = highest(score, count);
    *out = score;
    if (most <= 1)
        return 0;
    if ((double)most > 1 + CDP_SCORE_ROUNDING)
        return cdp_fail(err, "a score of %.9g; at most 1 is wanted", (double)most);
    if (cdp_grow(&clamp->copy, &clamp->room, count, sizeof *clamp->copy, "scores", err))
        return -1;
    for (size_t s = 0; s < count; s++)
        clamp->copy[s] = score[s] > 1 ? cdp_clamp_score(score[s], &clamp->clamped) : score[s];
    *out = clamp->copy;
    return 0;
}
