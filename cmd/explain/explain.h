// SPDX-License-Identifier: MIT
#ifndef CDP_CMD_EXPLAIN_H
#define CDP_CMD_EXPLAIN_H

#include "io/output.h"
#include "pairs.h"

// The commands of cdp-explain. Failures end the tool.

// The clusters that are explained, of the pairs above a threshold.
struct explained {
    struct cdp_clusters clusters;
    const int64_t *number; // of each cluster; NULL = 0, 1, 2, ...
    float threshold;
};

// Prints the pairs of a path between two items, given by their names or numbers.
void explain_why(const struct pairs *pairs, const struct cdp_tree *tree, char *const word[2],
                 struct cdp_output *output);

// Prints a table with a row for each cluster. Takes pairs->list.
void explain_audit(struct pairs *pairs, const struct cdp_tree *tree,
                   const struct explained *explained, struct cdp_output *output);

// Prints soft labels. Takes pairs->list.
void explain_soft(struct pairs *pairs, const struct explained *explained,
                  struct cdp_output *output);

// A score as %.9g, or `must` for that of a must-link.
const char *explain_score(float score, char text[32]);

#endif
