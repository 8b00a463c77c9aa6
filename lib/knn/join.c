// SPDX-License-Identifier: MIT
#include "knn/join.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/mem.h"
#include "base/threads.h"

enum {
    ROWS = CDP_TILE_ROWS,
    COLUMNS = CDP_TILE_COLUMNS,
    PANEL = CDP_PANEL_COLUMNS,
    MAYBES = 1 << 13, // pairs that are measured together
    AHEAD = 4         // pairs whose rows are on their way from memory
};

// A pair that may matter, and what its score is at most.
struct cdp_maybe {
    uint16_t row, column;
    float most;
};

// ---- memory

static int new_joiner(struct cdp_joiner *j, struct cdp_nearest *nearest, struct cdp_err *err)
{
    const struct cdp_space *s = nearest->space;
    size_t laid = s->kernel->metric[s->metric].lay(NULL, s->words, NULL);
    j->nearest = nearest;
    j->rows.word = cdp_alloc_aligned(CDP_SIDE, laid * sizeof *j->room, "a block", err);
    j->columns.word = cdp_alloc_aligned(CDP_SIDE, s->words * sizeof *j->room, "a block", err);
    j->room = cdp_alloc(s->words, sizeof *j->room, "a row", err);
    j->x = cdp_alloc(s->matrix->dim, sizeof *j->x, "a row", err);
    j->y = cdp_alloc(s->matrix->dim, sizeof *j->y, "a row", err);
    j->maybe = cdp_alloc(MAYBES, sizeof *j->maybe, "pairs", err);
    return j->rows.word && j->columns.word && j->room && j->x && j->y && j->maybe ? 0 : -1;
}

struct cdp_joiner *cdp_joiners_new(struct cdp_nearest *nearest, int threads, struct cdp_err *err)
{
    struct cdp_joiner *joiners = cdp_zalloc((size_t)threads, sizeof *joiners, "threads", err);
    for (int t = 0; joiners && t < threads; t++) {
        if (new_joiner(&joiners[t], nearest, err)) {
            cdp_joiners_free(joiners, threads);
            return NULL;
        }
    }
    return joiners;
}

void cdp_joiners_free(struct cdp_joiner *joiners, int threads)
{
    for (int t = 0; joiners && t < threads; t++) {
        free(joiners[t].rows.word);
        free(joiners[t].columns.word);
        free(joiners[t].room);
        free(joiners[t].x);
        free(joiners[t].y);
        free(joiners[t].maybe);
    }
    free(joiners);
}

void cdp_joiners_turn(struct cdp_joiner *joiners, int threads, struct cdp_nearest *nearest,
                      const uint32_t *known)
{
    for (int t = 0; t < threads; t++) {
        joiners[t].nearest = nearest;
        joiners[t].known = known;
    }
}

// ---- blocks

static void fill(const struct cdp_nearest *n, struct cdp_side *b, const uint32_t *ids,
                 uint64_t first, const uint32_t *lists, uint64_t first_list, uint32_t count)
{
    const struct cdp_space *s = n->space;
    b->count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = ids ? ids[i] : (uint32_t)(first + i);
        b->id[i] = id;
        b->list[i] = lists                       ? lists[i]
                     : first_list == CDP_NO_LIST ? CDP_NO_LIST
                                                 : (uint32_t)(first_list + i);
        b->least[i] = b->list[i] == CDP_NO_LIST ? INFINITY : cdp_nearest_least(n, b->list[i]);
        b->scale[i] = s->scale ? s->scale[id] : 1;
        b->offset[i] = s->scale ? s->offset[id] : 0;
        b->length[i] = s->scale ? s->length[id] : 0;
        b->residual[i] = s->scale ? s->residual[id] : 0;
    }
}

void cdp_lay_rows(struct cdp_joiner *j, const uint32_t *ids, uint64_t first, const uint32_t *lists,
                  uint64_t first_list, uint32_t count)
{
    const struct cdp_space *s = j->nearest->space;
    cdp_lay_function *lay = s->kernel->metric[s->metric].lay;
    size_t laid = lay(NULL, s->words, NULL);
    fill(j->nearest, &j->rows, ids, first, lists, first_list, count);
    for (uint32_t i = 0; i < count; i++)
        lay(cdp_space_words(s, j->rows.id[i], j->room), s->words, j->rows.word + i * laid);
}

void cdp_lay_columns(struct cdp_joiner *j, const uint32_t *ids, uint64_t first,
                     const uint32_t *lists, uint64_t first_list, uint32_t count)
{
    const struct cdp_space *s = j->nearest->space;
    struct cdp_side *b = &j->columns;
    uint32_t flip = s->scale ? CDP_DOT_FLIP : 0;
    fill(j->nearest, b, ids, first, lists, first_list, count);
    uint32_t whole = (count + COLUMNS - 1) / COLUMNS * COLUMNS;
    for (uint32_t i = 0; i < whole; i++) {
        uint32_t *panel = b->word + i / PANEL * PANEL * s->words + i % PANEL;
        if (i >= count) { // never passes a test, but for rows whose lists are not full
            b->least[i] = INFINITY;
            b->scale[i] = b->length[i] = b->residual[i] = 0;
            b->offset[i] = -INFINITY;
            for (size_t w = 0; w < s->words; w++)
                panel[w * PANEL] = 0;
            continue;
        }
        const uint32_t *word = cdp_space_words(s, b->id[i], j->room);
        for (size_t w = 0; w < s->words; w++)
            panel[w * PANEL] = word[w] ^ flip;
    }
}

// ---- pairs

// Whether a pair may enter a list: it has one, is near enough, and is not known to be in it.
static bool wanted(const struct cdp_joiner *j, uint32_t list, float least, float most, uint32_t id)
{
    if (list == CDP_NO_LIST || most < least)
        return false;
    uint32_t k = j->nearest->k;
    return !j->known || !cdp_holds(j->known + (uint64_t)list * k, k, id);
}

// Measures the pairs that wait, unless what was found meanwhile rules them out.
static void measure(struct cdp_joiner *j)
{
    struct cdp_side *rows = &j->rows, *columns = &j->columns;
    const struct cdp_matrix *m = j->nearest->space->matrix;
    uint32_t last = CDP_SIDE;
    const float *x = NULL;
    for (uint32_t i = 0; i < j->waiting; i++) {
        struct cdp_maybe pair = j->maybe[i];
        if (!j->nearest->coarse && i + AHEAD < j->waiting) {
            uint64_t id = columns->id[j->maybe[i + AHEAD].column];
            for (size_t byte = 0; byte < m->row_stride && byte < 1024; byte += 64)
                __builtin_prefetch(m->data + id * m->row_stride + byte);
        }
        uint32_t a = rows->id[pair.row], b = columns->id[pair.column];
        uint32_t row_list = rows->list[pair.row], column_list = columns->list[pair.column];
        bool for_row = wanted(j, row_list, rows->least[pair.row], pair.most, b);
        bool for_column = wanted(j, column_list, columns->least[pair.column], pair.most, a);
        if (!for_row && !for_column)
            continue;
        double key = -(double)pair.most;
        if (!j->nearest->coarse) {
            if (pair.row != last)
                x = cdp_matrix_row(m, a, j->x);
            last = pair.row;
            key = cdp_space_key(j->nearest->space, a, b, x, j->y);
        }
        if (for_row) {
            cdp_nearest_add(j->nearest, row_list, b, key);
            rows->least[pair.row] = cdp_nearest_least(j->nearest, row_list);
        }
        if (for_column) {
            cdp_nearest_add(j->nearest, column_list, a, key);
            columns->least[pair.column] = cdp_nearest_least(j->nearest, column_list);
        }
    }
    j->waiting = 0;
}

// What bounds the error for the pairs of a row and the columns of one tile.
struct bound {
    float length, residual;
};

static struct bound bound_of(const struct cdp_side *b, uint32_t first)
{
    struct bound most = {0, 0};
    for (uint32_t c = first; c < first + COLUMNS; c++) {
        most.length = fmaxf(most.length, b->length[c]);
        most.residual = fmaxf(most.residual, b->residual[c]);
    }
    return most;
}

// What the score of a pair may be off by: all of it, or what single precision adds.
static float error_of(const struct cdp_side *rows, uint32_t r, struct bound columns, bool coarse)
{
    float length = rows->length[r], residual = rows->residual[r];
    float both = length + columns.length, rounding = 0x1p-20F * both * both;
    float error = residual * columns.length + (length + residual) * columns.residual;
    return coarse ? rounding : error * (1 + 0x1p-20F) + rounding;
}

static void take(struct cdp_joiner *j, uint32_t r, uint32_t first, uint64_t passed, bool same,
                 const float product[COLUMNS], float error)
{
    const struct cdp_side *rows = &j->rows, *columns = &j->columns;
    for (; passed; passed &= passed - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(passed), c = first + i;
        if (c >= columns->count || (same && c <= r) || rows->id[r] == columns->id[c])
            continue;
        // The same bits whichever of the two is the row.
        float score = product[i] * (rows->scale[r] * columns->scale[c]) +
                      (rows->offset[r] + columns->offset[c]);
        if (!j->nearest->coarse)
            score += error;
        j->maybe[j->waiting++] =
            (struct cdp_maybe){(uint16_t)r, (uint16_t)c, isnan(score) ? INFINITY : score};
    }
}

void cdp_join(struct cdp_joiner *j, bool same)
{
    const struct cdp_space *s = j->nearest->space;
    const struct cdp_kernel *kernel = s->kernel;
    size_t laid = kernel->metric[s->metric].lay(NULL, s->words, NULL);
    cdp_tile_function *tile = kernel->metric[s->metric].tile;
    const struct cdp_side *rows = &j->rows, *columns = &j->columns;
    float product[ROWS][COLUMNS] __attribute__((aligned(64)));
    for (uint32_t first = 0; first < columns->count; first += COLUMNS) {
        struct cdp_tile t = {.panel = columns->word + first * s->words, .words = s->words};
        struct bound bound = s->scale ? bound_of(columns, first) : (struct bound){0, 0};
        uint32_t end = same && first + COLUMNS < rows->count ? first + COLUMNS : rows->count;
        for (uint32_t r = 0; r < end; r += ROWS) {
            for (uint32_t i = 0; i < ROWS; i++)
                t.row[i] = rows->word + (r + i < rows->count ? r + i : r) * laid;
            tile(&t, product);
            for (uint32_t i = 0; i < ROWS && r + i < rows->count; i++) {
                float error = error_of(rows, r + i, bound, j->nearest->coarse);
                struct cdp_test test = {.scale = columns->scale + first,
                                        .offset = columns->offset + first,
                                        .least = columns->least + first,
                                        .row_scale = rows->scale[r + i],
                                        .row_offset = -error - rows->offset[r + i],
                                        .row_least = rows->least[r + i]};
                uint64_t passed = kernel->test(&test, product[i]);
                if (passed)
                    take(j, r + i, first, passed, same, product[i], error);
            }
            if (j->waiting > MAYBES - ROWS * COLUMNS)
                measure(j);
        }
        // Lists fill fast at first: what is known early spares measuring.
        if (j->waiting > MAYBES / 8)
            measure(j);
    }
    measure(j);
}

void cdp_join_lists(struct cdp_joiner *joiners, int threads, const struct cdp_nearest *coarse)
{
    const struct cdp_space *space = coarse->space;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 256)
    for (uint64_t i = 0; i < coarse->count; i++) {
        struct cdp_joiner *j = &joiners[cdp_thread()];
        const float *x = cdp_matrix_row(space->matrix, i, j->x);
        for (uint32_t r = 0; r < coarse->found[i]; r++) {
            uint32_t id = coarse->id[i * coarse->k + r];
            cdp_nearest_add(j->nearest, i, id, cdp_space_key(space, i, id, x, j->y));
        }
    }
}
