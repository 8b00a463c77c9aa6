// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_HYPERPLANE_H
#define CDP_KNN_HYPERPLANE_H

#include <stdbool.h>
#include <stdint.h>

#include "knn/data/operand.h"
#include "knn/search/lists.h"
#include "knn/search/topk.h"

// Which rows of a tile are too far from all of its columns to matter, by the cells of both.
//
// Let x be in cell A, whose centroid is a, and y in cell B, whose centroid is b. The plane that
// halves the way between the centroids is at the signed distance
//
//   f(x, B) = (|x - b|^2 - |x - a|^2) / (2 |a - b|)
//
// from x, positive on a's side, and so x and y are at least f(x, B) + f(y, A) apart (Hilbert
// hyperplanes: Connor, Cardillo, Vadicamo and Rabitti, Hilbert hyperplanes: improved metric search
// through finite isometric embeddings, ACM Transactions on Information Systems 35(3), 2016). All of
// this is about sketches, whose products are integers; what those stand nearer than their items do
// is taken off f. An item needs a number for each cell, not for each item of it: so most pairs of
// different cells cost nothing but the look at it.

// Of all items of a data of vectors; read only, and so shared by threads.
struct cdp_hyperplanes {
    struct cdp_dataset
        centroids;         // one a cell, as near to the mean of its items' sketches as bytes are
    uint64_t count, cells; // of items, and of cells
    uint32_t *cell;        // of each item; CDP_NONE: it is not excluded
    float *own;            // the score of each item and its cell's centroid, as tiles tell it
};

// Learns the cells, sets of the items of the data, which must outlive it. To be freed with
// cdp_hyperplanes_free, after an error too.
int cdp_hyperplanes_new(struct cdp_hyperplanes *hyperplanes, const struct cdp_dataset *data,
                        const struct cdp_ivf_lists *cells, struct cdp_err *err);
void cdp_hyperplanes_free(struct cdp_hyperplanes *hyperplanes);

// Follows the data into another order.
int cdp_hyperplanes_permute(struct cdp_hyperplanes *hyperplanes, const uint32_t *order, int threads,
                            struct cdp_err *err);

// The share of tiles that want a row of another cell, were each cell one tile, by a sample of both.
double cdp_hyperplanes_share(const struct cdp_hyperplanes *hyperplanes,
                             const struct cdp_topk *nearest, const struct cdp_ivf_lists *cells);

// A thread's memory; NULL after an error, to be freed with cdp_pruner_free. Both of what it is
// given must outlive it.
struct cdp_pruner *cdp_pruner_new(const struct cdp_hyperplanes *hyperplanes,
                                  const struct cdp_dataset *data, struct cdp_err *err);
void cdp_pruner_free(struct cdp_pruner *pruner);

// The share of rows and tiles that was wanted since it turned to other rows; 1 at first.
double cdp_pruner_share(const struct cdp_pruner *pruner);

// Turns to other rows, at most CDP_BLOCK_ROWS. It does best if they, and the columns that follow,
// are in the order of their cells.
void cdp_pruner_set_rows(struct cdp_pruner *pruner, const struct cdp_operand *rows);

// Finds out which of the first `count` rows the tiles of these columns want, at most CDP_BLOCK,
// none of which is one of the rows. What lists ask for is known of both. Returns false if it is all
// rows by all tiles.
bool cdp_pruner_set_columns(struct cdp_pruner *pruner, const struct cdp_operand *rows,
                            uint32_t count, const struct cdp_operand *columns);

// The rows from `from` to `end` - 1 that the tile wants whose first column is `first`: receives
// them ascending, and returns how many. `row` has room for all.
uint32_t cdp_pruner_kept(struct cdp_pruner *pruner, uint32_t first, uint32_t from, uint32_t end,
                         uint16_t *row);

#endif
