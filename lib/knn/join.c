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
    j->room = cdp_alloc(dim, 2 * CDP_KEYS * sizeof *j->room, "rows", err);
    j->maybe = cdp_alloc(MAYBES, sizeof *j->maybe, "pairs", err);
    if (cdp_side_new_rows(&j->rows, space, space->words, CDP_JOIN_ROWS, err) ||
        cdp_side_new_columns(&j->columns, space, CDP_SIDE, err))
        return -1;
    return j->room && j->maybe ? 0 : -1;
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
        free(joiners[t].room);
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

// What the lists of the items from `from` to `end` - 1 ask for at least; of an item without a list,
// more than there is.
static void ask(const struct cdp_nearest *n, struct cdp_side *b, uint32_t from, uint32_t end)
{
    for (uint32_t i = from; i < end; i++)
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

// Adds a measured pair to the lists that it may enter.
static void enter(struct cdp_joiner *j, uint32_t r, uint32_t c, double key)
{
    struct cdp_side *rows = &j->rows, *columns = &j->columns;
    float score = cdp_space_least(j->space, key);
    if (wanted(rows->list[r], rows->least[r], score)) {
        uint32_t list = rows->list[r];
        cdp_nearest_add(j->nearest, list, cdp_space_row(j->space, columns->id[c]), key);
        cdp_side_ask(rows, r, cdp_nearest_least(j->nearest, list));
    }
    if (wanted(columns->list[c], columns->least[c], score)) {
        uint32_t list = columns->list[c];
        cdp_nearest_add(j->nearest, list, cdp_space_row(j->space, rows->id[r]), key);
        cdp_side_ask(columns, c, cdp_nearest_least(j->nearest, list));
    }
}

// Whether the list of one item of a pair may take the other one, and does not hold it yet.
static bool lacks(const struct cdp_joiner *j, uint32_t list, float least, float most,
                  uint32_t other)
{
    return wanted(list, least, most) &&
           !cdp_nearest_holds(j->nearest, list, cdp_space_row(j->space, other));
}

// Measures the pairs that wait, unless what was found meanwhile rules them out. Most of those that
// stay were found by the search that filled the lists before.
static void measure(struct cdp_joiner *j)
{
    const struct cdp_side *rows = &j->rows, *columns = &j->columns;
    uint32_t a[CDP_KEYS], b[CDP_KEYS], at[CDP_KEYS], count = 0;
    double key[CDP_KEYS];
    for (uint32_t i = 0; i < j->waiting; i++) {
        if (i + AHEAD < j->waiting)
            fetch(j->space, columns->id[j->maybe[i + AHEAD].column]);
        struct cdp_maybe p = j->maybe[i];
        uint32_t row = rows->id[p.row], column = columns->id[p.column];
        if (lacks(j, rows->list[p.row], rows->least[p.row], p.most, column) ||
            lacks(j, columns->list[p.column], columns->least[p.column], p.most, row)) {
            at[count] = i;
            a[count] = row;
            b[count++] = column;
        }
        if (count == CDP_KEYS || (i + 1 == j->waiting && count > 0)) {
            cdp_space_keys(j->space, a, b, count, j->room, key);
            for (uint32_t m = 0; m < count; m++)
                enter(j, j->maybe[at[m]].row, j->maybe[at[m]].column, key[m]);
            count = 0;
        }
    }
    j->waiting = 0;
}

// Queues the pairs of row r and the columns from `least` on that passed, of those from `first` on,
// that the scores of their bytes do not rule out either.
static void take(struct cdp_joiner *j, uint32_t r, uint32_t first, uint64_t passed, uint32_t least)
{
    const struct cdp_side *rows = &j->rows, *columns = &j->columns;
    uint32_t own = rows->id[r], items[COLUMNS], column[COLUMNS], count = 0;
    float score[COLUMNS];
    for (; passed; passed &= passed - 1) {
        uint32_t c = first + (uint32_t)__builtin_ctzll(passed), id = columns->id[c];
        items[count] = id;
        column[count] = c;
        count += id != CDP_NONE && id != own && c >= least;
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

// The rows from `from` to `end` - 1, at most CDP_SIDE.
static void join(struct cdp_joiner *j, uint32_t from, uint32_t end, bool same)
{
    cdp_tile_function *tile_function = j->space->kernel->metric[j->space->metric].tile;
    struct cdp_side *rows = &j->rows, *columns = &j->columns;
    ask(j->nearest, rows, from, end);
    for (uint32_t first = 0; first < columns->count; first += COLUMNS) {
        uint32_t last = same ? cdp_least(from + first + COLUMNS, end) : end;
        uint32_t whole = (last - from + ROWS - 1) / ROWS * ROWS;
        cdp_side_bars(rows, from, whole, cdp_side_asked(columns, first), j->bar);
        struct cdp_tile tile = {0};
        cdp_side_tile(&tile, columns, first);
        for (uint32_t r = from; r < last; r += ROWS) {
            uint64_t passed[ROWS];
            tile.row = rows->row + r;
            tile.start = rows->start + r;
            tile.bar = j->bar + (r - from);
            if (!tile_function(&tile, passed))
                continue;
            for (uint32_t i = 0; i < ROWS && r + i < end; i++) {
                if (passed[i])
                    take(j, r + i, first, passed[i], same ? r + i - from + 1 : 0);
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

void cdp_join(struct cdp_joiner *j, uint32_t rows, bool same)
{
    ask(j->nearest, &j->columns, 0, j->columns.count);
    for (uint32_t from = 0; from < rows; from += CDP_SIDE)
        join(j, from, cdp_least(rows, from + CDP_SIDE), same);
}

// Fills the list of a query, an item, with what its shortlist holds. key and id have room for that.
static void fill(struct cdp_joiner *j, uint64_t query, uint32_t item, const uint64_t *list,
                 uint32_t k, double *key, uint32_t *id)
{
    uint32_t a[CDP_KEYS], b[CDP_KEYS], count = 0, waiting = 0;
    while (count < k && list[count] != CDP_NOBODY) {
        if (count + AHEAD < k && list[count + AHEAD] != CDP_NOBODY)
            fetch(j->space, cdp_entry_id(list[count + AHEAD]));
        a[waiting] = item;
        b[waiting++] = cdp_entry_id(list[count]);
        id[count] = cdp_space_row(j->space, cdp_entry_id(list[count]));
        count++;
        if (waiting == CDP_KEYS || count == k || list[count] == CDP_NOBODY) {
            cdp_space_keys(j->space, a, b, waiting, j->room, key + count - waiting);
            waiting = 0;
        }
    }
    cdp_nearest_fill(j->nearest, query, id, key, count);
}

int cdp_join_shortlists(struct cdp_joiner *joiners, int threads, const struct cdp_shortlists *lists,
                        const uint32_t *items, struct cdp_err *err)
{
    const struct cdp_space *space = joiners->space;
    uint32_t k = lists->k;
    double *key = cdp_alloc((size_t)threads, k * sizeof *key, "neighbours", err);
    uint32_t *id = cdp_alloc((size_t)threads, k * sizeof *id, "neighbours", err);
    int status = key && id ? 0 : -1;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 256)
    for (uint64_t i = 0; i < (status ? 0 : joiners->nearest->count); i++) {
        size_t own = (size_t)cdp_thread() * k;
        uint32_t item = items ? items[i] : (uint32_t)i;
        fill(&joiners[cdp_thread()], items ? i : cdp_space_row(space, i), item,
             lists->entry + (uint64_t)item * k, k, key + own, id + own);
    }
    free(key);
    free(id);
    return status;
}
