// SPDX-License-Identifier: MIT
#include "baseline/commands.h"

// In the order of cdp_methods.
static const struct command *const commands[] = {
    &whispers_command,   &dbscan_command,     &finch_command,    &hdbscan_command,
    &kmeans_command,     &knn_dbscan_command, &leiden_command,   &minibatch_command,
    &rank_order_command, &single_command,     &spectral_command, &ward_command,
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static const struct tool whole = {
    .name = "cdp-baseline",
    .summary = "Clusters features by a well-known method, for comparison",
    .synopsis = "METHOD [OPTION]... [FEATURES]",
    .example = "cdp-baseline dbscan --eps 0.75 --min-samples 10 --dim 256 m0.bin >labels.txt\n",
};

int main(int argc, char **argv)
{
    const struct tool *tools[COMMANDS + 1] = {NULL};
    for (int c = 0; c < COMMANDS; c++)
        tools[c] = &commands[c]->tool;
    const struct tool *chosen = tool_choose(&whole, tools, NULL, &argc, argv);
    int c = 0;
    while (tools[c] != chosen)
        c++;
    static struct tool tool;
    tool = *chosen;
    tool.options = baseline_table(cdp_methods[c], chosen->options);
    int first = tool_start(&tool, argc, argv, 0, 1);
    commands[c]->run(cdp_methods[c], first < argc ? argv[first] : NULL);
}
