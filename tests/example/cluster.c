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
    struct libcdp_plan plan = libcdp_plan_default();
    struct libcdp_pairs *pairs = libcdp_pairs_new(&err);
    if (!pairs || libcdp_pairs_add(pairs, i, j, score, 3, &err) ||
        libcdp_pairs_cluster(pairs, &plan, label, 6, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (int n = 0; n < 6; n++)
        printf("%d\n", (int)label[n]);
    libcdp_pairs_free(pairs);
    return 0;
}
