// SPDX-License-Identifier: MIT
#include "baseline/commands.h"

static const struct method *const methods[] = {
    &whispers_method,   &dbscan_method,     &finch_method,    &hdbscan_method,
    &kmeans_method,     &knn_dbscan_method, &leiden_method,   &minibatch_method,
    &rank_order_method, &single_method,     &spectral_method, &ward_method,
};
enum { METHODS = sizeof methods / sizeof *methods };

static const struct tool whole = {
    .name = "cdp-baseline",
    .summary = "Clusters features by a well-known method, for comparison",
    .synopsis = "METHOD [OPTION]... [FEATURES]",
    .example = "cdp-baseline dbscan --eps 0.75 --min-samples 10 --dim 256 m0.bin >labels.txt\n",
};

int main(int argc, char **argv)
{
    const struct tool *tools[METHODS + 1] = {NULL};
    for (int m = 0; m < METHODS; m++)
        tools[m] = &methods[m]->tool;
    const struct tool *tool = tool_choose(&whole, tools, NULL, &argc, argv);
    int first = tool_start(tool, argc, argv, 0, 1), m = 0;
    while (&methods[m]->tool != tool)
        m++;
    methods[m]->run(first < argc ? argv[first] : NULL);
}
