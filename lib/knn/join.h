// SPDX-License-Identifier: MIT
#ifndef CDP_JOIN_H
#define CDP_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "knn/nearest.h"
#include "knn/shortlist.h"
#include "knn/side.h"

// The operation of the exact search: all pairs of a block of rows and one of columns, each pair
// offered to the lists of both its items. Tiles of sketches, and then the scores of bytes, rule
// out what their bounds allow; the other pairs are measured in double precision and added.

struct cdp_maybe;
struct cdp_excluder; // see knn/exclude.h

// A thread's memory.
struct cdp_joiner {
    const struct cdp_space *space;
    struct cdp_side rows, columns;
    struct cdp_nearest *nearest;   // the lists of joins
    struct cdp_excluder *excluder; // that has turned to the rows, or NULL
    float *room;                   // for 2 x CDP_KEYS rows of the matrix
    union cdp_bar bar[CDP_SIDE];   // of a tile's rows, with its columns
    struct cdp_maybe *maybe;       // pairs to be measured
    uint32_t waiting;
};

// One joiner a thread; NULL after an error. To be freed with cdp_joiners_free.
struct cdp_joiner *cdp_joiners_new(const struct cdp_space *space, int threads, struct cdp_err *err);
void cdp_joiners_free(struct cdp_joiner *joiners, int threads);

// Lets the joins that follow fill these lists.
void cdp_joiners_turn(struct cdp_joiner *joiners, int threads, struct cdp_nearest *nearest);

// Lays `count` items out as rows by a level of their sketches, or as columns for the rows, whose
// lists are `lists`, or cdp_run_from(CDP_NONE).
void cdp_lay_rows(struct cdp_joiner *joiner, unsigned level, struct cdp_run items,
                  struct cdp_run lists, uint32_t count);
void cdp_lay_columns(struct cdp_joiner *joiner, struct cdp_run items, struct cdp_run lists,
                     uint32_t count);

// Joins the first `rows` rows and the columns. `same`: they are the same items, so each pair is
// taken once. An item is never its own neighbour.
void cdp_join(struct cdp_joiner *joiner, uint32_t rows, bool same);

// How many of the first entries of an item's shortlist, of at most k, re-ranking measures to find
// the `wanted` nearest: the others' scores are lower by more than a score is usually off.
uint32_t cdp_join_worth(const struct cdp_space *space, uint32_t item, const uint64_t *list,
                        uint32_t k, uint32_t wanted);

// Re-ranks the shortlists of these items: measures the entries that are worth it, or `whole` lists,
// and fills the joiners' lists, which are empty and as many, with the nearest; or those of all
// items (NULL), whose lists are those of all rows.
int cdp_join_shortlists(struct cdp_joiner *joiners, int threads, const struct cdp_shortlists *lists,
                        const uint32_t *items, bool whole, struct cdp_err *err);

#endif
