// SPDX-License-Identifier: MIT
#include "combine/clusterer.h"

int cdp_clusterer_add(void *clusterer, const uint64_t *i, const uint64_t *j, const float *score,
                      size_t pairs, struct cdp_err *err)
{
    struct cdp_clusterer *c = clusterer;
    if (!c->map && cdp_map_new(&c->map, err))
        return -1;
    return cdp_map_add(c->map, i, j, score, pairs, err);
}

int64_t cdp_clusterer_cluster(void *clusterer, uint64_t items, uint32_t *label, struct cdp_err *err)
{
    struct cdp_clusterer *c = clusterer;
    double length;
    struct cdp_progress progress = cdp_progress_within(c->outer);
    int64_t clusters = cdp_clusterer_add(c, NULL, NULL, NULL, 0, err);
    if (clusters == 0)
        clusters = cdp_map_cluster(c->map, items, label, &length, c->threads, &progress, err);
    for (uint64_t item = 0; item < items && clusters >= 0; item++) {
        if (label[item] == CDP_NO_LABEL)
            label[item] = (uint32_t)clusters++;
    }
    cdp_clusterer_free(c);
    return clusters;
}

void cdp_clusterer_free(struct cdp_clusterer *clusterer)
{
    cdp_map_free(clusterer->map);
    clusterer->map = NULL;
}
