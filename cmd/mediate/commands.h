// SPDX-License-Identifier: MIT
#ifndef CDP_MEDIATE_COMMANDS_H
#define CDP_MEDIATE_COMMANDS_H

#include "mediate/mediator.h"
#include "tool.h"

// The commands of cdp-mediate. Each takes its operand's name. Failures end the program.

extern const struct tool train_tool, apply_tool, show_tool;

void run_train(const char *features);
void run_apply(const char *features);
void run_show(const char *model);

// Opens a features stream.
struct cdp_reader *open_features(const char *name);

// Prints the mediator's operating points, which must be there: every eighth that keeps a pair, and
// the one that --threshold auto takes.
void print_points(const struct cdp_mediator *mediator, FILE *file);

#endif
