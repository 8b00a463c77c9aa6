// SPDX-License-Identifier: MIT
#include "knn/side.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { COLUMNS = CDP_TILE_COLUMNS, PANEL = CDP_PANEL_COLUMNS };

static size_t laid_words(const struct cdp_space *s)
{
    cdp_lay_function *lay = s->kernel->metric[s->metric].lay;
    return lay ? lay(NULL, s->words, NULL) : s->words;
}

static int new_side(struct cdp_side *b, uint32_t room, uint64_t lines, size_t words,
                    struct cdp_err *err)
{
    *b = (struct cdp_side){.room = room};
    b->id = cdp_alloc(room, sizeof *b->id, "items", err);
    b->list = cdp_alloc(room, sizeof *b->list, "items", err);
    b->scale = cdp_alloc(room, sizeof *b->scale, "scales", err);
    b->offset = cdp_alloc(room, sizeof *b->offset, "lengths", err);
    b->length = cdp_alloc(room, sizeof *b->length, "lengths", err);
    b->residual = cdp_alloc(room, sizeof *b->residual, "lengths", err);
    b->least = cdp_alloc(room, sizeof *b->least, "items", err);
    b->word = cdp_alloc_aligned(lines, words * sizeof *b->word, "items", err);
    return b->id && b->list && b->scale && b->offset && b->length && b->residual && b->least &&
                   b->word
               ? 0
               : -1;
}

int cdp_side_new_rows(struct cdp_side *b, const struct cdp_space *s, uint32_t room,
                      struct cdp_err *err)
{
    cdp_lay_function *lay = s->kernel->metric[s->metric].lay;
    int status = new_side(b, room, lay ? room : 0, laid_words(s), err);
    b->row = cdp_alloc(room, sizeof *b->row, "rows", err);
    b->start = cdp_alloc(room, sizeof *b->start, "rows", err);
    b->inverse = cdp_alloc(room, sizeof *b->inverse, "rows", err);
    return status || !b->row || !b->start || !b->inverse ? -1 : 0;
}

int cdp_side_new_columns(struct cdp_side *b, const struct cdp_space *s, uint32_t room,
                         struct cdp_err *err)
{
    // A tile may begin in any panel.
    uint32_t whole = (room + COLUMNS - 1) / COLUMNS * COLUMNS + COLUMNS;
    int status = new_side(b, whole, whole, s->words, err);
    b->most = cdp_alloc(whole / PANEL, sizeof *b->most, "bounds", err);
    return status || !b->most ? -1 : 0;
}

void cdp_side_free(struct cdp_side *b)
{
    free(b->id);
    free(b->list);
    free(b->scale);
    free(b->offset);
    free(b->length);
    free(b->residual);
    free(b->least);
    free(b->row);
    free(b->start);
    free(b->inverse);
    free(b->most);
    free(b->word);
    *b = (struct cdp_side){0};
}

static void fill(struct cdp_side *b, const struct cdp_space *s, struct cdp_run items,
                 struct cdp_run lists, uint32_t i, float least)
{
    uint32_t id = cdp_run_at(items, i);
    b->id[i] = id;
    b->list[i] = cdp_run_at(lists, i);
    b->least[i] = least;
    b->scale[i] = s->scale ? s->scale[id] : 1;
    b->offset[i] = s->scale ? s->offset[id] : 0;
    b->length[i] = s->scale ? s->length[id] : 0;
    b->residual[i] = s->scale ? s->residual[id] : 0;
}

void cdp_side_rows(struct cdp_side *b, const struct cdp_space *s, struct cdp_run items,
                   struct cdp_run lists, uint32_t count)
{
    cdp_lay_function *lay = s->kernel->metric[s->metric].lay;
    size_t laid = laid_words(s);
    b->count = count;
    for (uint32_t i = 0; i < count; i++) {
        fill(b, s, items, lists, i, -INFINITY);
        b->start[i] = s->scale ? s->start[b->id[i]] : 0;
        b->inverse[i] = 1 / b->scale[i];
        b->row[i] = cdp_space_words(s, b->id[i]);
        if (lay) {
            lay(b->row[i], s->words, b->word + i * laid);
            b->row[i] = b->word + i * laid;
        }
    }
}

// The words of at most PANEL items, interleaved; of those that are missing, 0.
static void lay_panel(uint32_t *panel, const uint32_t *const item[PANEL], uint32_t count,
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
static void lay_columns(struct cdp_side *b, const struct cdp_space *s, struct cdp_run items,
                        struct cdp_run lists, uint32_t first)
{
    uint32_t here = first < b->count ? cdp_least(b->count - first, COLUMNS) : 0;
    for (uint32_t i = first; i < first + here; i++)
        fill(b, s, items, lists, i, INFINITY);
    for (uint32_t i = first + here; i < first + COLUMNS; i++) {
        b->id[i] = b->list[i] = CDP_NONE;
        b->least[i] = INFINITY;
        b->scale[i] = b->length[i] = b->residual[i] = 0;
        b->offset[i] = -INFINITY;
    }
    for (uint32_t p = 0; p < COLUMNS; p += PANEL) {
        struct cdp_most most = {0, 0, -INFINITY};
        for (uint32_t i = first + p; i < first + p + PANEL; i++)
            most = cdp_most_of(most, (struct cdp_most){b->length[i], b->residual[i], b->offset[i]});
        b->most[(first + p) / PANEL] = most;
        const uint32_t *item[PANEL] = {0};
        uint32_t count = p < here ? cdp_least(here - p, PANEL) : 0;
        uint32_t *panel = b->word + (size_t)(first + p) * s->words;
        for (uint32_t c = 0; c < count; c++)
            item[c] = cdp_space_words(s, b->id[first + p + c]);
        lay_panel(panel, item, count, s->words, s->scale ? CDP_DOT_FLIP : 0);
    }
}

void cdp_side_columns(struct cdp_side *b, const struct cdp_space *s, struct cdp_run items,
                      struct cdp_run lists, uint32_t count, int threads)
{
    b->count = count;
    uint32_t whole = (count + COLUMNS - 1) / COLUMNS * COLUMNS;
    whole += whole < b->room ? COLUMNS : 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (uint32_t first = 0; first < whole; first += COLUMNS)
        lay_columns(b, s, items, lists, first);
}

struct cdp_test cdp_side_test(const struct cdp_side *rows, uint32_t r,
                              const struct cdp_side *columns, uint32_t first, float least,
                              float error)
{
    return (struct cdp_test){.scale = columns->scale + first,
                             .offset = columns->offset + first,
                             .least = columns->least + first,
                             .row_scale = rows->scale[r],
                             .row_offset = -error - rows->offset[r],
                             .row_least = least};
}
