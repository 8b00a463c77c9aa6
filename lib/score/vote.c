// SPDX-License-Identifier: MIT
#include <stdbool.h>

#include "base/ids.h"
#include "base/threads.h"
#include "score/score.h"

void cdp_vote_count(const struct cdp_table *base, const struct cdp_table *member, uint32_t *votes,
                    int threads)
{
    bool few = base->offset[base->rows] < 10000; // threads would wait longer than they work
#pragma omp parallel for num_threads(cdp_threads(threads)) schedule(static) if (!few)
    for (uint64_t i = 0; i < base->rows; i++) {
        const uint32_t *list = member->target + member->offset[i];
        uint64_t count = member->offset[i + 1] - member->offset[i];
        for (uint64_t e = base->offset[i]; e < base->offset[i + 1]; e++)
            votes[e] += cdp_holds(list, count, base->target[e]);
    }
}

void cdp_vote_keep(const struct cdp_table *base, const uint32_t *votes, unsigned accept,
                   float threshold, uint8_t *keep)
{
    uint64_t edges = base->offset[base->rows];
    for (uint64_t e = 0; e < edges; e++)
        keep[e] = votes[e] >= accept && base->distance[e] > threshold;
}

void cdp_truth_keep(struct cdp_table *base, const struct cdp_labels *labels, uint8_t *keep)
{
    for (uint64_t i = 0; i < base->rows; i++) {
        for (uint64_t e = base->offset[i]; e < base->offset[i + 1]; e++) {
            keep[e] = labels->group[i] != CDP_NO_LABEL &&
                      labels->group[i] == labels->group[base->target[e]];
            base->distance[e] = 1.0F;
        }
    }
}
