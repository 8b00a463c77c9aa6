// SPDX-License-Identifier: MIT
#ifndef CDP_CMD_LABELS_H
#define CDP_CMD_LABELS_H

#include "io/labels.h"

// Reads labels (io/labels.h); without names of their own they get those of the file `ids`, one a
// line, unless that is NULL.
int labels_read(struct cdp_labels *labels, const char *name, bool discards, const char *ids,
                struct cdp_err *err);

#endif
