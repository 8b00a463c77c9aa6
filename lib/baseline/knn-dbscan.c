// SPDX-License-Identifier: MIT
#include "baseline/knn-dbscan.h"

#include <stdlib.h>

#include "base/mem.h"
#include "io/labels.h"

// The number of entries of an item's list within eps: its first ones.
static uint32_t reach(const struct cdp_neighbours *lists, uint64_t i, float eps)
{
    const float *distance = lists->distance + i * lists->k;
    uint32_t count = 0;
    while (count < lists->k && distance[count] <= eps)
        count++;
    return count;
}

int cdp_knn_dbscan(const struct cdp_neighbours *lists, double eps, uint64_t min_samples,
                   uint32_t *label, struct cdp_err *err)
{
    float within = (float)eps;
    uint32_t clusters = 0;
    uint32_t *queue = cdp_alloc(lists->rows, sizeof *queue, "items of a cluster", err);
    if (!queue)
        return -1;
    for (uint64_t i = 0; i < lists->rows; i++)
        label[i] = CDP_NO_LABEL;
    for (uint64_t i = 0; i < lists->rows; i++) {
        if (label[i] != CDP_NO_LABEL || reach(lists, i, within) + UINT64_C(1) < min_samples)
            continue;
        uint64_t count = 1;
        queue[0] = (uint32_t)i;
        label[i] = clusters;
        for (uint64_t at = 0; at < count; at++) {
            const uint32_t *target = lists->target + (size_t)queue[at] * lists->k;
            uint32_t reached = reach(lists, queue[at], within);
            if (reached + UINT64_C(1) < min_samples)
                continue;
            for (uint32_t e = 0; e < reached; e++) {
                if (label[target[e]] == CDP_NO_LABEL) {
                    label[target[e]] = clusters;
                    queue[count++] = target[e];
                }
            }
        }
        clusters++;
    }
    free(queue);
    return 0;
}
