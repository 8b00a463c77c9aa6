// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_OPERAND_H
#define CDP_KNN_OPERAND_H

#include <stdint.h>

#include "knn/data/dataset.h"

// Blocks of items, laid out as the rows or the columns of tiles.

// Rows, and columns, of a block of an exact search.
enum { CDP_BLOCK = 1024 };

// Rows of such a block that columns are laid out once for, at most.
enum { CDP_BLOCK_ROWS = 4 * CDP_BLOCK };

// Rows that stand anywhere and are looked at together, at most.
enum { CDP_TILE_ROWS = 64 };

#define CDP_NONE UINT32_MAX

static inline uint32_t cdp_min(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

// A run of numbers: id[i], or first + i where id is NULL, or always CDP_NONE where first is that.
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

static inline uint32_t cdp_ids_at(struct cdp_ids run, uint64_t i)
{
    return run.id ? run.id[i] : run.first == CDP_NONE ? CDP_NONE : (uint32_t)(run.first + i);
}

// Items laid out as rows or as columns.
struct cdp_operand {
    const struct cdp_dataset *data;
    unsigned level; // of the sketches
    size_t words;   // of an item, the first of them, that tiles see
    uint32_t room, count;
    uint32_t *id;
    uint32_t *list; // each item's list, or CDP_NONE
    // What the lists ask for: a score; and, for dot products, as cdp_dataset_radius. Of rows all,
    // of columns nothing, for whoever knows better.
    float *least, *reach;
    float part;   // of a list's reach, that it asks for: 1, unless neighbours may be missed
    float *error; // dot products: of the sketches
    // Rows:
    const uint32_t **row; // as the kernel reads them
    int32_t *start;
    float *square; // dot products: q.q of the sketches
    // Columns:
    int32_t *offset;   // dot products: -q.q / 2
    float *most_error; // of each panel
    uint32_t *word;    // of columns: panels; of rows: those that are laid out
};

// Room for `room` rows or columns of the data, of all words of its items. To be freed with
// cdp_operand_free, after an error too.
int cdp_operand_new_rows(struct cdp_operand *side, const struct cdp_dataset *data, uint32_t room,
                         struct cdp_err *err);
int cdp_operand_new_columns(struct cdp_operand *side, const struct cdp_dataset *data, uint32_t room,
                            struct cdp_err *err);
void cdp_operand_free(struct cdp_operand *side);

// Lets what is laid out from now on be of a level, not of all words.
void cdp_operand_set_level(struct cdp_operand *side, unsigned level);

// Lays `count` items of the side's data out as rows, or as columns, whose lists are `lists`.
// Columns beyond the last, of id CDP_NONE, may pass.
void cdp_operand_pack_rows(struct cdp_operand *side, struct cdp_ids items, struct cdp_ids lists,
                           uint32_t count);
void cdp_operand_pack_columns(struct cdp_operand *side, struct cdp_ids items, struct cdp_ids lists,
                              uint32_t count, int threads);

// A panel of at most CDP_PANEL_COLUMNS columns: the words of items, xored with `flip`, interleaved;
// of those that are missing, 0.
void cdp_operand_pack_panel(uint32_t *panel, const uint32_t *const *item, uint32_t count,
                            size_t words, uint32_t flip);

// Sets what the list of item i asks for.
static inline void cdp_operand_set_threshold(struct cdp_operand *side, uint32_t i, float least)
{
    side->least[i] = least;
    if (side->data->vector)
        side->reach[i] = side->part * cdp_dataset_radius(side->data, least);
}

// The columns of a tile, from `first` to before `end`, and what else is on their panels.
static inline void cdp_operand_tile(struct cdp_tile *tile, const struct cdp_operand *columns,
                                    uint32_t first, uint32_t end)
{
    tile->panels =
        cdp_min((end - first + CDP_PANEL_COLUMNS - 1) / CDP_PANEL_COLUMNS, CDP_TILE_PANELS);
    tile->words = columns->words;
    tile->panel = columns->word + (size_t)first * tile->words;
    tile->offset = columns->offset + first;
}

// The largest error of a tile's columns.
static inline float cdp_operand_max_error(const struct cdp_operand *columns, uint32_t first)
{
    const float *most = columns->most_error + first / CDP_PANEL_COLUMNS;
    return fmaxf(fmaxf(most[0], most[1]), fmaxf(most[2], most[3]));
}

// What all columns of a tile together ask for at least.
struct cdp_column_bounds {
    float least, reach, error;
};

struct cdp_column_bounds cdp_operand_bounds(const struct cdp_operand *columns, uint32_t first);

// The bars of `count` rows from row `first` on, for pairs with columns that ask so. Of dot
// products, by the kernel.
void cdp_operand_thresholds(const struct cdp_operand *rows, uint32_t first, uint32_t count,
                            struct cdp_column_bounds asked, union cdp_threshold *bar);

// The same of rows that stand anywhere, at most CDP_TILE_ROWS.
void cdp_operand_gather_thresholds(const struct cdp_operand *rows, const uint32_t *row,
                                   uint32_t count, struct cdp_column_bounds asked,
                                   union cdp_threshold *bar);

#endif
