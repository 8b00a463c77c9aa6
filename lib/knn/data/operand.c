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
    AHEAD = 8, // rows whose memory is asked for before they are laid out
};

static size_t laid_words(const struct cdp_dataset *s, size_t words)
{
    cdp_pack_function *lay = s->kernel->metric[s->metric].lay;
    return lay ? lay(NULL, words, NULL) : words;
}

void cdp_operand_set_level(struct cdp_operand *b, unsigned level)
{
    b->level = level;
    b->words = cdp_dataset_level_words(b->data, level);
}

// `lines` lines of `laid` words are laid out.
static int new_side(struct cdp_operand *b, const struct cdp_dataset *data, uint32_t room,
                    uint64_t lines, size_t laid, struct cdp_err *err)
{
    *b = (struct cdp_operand){.data = data, .room = room, .part = 1};
    cdp_operand_set_level(b, data->levels - 1);
    b->id = cdp_alloc(room, sizeof *b->id, "items", err);
    b->list = cdp_alloc(room, sizeof *b->list, "items", err);
    b->least = cdp_alloc(room, sizeof *b->least, "items", err);
    b->reach = cdp_alloc(room, sizeof *b->reach, "items", err);
    b->error = cdp_alloc(room, sizeof *b->error, "items", err);
    b->word = cdp_alloc_aligned(lines, laid * sizeof *b->word, "items", err);
    return b->id && b->list && b->least && b->reach && b->error && b->word ? 0 : -1;
}

int cdp_operand_new_rows(struct cdp_operand *b, const struct cdp_dataset *s, uint32_t room,
                         struct cdp_err *err)
{
    int status = new_side(b, s, room, room, laid_words(s, s->words), err);
    b->row = cdp_alloc(room, sizeof *b->row, "rows", err);
    b->start = cdp_zalloc(room, sizeof *b->start, "rows", err);
    b->square = cdp_alloc(room, sizeof *b->square, "rows", err);
    return status || !b->row || !b->start || !b->square ? -1 : 0;
}

int cdp_operand_new_columns(struct cdp_operand *b, const struct cdp_dataset *s, uint32_t room,
                            struct cdp_err *err)
{
    // A tile may begin in any panel.
    uint32_t whole = (room + COLUMNS - 1) / COLUMNS * COLUMNS + COLUMNS;
    int status = new_side(b, s, whole, whole, s->words, err);
    b->offset = cdp_alloc(whole, sizeof *b->offset, "columns", err);
    b->most_error = cdp_alloc(whole / PANEL, sizeof *b->most_error, "columns", err);
    return status || !b->offset || !b->most_error ? -1 : 0;
}

void cdp_operand_free(struct cdp_operand *b)
{
    free(b->id);
    free(b->list);
    free(b->least);
    free(b->reach);
    free(b->error);
    free(b->row);
    free(b->start);
    free(b->square);
    free(b->offset);
    free(b->most_error);
    free(b->word);
    *b = (struct cdp_operand){0};
}

// Asks the memory for what an item's row is laid out of.
static void ask(const struct cdp_operand *b, uint32_t id)
{
    const struct cdp_dataset *s = b->data;
    cdp_fetch(cdp_dataset_words(s, id), b->words * sizeof *b->word);
    if (s->vector)
        __builtin_prefetch(cdp_dataset_sketch(s, id, b->level));
}

void cdp_operand_pack_rows(struct cdp_operand *b, struct cdp_ids items, struct cdp_ids lists,
                           uint32_t count)
{
    const struct cdp_dataset *s = b->data;
    cdp_pack_function *lay = s->kernel->metric[s->metric].lay;
    size_t laid = laid_words(s, b->words);
    b->count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = b->id[i] = cdp_ids_at(items, i);
        ask(b, cdp_ids_at(items, i + AHEAD < count ? i + AHEAD : i));
        b->list[i] = cdp_ids_at(lists, i);
        b->least[i] = -INFINITY;
        b->reach[i] = INFINITY;
        if (s->vector) {
            const struct cdp_sketch *own = cdp_dataset_sketch(s, id, b->level);
            b->start[i] = own->start;
            b->square[i] = (float)own->square;
            b->error[i] = own->error;
        }
        const uint32_t *word = cdp_dataset_words(s, id);
        b->row[i] = word;
        if (lay || b->words < s->words) {
            b->row[i] = b->word + i * laid;
            if (lay)
                lay(word, b->words, b->word + i * laid);
            else // side by side
                memcpy(b->word + i * laid, word, b->words * sizeof *word);
        }
    }
}

void cdp_operand_pack_panel(uint32_t *panel, const uint32_t *const *item, uint32_t count,
                            size_t words, uint32_t flip)
{
    if (count < PANEL)
        memset(panel, 0, PANEL * words * sizeof *panel);
    if (count == PANEL) {
        for (size_t w = 0; w < words; w++) {
#pragma GCC unroll 16
            for (uint32_t c = 0; c < PANEL; c++)
                panel[w * PANEL + c] = item[c][w] ^ flip;
        }
        return;
    }
    for (uint32_t c = 0; c < count; c++) {
        for (size_t w = 0; w < words; w++)
            panel[w * PANEL + c] = item[c][w] ^ flip;
    }
}

// A tile's columns from `first` on.
static void lay_columns(struct cdp_operand *b, struct cdp_ids items, struct cdp_ids lists,
                        uint32_t first)
{
    const struct cdp_dataset *s = b->data;
    uint32_t here = first < b->count ? cdp_min(b->count - first, COLUMNS) : 0;
    for (uint32_t i = first; i < first + COLUMNS; i++) {
        bool is = i < first + here;
        uint32_t id = b->id[i] = is ? cdp_ids_at(items, i) : CDP_NONE;
        b->list[i] = is ? cdp_ids_at(lists, i) : CDP_NONE;
        b->least[i] = INFINITY;
        b->reach[i] = 0;
        const struct cdp_sketch *own = is && s->vector ? cdp_dataset_sketch(s, id, b->level) : NULL;
        b->error[i] = own ? own->error : 0;
        b->offset[i] = own ? -(own->square / 2) : 0;
    }
    for (uint32_t p = 0; p < COLUMNS; p += PANEL) {
        const float *error = b->error + first + p;
        float most = 0;
        for (uint32_t i = 0; i < PANEL; i++)
            most = error[i] > most ? error[i] : most;
        b->most_error[(first + p) / PANEL] = most;
        const uint32_t *item[PANEL] = {0};
        uint32_t count = p < here ? cdp_min(here - p, PANEL) : 0;
        uint32_t *panel = b->word + (size_t)(first + p) * b->words;
        for (uint32_t c = 0; c < count; c++)
            item[c] = cdp_dataset_words(s, b->id[first + p + c]);
        cdp_operand_pack_panel(panel, item, count, b->words, s->vector ? CDP_DOT_FLIP : 0);
    }
}

void cdp_operand_pack_columns(struct cdp_operand *b, struct cdp_ids items, struct cdp_ids lists,
                              uint32_t count, int threads)
{
    b->count = count;
    uint32_t whole = (count + COLUMNS - 1) / COLUMNS * COLUMNS;
    whole += whole < b->room ? COLUMNS : 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (uint32_t first = 0; first < whole; first += COLUMNS)
        lay_columns(b, items, lists, first);
}

struct cdp_column_bounds cdp_operand_bounds(const struct cdp_operand *columns, uint32_t first)
{
    struct cdp_column_bounds asked = {INFINITY, 0, cdp_operand_max_error(columns, first)};
    for (uint32_t c = first; c < first + COLUMNS; c++) {
        asked.least = columns->least[c] < asked.least ? columns->least[c] : asked.least;
        asked.reach = columns->reach[c] > asked.reach ? columns->reach[c] : asked.reach;
    }
    return asked;
}

void cdp_operand_thresholds(const struct cdp_operand *rows, uint32_t first, uint32_t count,
                            struct cdp_column_bounds asked, union cdp_threshold *bar)
{
    if (rows->data->vector) {
        struct cdp_row_bounds asking = {.reach = rows->reach + first,
                                        .error = rows->error + first,
                                        .square = rows->square + first,
                                        .count = count,
                                        .most_reach = asked.reach,
                                        .most_error = asked.error};
        rows->data->kernel->bars(&asking, bar);
        return;
    }
    const float *least = rows->least + first;
    for (uint32_t i = 0; i < count; i++)
        bar[i].score = least[i] < asked.least ? least[i] : asked.least;
}

void cdp_operand_gather_thresholds(const struct cdp_operand *rows, const uint32_t *row,
                                   uint32_t count, struct cdp_column_bounds asked,
                                   union cdp_threshold *bar)
{
    float reach[CDP_TILE_ROWS], error[CDP_TILE_ROWS], square[CDP_TILE_ROWS];
    if (!rows->data->vector) {
        for (uint32_t i = 0; i < count; i++)
            cdp_operand_thresholds(rows, row[i], 1, asked, bar + i);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        reach[i] = rows->reach[row[i]];
        error[i] = rows->error[row[i]];
        square[i] = rows->square[row[i]];
    }
    struct cdp_row_bounds asking = {.reach = reach,
                                    .error = error,
                                    .square = square,
                                    .count = count,
                                    .most_reach = asked.reach,
                                    .most_error = asked.error};
    rows->data->kernel->bars(&asking, bar);
}
