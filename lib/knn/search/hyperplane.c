// SPDX-License-Identifier: MIT
#include "knn/search/hyperplane.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "knn/data/dataset.h"

enum {
    ROWS = CDP_BLOCK_ROWS,
    CELLS = CDP_TILE_COLUMNS, // whose centroids are a tile's columns
    TILES = CDP_BLOCK / CDP_TILE_COLUMNS,
    SAMPLE = 128,      // rows, and the cells that each is tried with, whose share tells whether
    OTHERS = 4,        // hyperplanes pays
    LARGEST = 1 << 20, // square of what is excluded, so that scores are exact in single precision
};

// What single precision may have moved f by, in steps: f is below 2^12, and rounded a few times.
static const float ROUNDING = 0x1p-8F;

// Rows of one cell.
struct run {
    uint32_t first, end;
};

struct cdp_pruner {
    const struct cdp_hyperplanes *all;
    const struct cdp_dataset *data;
    struct cdp_operand items,
        own;                   // rows, as columns of tiles, and the centroids of the runs' cells
    struct cdp_operand some;   // columns that meet these, as rows
    struct cdp_operand others; // the centroids of a window of cells, as rows
    uint32_t runs;
    uint32_t window, cells; // the window: its first cell, and how many
    struct run run[CELLS];
    uint32_t id[CELLS];        // of the runs' cells
    float part[CELLS][CELLS];  // 1 / |a - b| of window x runs
    float (*beyond)[ROWS];     // f of the rows, for each cell of the window
    float score[CELLS][CELLS]; // of rows and columns that meet
    // Of each row: its score with its own centroid, and what is taken off f.
    float near[ROWS], off[ROWS];
    uint8_t always[ROWS];        // rows of no run
    uint8_t wanted[TILES][ROWS]; // each row by each tile of the columns
    uint64_t met, asked;         // rows and tiles that there were, and that were wanted
};

// ---- all items

// Makes the centroid of a cell the mean of its items' sketches, of which no number is larger than
// it was, so that it keeps within the limits of products.
static void set_centre(struct cdp_dataset *centroids, uint64_t c, const struct cdp_dataset *data,
                       const struct cdp_ivf_lists *cells, int64_t *sum)
{
    size_t bytes = 4 * centroids->words;
    uint64_t first = cells->start[c], end = cells->start[c + 1];
    int8_t *mean = (int8_t *)(centroids->word + c * centroids->words);
    int32_t all = 0, square = 0;
    memset(sum, 0, bytes * sizeof *sum);
    for (uint64_t m = first; m < end; m++) {
        const int8_t *q = (const int8_t *)cdp_dataset_words(data, cells->member[m]);
        for (size_t b = 0; b < bytes; b++)
            sum[b] += q[b];
    }
    for (size_t b = 0; b < bytes; b++) {
        mean[b] = (int8_t)(end > first ? sum[b] / (int64_t)(end - first) : 0);
        all += mean[b];
        square += mean[b] * mean[b];
    }
    centroids->sketch[c] = (struct cdp_sketch){.square = square, .start = -128 * all};
}

int cdp_hyperplanes_new(struct cdp_hyperplanes *e, const struct cdp_dataset *data,
                        const struct cdp_ivf_lists *cells, struct cdp_err *err)
{
    uint64_t n = data->matrix->rows;
    *e = (struct cdp_hyperplanes){.count = n, .cells = cells->count};
    int64_t *sum = cdp_alloc(data->words, 4 * sizeof *sum, "cells", err);
    e->cell = cdp_alloc(n, sizeof *e->cell, "cells", err);
    e->own = cdp_alloc(n, sizeof *e->own, "cells", err);
    int status =
        !sum || !e->cell || !e->own ||
        cdp_dataset_select(&e->centroids, data, data->levels - 1, cells->member, cells->count, err);
    for (uint64_t c = 0; c < (status ? 0 : cells->count); c++) {
        uint32_t centroid = (uint32_t)c;
        set_centre(&e->centroids, c, data, cells, sum);
        bool large = e->centroids.sketch[c].square > LARGEST;
        for (uint64_t m = cells->start[c]; m < cells->start[c + 1]; m++) {
            uint32_t item = cells->member[m];
            bool is = large || cdp_dataset_sketch(data, item, data->levels - 1)->square > LARGEST;
            e->cell[item] = is ? CDP_NONE : centroid;
            cdp_dataset_sketch_scores(data, item, &e->centroids, &centroid, 1, &e->own[item]);
        }
    }
    free(sum);
    return status ? -1 : 0;
}

void cdp_hyperplanes_free(struct cdp_hyperplanes *e)
{
    cdp_dataset_free(&e->centroids);
    free(e->cell);
    free(e->own);
    *e = (struct cdp_hyperplanes){0};
}

int cdp_hyperplanes_permute(struct cdp_hyperplanes *e, const uint32_t *order, int threads,
                            struct cdp_err *err)
{
    const struct cdp_array arrays[] = {{e->cell, sizeof *e->cell}, {e->own, sizeof *e->own}};
    return cdp_permute(arrays, sizeof arrays / sizeof *arrays, e->count, order, threads, err);
}

// ---- f

// 1 / |a - b|; 0 where that is 0, so that f is.
static float part_of(const struct cdp_dataset *centroids, uint32_t a, uint32_t b, float product)
{
    float apart = (float)cdp_dataset_sketch(centroids, a, 0)->square +
                  (float)cdp_dataset_sketch(centroids, b, 0)->square - 2 * product;
    return apart > 0 ? 1 / sqrtf(apart) : 0;
}

// What is taken off f of an item whose sketch is off by `error`.
static inline float off_of(float error)
{
    return error + ROUNDING;
}

// f of an item's scores with its own cell's centroid and the other one. The half of a centroid's
// odd square is rounded down: what that adds to f of an item of one cell it takes from f of an item
// of the other, so that their sum is right.
static inline float f_of(float own, float other, float part, float off)
{
    return (own - other) * part - off;
}

// ---- a sample

// f of an item for another cell than its own.
static float beyond_of(const struct cdp_hyperplanes *e, const struct cdp_dataset *data,
                       uint32_t item, uint32_t other)
{
    float product, score;
    cdp_dataset_products(&e->centroids, e->cell[item], &e->centroids, &other, 1, 0, &product);
    cdp_dataset_sketch_scores(data, item, &e->centroids, &other, 1, &score);
    return f_of(e->own[item], score, part_of(&e->centroids, e->cell[item], other, product),
                off_of(cdp_dataset_sketch(data, item, data->levels - 1)->error));
}

static float reach_of(const struct cdp_topk *nearest, uint32_t item)
{
    uint32_t list = cdp_dataset_row(nearest->data, item);
    return cdp_dataset_radius(nearest->data, cdp_topk_threshold(nearest, list));
}

// Whether any item of a cell may matter to one of another cell, or this to it.
static bool wants(const struct cdp_hyperplanes *e, const struct cdp_topk *nearest,
                  const struct cdp_ivf_lists *cells, uint32_t cell, uint32_t item)
{
    float f = beyond_of(e, nearest->data, item, cell), least = INFINITY, reached = INFINITY;
    for (uint64_t m = cells->start[cell]; m < cells->start[cell + 1]; m++) {
        uint32_t other = cells->member[m];
        if (e->cell[other] == CDP_NONE)
            continue;
        float theirs = beyond_of(e, nearest->data, other, e->cell[item]);
        least = fminf(least, theirs);
        reached = fminf(reached, theirs - reach_of(nearest, other));
    }
    return f + least <= reach_of(nearest, item) || f + reached <= 0;
}

double cdp_hyperplanes_share(const struct cdp_hyperplanes *e, const struct cdp_topk *nearest,
                             const struct cdp_ivf_lists *cells)
{
    uint64_t n = e->count, all = 0, wanted = 0;
    for (uint64_t i = 0; i < SAMPLE; i++) {
        uint32_t item = (uint32_t)(i * n / SAMPLE);
        for (uint64_t o = 1; o <= OTHERS; o++) {
            uint32_t cell = e->cell[(item + o * n / (OTHERS + 1)) % n];
            if (e->cell[item] != CDP_NONE && cell != CDP_NONE && cell != e->cell[item]) {
                all++;
                wanted += wants(e, nearest, cells, cell, item);
            }
        }
    }
    return all > 0 ? (double)wanted / (double)all : 1;
}

// ---- memory

struct cdp_pruner *cdp_pruner_new(const struct cdp_hyperplanes *hyperplanes,
                                  const struct cdp_dataset *data, struct cdp_err *err)
{
    struct cdp_pruner *x = cdp_zalloc(1, sizeof *x, "cells", err);
    if (!x)
        return NULL;
    x->all = hyperplanes;
    x->data = data;
    x->beyond = cdp_alloc(CELLS, sizeof *x->beyond, "cells", err);
    if (!x->beyond || cdp_operand_new_columns(&x->items, data, ROWS, err) ||
        cdp_operand_new_columns(&x->own, &hyperplanes->centroids, CELLS, err) ||
        cdp_operand_new_rows(&x->some, data, CELLS, err) ||
        cdp_operand_new_rows(&x->others, &hyperplanes->centroids, CELLS, err)) {
        cdp_pruner_free(x);
        return NULL;
    }
    return x;
}

void cdp_pruner_free(struct cdp_pruner *x)
{
    if (!x)
        return;
    cdp_operand_free(&x->items);
    cdp_operand_free(&x->own);
    cdp_operand_free(&x->some);
    cdp_operand_free(&x->others);
    free(x->beyond);
    free(x);
}

double cdp_pruner_share(const struct cdp_pruner *x)
{
    return x->met > 0 ? (double)x->asked / (double)x->met : 1;
}

// ---- rows

// The scores of all of these rows, at most CELLS, and a tile's columns.
static void meet(struct cdp_pruner *x, const struct cdp_operand *rows,
                 const struct cdp_operand *columns, uint32_t first)
{
    union cdp_threshold bar[CELLS];
    struct cdp_hits passed[CELLS];
    for (uint32_t i = 0; i < rows->count; i++)
        bar[i].product = -(1 << 30); // all pass
    struct cdp_tile tile = {
        .rows = rows->count, .row = rows->row, .start = rows->start, .threshold = bar, .score = x->score};
    cdp_operand_tile(&tile, columns, first, first + CDP_TILE_COLUMNS);
    x->data->kernel->metric[x->data->metric].tile(&tile, passed);
}

void cdp_pruner_set_rows(struct cdp_pruner *x, const struct cdp_operand *rows)
{
    x->runs = 0;
    x->cells = 0;
    x->met = x->asked = 0;
    memset(x->always, 1, rows->count);
    for (uint32_t r = 0, end; r < rows->count; r = end) {
        uint32_t cell = x->all->cell[rows->id[r]];
        for (end = r + 1; end < rows->count && x->all->cell[rows->id[end]] == cell;)
            end++;
        if (cell != CDP_NONE && x->runs < CELLS) {
            x->id[x->runs] = cell;
            x->run[x->runs++] = (struct run){r, end};
            memset(x->always + r, 0, end - r);
        }
    }
    if (x->runs == 0)
        return;
    cdp_operand_pack_columns(&x->own, cdp_ids_of(x->id), cdp_ids_from(CDP_NONE), x->runs, 1);
    cdp_operand_pack_columns(&x->items, cdp_ids_of(rows->id), cdp_ids_from(CDP_NONE), rows->count,
                             1);
    for (uint32_t r = 0; r < rows->count; r++) {
        // Where items are columns, scores have the half of their square taken off, not of the
        // centroid's.
        x->near[r] = x->all->own[rows->id[r]] + (float)x->items.offset[r];
        x->off[r] = off_of(x->items.error[r]);
    }
}

// Sets f of those rows of run a that are among the CELLS rows from `at` on, whose items have met
// the centroids of the window.
static void set_beyond(struct cdp_pruner *x, uint32_t a, uint32_t at)
{
    uint32_t first = x->run[a].first > at ? x->run[a].first : at;
    uint32_t count = cdp_min(x->run[a].end, at + CELLS) - first;
    const float *near = x->near + first, *off = x->off + first;
    for (uint32_t c = 0; c < x->cells; c++) {
        const float *score = x->score[c] + (first - at);
        float *beyond = x->beyond[c] + first, part = x->part[c][a];
        float half = (float)(cdp_dataset_sketch(&x->all->centroids, x->window + c, 0)->square / 2);
#pragma omp simd
        for (uint32_t i = 0; i < count; i++)
            beyond[i] = f_of(near[i], score[i] - half, part, off[i]);
    }
}

// Turns to the cells from `first` on.
static void turn(struct cdp_pruner *x, const struct cdp_operand *rows, uint32_t first)
{
    const struct cdp_dataset *centroids = &x->all->centroids;
    uint32_t cells = cdp_min(x->all->cells - first, CELLS);
    x->window = first;
    x->cells = cells;
    cdp_operand_pack_rows(&x->others, cdp_ids_from(first), cdp_ids_from(CDP_NONE), cells);
    for (uint32_t c = 0; c < cells; c++) {
        float product[CELLS];
        cdp_dataset_products(centroids, first + c, centroids, x->id, x->runs, 0, product);
        for (uint32_t a = 0; a < x->runs; a++)
            x->part[c][a] = part_of(centroids, first + c, x->id[a], product[a]);
    }
    uint32_t a = 0;
    for (uint32_t at = 0; at < rows->count; at += CELLS) {
        meet(x, &x->others, &x->items, at);
        while (a < x->runs && x->run[a].end <= at)
            a++;
        for (uint32_t b = a; b < x->runs && x->run[b].first < at + CELLS; b++)
            set_beyond(x, b, at);
    }
}

// ---- columns

// Marks the rows that columns `first` to `end` - 1, all of one cell and of one tile, want. What
// they score with the runs' centroids is known.
static void mark(struct cdp_pruner *x, const struct cdp_operand *rows, uint32_t count,
                 const struct cdp_operand *columns, uint32_t first, uint32_t end)
{
    uint32_t cell = x->all->cell[columns->id[first]];
    uint8_t *wanted = x->wanted[first / CELLS];
    const float *part = x->part[cell - x->window], *beyond = x->beyond[cell - x->window];
    const float *reach = rows->radius;
    // Of the columns and each run: the least f, and f less what the column's list asks for.
    float least[CELLS], least_left[CELLS];
    for (uint32_t a = 0; a < CELLS; a++)
        least[a] = least_left[a] = INFINITY;
    for (uint32_t i = first; i < end; i++) {
        float own = x->all->own[columns->id[i]], off = off_of(x->some.error[i - first]);
        float theirs = columns->radius[i];
        const float *score = x->score[i - first];
#pragma omp simd
        for (uint32_t a = 0; a < CELLS; a++) {
            float f = f_of(own, score[a], part[a], off);
            least[a] = f < least[a] ? f : least[a];
            least_left[a] = f - theirs < least_left[a] ? f - theirs : least_left[a];
        }
    }
    for (uint32_t a = 0; a < x->runs; a++) {
        float f = least[a], most_by_theirs = -least_left[a];
        uint32_t last = x->run[a].end < count ? x->run[a].end : count;
#pragma omp simd
        for (uint32_t r = x->run[a].first; r < last; r++) {
            float most = reach[r] - f > most_by_theirs ? reach[r] - f : most_by_theirs;
            wanted[r] |= beyond[r] <= most;
        }
    }
}

bool cdp_pruner_set_columns(struct cdp_pruner *x, const struct cdp_operand *rows, uint32_t count,
                            const struct cdp_operand *columns)
{
    if (x->runs == 0)
        return false;
    cdp_kernel_begin(x->data->kernel, x->data->words);
    for (uint32_t first = 0; first < columns->count; first += CELLS) {
        uint32_t last = cdp_min(columns->count, first + CELLS);
        memcpy(x->wanted[first / CELLS], x->always, count);
        for (uint32_t from = first, end; from < last; from = end) {
            uint32_t cell = x->all->cell[columns->id[from]];
            for (end = from + 1; end < last && x->all->cell[columns->id[end]] == cell;)
                end++;
            if (cell == CDP_NONE) {
                memset(x->wanted[first / CELLS], 1, count);
                continue;
            }
            if (cell - x->window >= x->cells)
                turn(x, rows, cell);
            cdp_operand_pack_rows(&x->some, cdp_ids_of(columns->id + from), cdp_ids_from(CDP_NONE),
                                  end - from);
            meet(x, &x->some, &x->own, 0);
            mark(x, rows, count, columns, from, end);
        }
    }
    cdp_kernel_end(x->data->kernel);
    return true;
}

uint32_t cdp_pruner_kept(struct cdp_pruner *x, uint32_t first, uint32_t from, uint32_t end,
                         uint16_t *row)
{
    const uint8_t *wanted = x->wanted[first / CELLS];
    uint32_t count = 0;
    for (uint32_t r = from; r < end; r++) {
        row[count] = (uint16_t)r;
        count += wanted[r];
    }
    x->met += end - from;
    x->asked += count;
    return count;
}
