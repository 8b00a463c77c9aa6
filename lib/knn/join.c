// SPDX-License-Identifier: MIT
#include "knn/join.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"

enum {
    ROWS = CDP_TILE_ROWS,
    COLUMNS = CDP_TILE_COLUMNS,
    MAYBES = 1 << 13, // pairs that are measured together
    AHEAD = 4         // pairs whose rows are on their way from memory
};

// A pair that may matter, and what its score is at most.
struct cdp_maybe {
    uint16_t row, column;
    float most;
};

// ---- memory

static int new_joiner(struct cdp_joiner *j, const struct cdp_space *space, struct cdp_err *err)
{
    size_t dim = space->matrix->dim;
    j->space = space;
    j->x = cdp_alloc(dim, sizeof *j->x, "a row", err);
    j->y = cdp_alloc(dim, sizeof *j->y, "a row", err);
    j->maybe = cdp_alloc(MAYBES, sizeof *j->maybe, "pairs", err);
    if (cdp_side_new_rows(&j->rows, space, CDP_ROWS, err) ||
        cdp_side_new_columns(&j->columns, space, CDP_SIDE, err))
        return -1;
    return j->x && j->y && j->maybe ? 0 : -1;
}

struct cdp_joiner *cdp_joiners_new(const struct cdp_space *space, int threads, struct cdp_err *err)
{
    struct cdp_joiner *joiners = cdp_zalloc((size_t)threads, sizeof *joiners, "threads", err);
    for (int t = 0; joiners && t < threads; t++) {
        if (new_joiner(&joiners[t], space, err)) {
            cdp_joiners_free(joiners, threads);
            return NULL;
        }
    }
    return joiners;
}

void cdp_joiners_free(struct cdp_joiner *joiners, int threads)
{
    for (int t = 0; joiners && t < threads; t++) {
        cdp_side_free(&joiners[t].rows);
        cdp_side_free(&joiners[t].columns);
        free(joiners[t].x);
        free(joiners[t].y);
        free(joiners[t].maybe);
    }
    free(joiners);
}

void cdp_joiners_turn(struct cdp_joiner *joiners, int threads, struct cdp_nearest *nearest)
{
    for (int t = 0; t < threads; t++)
        joiners[t].nearest = nearest;
}

void cdp_lay_rows(struct cdp_joiner *j, struct cdp_run items, struct cdp_run lists, uint32_t count)
{
    cdp_side_rows(&j->rows, j->space, items, lists, count);
}

void cdp_lay_columns(struct cdp_joiner *j, struct cdp_run items, struct cdp_run lists,
                     uint32_t count)
{
    cdp_side_columns(&j->columns, j->space, items, lists, count, 1);
}

// ---- joining

// What the lists ask for at least; of an item without a list, more than there is.
static void ask(const struct cdp_nearest *n, struct cdp_side *b)
{
    for (uint32_t i = 0; i < b->count; i++)
        b->least[i] = b->list[i] == CDP_NONE ? INFINITY : cdp_nearest_least(n, b->list[i]);
}

static bool wanted(uint32_t list, float least, float most)
{
    return list != CDP_NONE && !(most < least);
}

// Asks for a row of the matrix, or the beginning of a long one.
static inline __attribute__((always_inline)) void fetch(const struct cdp_matrix *m, uint64_t id)
{
    for (size_t byte = 0; byte < m->row_stride && byte < 1024; byte += 64)
        __builtin_prefetch(m->data + id * m->row_stride + byte);
}

// Measures the pairs that wait, unless what was found meanwhile rules them out.
static void measure(struct cdp_joiner *j)
{
    struct cdp_side *rows = &j->rows, *columns = &j->columns;
    const struct cdp_matrix *m = j->space->matrix;
    uint32_t last = CDP_ROWS;
    const float *x = NULL;
    for (uint32_t i = 0; i < j->waiting; i++) {
        struct cdp_maybe pair = j->maybe[i];
        if (i + AHEAD < j->waiting)
            fetch(m, columns->id[j->maybe[i + AHEAD].column]);
        uint32_t a = rows->id[pair.row], b = columns->id[pair.column];
        uint32_t row_list = rows->list[pair.row], column_list = columns->list[pair.column];
        bool for_row = wanted(row_list, rows->least[pair.row], pair.most);
        bool for_column = wanted(column_list, columns->least[pair.column], pair.most);
        if (!for_row && !for_column)
            continue;
        if (pair.row != last)
            x = cdp_matrix_row(m, a, j->x);
        last = pair.row;
        double key = cdp_space_key(j->space, a, b, x, j->y);
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

// What the score of row r and a column may be off by, whose largest are `most`.
static float error_of(const struct cdp_side *rows, uint32_t r, struct cdp_most most)
{
    float length = rows->length[r], residual = rows->residual[r];
    float error = residual * most.length + (length + residual) * most.residual;
    return error * (1 + 0x1p-20F) + cdp_side_rounding(rows, r, most);
}

static void take(struct cdp_joiner *j, uint32_t r, uint32_t first, uint64_t passed, bool same,
                 const float product[COLUMNS], float error)
{
    const struct cdp_side *rows = &j->rows, *columns = &j->columns;
    for (; passed; passed &= passed - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(passed), c = first + i;
        if (c >= columns->count || (same && c <= r) || rows->id[r] == columns->id[c])
            continue;
        float most = cdp_side_score(rows, r, columns, c, product[i]) + error;
        j->maybe[j->waiting++] =
            (struct cdp_maybe){(uint16_t)r, (uint16_t)c, isnan(most) ? INFINITY : most};
    }
}

// The errors and the bars of the first `count` rows, with the columns of the tile from `first` on.
static void raise_bars(struct cdp_joiner *j, uint32_t first, uint32_t count)
{
    const struct cdp_side *rows = &j->rows, *columns = &j->columns;
    struct cdp_most most = cdp_side_most(columns, first);
    float least = INFINITY;
    for (uint32_t c = first; c < first + COLUMNS; c++)
        least = columns->least[c] < least ? columns->least[c] : least;
    uint32_t end = (count + ROWS - 1) / ROWS * ROWS;
    for (uint32_t r = 0; r < end && r < rows->count; r++) {
        float own = rows->least[r] < least ? rows->least[r] : least;
        j->error[r] = error_of(rows, r, most);
        j->bar[r] = cdp_side_bar(rows, r, most, own, j->error[r], cdp_side_rounding(rows, r, most));
    }
}

void cdp_join(struct cdp_joiner *j, bool same)
{
    const struct cdp_kernel *kernel = j->space->kernel;
    cdp_tile_function *score = kernel->metric[j->space->metric].tile;
    struct cdp_side *rows = &j->rows, *columns = &j->columns;
    float product[ROWS][COLUMNS] __attribute__((aligned(64)));
    ask(j->nearest, rows);
    ask(j->nearest, columns);
    for (uint32_t first = 0; first < columns->count; first += COLUMNS) {
        uint32_t end = same ? cdp_least(first + COLUMNS, rows->count) : rows->count;
        raise_bars(j, first, end);
        struct cdp_tile tile = {.words = j->space->words};
        cdp_side_tile(&tile, columns, first);
        for (uint32_t r = 0; r < end; r += ROWS) {
            uint32_t here = cdp_least(rows->count - r, ROWS);
            for (uint32_t i = 0; i < ROWS; i++) {
                uint32_t row = i < here ? r + i : r;
                cdp_side_row(&tile, (int)i, rows, row);
                tile.bar[i] = j->bar[row];
            }
            if (!score(&tile, product))
                continue;
            for (uint32_t i = 0; i < here; i++) {
                struct cdp_test test =
                    cdp_side_test(rows, r + i, columns, first, rows->least[r + i], j->error[r + i]);
                uint64_t passed = kernel->test(&test, product[i]);
                if (passed)
                    take(j, r + i, first, passed, same, product[i], j->error[r + i]);
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

void cdp_join_shortlists(struct cdp_joiner *joiners, int threads,
                         const struct cdp_shortlists *lists, const uint32_t *order)
{
    const struct cdp_space *space = joiners->space;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 256)
    for (uint64_t at = 0; at < lists->count; at++) {
        struct cdp_joiner *j = &joiners[cdp_thread()];
        uint64_t i = order[at];
        const uint64_t *list = lists->entry + i * lists->k;
        const float *x = cdp_matrix_row(space->matrix, i, j->x);
        for (uint32_t r = 0; r < lists->k && list[r] != CDP_NOBODY; r++) {
            if (r + AHEAD < lists->k && list[r + AHEAD] != CDP_NOBODY)
                fetch(space->matrix, cdp_entry_id(list[r + AHEAD]));
            uint32_t id = cdp_entry_id(list[r]);
            cdp_nearest_add(j->nearest, i, id, cdp_space_key(space, i, id, x, j->y));
        }
    }
}
