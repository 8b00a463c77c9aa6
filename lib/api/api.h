// SPDX-License-Identifier: MIT
#ifndef CDP_API_H
#define CDP_API_H

#include "api/cdp.h"
#include "base/err.h"
#include "base/progress.h"
#include "io/labels.h"
#include "io/matrix.h"
#include "stream/stream.h"

// What the parts of libcdp share.

#define PUBLIC __attribute__((visibility("default")))

// Copies an error to the caller's, which may be NULL.
void api_tell(struct libcdp_err *err, const struct cdp_err *why);

// Fills `whole`, the library's own structure of `own` bytes, whose defaults are there, from the
// caller's, which begins with its size; `what` is for the message ("a libcdp_run").
int api_take(void *whole, size_t own, const void *callers, const char *what, struct cdp_err *err);

// Copies to the caller's structure, which begins with its size, as much of ours as it has.
int api_give(void *callers, const void *whole, size_t own, const char *what, struct cdp_err *err);

// Copies the first `size` bytes of defaults, fills the rest with zeros, and sets the size.
void api_init(void *callers, uint64_t size, const void *whole, size_t own);

// ---- runs

struct api_run {
    struct cdp_progress progress;
    struct libcdp_run *run; // the caller's
    int threads;
};

// Begins a computation. `run` may be NULL.
int api_begin(struct api_run *api, struct libcdp_run *run, struct cdp_err *err);
void api_end(struct api_run *api);

// ---- matrices

// A view of the caller's rows.
int api_matrix(struct cdp_matrix *matrix, const struct libcdp_matrix *callers, struct cdp_err *err);

// ---- edges

// Edges under construction. Begin with {0}; `shown` is what the caller sees.
struct api_edges {
    struct libcdp_edges shown;
    struct cdp_header header; // of a stream of them
    size_t target_room, offset_room;
    size_t value_room[CDP_MAX_COLUMNS];
    float *value[CDP_MAX_COLUMNS];
    const char *column[CDP_MAX_COLUMNS];
    uint64_t last;    // the source of the last edge
    bool copies_once; // lists of libcdp_knn with LIBCDP_COPIES_ONCE
};

// Edges of a type, with the columns of `header`, which is copied; its notes are left out.
struct api_edges *api_edges_new(const struct cdp_header *header, struct cdp_err *err);

// Makes room for as many items and edges.
int api_edges_reserve(struct api_edges *edges, uint64_t items, uint64_t count, struct cdp_err *err);

// Adds an edge. Sources must not descend.
int api_edges_add(struct api_edges *edges, uint64_t source, uint64_t target, const float *values,
                  struct cdp_err *err);

// A sink of cdp_pairs and its like: the context is a struct api_edges.
int api_edges_sink(void *edges, uint64_t i, uint64_t j, const float *values, struct cdp_err *err);

// Ends the construction: with status 0, gives the edges of `nodes` items (0 = one more than the
// largest id) to the caller, with the names of the items of `from`, which may be NULL. After a
// failure, this one's too, frees them and returns NULL. `edges` may be NULL.
struct libcdp_edges *api_edges_end(struct api_edges *edges, int status, uint64_t nodes,
                                   const struct libcdp_edges *from, struct cdp_err *err);

// A view of lists; a distance a list entry is the first column's. Fails for other types.
int api_table(struct cdp_table *table, const struct libcdp_edges *lists, struct cdp_err *err);

// Views of all models' lists, which must be of as many items.
int api_tables(struct cdp_table *tables, const struct libcdp_edges *const *lists, unsigned models,
               struct cdp_err *err);

// Fails unless the edges are of one of these types, a set of 1 << type; `wanted` says which.
int api_expect(const struct libcdp_edges *edges, unsigned types, const char *wanted,
               struct cdp_err *err);

// Edges block by block, as a reader gives them. Begin with {.edges}.
struct api_view {
    const struct libcdp_edges *edges;
    uint64_t next, item; // the next edge, and its source
    struct cdp_block block;
    uint64_t source[CDP_BLOCK_EDGES], target[CDP_BLOCK_EDGES];
    const float *value[CDP_MAX_COLUMNS];
};

// A view from the first edge on, for free(); NULL after an error.
struct api_view *api_view_new(const struct libcdp_edges *edges, struct cdp_err *err);

// Fills `block` with the next edges; false behind the last one.
bool api_view_next(struct api_view *view);

// ---- labels

// Labels by dense numbers in the order of first appearance, as in a file; numbers below 0 become
// CDP_NO_LABEL. Free them by cdp_labels_free, after a failure too.
int api_numbers(struct cdp_labels *labels, const int64_t *number, uint64_t items,
                struct cdp_err *err);

// The same for labels of which LIBCDP_NONE becomes CDP_NO_LABEL.
int api_labels(struct cdp_labels *labels, const uint32_t *label, uint64_t items,
               struct cdp_err *err);

#endif
