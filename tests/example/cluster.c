/* SPDX-License-Identifier: MIT */
/* Clusters five items: cc cluster.c $(pkg-config --cflags --libs cdp) */
#include <cdp.h>
#include <stdio.h>

int main(void)
{
    const uint64_t i[] = {0, 1, 3}, j[] = {1, 2, 4};
    const float score[] = {0.9F, 0.8F, 0.7F};
    uint32_t label[6];
    struct libcdp_err err;
    struct libcdp_cluster_plan plan;
    libcdp_cluster_init(&plan, sizeof plan);
    struct libcdp_edges *pairs = libcdp_edges_from_pairs(6, i, j, score, 3, &err);
    if (!pairs || libcdp_cluster(pairs, &plan, label, NULL, NULL, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (int n = 0; n < 6; n++)
        printf("%d\n", (int)label[n]);
    libcdp_edges_free(pairs);
    return 0;
}
