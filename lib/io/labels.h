// SPDX-License-Identifier: MIT
#ifndef CDP_LABELS_H
#define CDP_LABELS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "io/names.h"
#include "io/output.h"

// One label per line, item 0 first; or NAME<tab>LABEL on every line, names distinct. -1 means no
// label: the item is in no cluster, or its true label is unknown. If the first other label is an
// integer (64 bits), all must be; otherwise labels are strings, the rest of the line. Equal labels
// get equal group numbers, from 0 in order of first appearance. CR LF counts as LF, blanks around
// integers are ignored, and a leading UTF-8 byte order mark is skipped.
struct cdp_labels {
    uint64_t items;
    uint32_t groups;         // number of distinct labels, without CDP_NO_LABEL
    uint32_t *group;         // of each item: below `groups`, or CDP_NO_LABEL
    bool integers;           // the file holds integers
    int64_t *value;          // of each group; NULL = labels are strings
    struct cdp_names *names; // of the items; NULL = the file has none
};

#define CDP_NO_LABEL UINT32_MAX

// Reads a label file. With `discards` the labels must be a clustering's: integers from -1. Errors
// name the line. An empty file and more than 2^32 - 2 items are errors.
int cdp_labels_read(struct cdp_labels *labels, const char *name, bool discards,
                    struct cdp_err *err);
void cdp_labels_free(struct cdp_labels *labels);

// The number of items without a label.
uint64_t cdp_labels_none(const struct cdp_labels *labels);

// Reorders labels by `names`: item i becomes that of name i, CDP_NO_LABEL if the labels lack the
// name (*missing counts these). Items of other names follow in their order (*others), and
// labels->names has all names. Both or neither must have names; without names nothing changes.
// `file` is the labels' file, for errors.
int cdp_labels_align(struct cdp_labels *labels, const char *file, const struct cdp_names *names,
                     uint64_t *missing, uint64_t *others, struct cdp_err *err);

// Reorders labels by the names of the `items` of a stream, `of`, dropping labels of other names.
// Without names there must be as many labels as items. Renumbers groups in order of first
// appearance. *unknown counts the items of CDP_NO_LABEL.
int cdp_labels_match(struct cdp_labels *labels, const char *file, const struct cdp_names *names,
                     uint64_t items, const char *of, uint64_t *unknown, struct cdp_err *err);

// Extends labels to `items` items; new ones have CDP_NO_LABEL.
int cdp_labels_extend(struct cdp_labels *labels, uint64_t items, struct cdp_err *err);

// Writes one label per line, CDP_NO_LABEL as -1; after the item's name and a tab if `names` are
// given, one per item.
int cdp_labels_write(struct cdp_output *output, const uint32_t *label, uint64_t items,
                     const struct cdp_names *names, struct cdp_err *err);

#endif
