// SPDX-License-Identifier: MIT
#include "knn/data/operand.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    COLUMNS = CDP_TILE_COLUMNS,
    PANEL = CDP_PANEL_COLUMNS,
    AHEAD = 8, // rows that are prefetched before they are packed; timed (README.md)
};

// Words of a packed row.
static size_t packed_words(const struct cdp_dataset *s, size_t words)
{
    cdp_pack_function *pack = s->kernel->metric[s->metric].pack;
    return pack ? pack(NULL, words, NULL) : words;
}

void cdp_operand_set_level(struct cdp_operand *b, unsigned level)
{
    b->level = level;
    b->words = cdp_dataset_level_words(b->data, level);
}

// Items are packed to lines of `words` words.
static int new_operand(struct cdp_operand *b, const struct cdp_dataset *data, uint32_t capacity,
                       size_t words, struct cdp_err *err)
{
    *b = (struct cdp_operand){.data = data, .capacity = capacity, .fraction = 1};
    cdp_operand_set_level(b, data->levels - 1);
    b->id = cdp_alloc(capacity, sizeof *b->id, "items", err);
    b->list = cdp_alloc(capacity, sizeof *b->list, "items", err);
    b->threshold = cdp_alloc(capacity, sizeof *b->threshold, "items", err);
    b->radius = cdp_alloc(capacity, sizeof *b->radius, "items", err);
    b->error = cdp_alloc(capacity, sizeof *b->error, "items", err);
    b->word = cdp_alloc_aligned(capacity, words * sizeof *b->word, "items", err);
    return b->id && b->list && b->threshold && b->radius && b->error && b->word ? 0 : -1;
}

int cdp_operand_new_rows(struct cdp_operand *b, const struct cdp_dataset *s, uint32_t capacity,
                         struct cdp_err *err)
{
    int status = new_operand(b, s, capacity, packed_words(s, s->words), err);
    b->row = cdp_alloc(capacity, sizeof *b->row, "rows", err);
    b->start = cdp_zalloc(capacity, sizeof *b->start, "rows", err);
    b->square = cdp_alloc(capacity, sizeof *b->square, "rows", err);
    return status || !b->row || !b->start || !b->square ? -1 : 0;
}

int cdp_operand_new_columns(struct cdp_operand *b, const struct cdp_dataset *s, uint32_t capacity,
                            struct cdp_err *err)
{
    // A tile may begin at any panel, so one more tile is read.
    uint32_t whole = (capacity + COLUMNS - 1) / COLUMNS * COLUMNS + COLUMNS;
    int status = new_operand(b, s, whole, s->words, err);
    b->offset = cdp_alloc(whole, sizeof *b->offset, "columns", err);
    b->max_error = cdp_alloc(whole / PANEL, sizeof *b->max_error, "columns", err);
    return status || !b->offset || !b->max_error ? -1 : 0;
}

void cdp_operand_free(struct cdp_operand *b)
{
    free(b->id);
    free(b->list);
    free(b->threshold);
    free(b->radius);
    free(b->error);
    free(b->row);
    free(b->start);
    free(b->square);
    free(b->offset);
    free(b->max_error);
    free(b->word);
    *b = (struct cdp_operand){0};
}

static void prefetch(const struct cdp_operand *b, uint32_t id)
{
    cdp_fetch(cdp_dataset_words(b->data, id), b->words * sizeof *b->word);
    if (b->data->vector)
        __builtin_prefetch(cdp_dataset_sketch(b->data, id, b->level));
}

void cdp_operand_pack_rows(struct cdp_operand *b, struct cdp_ids items, struct cdp_ids lists,
                           uint32_t count)
{
    const struct cdp_dataset *s = b->data;
    cdp_pack_function *pack = s->kernel->metric[s->metric].pack;
    size_t line = packed_words(s, b->words);
    b->count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = b->id[i] = cdp_ids_at(items, i);
        prefetch(b, cdp_ids_at(items, i + AHEAD < count ? i + AHEAD : i));
        b->list[i] = cdp_ids_at(lists, i);
        b->threshold[i] = -INFINITY;
        b->radius[i] = INFINITY;
        if (s->vector) {
            const struct cdp_sketch *own = cdp_dataset_sketch(s, id, b->level);
            b->start[i] = own->start;
            b->square[i] = (float)own->square;
            b->error[i] = own->error;
        }
        const uint32_t *word = cdp_dataset_words(s, id);
        uint32_t *packed = b->word + i * line;
        b->row[i] = packed;
        if (pack)
            pack(word, b->words, packed);
        else if (b->words < s->words)
            memcpy(packed, word, b->words * sizeof *word);
        else
            b->row[i] = word;
    }
}

void cdp_operand_pack_panel(uint32_t *panel, const uint32_t *const *item, uint32_t count,
                            size_t words, uint32_t flip)
{
    if (count == PANEL) {
        for (size_t w = 0; w < words; w++) {
#pragma GCC unroll 16
            for (uint32_t c = 0; c < PANEL; c++)
                panel[w * PANEL + c] = item[c][w] ^ flip;
        }
        return;
    }
    memset(panel, 0, PANEL * words * sizeof *panel);
    for (uint32_t c = 0; c < count; c++) {
        for (size_t w = 0; w < words; w++)
            panel[w * PANEL + c] = item[c][w] ^ flip;
    }
}

// Packs the columns of a tile.
static void pack_columns(struct cdp_operand *b, struct cdp_ids items, struct cdp_ids lists,
                         uint32_t first)
{
    const struct cdp_dataset *s = b->data;
    uint32_t here = first < b->count ? cdp_min(b->count - first, COLUMNS) : 0;
    for (uint32_t i = first; i < first + COLUMNS; i++) {
        bool is = i < first + here;
        uint32_t id = b->id[i] = is ? cdp_ids_at(items, i) : CDP_NONE;
        b->list[i] = is ? cdp_ids_at(lists, i) : CDP_NONE;
        b->threshold[i] = INFINITY;
        b->radius[i] = 0;
        const struct cdp_sketch *own = is && s->vector ? cdp_dataset_sketch(s, id, b->level) : NULL;
        b->error[i] = own ? own->error : 0;
        b->offset[i] = own ? -(own->square / 2) : 0;
    }
    for (uint32_t p = 0; p < COLUMNS; p += PANEL) {
        const float *error = b->error + first + p;
        float most = 0;
        for (uint32_t i = 0; i < PANEL; i++)
            most = error[i] > most ? error[i] : most;
        b->max_error[(first + p) / PANEL] = most;
        const uint32_t *item[PANEL] = {0};
        uint32_t count = p < here ? cdp_min(here - p, PANEL) : 0;
        for (uint32_t c = 0; c < count; c++)
            item[c] = cdp_dataset_words(s, b->id[first + p + c]);
        cdp_operand_pack_panel(b->word + (size_t)(first + p) * b->words, item, count, b->words,
                               s->vector ? CDP_DOT_FLIP : 0);
    }
}

void cdp_operand_pack_columns(struct cdp_operand *b, struct cdp_ids items, struct cdp_ids lists,
                              uint32_t count, int threads)
{
    b->count = count;
    uint32_t whole = (count + COLUMNS - 1) / COLUMNS * COLUMNS;
    whole += whole < b->capacity ? COLUMNS : 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (uint32_t first = 0; first < whole; first += COLUMNS)
        pack_columns(b, items, lists, first);
}

// ---- thresholds

struct cdp_column_bounds cdp_operand_error_bounds(const struct cdp_operand *columns, uint32_t first)
{
    const float *most = columns->max_error + first / PANEL;
    return (struct cdp_column_bounds){INFINITY, 0,
                                      fmaxf(fmaxf(most[0], most[1]), fmaxf(most[2], most[3]))};
}

struct cdp_column_bounds cdp_operand_bounds(const struct cdp_operand *columns, uint32_t first)
{
    struct cdp_column_bounds b = cdp_operand_error_bounds(columns, first);
    for (uint32_t c = first; c < first + COLUMNS; c++) {
        b.threshold = columns->threshold[c] < b.threshold ? columns->threshold[c] : b.threshold;
        b.radius = columns->radius[c] > b.radius ? columns->radius[c] : b.radius;
    }
    return b;
}

void cdp_operand_thresholds(const struct cdp_operand *rows, uint32_t first, uint32_t count,
                            struct cdp_column_bounds columns, union cdp_threshold *threshold)
{
    if (rows->data->vector) {
        struct cdp_bounds bounds = {.radius = rows->radius + first,
                                    .error = rows->error + first,
                                    .square = rows->square + first,
                                    .count = count,
                                    .column_radius = columns.radius,
                                    .column_error = columns.error};
        rows->data->kernel->thresholds(&bounds, threshold);
        return;
    }
    const float *own = rows->threshold + first;
    for (uint32_t i = 0; i < count; i++)
        threshold[i].score = own[i] < columns.threshold ? own[i] : columns.threshold;
}

void cdp_operand_gather_thresholds(const struct cdp_operand *rows, const uint32_t *row,
                                   uint32_t count, struct cdp_column_bounds columns,
                                   union cdp_threshold *threshold)
{
    float own[CDP_TILE_ROWS], radius[CDP_TILE_ROWS], error[CDP_TILE_ROWS], square[CDP_TILE_ROWS];
    for (uint32_t i = 0; i < count; i++) {
        own[i] = rows->threshold[row[i]];
        radius[i] = rows->radius[row[i]];
        error[i] = rows->error[row[i]];
        square[i] = rows->square[row[i]];
    }
    struct cdp_operand gathered = {
        .data = rows->data, .threshold = own, .radius = radius, .error = error, .square = square};
    cdp_operand_thresholds(&gathered, 0, count, columns, threshold);
}
