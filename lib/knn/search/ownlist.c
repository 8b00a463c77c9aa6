// SPDX-License-Identifier: MIT
#include "knn/search/ownlist.h"

#include <stdlib.h>

#include "base/mem.h"
#include "knn/data/operand.h"

enum {
    ROWS = CDP_TILE_ROWS,
    COLUMNS = CDP_TILE_COLUMNS,
    STRETCH = 16, // scores that are offered together: then more is ruled out
    WORDS = 1024, // of an item, at most: sums stay above EVERYTHING
    EVERYTHING = -(1 << 30),
};

int cdp_own_new(struct cdp_own *w, const struct cdp_dataset *data, struct cdp_err *err)
{
    *w = (struct cdp_own){.data = data};
    if (!data->kernel->tile32 || data->byte_words > WORDS)
        return 0;
    w->panel = cdp_alloc_aligned(CDP_OWN, data->byte_words * sizeof *w->panel, "items", err);
    w->scale = cdp_alloc(CDP_OWN, sizeof *w->scale, "items", err);
    w->offset = cdp_alloc(CDP_OWN, sizeof *w->offset, "items", err);
    return w->panel && w->scale && w->offset ? 0 : -1;
}

void cdp_own_free(struct cdp_own *w)
{
    free(w->panel);
    free(w->scale);
    free(w->offset);
    *w = (struct cdp_own){0};
}

static void lay_columns(struct cdp_own *w, uint32_t first, uint32_t count)
{
    const struct cdp_dataset *s = w->data;
    size_t words = s->byte_words;
    for (uint32_t c = 0; c < count; c += CDP_PANEL_COLUMNS) {
        const uint32_t *item[CDP_PANEL_COLUMNS];
        uint32_t here = cdp_min(count - c, CDP_PANEL_COLUMNS);
        for (uint32_t i = 0; i < here; i++)
            item[i] = s->bytes + (first + c + i) * words;
        cdp_operand_pack_panel(w->panel + c * words, item, here, words, CDP_DOT_FLIP);
    }
    for (uint32_t c = 0; c < count; c++) {
        w->scale[c] = s->vector[first + c].scale;
        w->offset[c] = s->vector[first + c].offset;
    }
}

static int32_t start_of(const uint32_t *word, size_t words)
{
    const int8_t *q = (const int8_t *)word;
    int32_t sum = 0;
    for (size_t b = 0; b < 4 * words; b++)
        sum += q[b];
    return -128 * sum;
}

// Offers an item its scores with `count` columns from `from` on, given the products of their bytes.
static void offer(const struct cdp_own *w, uint32_t row, uint32_t first, uint32_t from,
                  uint32_t count, const float *product, uint64_t *list, uint32_t k)
{
    struct cdp_vector v = w->data->vector[row];
    for (uint32_t c = 0; c < count; c += STRETCH) {
        uint32_t item[STRETCH], here = 0, end = cdp_min(count - c, STRETCH);
        float score[STRETCH];
        for (uint32_t i = 0; i < end; i++) {
            uint32_t at = from + c + i;
            item[here] = first + at;
            score[here] = product[c + i] * (v.scale * w->scale[at]) + (v.offset + w->offset[at]);
            here += first + at != row;
        }
        cdp_candidates_add(list, k, w->data->kernel, item, score, here);
    }
}

// A tile's rows, at most ROWS.
static void look(const struct cdp_own *w, uint32_t row, uint32_t rows, uint32_t first,
                 uint32_t count, struct cdp_candidates *lists)
{
    static const int32_t none[COLUMNS];
    const struct cdp_dataset *s = w->data;
    const uint32_t *words[ROWS];
    int32_t start[ROWS];
    union cdp_threshold bar[ROWS];
    float product[ROWS][COLUMNS];
    for (uint32_t r = 0; r < rows; r++) {
        words[r] = s->bytes + (row + r) * s->byte_words;
        start[r] = start_of(words[r], s->byte_words);
        bar[r].product = EVERYTHING;
    }
    for (uint32_t from = 0; from < count; from += COLUMNS) {
        uint32_t here = cdp_min(count - from, COLUMNS);
        struct cdp_hits passed[ROWS];
        struct cdp_tile tile = {.rows = rows,
                                .row = words,
                                .start = start,
                                .threshold = bar,
                                .score = product,
                                .offset = none,
                                .panel = w->panel + from * s->byte_words,
                                .words = s->byte_words,
                                .panels = (here + CDP_PANEL_COLUMNS - 1) / CDP_PANEL_COLUMNS};
        s->kernel->tile32(&tile, passed);
        for (uint32_t r = 0; r < rows; r++)
            offer(w, row + r, first, from, here, product[r],
                  lists->entry + (uint64_t)(row + r) * lists->k, lists->k);
    }
}

// One item, pair by pair.
static void look_one(const struct cdp_own *w, uint32_t row, uint32_t first, uint32_t count,
                     uint64_t *list, uint32_t k)
{
    for (uint32_t from = 0; from < count; from += STRETCH) {
        uint32_t item[STRETCH], here = 0;
        float score[STRETCH];
        for (uint32_t c = from; c < count && c < from + STRETCH; c++) {
            item[here] = first + c;
            here += first + c != row;
        }
        cdp_dataset_scores(w->data, row, w->data, item, here, score);
        cdp_candidates_add(list, k, w->data->kernel, item, score, here);
    }
}

void cdp_own(struct cdp_own *w, uint32_t row, uint32_t rows, uint32_t first, uint32_t count,
             struct cdp_candidates *lists)
{
    if (!w->panel) {
        for (uint32_t r = row; r < row + rows; r++)
            look_one(w, r, first, count, lists->entry + (uint64_t)r * lists->k, lists->k);
        return;
    }
    lay_columns(w, first, count);
    for (uint32_t r = 0; r < rows; r += ROWS)
        look(w, row + r, cdp_min(rows - r, ROWS), first, count, lists);
}
