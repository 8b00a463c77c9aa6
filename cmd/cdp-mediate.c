// SPDX-License-Identifier: MIT
#include "mediate/commands.h"

static const struct tool *const commands[] = {&train_tool, &apply_tool, &show_tool, NULL};

static const struct tool whole = {
    .name = "cdp-mediate",
    .summary = "Scores pairs by a network trained on labelled pairs",
    .synopsis = "COMMAND [OPTION]... FILE",
    .example = "cdp-mediate train --labels meta.txt labelled.cdp >model\n"
               "cdp-mediate apply --model model --threshold auto unlabelled.cdp >pairs.cdp\n",
};

struct cdp_reader *open_features(const char *name)
{
    struct cdp_reader *reader;
    struct cdp_err err;
    tool_check(cdp_reader_open(&reader, name, 1 << CDP_FEATURES,
                               "cdp-mediate reads features streams", (int)common.threads, &err),
               &err);
    return reader;
}

int main(int argc, char **argv)
{
    const struct tool *tool = tool_choose(&whole, commands, NULL, &argc, argv);
    const char *operand = argv[tool_start(tool, argc, argv, 1, 1)];
    if (tool == &train_tool)
        run_train(operand);
    else if (tool == &apply_tool)
        run_apply(operand);
    else
        run_show(operand);
}
