// SPDX-License-Identifier: MIT
#ifndef CDP_CMD_RELABEL_H
#define CDP_CMD_RELABEL_H

#include "io/output.h"
#include "propagate/clusters.h"

// Numbers of clusters. Failures end the tool.

// Gives clusters the numbers that they have in the file of labels `previous`, and writes what has
// changed since to `changes`, unless that is NULL. `names` are the items', or NULL.
void relabel_previous(struct cdp_clusters *clusters, const struct cdp_names *names,
                      const char *previous, struct cdp_output *changes);

// Gives clusters these numbers; `shown` is their file, for messages.
void relabel_restore(struct cdp_clusters *clusters, const int64_t *number, const char *shown);

#endif
