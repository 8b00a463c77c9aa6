// SPDX-License-Identifier: MIT
#include "score/commands.h"

static const struct tool *const commands[] = {&vote_tool, &consensus_tool, &features_tool,
                                              &truth_tool, NULL};

static const struct tool whole = {
    .name = "cdp-score",
    .summary = "Makes pairs from neighbour lists",
    .synopsis = "COMMAND [OPTION]... BASE.cdp [MEMBER.cdp]...",
    .example = "cdp-score vote --threshold 0.6 base.cdp | cdp-propagate >labels.txt\n",
};

int main(int argc, char **argv)
{
    const struct tool *tool = tool_choose(&whole, commands, NULL, &argc, argv);
    int first = tool_start(tool, argc, argv, 1, tool == &truth_tool ? 1 : -1);
    if (tool == &vote_tool)
        run_vote(argv + first, argc - first);
    else if (tool == &consensus_tool)
        run_consensus(argv + first, argc - first);
    else if (tool == &features_tool)
        run_features(argv + first, argc - first);
    else
        run_truth(argv + first, argc - first);
}
