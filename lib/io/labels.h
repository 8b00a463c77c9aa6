// SPDX-License-Identifier: MIT
#ifndef CDP_LABELS_H
#define CDP_LABELS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "io/names.h"
#include "io/output.h"

// One label a line: item 0 on the first; or NAME<tab>LABEL on every line, names all different. -1
// is no label: the item is in no cluster, or its true label is unknown. The others are integers (64
// bits) where the first one is, and then all of them must be; otherwise they are strings, the rest
// of the line. Equal labels get equal numbers, counted from 0 in order of first appearance. CR LF
// counts as LF, blanks around integers are ignored, and a UTF-8 byte order mark at the beginning is
// skipped.
struct cdp_labels {
    uint64_t items;
    uint32_t groups;         // distinct labels, CDP_NO_LABEL not among them
    uint32_t *group;         // items numbers below `groups`, or CDP_NO_LABEL
    bool integers;           // the file holds integers
    int64_t *value;          // of each group where they are; otherwise NULL
    struct cdp_names *names; // of the items; NULL = the file has none
};

#define CDP_NO_LABEL UINT32_MAX

// Reads a label file. With `discards` the labels are a clustering's: integers of -1 or more. Errors
// name the line. An empty file is an error, and so are more than 2^32 - 2 items.
int cdp_labels_read(struct cdp_labels *labels, const char *name, bool discards,
                    struct cdp_err *err);
void cdp_labels_free(struct cdp_labels *labels);

// How many items have no label.
uint64_t cdp_labels_none(const struct cdp_labels *labels);

// Brings labels into the order of `names`: item i is then that of name i, CDP_NO_LABEL where the
// labels have no such name (*missing counts these). Items of other names follow in the order that
// they had (*others), and labels->names has all of them. Both or neither must have names; without
// them nothing changes. `file` is the labels' for the message.
int cdp_labels_align(struct cdp_labels *labels, const char *file, const struct cdp_names *names,
                     uint64_t *missing, uint64_t *others, struct cdp_err *err);

// Makes labels those of the `items` of a stream, `of`: by its names, where it has some, without the
// labels of other names; else there must be as many. Groups are numbered again in order of first
// appearance. *unknown counts the items of CDP_NO_LABEL.
int cdp_labels_match(struct cdp_labels *labels, const char *file, const struct cdp_names *names,
                     uint64_t items, const char *of, uint64_t *unknown, struct cdp_err *err);

// Makes labels cover `items` items, those that are new having CDP_NO_LABEL.
int cdp_labels_extend(struct cdp_labels *labels, uint64_t items, struct cdp_err *err);

// Writes one label a line, CDP_NO_LABEL as -1; behind the item's name and a tab where `names` are
// given, which must be as many.
int cdp_labels_write(struct cdp_output *output, const uint32_t *label, uint64_t items,
                     const struct cdp_names *names, struct cdp_err *err);

#endif
