// SPDX-License-Identifier: MIT
#ifndef CDP_EVAL_COMMANDS_H
#define CDP_EVAL_COMMANDS_H

#include "eval/eval.h"
#include "tool.h"

// The commands of cdp-eval: what they read (labels, pairs), and how results are printed (print).
// Failures end the program.

enum eval_format { EVAL_TEXT, EVAL_JSON, EVAL_TSV };

extern int eval_format;      // --format
extern const char *ids_name; // --ids; NULL = not given

// Evaluates clusters, or pairs, against true labels and prints the results.
void eval_labels(struct cdp_output *output, const char *predicted, const char *meta);
void eval_pairs(struct cdp_output *output, const char *pairs, const char *meta);

// Prints by --format.
void print_clusters(struct cdp_output *output, const struct cdp_eval *result);
void print_pairs(struct cdp_output *output, const struct cdp_pair_counts *counts);

#endif
