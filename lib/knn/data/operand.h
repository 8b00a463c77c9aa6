// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_OPERAND_H
#define CDP_KNN_OPERAND_H

#include <stdint.h>

#include "knn/data/dataset.h"

// Items packed as the rows or the columns of tiles, as operands of a matrix product (GEMM) are.

// Block sizes of exact search, in items: a block of columns, whose panels fit the L2 cache; the
// rows that columns are packed once for, at most; and rows from anywhere that share a tile, at
// most. Timed (README.md).
enum { CDP_BLOCK = 1024, CDP_BLOCK_ROWS = 4 * CDP_BLOCK, CDP_TILE_ROWS = 64 };

#define CDP_NONE UINT32_MAX // no item, no list

static inline uint32_t cdp_min(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

// A sequence of ids: id[i]; or first + i if id is NULL; or always CDP_NONE if first is that.
struct cdp_ids {
    const uint32_t *id;
    uint64_t first;
};

static inline struct cdp_ids cdp_ids_of(const uint32_t *id)
{
    return (struct cdp_ids){.id = id};
}

static inline struct cdp_ids cdp_ids_from(uint64_t first)
{
    return (struct cdp_ids){.first = first};
}

static inline uint32_t cdp_ids_at(struct cdp_ids ids, uint64_t i)
{
    return ids.id ? ids.id[i] : ids.first == CDP_NONE ? CDP_NONE : (uint32_t)(ids.first + i);
}

struct cdp_operand {
    const struct cdp_dataset *data;
    unsigned level; // of the sketches
    size_t words;   // of an item at this level
    uint32_t capacity, count;
    uint32_t *id;
    uint32_t *list; // of each item, or CDP_NONE
    // Pruning thresholds of the lists, as scores, and for dot products as distances in steps of
    // sketches. Rows start with the weakest threshold, columns with the strongest; callers tighten
    // or relax them.
    float *threshold, *radius;
    float fraction; // of its k-th distance that a list uses as radius; 1: none is missed
    float *error;   // of the sketches; dot products only
    // Rows:
    const uint32_t **row; // as the kernel reads them
    int32_t *start;
    float *square; // q.q of the sketches; dot products only
    // Columns:
    int32_t *offset;  // -q.q / 2; dot products only
    float *max_error; // of each panel
    uint32_t *word;   // panels of columns; rows that had to be packed
};

// Makes room for `capacity` rows or columns at the last level. Free it also after an error.
int cdp_operand_new_rows(struct cdp_operand *operand, const struct cdp_dataset *data,
                         uint32_t capacity, struct cdp_err *err);
int cdp_operand_new_columns(struct cdp_operand *operand, const struct cdp_dataset *data,
                            uint32_t capacity, struct cdp_err *err);
void cdp_operand_free(struct cdp_operand *operand);

// The level that is packed from now on.
void cdp_operand_set_level(struct cdp_operand *operand, unsigned level);

// Packs `count` items, with these lists. Columns after the last have id CDP_NONE and may pass.
void cdp_operand_pack_rows(struct cdp_operand *operand, struct cdp_ids items, struct cdp_ids lists,
                           uint32_t count);
void cdp_operand_pack_columns(struct cdp_operand *operand, struct cdp_ids items,
                              struct cdp_ids lists, uint32_t count, int threads);

// Interleaves at most CDP_PANEL_COLUMNS items, each word xored with `flip`, to a panel. Missing
// columns are 0.
void cdp_operand_pack_panel(uint32_t *panel, const uint32_t *const *item, uint32_t count,
                            size_t words, uint32_t flip);

static inline void cdp_operand_set_threshold(struct cdp_operand *operand, uint32_t i, float score)
{
    operand->threshold[i] = score;
    if (operand->data->vector)
        operand->radius[i] = operand->fraction * cdp_dataset_radius(operand->data, score);
}

// Sets the columns of a tile: `first` to before `end`, and the rest of their panels.
static inline void cdp_operand_tile(struct cdp_tile *tile, const struct cdp_operand *columns,
                                    uint32_t first, uint32_t end)
{
    uint32_t panels = (end - first + CDP_PANEL_COLUMNS - 1) / CDP_PANEL_COLUMNS;
    tile->panels = cdp_min(panels, CDP_TILE_PANELS);
    tile->words = columns->words;
    tile->panel = columns->word + (size_t)first * tile->words;
    tile->offset = columns->offset + first;
}

// The weakest thresholds, and the largest error, of a tile's columns.
struct cdp_column_bounds {
    float threshold, radius, error;
};

struct cdp_column_bounds cdp_operand_bounds(const struct cdp_operand *columns, uint32_t first);

// The largest error of a tile's columns, with the strongest thresholds.
struct cdp_column_bounds cdp_operand_error_bounds(const struct cdp_operand *columns,
                                                  uint32_t first);

// The thresholds of `count` rows from row `first` on, with columns of these bounds.
void cdp_operand_thresholds(const struct cdp_operand *rows, uint32_t first, uint32_t count,
                            struct cdp_column_bounds columns, union cdp_threshold *threshold);

// The same for rows from anywhere, at most CDP_TILE_ROWS.
void cdp_operand_gather_thresholds(const struct cdp_operand *rows, const uint32_t *row,
                                   uint32_t count, struct cdp_column_bounds columns,
                                   union cdp_threshold *threshold);

#endif
