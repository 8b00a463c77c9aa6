// SPDX-License-Identifier: MIT
#include "eval/commands.h"

int eval_format;
const char *ids_name;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_CHOICE,
     .name = "format",
     .arg = "NAME",
     .group = "Results",
     .help = "output format",
     .value = &eval_format,
     .choices = (const char *const[]){"text", "json", "tsv", NULL}},
    {.type = CDP_OPTION_TEXT,
     .name = "ids",
     .arg = "NAMES",
     .help = "file of item names, one per line, for labels without names",
     .value = &ids_name},
    {0},
};

static const struct tool labels_tool = {
    .name = "cdp-eval",
    .summary = "Evaluates clusters against true labels",
    .synopsis = "[OPTION]... PREDICTED META\n       cdp-eval pairs [OPTION]... PAIRS.cdp META",
    .example = "cdp-propagate pairs.cdp | cdp-eval - meta.txt\n",
    .options = options,
};

static const struct tool pairs_tool = {
    .name = "cdp-eval pairs",
    .summary = "Prints the share of pairs whose items have the same true label",
    .synopsis = "[OPTION]... PAIRS.cdp META",
    .example = "cdp-score vote base.cdp | cdp-eval pairs - meta.txt\n",
    .options = options,
};

static const struct tool *const commands[] = {&pairs_tool, NULL};

int main(int argc, char **argv)
{
    const struct tool *tool = tool_choose(&labels_tool, commands, &labels_tool, &argc, argv);
    char **operand = argv + tool_start(tool, argc, argv, 2, 2);
    struct cdp_output *output = tool_output(false);
    if (tool == &pairs_tool)
        eval_pairs(output, operand[0], operand[1]);
    else
        eval_labels(output, operand[0], operand[1]);
    tool_finish(output);
}
