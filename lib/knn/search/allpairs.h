// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_ALLPAIRS_H
#define CDP_KNN_ALLPAIRS_H

#include "base/progress.h"
#include "knn/data/operand.h"
#include "knn/search/ivf.h"
#include "knn/search/lists.h"

// Exact search: all pairs of items, block by block, and re-ranking of candidates.

// ---- pair blocks: a block of rows x a block of columns

// A thread's memory. Sketches, then scores, rule out the pairs that cannot enter a list of either
// item; the others are measured in double precision.
struct cdp_pair_block {
    const struct cdp_dataset *data;
    struct cdp_operand rows, columns;
    struct cdp_topk *topk;       // the lists to fill
    struct cdp_pruner *pruner;   // set to the rows; or NULL
    struct cdp_pending *pending; // pairs that wait to be measured
    uint32_t waiting;
    float *room;                              // for cdp_dataset_keys
    union cdp_threshold threshold[CDP_BLOCK]; // of a tile's rows
};

// One for each thread; NULL after an error.
struct cdp_pair_block *cdp_pair_blocks_new(const struct cdp_dataset *data, int threads,
                                           struct cdp_err *err);
void cdp_pair_blocks_free(struct cdp_pair_block *blocks, int threads);

// From now on these lists are filled.
void cdp_pair_blocks_fill(struct cdp_pair_block *blocks, int threads, struct cdp_topk *topk);

// Packs items, at most CDP_BLOCK_ROWS rows at a level of sketches, at most CDP_BLOCK columns for
// them, with their lists.
void cdp_pair_block_rows(struct cdp_pair_block *block, unsigned level, struct cdp_ids items,
                         struct cdp_ids lists, uint32_t count);
void cdp_pair_block_columns(struct cdp_pair_block *block, struct cdp_ids items,
                            struct cdp_ids lists, uint32_t count);

// Offers all pairs of the first `rows` rows and the columns to the lists of both. `same`: rows and
// columns are the same items, so each pair is taken once. No item is its own neighbour.
void cdp_pair_block_search(struct cdp_pair_block *block, uint32_t rows, bool same);

// ---- re-ranking

// Fills the blocks' lists, which are empty, with the nearest candidates: list i with those of
// items[i], or if `items` is NULL the list of each row with those of its item.
int cdp_rerank(struct cdp_pair_block *blocks, int threads, const struct cdp_candidates *candidates,
               const uint32_t *items, struct cdp_err *err);

// ---- hyperplane pruning
//
// Let x be in the inverted list of centroid a, y in that of b. The signed distance of x to the
// plane halfway between the centroids, positive on a's side, is
//
//   f(x, b) = (|x - b|^2 - |x - a|^2) / (2 |a - b|),
//
// so x and y are at least f(x, b) + f(y, a) apart (Hilbert exclusion: Connor, Cardillo, Vadicamo
// and Rabitti, Hilbert exclusion: improved metric search through finite isometric embeddings, ACM
// Transactions on Information Systems 35(3), 2016). All of this is for sketches, whose products are
// integers; errors of sketches are subtracted from f. An item needs one number for each list, not
// one for each of its items.

// Of all items of a dataset of vectors. Read only, so threads share it.
struct cdp_hyperplanes {
    struct cdp_dataset centroids; // of each list, the rounded mean of its sketches
    uint64_t count, lists;        // items, and lists
    uint32_t *list;               // of each item; CDP_NONE: the item is never pruned
    float *own;                   // sketch score of each item and its list's centroid
};

// The dataset must outlive it. Free it also after an error.
int cdp_hyperplanes_new(struct cdp_hyperplanes *planes, const struct cdp_dataset *data,
                        const struct cdp_ivf_lists *lists, struct cdp_err *err);
void cdp_hyperplanes_free(struct cdp_hyperplanes *planes);

// Permutes it as the dataset is.
int cdp_hyperplanes_permute(struct cdp_hyperplanes *planes, const uint32_t *order, int threads,
                            struct cdp_err *err);

// The share of pairs of a list and an item of another one that are not pruned, in a sample.
double cdp_hyperplanes_share(const struct cdp_hyperplanes *planes, const struct cdp_topk *topk,
                             const struct cdp_ivf_lists *lists);

// A thread's memory; NULL after an error. `planes` and `data` must outlive it.
struct cdp_pruner *cdp_pruner_new(const struct cdp_hyperplanes *planes,
                                  const struct cdp_dataset *data, struct cdp_err *err);
void cdp_pruner_free(struct cdp_pruner *pruner);

// The share of rows x tiles that were not pruned since the rows were set; 1 at first.
double cdp_pruner_share(const struct cdp_pruner *pruner);

// Sets the rows, at most CDP_BLOCK_ROWS. It is fastest if rows and columns are in the order of
// lists.
void cdp_pruner_set_rows(struct cdp_pruner *pruner, const struct cdp_operand *rows);

// Prunes the first `count` rows for each tile of these columns, at most CDP_BLOCK, by the radius of
// both. No column is one of the rows. Returns false if nothing is pruned.
bool cdp_pruner_set_columns(struct cdp_pruner *pruner, const struct cdp_operand *rows,
                            uint32_t count, const struct cdp_operand *columns);

// Writes the rows from `from` to before `end` that the tile of column `first` must compare,
// ascending, and returns their number.
uint32_t cdp_pruner_kept(struct cdp_pruner *pruner, uint32_t first, uint32_t from, uint32_t end,
                         uint16_t *row);

// ---- all pairs

// Fills lists 0, 1, ... with the neighbours of rows first, first + 1, ..., before last, among all
// rows. Of a permuted dataset, all rows must be queries. Pairs of two queries are taken once.
// Hyperplanes may be empty.
int cdp_allpairs(struct cdp_pair_block *blocks, int threads, uint64_t first, uint64_t last,
                 const struct cdp_hyperplanes *planes, struct cdp_progress *progress,
                 struct cdp_err *err);

// Inserts the exact neighbours of `count` items, at most CDP_BLOCK, into these lists.
void cdp_allpairs_items(struct cdp_pair_block *blocks, int threads, const uint32_t *items,
                        struct cdp_ids lists, uint32_t count);

// Fills the blocks' lists, those of all rows, with near items from inverted lists, so that few
// pairs are measured afterwards. Permutes the dataset, which is the blocks', to the order of these
// lists, which the caller frees, also after an error.
int cdp_allpairs_seed(struct cdp_dataset *data, struct cdp_pair_block *blocks, int threads,
                      struct cdp_ivf_lists *lists, struct cdp_progress *progress,
                      struct cdp_err *err);

// Prepares a dataset in the order of inverted lists, with result lists that hold near items: makes
// the hyperplanes, or leaves them empty where they prune too little, and permutes the dataset so
// that the lists of a tile have similar radius. If hyperplanes prune, this holds for the items of
// largest radius, which are not pruned, and within each inverted list. Otherwise it holds for all
// items. Free the hyperplanes also after an error.
int cdp_allpairs_prepare(struct cdp_dataset *data, const struct cdp_topk *topk,
                         const struct cdp_ivf_lists *lists, struct cdp_hyperplanes *planes,
                         int threads, struct cdp_err *err);

#endif
