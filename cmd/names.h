// SPDX-License-Identifier: MIT
#ifndef CDP_CMD_NAMES_H
#define CDP_CMD_NAMES_H

#include "io/names.h"

// Reads the file of --ids, names one per line. Warns where they look like rows of a csv file: all
// have the same number of commas with no blank behind. Failures end the tool.
void names_read(struct cdp_names **names, const char *file);

// The end of a message that there are `names` for `items` items.
static inline const char *names_hint(uint64_t names, uint64_t items)
{
    return names == items + 1 ? ": is the first line a header?" : "";
}

#endif
