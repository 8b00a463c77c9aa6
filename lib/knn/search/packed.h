// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_PACKED_H
#define CDP_KNN_PACKED_H

#include "knn/data/operand.h"
#include "knn/search/lists.h"

// Sets of items as columns, of which each row sees those that a list of its own names.

// Items laid out as columns, set after set.
struct cdp_ivf_packed {
    struct cdp_operand columns;
    const struct cdp_ivf_lists *sets;
    // Rows that probe pass over what by its sketch is farther than this part of their lists' reach.
    float part;
};

int cdp_ivf_packed_new(struct cdp_ivf_packed *shelf, const struct cdp_dataset *data,
                       const struct cdp_ivf_lists *sets, int threads, struct cdp_err *err);
void cdp_ivf_packed_free(struct cdp_ivf_packed *shelf);

// The first column of a tile's of a set, whose others may be those of the set before; and the end
// of the set.
static inline uint32_t cdp_ivf_packed_begin(const struct cdp_ivf_packed *shelf, uint32_t set)
{
    return (uint32_t)(shelf->sets->start[set] / CDP_PANEL_COLUMNS * CDP_PANEL_COLUMNS);
}

static inline uint32_t cdp_ivf_packed_end(const struct cdp_ivf_packed *shelf, uint32_t set)
{
    return (uint32_t)shelf->sets->start[set + 1];
}

// Which of some rows want which sets: a thread's memory.
struct cdp_ivf_visits {
    uint32_t *wanted; // by how many rows, of each set; 0 between uses
    uint32_t *set;    // that are wanted, in the order in which they are to be seen
    uint32_t *end;    // of each set's rows
    uint32_t *row;    // the rows that want the sets, set after set
};

// Room for `rows` rows that want `depth` of `sets` sets each, at most. To be freed with
// cdp_ivf_visits_free, after an error too.
int cdp_ivf_visits_new(struct cdp_ivf_visits *wants, uint64_t sets, uint32_t depth, uint32_t rows,
                       struct cdp_err *err);
void cdp_ivf_visits_free(struct cdp_ivf_visits *wants);

// Sorts `count` rows by the sets that they want, nearest sets first: row i wants those of list
// list[i] of `probes`, from place `first` on. Returns the number of sets, each of which is to be
// taken once.
uint32_t cdp_ivf_visits_sort(struct cdp_ivf_visits *wants, const struct cdp_candidates *probes,
                             const uint32_t *list, uint32_t count, uint32_t first);

// The rows that want a set, ascending.
static inline const uint32_t *cdp_ivf_visits_take(struct cdp_ivf_visits *wants, uint32_t set,
                                                  uint32_t *count)
{
    *count = wants->wanted[set];
    wants->wanted[set] = 0;
    return wants->row + wants->end[set] - *count;
}

#endif
