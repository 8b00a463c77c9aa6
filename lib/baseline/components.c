// SPDX-License-Identifier: MIT
#include "baseline/components.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/sets.h"
#include "base/sort.h"
#include "base/threads.h"
#include "base/vectors.h"

int64_t cdp_components(const struct cdp_neighbours *lists, uint32_t *component, struct cdp_err *err)
{
    uint32_t *parent = cdp_alloc(lists->rows, sizeof *parent, "sets of items", err), count = 0;
    if (!parent)
        return -1;
    cdp_sets_init(parent, (uint32_t)lists->rows);
    for (uint64_t row = 0; row < lists->rows; row++) {
        for (uint32_t n = 0; n < lists->k; n++)
            cdp_sets_join(parent, (uint32_t)row, lists->target[row * lists->k + n]);
    }
    for (uint32_t i = 0; i < lists->rows; i++) {
        uint32_t root = cdp_sets_find(parent, i); // the smallest item, so it has its number
        component[i] = root == i ? count++ : component[root];
    }
    free(parent);
    return count;
}

// ---- the closest pairs of components
//
// Products of rows in single precision rule out pairs of rows; the others are measured in double
// precision. |x - y|^2 = 2 - 2 x.y for rows of length 1.

enum {
    PANEL = 16, // columns side by side: number d of column c is panel[d * PANEL + c]
    TALL = 4,   // rows of a tile
};

// The closest pair that was found of two components.
struct closest {
    double square;
    struct cdp_bridge bridge;
};

struct join {
    const struct cdp_rows *rows;
    size_t dim;
    const uint32_t *component; // of each row
    uint64_t count;            // components
    uint64_t *begin;           // component c has the places begin[c] to begin[c + 1] - 1
    uint32_t *item;            // the row of each place
    float *unit;               // by place: rows divided by their lengths, as float32
    struct closest *pair;      // of component c those from c (c - 1) / 2 on
    float slack;               // the largest error of a product and its threshold
    struct cdp_progress *progress;
};

#define TILE(isa, attribute)                                                                       \
    attribute static void tile_##isa(const float *const row[TALL], const float *panel, size_t dim, \
                                     float product[TALL][PANEL])                                   \
    {                                                                                              \
        cdp_floats sum[TALL][PANEL / CDP_LANES] = {0};                                             \
        for (size_t d = 0; d < dim; d++) {                                                         \
            cdp_floats part[PANEL / CDP_LANES];                                                    \
            memcpy(part, panel + d * PANEL, sizeof part);                                          \
            _Pragma("GCC unroll 4") for (int r = 0; r < TALL; r++)                                 \
            {                                                                                      \
                _Pragma("GCC unroll 4") for (size_t v = 0; v < PANEL / CDP_LANES; v++)             \
                    sum[r][v] += row[r][d] * part[v];                                              \
            }                                                                                      \
        }                                                                                          \
        memcpy(product, sum, sizeof sum);                                                          \
    }

TILE(plain, )
#ifdef __x86_64__
TILE(avx2, __attribute__((target("avx2"))))
#endif

static void tile(const float *const row[TALL], const float *panel, size_t dim,
                 float product[TALL][PANEL])
{
#ifdef __x86_64__
    if (cdp_isa() >= CDP_ISA_AVX2) {
        tile_avx2(row, panel, dim, product);
        return;
    }
#endif
    tile_plain(row, panel, dim, product);
}

// Measures two rows. The closest pair has an order, so the threads' order does not matter.
static void measure(const struct join *join, uint32_t later, uint32_t earlier, struct closest *pair)
{
    double square = cdp_rows_square(join->rows, later, earlier);
#pragma omp critical
    {
        struct cdp_bridge had = pair->bridge;
        if (square < pair->square ||
            (square == pair->square &&
             (later < had.later || (later == had.later && earlier < had.earlier)))) {
#pragma omp atomic write
            pair->square = square;
            pair->bridge = (struct cdp_bridge){later, earlier};
        }
    }
}

// Compares the places `from` to `end` - 1 with a panel: `count` places from `column` on of a
// component before theirs.
static void compare(const struct join *join, uint64_t from, uint64_t end, uint32_t earlier,
                    const float *panel, uint64_t column, uint32_t count)
{
    float product[TALL][PANEL];
    const float *row[TALL];
    for (uint64_t first = from; first < end; first += TALL) {
        for (uint64_t r = 0; r < TALL; r++)
            row[r] = join->unit + (first + r < end ? first + r : first) * join->dim;
        tile(row, panel, join->dim, product);
        for (uint64_t r = 0; r < TALL && first + r < end; r++) {
            uint64_t later = join->component[join->item[first + r]];
            struct closest *pair = &join->pair[later * (later - 1) / 2 + earlier];
            double square;
#pragma omp atomic read
            square = pair->square;
            float least = (float)(1 - square / 2) - join->slack;
            for (uint32_t p = 0; p < count; p++) {
                if (product[r][p] >= least)
                    measure(join, join->item[first + r], join->item[column + p], pair);
            }
        }
    }
}

// Columns and rows that stay in the second-level cache together: 256 KiB at 256 numbers.
enum { COLUMNS = 192, ROWS = 64 };

// Compares the places `from` to `to` - 1, COLUMNS at most, of a component with all those of later
// ones. `panel` has room for COLUMNS.
static void compare_columns(const struct join *join, uint32_t component, uint64_t from, uint64_t to,
                            float *panel)
{
    for (uint64_t p = 0; p < (to - from + PANEL - 1) / PANEL * PANEL; p++) {
        const float *unit = join->unit + (from + p < to ? from + p : from) * join->dim;
        for (size_t d = 0; d < join->dim; d++)
            panel[(p / PANEL * join->dim + d) * PANEL + p % PANEL] = unit[d];
    }
    uint64_t end = join->begin[join->count];
    for (uint64_t row = join->begin[component + 1]; row < end; row += ROWS) {
        if (cdp_progress_stopped(join->progress))
            return;
        for (uint64_t column = from; column < to; column += PANEL)
            compare(join, row, row + ROWS < end ? row + ROWS : end, component,
                    panel + (column - from) * join->dim, column,
                    to - column < PANEL ? (uint32_t)(to - column) : PANEL);
    }
}

static int compare_all(const struct join *join, int threads, struct cdp_err *err)
{
    float *panels =
        cdp_alloc_aligned((size_t)threads * COLUMNS, join->dim * sizeof *panels, "columns", err);
    if (!panels)
        return -1;
    cdp_progress_start(join->progress, "joining components", "rows", join->rows->count);
#pragma omp parallel num_threads(threads)
    for (uint32_t c = 0; c < join->count; c++) {
#pragma omp for schedule(dynamic) nowait
        for (uint64_t from = join->begin[c]; from < join->begin[c + 1]; from += COLUMNS) {
            uint64_t to = from + COLUMNS < join->begin[c + 1] ? from + COLUMNS : join->begin[c + 1];
            if (cdp_progress_stopped(join->progress))
                continue;
            compare_columns(join, c, from, to, panels + (size_t)cdp_thread() * COLUMNS * join->dim);
            cdp_progress_add(join->progress, to - from);
        }
    }
    free(panels);
    return cdp_progress_check(join->progress, err);
}

// Puts the rows in the order of their components.
static int arrange(struct join *join, int threads, struct cdp_err *err)
{
    uint64_t n = join->rows->count, pairs = join->count * (join->count - 1) / 2;
    double *room = cdp_alloc((size_t)threads, join->dim * sizeof *room, "a row", err);
    join->begin = cdp_zalloc(join->count + 2, sizeof *join->begin, "components", err);
    join->item = cdp_alloc(n, sizeof *join->item, "items", err);
    join->unit = cdp_alloc_aligned(n, join->dim * sizeof *join->unit, "rows", err);
    join->pair = cdp_alloc(pairs, sizeof *join->pair, "pairs of components", err);
    int status = room && join->begin && join->item && join->unit && join->pair ? 0 : -1;
    if (!status) {
        for (uint64_t i = 0; i < n; i++)
            join->begin[join->component[i] + 2]++;
        cdp_group_begins(join->begin, join->count);
        for (uint64_t i = 0; i < n; i++)
            join->item[join->begin[join->component[i] + 1]++] = (uint32_t)i;
#pragma omp parallel for num_threads(threads) schedule(static)
        for (uint64_t i = 0; i < n; i++) {
            double *unit = room + (size_t)cdp_thread() * join->dim;
            cdp_rows_unit(join->rows, join->item[i], unit);
            for (size_t d = 0; d < join->dim; d++)
                join->unit[i * join->dim + d] = (float)unit[d];
        }
        for (uint64_t p = 0; p < pairs; p++)
            join->pair[p] = (struct closest){.square = INFINITY};
    }
    free(room);
    return status;
}

int cdp_components_join(const struct cdp_rows *rows, const uint32_t *component, uint64_t count,
                        struct cdp_bridge **bridge, int threads, struct cdp_progress *progress,
                        struct cdp_err *err)
{
    // Rounding the rows adds at most 2^-23 to a product of vectors of length 1, the sum of dim
    // terms dim 2^-24 (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), and
    // the threshold 2^-23; the rest is for terms of higher order.
    struct join join = {.rows = rows,
                        .component = component,
                        .count = count,
                        .dim = rows->dim,
                        .progress = progress,
                        .slack = (float)(rows->dim + 16) * 0x1.1p-24F};
    uint64_t bridges = count > 0 ? count * (count - 1) / 2 : 0;
    *bridge = NULL;
    if (bridges == 0)
        return 0;
    threads = cdp_threads(threads);
    int status = arrange(&join, threads, err);
    if (!status)
        status = compare_all(&join, threads, err);
    if (!status) {
        *bridge = cdp_alloc(bridges, sizeof **bridge, "edges between components", err);
        status = *bridge ? 0 : -1;
    }
    for (uint64_t b = 0; b < bridges && !status; b++)
        (*bridge)[b] = join.pair[b].bridge;
    free(join.begin);
    free(join.item);
    free(join.unit);
    free(join.pair);
    return status;
}
