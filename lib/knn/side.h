// SPDX-License-Identifier: MIT
#ifndef CDP_SIDE_H
#define CDP_SIDE_H

#include <stdint.h>

#include "knn/space.h"

// Blocks of items, laid out as the rows or the columns of tiles.

// Columns, and rows at the most, of a block of an exact search.
enum { CDP_SIDE = 1024, CDP_ROWS = 2048 };

#define CDP_NONE UINT32_MAX

static inline uint32_t cdp_least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

// A run of numbers: id[i], or first + i where id is NULL, or always CDP_NONE where first is that.
struct cdp_run {
    const uint32_t *id;
    uint64_t first;
};

static inline struct cdp_run cdp_run_of(const uint32_t *id)
{
    return (struct cdp_run){.id = id};
}

static inline struct cdp_run cdp_run_from(uint64_t first)
{
    return (struct cdp_run){.first = first};
}

static inline uint32_t cdp_run_at(struct cdp_run run, uint64_t i)
{
    return run.id ? run.id[i] : run.first == CDP_NONE ? CDP_NONE : (uint32_t)(run.first + i);
}

// The largest of some columns.
struct cdp_most {
    float length, residual, offset;
};

static inline struct cdp_most cdp_most_of(struct cdp_most a, struct cdp_most b)
{
    return (struct cdp_most){a.length > b.length ? a.length : b.length,
                             a.residual > b.residual ? a.residual : b.residual,
                             a.offset > b.offset ? a.offset : b.offset};
}

// Items laid out as rows or as columns.
struct cdp_side {
    uint32_t room, count;
    uint32_t *id;
    uint32_t *list; // each item's list, or CDP_NONE
    float *scale, *offset, *length, *residual;
    // Rows:
    const uint32_t **row; // as the kernel reads them
    float *inverse;       // 1 / scale
    int32_t *start;
    // Columns:
    struct cdp_most *most; // of each panel
    // Of rows -inf, of columns inf, for whoever knows better.
    float *least;
    uint32_t *word; // of columns: panels; of rows: those that are laid out
};

// Room for `room` rows or columns of the space. To be freed with cdp_side_free, after an error too.
int cdp_side_new_rows(struct cdp_side *side, const struct cdp_space *space, uint32_t room,
                      struct cdp_err *err);
int cdp_side_new_columns(struct cdp_side *side, const struct cdp_space *space, uint32_t room,
                         struct cdp_err *err);
void cdp_side_free(struct cdp_side *side);

// Lays `count` items out as rows, or as columns, whose lists are `lists`. Columns beyond the last
// pass no test, but those of rows that want all.
void cdp_side_rows(struct cdp_side *side, const struct cdp_space *space, struct cdp_run items,
                   struct cdp_run lists, uint32_t count);
void cdp_side_columns(struct cdp_side *side, const struct cdp_space *space, struct cdp_run items,
                      struct cdp_run lists, uint32_t count, int threads);

// The largest of the columns of the tile that begins with `first`.
static inline struct cdp_most cdp_side_most(const struct cdp_side *columns, uint32_t first)
{
    const struct cdp_most *m = columns->most + first / CDP_PANEL_COLUMNS;
    return cdp_most_of(cdp_most_of(m[0], m[1]), cdp_most_of(m[2], m[3]));
}

// Row `place` of a tile: row r.
static inline void cdp_side_row(struct cdp_tile *tile, int place, const struct cdp_side *rows,
                                uint32_t r)
{
    tile->row[place] = rows->row[r];
    tile->start[place] = rows->start[r];
}

// What a product of row r and a column, times the column's scale, must reach to pass the test below
// with columns whose largest are `most`.
static inline float cdp_side_bar(const struct cdp_side *rows, uint32_t r, struct cdp_most most,
                                 float least, float error, float rounding)
{
    // Another `rounding`, for what single precision does to the bar.
    float score = least - error - rounding - rows->offset[r] - most.offset;
    return score > 0 ? score * rows->inverse[r] * (1 - 0x1p-20F) : -__builtin_inff();
}

// The columns of a tile, from `first` on.
static inline void cdp_side_tile(struct cdp_tile *tile, const struct cdp_side *columns,
                                 uint32_t first)
{
    tile->panel = columns->word + (size_t)first * tile->words;
    tile->scale = columns->scale + first;
}

// The test of row r, whose list asks for `least`, and the columns from `first` on, where scores may
// be off by `error`.
struct cdp_test cdp_side_test(const struct cdp_side *rows, uint32_t r,
                              const struct cdp_side *columns, uint32_t first, float least,
                              float error);

// The score of row r and column c, whose product the tile function gave: the same bits whichever
// of the two is the row.
static inline float cdp_side_score(const struct cdp_side *rows, uint32_t r,
                                   const struct cdp_side *columns, uint32_t c, float product)
{
    return product * (rows->scale[r] * columns->scale[c]) + (rows->offset[r] + columns->offset[c]);
}

// What single precision adds to the error of a score of row r and columns whose largest are `most`.
static inline float cdp_side_rounding(const struct cdp_side *rows, uint32_t r, struct cdp_most most)
{
    float both = rows->length[r] + most.length;
    return 0x1p-20F * both * both;
}

#endif
