// SPDX-License-Identifier: MIT
#ifndef CDP_LISTS_H
#define CDP_LISTS_H

#include "stream/table.h"

// What the tools share that use the distances of neighbour lists.

// Sets distances in -1e-6 .. 0, which are rounding errors, to 0, with a warning. Lower ones end the
// program. `name` is the file's, for messages.
void lists_round_up_to_zero(struct cdp_table *lists, const char *name);

#endif
