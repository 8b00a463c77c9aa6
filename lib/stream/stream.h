// SPDX-License-Identifier: MIT
#ifndef CDP_STREAM_H
#define CDP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/input.h"
#include "io/names.h"
#include "io/output.h"

// The edge stream of cdp-stream(5): what all stages read and write.

enum cdp_type { CDP_KNN = 1, CDP_PAIRS = 2, CDP_FEATURES = 3, CDP_FOREST = 4 };

enum cdp_metric { CDP_METRIC_NONE, CDP_COSINE, CDP_L2, CDP_L1, CDP_LINF, CDP_ANGULAR, CDP_HAMMING };

#define CDP_MAX_COLUMNS 256
#define CDP_COLUMN_NAME 32
#define CDP_BLOCK_EDGES 65536 // edges of a block; only a stream's last one has fewer

// Names by number: "knn", "cosine", ...; NULL for a number that has none. The metrics' array ends
// with NULL, for option tables.
extern const char *const cdp_metric_names[];
const char *cdp_type_name(enum cdp_type type);

struct cdp_header {
    enum cdp_type type;
    enum cdp_metric metric; // CDP_METRIC_NONE where the edges come from no metric
    uint32_t k;             // neighbours of an item, itself not counted; 0 = not known
    uint64_t nodes;         // ids are below it; 0 = not known yet
    uint64_t rows[2];       // knn of a part: sources from rows[0] to rows[1] - 1; both 0 = of all
    float scale;            // scores are 1 - distance / scale; 0 = of another kind
    bool named;             // the stream ends with a name for each node
    unsigned columns;       // float32 values of an edge
    char column[CDP_MAX_COLUMNS][CDP_COLUMN_NAME];
    char *provenance; // lines, each ended by \n; NULL = none; owned
};

// A header of this type with its usual single column ("distance" for knn, "score" otherwise).
void cdp_header_init(struct cdp_header *header, enum cdp_type type);
void cdp_header_free(struct cdp_header *header);

// Adds one provenance line; a line break in it becomes a space.
int cdp_header_note(struct cdp_header *header, struct cdp_err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Adds the provenance of an input, each line indented by a space.
int cdp_header_inherit(struct cdp_header *header, const struct cdp_header *from,
                       struct cdp_err *err);

// What a stream's end mark tells.
struct cdp_totals {
    uint64_t edges;
    uint64_t blocks;
    uint64_t nodes;  // the header's, or one more than the largest id where that is not known
    float floor;     // smallest value of the first column; NaN where there are no edges. A forest
                     // keeps the floor of the pairs that it was made from
    float ceiling;   // largest value of the first column
    uint64_t names;  // digest of the names; 0 = none
    uint64_t digest; // of the content: not of provenance, compression level or zstd version
};

// ---- writing

struct cdp_writer;

// Starts a stream on `output`, which stays the caller's, as the header (copied) says. `threads` as
// cdp_threads() takes it; the bytes do not depend on it. Memory: some 3 MB a thread.
int cdp_writer_open(struct cdp_writer **writer, struct cdp_output *output,
                    const struct cdp_header *header, int level, int threads, struct cdp_err *err);

// Adds an edge with header.columns values. Refused: an id not below nodes, an edge to itself, a
// value that is not finite, an order that the type forbids (knn: sources must not descend; others:
// i < j, each pair above the one before).
int cdp_writer_add(struct cdp_writer *writer, uint64_t source, uint64_t target, const float *values,
                   struct cdp_err *err);

// Adds `count` edges of a source in a stream of one column, as one after the other would be.
int cdp_writer_add_row(struct cdp_writer *writer, uint64_t source, const uint32_t *target,
                       const float *value, uint32_t count, struct cdp_err *err);

// The names of a stream whose header says `named`, one for each of its nodes. They stay the
// caller's and must live until the stream is finished.
void cdp_writer_names(struct cdp_writer *writer, const struct cdp_names *names);

// Makes `floor` the one that the end mark tells, for a forest.
void cdp_writer_floor(struct cdp_writer *writer, float floor);

// Writes what is left and the end mark. `totals` may be NULL.
int cdp_writer_finish(struct cdp_writer *writer, struct cdp_totals *totals, struct cdp_err *err);
void cdp_writer_free(struct cdp_writer *writer);

// ---- reading

// Decoded edges, in the stream's order; valid until the next call.
struct cdp_block {
    size_t edges;
    const uint64_t *source;
    const uint64_t *target;
    const float *const *value; // value[column][edge]
};

struct cdp_reader;

// Opens a stream by name. `types` is a set of 1 << enum cdp_type: a stream of another type is an
// error that names `wanted` ("cdp-score vote reads knn streams"). Streams laid end to end are read
// as one; they must be of one type, metric, scale and column schema, and all or none named. Every
// property that cdp-stream(5) promises is checked before a block is handed out.
int cdp_reader_open(struct cdp_reader **reader, const char *name, unsigned types,
                    const char *wanted, int threads, struct cdp_err *err);

// The same on an input that is open already, and becomes the reader's, on failure too.
int cdp_reader_open_input(struct cdp_reader **reader, struct cdp_input *input, unsigned types,
                          const char *wanted, int threads, struct cdp_err *err);

// True where the input's next bytes look like an edge stream; -1 on a read error.
int cdp_reader_sniff(struct cdp_input *input, struct cdp_err *err);

// The first stream's header.
const struct cdp_header *cdp_reader_header(const struct cdp_reader *reader);
const char *cdp_reader_name(const struct cdp_reader *reader);

// The next block: 1 = there is one, 0 = the stream ended whole, -1 = error.
int cdp_reader_next(struct cdp_reader *reader, struct cdp_block *block, struct cdp_err *err);

// What the end mark said, once next returned 0; over all streams laid end to end (their digests in
// order, hashed together, where there are several).
const struct cdp_totals *cdp_reader_totals(const struct cdp_reader *reader);

// The names of the nodes, once next returned 0; NULL = the stream has none. Of streams laid end to
// end these are the names of the one with the most nodes, which the others' names must begin.
const struct cdp_names *cdp_reader_names(const struct cdp_reader *reader);

// The same, which then belong to the caller.
struct cdp_names *cdp_reader_take_names(struct cdp_reader *reader);
void cdp_reader_close(struct cdp_reader *reader);

// ---- a whole knn stream in memory

// Row i's neighbours, nearest first, are target/distance[offset[i]] .. [offset[i + 1]] (excluded).
struct cdp_table {
    struct cdp_header header;
    struct cdp_totals totals;
    struct cdp_names *names; // NULL = none
    uint64_t rows;
    uint64_t *offset; // rows + 1
    uint32_t *target;
    float *distance;
};

// Reads the whole of a knn stream of at most 2^32 - 2 nodes; rows without neighbours are empty.
int cdp_table_load(struct cdp_table *table, struct cdp_reader *reader, struct cdp_err *err);

// Opens, loads and closes; `wanted` as for cdp_reader_open.
int cdp_table_read(struct cdp_table *table, const char *name, const char *wanted, int threads,
                   struct cdp_err *err);
void cdp_table_free(struct cdp_table *table);

#endif
