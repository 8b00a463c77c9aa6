// SPDX-License-Identifier: MIT
#ifndef CDP_HEADER_H
#define CDP_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// The header and the totals of an edge stream.

enum cdp_type { CDP_KNN = 1, CDP_PAIRS = 2, CDP_FEATURES = 3, CDP_FOREST = 4 };

enum cdp_metric { CDP_METRIC_NONE, CDP_COSINE, CDP_L2, CDP_L1, CDP_LINF, CDP_ANGULAR, CDP_HAMMING };
#define CDP_METRICS (CDP_HAMMING + 1) // above the last one

#define CDP_MAX_COLUMNS 256
#define CDP_COLUMN_NAME 32
#define CDP_BLOCK_EDGES 65536 // edges of a block; only a stream's last one has fewer

enum { CDP_MAX_PROVENANCE = 1 << 20 }; // bytes

// Names by number: "knn", "cosine", ...; NULL for an invalid number. The array of metrics ends with
// NULL, for option tables.
extern const char *const cdp_metric_names[];
const char *cdp_type_name(enum cdp_type type);

struct cdp_header {
    enum cdp_type type;
    enum cdp_metric metric; // CDP_METRIC_NONE = no metric
    uint32_t k;             // neighbours per item, itself not counted; 0 = unknown
    uint64_t nodes;         // ids are below it; 0 = unknown
    uint64_t rows[2];       // knn of a part: sources rows[0] .. rows[1] - 1; both 0 = all
    float scale;            // scores are 1 - distance / scale; 0 = no scale
    bool named;             // the stream ends with a name for each node
    unsigned columns;       // number of float32 values per edge
    char column[CDP_MAX_COLUMNS][CDP_COLUMN_NAME];
    char *provenance; // lines, each ended by \n; NULL = none; owned
};

// Initializes a header with the usual single column ("distance" for knn, "score" otherwise).
void cdp_header_init(struct cdp_header *header, enum cdp_type type);
void cdp_header_free(struct cdp_header *header);

// Adds one provenance line; a line break in it becomes a space.
int cdp_header_note(struct cdp_header *header, struct cdp_err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Adds the provenance of an input, each line indented by a space.
int cdp_header_inherit(struct cdp_header *header, const struct cdp_header *from,
                       struct cdp_err *err);

// The content of the end mark.

struct cdp_totals {
    uint64_t edges;
    uint64_t blocks;
    uint64_t nodes;  // the header's; if unknown there, the largest id + 1
    float floor;     // smallest value of the first column; NaN without edges. A forest
                     // keeps the floor of the pairs that it was made from
    float ceiling;   // largest value of the first column
    uint64_t names;  // digest of the names; 0 = none
    uint64_t digest; // of the content: not of provenance, compression level or zstd version
};

#endif
