// SPDX-License-Identifier: MIT
#ifndef CDP_JOIN_H
#define CDP_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "knn/nearest.h"

// The one operation of the neighbour search: all pairs of two blocks of items, each pair offered to
// the lists of both its items. The fast pass scores the pairs; those that its error bound cannot
// rule out are measured in double precision and added.

enum { CDP_SIDE = 1024, CDP_NO_LIST = UINT32_MAX };

static inline uint32_t cdp_least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

// At most CDP_SIDE items, laid out as rows or as columns of tiles.
struct cdp_side {
    uint32_t count;
    uint32_t id[CDP_SIDE];
    uint32_t list[CDP_SIDE]; // each item's list, or CDP_NO_LIST
    uint32_t *word;          // laid out by the kernel, or in panels
    float scale[CDP_SIDE], offset[CDP_SIDE], length[CDP_SIDE], residual[CDP_SIDE];
    float least[CDP_SIDE]; // of its list; infinite without one
};

// A thread's memory for joins.
struct cdp_joiner {
    struct cdp_nearest *nearest;
    const uint32_t *known; // lists x k ids that lists hold already and need not be offered; or NULL
    struct cdp_side rows, columns;
    uint32_t *room;          // a row's words
    float *x, *y;            // rows as they are in the matrix
    struct cdp_maybe *maybe; // pairs to be measured
    uint32_t waiting;
};

// One joiner a thread; NULL after an error. To be freed with cdp_joiners_free.
struct cdp_joiner *cdp_joiners_new(struct cdp_nearest *nearest, int threads, struct cdp_err *err);
void cdp_joiners_free(struct cdp_joiner *joiners, int threads);

// Lets the joins that follow fill these lists.
void cdp_joiners_turn(struct cdp_joiner *joiners, int threads, struct cdp_nearest *nearest,
                      const uint32_t *known);

// Lays `count` items out as rows or columns: ids[i], or first + i where ids is NULL; their lists
// are lists[i], or first_list + i where lists is NULL; all without a list where first_list is
// CDP_NO_LIST.
void cdp_lay_rows(struct cdp_joiner *joiner, const uint32_t *ids, uint64_t first,
                  const uint32_t *lists, uint64_t first_list, uint32_t count);
void cdp_lay_columns(struct cdp_joiner *joiner, const uint32_t *ids, uint64_t first,
                     const uint32_t *lists, uint64_t first_list, uint32_t count);

// Joins rows and columns. `same`: they are the same block, so each pair is taken once. An item is
// never its own neighbour.
void cdp_join(struct cdp_joiner *joiner, bool same);

// Measures what coarse lists hold, which are those of all items by id, and adds it to the joiners'
// lists.
void cdp_join_lists(struct cdp_joiner *joiners, int threads, const struct cdp_nearest *coarse);

#endif
