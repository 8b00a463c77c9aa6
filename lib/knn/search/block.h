// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_BLOCK_H
#define CDP_KNN_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "knn/data/operand.h"
#include "knn/search/candidates.h"
#include "knn/search/topk.h"

// The operation of the exact search: all pairs of a block of rows and one of columns, each pair
// offered to the lists of both its items. Tiles of sketches, and then the scores of bytes, rule
// out what their bounds allow; the other pairs are measured in double precision and added.

struct cdp_pending;
struct cdp_pruner; // see knn/exclude.h

// A thread's memory.
struct cdp_pair_block {
    const struct cdp_dataset *data;
    struct cdp_operand rows, columns;
    struct cdp_topk *nearest;           // the lists of joins
    struct cdp_pruner *pruner;          // that has turned to the rows, or NULL
    float *room;                        // for 2 x CDP_KEY_BATCH rows of the matrix
    union cdp_threshold bar[CDP_BLOCK]; // of a tile's rows, with its columns
    struct cdp_pending *maybe;          // pairs to be measured
    uint32_t waiting;
};

// One joiner a thread; NULL after an error. To be freed with cdp_pair_blocks_free.
struct cdp_pair_block *cdp_pair_blocks_new(const struct cdp_dataset *data, int threads,
                                           struct cdp_err *err);
void cdp_pair_blocks_free(struct cdp_pair_block *blocks, int threads);

// Lets the joins that follow fill these lists.
void cdp_pair_blocks_fill(struct cdp_pair_block *blocks, int threads, struct cdp_topk *nearest);

// Lays `count` items out as rows by a level of their sketches, or as columns for the rows, whose
// lists are `lists`, or cdp_ids_from(CDP_NONE).
void cdp_pair_block_rows(struct cdp_pair_block *joiner, unsigned level, struct cdp_ids items,
                         struct cdp_ids lists, uint32_t count);
void cdp_pair_block_columns(struct cdp_pair_block *joiner, struct cdp_ids items,
                            struct cdp_ids lists, uint32_t count);

// Joins the first `rows` rows and the columns. `same`: they are the same items, so each pair is
// taken once. An item is never its own neighbour.
void cdp_pair_block_search(struct cdp_pair_block *joiner, uint32_t rows, bool same);

// How many of the first entries of an item's candidate list, of at most k, re-ranking measures to
// find the `wanted` nearest: the others' scores are lower by more than a score is usually off.
uint32_t cdp_rerank_depth(const struct cdp_dataset *data, uint32_t item, const uint64_t *list,
                          uint32_t k, uint32_t wanted);

// Re-ranks the candidates of these items: measures the entries that are worth it, or `whole` lists,
// and fills the blocks' lists, which are empty and as many, with the nearest; or those of all
// items (NULL), whose lists are those of all rows.
int cdp_rerank(struct cdp_pair_block *blocks, int threads, const struct cdp_candidates *lists,
               const uint32_t *items, bool whole, struct cdp_err *err);

#endif
