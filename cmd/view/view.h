// SPDX-License-Identifier: MIT
#ifndef CDP_VIEW_VIEW_H
#define CDP_VIEW_VIEW_H

#include "io/output.h"
#include "stream/stream.h"
#include "tool.h"

// What cdp-view does with a stream. Failures end the program.

// The choices of --from and of --to.
enum from { FROM_UNSET = -1, FROM_TSV, FROM_NPZ, FROM_MTX, FROM_CSV, FROM_NPY };
enum to { TO_UNSET = -1, TO_TSV, TO_NPZ, TO_MTX };

// How --from reads its files.
struct import {
    int format;          // enum from
    int type;            // 0 = pairs, 1 = knn: of text
    int metric;          // enum cdp_metric, of knn edges
    uint64_t nodes;      // 0 = unset
    bool distance;       // scores are 1 - value
    bool rescale;        // scores are mapped to 0..1
    bool named;          // all ids are names
    const char *columns; // of text: ids and score; NULL = unset
    const char *ids;     // file of names; NULL = unset
};

// Writes the header of a stream as lines of key, tab and value.
void print_header(struct cdp_output *output, const struct cdp_header *header);

// Reads the stream to its end, and writes its edges as text; `output` NULL = only verifies it.
// Memory: that of all edges where the items have names, of a few blocks otherwise.
void print_edges(struct cdp_output *output, struct cdp_reader *reader);

// Writes names, one per line. `input` is for the message where there are none (NULL).
void print_names(struct cdp_output *output, const struct cdp_names *names, const char *input);

// Makes one stream of the files. The items' names also go to `names_output`; NULL = nowhere.
void import_files(const struct import *import, struct cdp_output *output,
                  struct cdp_output *names_output, char **files, int count);

#endif
