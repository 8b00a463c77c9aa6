// SPDX-License-Identifier: MIT
#ifndef CDP_SHELF_H
#define CDP_SHELF_H

#include "knn/sets.h"
#include "knn/side.h"

// Sets of items as columns, of which each row sees those that a list of its own names.

// Items laid out as columns, set after set.
struct cdp_shelf {
    struct cdp_side columns;
    const struct cdp_sets *sets;
    // Rows that probe pass over what by its sketch is farther than this part of their lists' reach.
    float part;
};

int cdp_shelf_new(struct cdp_shelf *shelf, const struct cdp_space *space,
                  const struct cdp_sets *sets, int threads, struct cdp_err *err);
void cdp_shelf_free(struct cdp_shelf *shelf);

// The first column of a tile's of a set, whose others may be those of the set before; and the end
// of the set.
static inline uint32_t cdp_shelf_begin(const struct cdp_shelf *shelf, uint32_t set)
{
    return (uint32_t)(shelf->sets->start[set] / CDP_PANEL_COLUMNS * CDP_PANEL_COLUMNS);
}

static inline uint32_t cdp_shelf_end(const struct cdp_shelf *shelf, uint32_t set)
{
    return (uint32_t)shelf->sets->start[set + 1];
}

// Which of some rows want which sets: a thread's memory.
struct cdp_wants {
    uint32_t *wanted; // by how many rows, of each set; 0 between uses
    uint32_t *set;    // that are wanted, in the order in which they are to be seen
    uint32_t *end;    // of each set's rows
    uint32_t *row;    // the rows that want the sets, set after set
};

// Room for `rows` rows that want `depth` of `sets` sets each, at most. To be freed with
// cdp_wants_free, after an error too.
int cdp_wants_new(struct cdp_wants *wants, uint64_t sets, uint32_t depth, uint32_t rows,
                  struct cdp_err *err);
void cdp_wants_free(struct cdp_wants *wants);

// Sorts `count` rows by the sets that they want, nearest sets first: row i wants those of list
// list[i] of `probes`, from place `first` on. Returns the number of sets, each of which is to be
// taken once.
uint32_t cdp_wants_sort(struct cdp_wants *wants, const struct cdp_shortlists *probes,
                        const uint32_t *list, uint32_t count, uint32_t first);

// The rows that want a set, ascending.
static inline const uint32_t *cdp_wants_take(struct cdp_wants *wants, uint32_t set, uint32_t *count)
{
    *count = wants->wanted[set];
    wants->wanted[set] = 0;
    return wants->row + wants->end[set] - *count;
}

#endif
