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
    int status = cdp_names_read(&labels->names, ids, err);
    uint64_t count = status ? 0 : cdp_names_count(labels->names);
    if (!status && count != labels->items)
        status = cdp_fail(err, "%s: %" PRIu64 " names, but %s has %" PRIu64 " labels%s",
                          cdp_input_shown(ids), count, cdp_input_shown(name), labels->items,
                          names_hint(count, labels->items));
    if (status)
        cdp_labels_free(labels);
    return status;
}
