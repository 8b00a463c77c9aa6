// SPDX-License-Identifier: MIT
#ifndef CDP_EXCLUDE_H
#define CDP_EXCLUDE_H

#include <stdbool.h>
#include <stdint.h>

#include "knn/nearest.h"
#include "knn/sets.h"
#include "knn/side.h"

// Which rows of a tile are too far from all of its columns to matter, by the cells of both.
//
// Let x be in cell A, whose centre is a, and y in cell B, whose centre is b. The plane that halves
// the way between the centres is at the signed distance
//
//   f(x, B) = (|x - b|^2 - |x - a|^2) / (2 |a - b|)
//
// from x, positive on a's side, and so x and y are at least f(x, B) + f(y, A) apart (Hilbert
// exclusion: Connor, Cardillo, Vadicamo and Rabitti, Hilbert exclusion: improved metric search
// through finite isometric embeddings, ACM Transactions on Information Systems 35(3), 2016). All of
// this is about sketches, whose products are integers; what those stand nearer than their items do
// is taken off f. An item needs a number for each cell, not for each item of it: so most pairs of
// different cells cost nothing but the look at it.

// Of all items of a space of vectors; read only, and so shared by threads.
struct cdp_exclusion {
    struct cdp_space centres; // one a cell, as near to the mean of its items' sketches as bytes are
    uint64_t count, cells;    // of items, and of cells
    uint32_t *cell;           // of each item; CDP_NONE: it is not excluded
    float *own;               // the score of each item and its cell's centre, as tiles tell it
};

// Learns the cells, sets of the items of the space, which must outlive it. To be freed with
// cdp_exclusion_free, after an error too.
int cdp_exclusion_new(struct cdp_exclusion *exclusion, const struct cdp_space *space,
                      const struct cdp_sets *cells, struct cdp_err *err);
void cdp_exclusion_free(struct cdp_exclusion *exclusion);

// Follows the space into another order.
int cdp_exclusion_reorder(struct cdp_exclusion *exclusion, const uint32_t *order, int threads,
                          struct cdp_err *err);

// The share of tiles that want a row of another cell, were each cell one tile, by a sample of both.
double cdp_exclusion_share(const struct cdp_exclusion *exclusion, const struct cdp_nearest *nearest,
                           const struct cdp_sets *cells);

// A thread's memory; NULL after an error, to be freed with cdp_excluder_free. Both of what it is
// given must outlive it.
struct cdp_excluder *cdp_excluder_new(const struct cdp_exclusion *exclusion,
                                      const struct cdp_space *space, struct cdp_err *err);
void cdp_excluder_free(struct cdp_excluder *excluder);

// The share of rows and tiles that was wanted since it turned to other rows; 1 at first.
double cdp_excluder_share(const struct cdp_excluder *excluder);

// Turns to other rows, at most CDP_JOIN_ROWS. It does best if they, and the columns that follow,
// are in the order of their cells.
void cdp_exclude_rows(struct cdp_excluder *excluder, const struct cdp_side *rows);

// Finds out which of the first `count` rows the tiles of these columns want, at most CDP_SIDE, none
// of which is one of the rows. What lists ask for is known of both. Returns false if it is all
// rows by all tiles.
bool cdp_exclude_columns(struct cdp_excluder *excluder, const struct cdp_side *rows, uint32_t count,
                         const struct cdp_side *columns);

// The rows from `from` to `end` - 1 that the tile wants whose first column is `first`: receives
// them ascending, and returns how many. `row` has room for all.
uint32_t cdp_exclude_wanted(struct cdp_excluder *excluder, uint32_t first, uint32_t from,
                            uint32_t end, uint16_t *row);

#endif
