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
    if (cdp_side_new_rows(&j->rows, space, CDP_SIDE, err) ||
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
    cdp_side_rows(&j->rows, items, lists, count);
}

void cdp_lay_columns(struct cdp_joiner *j, struct cdp_run items, struct cdp_run lists,
                     uint32_t count)
{
    cdp_side_columns(&j->columns, items, lists, count, 1);
}

// ---- joining

// What the lists ask for at least; of an item without a list, more than there is.
static void ask(const struct cdp_nearest *n, struct cdp_side *b)
{
    for (uint32_t i = 0; i < b->count; i++)
        cdp_side_ask(b, i, b->list[i] == CDP_NONE ? INFINITY : cdp_nearest_least(n, b->list[i]));
}

static bool wanted(uint32_t list, float least, float most)
{
    return list != CDP_NONE && !(most < least);
}

// Asks for a row of the matrix, or the beginning of a long one.
static inline __attribute__((always_inline)) void fetch(const struct cdp_space *s, uint64_t item)
{
    const struct cdp_matrix *m = s->matrix;
    const unsigned char *row = m->data + cdp_space_row(s, item) * m->row_stride;
    for (size_t byte = 0; byte < m->row_stride && byte < 1024; byte += 64)
        __builtin_prefetch(row + byte);
}

// Measures the pairs that wait, unless what was found meanwhile rules them out.
static void measure(struct cdp_joiner *j)
{
    struct cdp_side *rows = &j->rows, *columns = &j->columns;
    const struct cdp_matrix *m = j->space->matrix;
    uint32_t last = CDP_SIDE;
    const float *x = NULL;
    for (uint32_t i = 0; i < j->waiting; i++) {
        struct cdp_maybe pair = j->maybe[i];
        if (i + AHEAD < j->waiting)
            fetch(j->space, columns->id[j->maybe[i + AHEAD].column]);
        uint32_t a = rows->id[pair.row], b = columns->id[pair.column];
        uint32_t row_list = rows->list[pair.row], column_list = columns->list[pair.column];
        bool for_row = wanted(row_list, rows->least[pair.row], pair.most);
        bool for_column = wanted(column_list, columns->least[pair.column], pair.most);
        if (!for_row && !for_column)
            continue;
        if (pair.row != last)
            x = cdp_matrix_row(m, cdp_space_row(j->space, a), j->x);
        last = pair.row;
        double key = cdp_space_key(j->space, a, b, x, j->y);
        if (for_row) {
            cdp_nearest_add(j->nearest, row_list, cdp_space_row(j->space, b), key);
            cdp_side_ask(rows, pair.row, cdp_nearest_least(j->nearest, row_list));
        }
        if (for_column) {
            cdp_nearest_add(j->nearest, column_list, cdp_space_row(j->space, a), key);
            cdp_side_ask(columns, pair.column, cdp_nearest_least(j->nearest, column_list));
        }
    }
    j->waiting = 0;
}

// Queues the pairs of row r and the columns that passed, from `first` on, that the scores of their
// bytes do not rule out either.
static void take(struct cdp_joiner *j, uint32_t r, uint32_t first, uint64_t passed, bool same)
{
    const struct cdp_side *rows = &j->rows, *columns = &j->columns;
    uint32_t own = rows->id[r], items[COLUMNS], column[COLUMNS], count = 0;
    float score[COLUMNS];
    for (; passed; passed &= passed - 1) {
        uint32_t c = first + (uint32_t)__builtin_ctzll(passed), id = columns->id[c];
        items[count] = id;
        column[count] = c;
        count += id != CDP_NONE && id != own && !(same && c <= r);
    }
    cdp_space_scores(j->space, own, j->space, items, count, score);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t c = column[i];
        float most = score[i] + cdp_space_error(j->space, own, items[i]);
        if (wanted(rows->list[r], rows->least[r], most) ||
            wanted(columns->list[c], columns->least[c], most))
            j->maybe[j->waiting++] = (struct cdp_maybe){(uint16_t)r, (uint16_t)c, most};
    }
}

void cdp_join(struct cdp_joiner *j, bool same)
{
    cdp_tile_function *tile_function = j->space->kernel->metric[j->space->metric].tile;
    struct cdp_side *rows = &j->rows, *columns = &j->columns;
    ask(j->nearest, rows);
    ask(j->nearest, columns);
    for (uint32_t first = 0; first < columns->count; first += COLUMNS) {
        uint32_t end = same ? cdp_least(first + COLUMNS, rows->count) : rows->count;
        uint32_t whole = (end + ROWS - 1) / ROWS * ROWS;
        cdp_side_bars(rows, 0, whole, cdp_side_asked(columns, first), j->bar);
        struct cdp_tile tile;
        cdp_side_tile(&tile, columns, first);
        for (uint32_t r = 0; r < end; r += ROWS) {
            uint64_t passed[ROWS];
            tile.row = rows->row + r;
            tile.start = rows->start + r;
            tile.bar = j->bar + r;
            if (!tile_function(&tile, passed))
                continue;
            for (uint32_t i = 0; i < ROWS && r + i < rows->count; i++) {
                if (passed[i])
                    take(j, r + i, first, passed[i], same);
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

// Whether list i holds item b.
static bool holds(const struct cdp_shortlists *lists, uint64_t i, uint32_t b)
{
    const uint64_t *list = lists->entry + i * lists->k;
    bool found = false;
    for (uint32_t r = 0; r < lists->k; r++)
        found |= cdp_entry_id(list[r]) == b;
    return found;
}

void cdp_join_shortlists(struct cdp_joiner *joiners, int threads,
                         const struct cdp_shortlists *lists)
{
    const struct cdp_space *space = joiners->space;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 256)
    for (uint64_t i = 0; i < lists->count; i++) {
        struct cdp_joiner *j = &joiners[cdp_thread()];
        const uint64_t *list = lists->entry + i * lists->k;
        uint32_t row = cdp_space_row(space, i);
        const float *x = cdp_matrix_row(space->matrix, row, j->x);
        for (uint32_t r = 0; r < lists->k && list[r] != CDP_NOBODY; r++) {
            if (r + AHEAD < lists->k && list[r + AHEAD] != CDP_NOBODY)
                fetch(space, cdp_entry_id(list[r + AHEAD]));
            uint32_t b = cdp_entry_id(list[r]), other = cdp_space_row(space, b);
            // A pair that is in both lists is measured once.
            bool both = holds(lists, b, (uint32_t)i);
            if (both && b < i)
                continue;
            double key = cdp_space_key(space, i, b, x, j->y);
            cdp_nearest_add(j->nearest, row, other, key);
            if (both)
                cdp_nearest_add(j->nearest, other, row, key);
        }
    }
}
