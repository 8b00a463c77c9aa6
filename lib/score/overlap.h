// SPDX-License-Identifier: MIT
#ifndef CDP_OVERLAP_H
#define CDP_OVERLAP_H

#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"

// Weights w = log10(1 + odds) > 0 of pairs i < j, ascending: those of row i are at begin[i] to
// begin[i + 1] - 1, j is other[number].
struct cdp_weighted_pairs {
    uint64_t items, *begin; // items + 1
    uint32_t *other;
    float *weight;
};

// Multiplies the odds by 10^(slope (B - b)). B is the overlap of the two items' neighbourhoods, the
// Bhattacharyya coefficient: sum over m of sqrt(p_im p_jm), where p_im = w_im / s_i, p_ii = 1 / s_i
// and s_i = 1 + sum over m of w_im. For each tenth of w there is a b such that the expected number
// of true pairs stays. Time: the sum over the pairs of the numbers of pairs of both items. Memory:
// 20 bytes a pair. The same result for any number of threads.
int cdp_overlap_weigh(struct cdp_weighted_pairs *pairs, double slope, int threads,
                      const struct cdp_progress *progress, struct cdp_err *err);

#endif
