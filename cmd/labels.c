// SPDX-License-Identifier: MIT
#include "labels.h"

#include <inttypes.h>

#include "io/input.h"
#include "names.h"

int labels_read(struct cdp_labels *labels, const char *name, bool discards, const char *ids,
                struct cdp_err *err)
{
    if (cdp_labels_read(labels, name, discards, err))
        return -1;
    if (!ids || labels->names)
        return 0;
    if (cdp_names_read(&labels->names, ids, err))
        return -1;
    uint64_t count = cdp_names_count(labels->names);
    return count == labels->items
               ? 0
               : cdp_fail(err, "%s: %" PRIu64 " names, but %s has %" PRIu64 " labels%s",
                          cdp_input_shown(ids), count, cdp_input_shown(name), labels->items,
                          names_hint(count, labels->items));
}
