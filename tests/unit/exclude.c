// SPDX-License-Identifier: MIT
#include "knn/exclude.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "knn/allpairs.h"
#include "knn/build.h"
#include "rows.h"
#include "tap.h"

// What exclusion promises: a row is wanted by the tile of its nearest neighbour, and of whoever it
// is the nearest of; so is a row without a cell by all, and any by a column without one; but most
// others are not. All pairs by what is left are all pairs; and where cells exclude too little,
// nothing is.

enum {
    DIM = 96,
    HALF = 4, // items of a cell; two cells are the halves of a group, side by side
    GROUPS = 768,
    ROWS = 2 * HALF * GROUPS,
    LOOKING = 60, // groups whose first halves are rows of tiles; second ones are columns

};

static float number[ROWS * DIM];

// Places of a half's items, from the plane between the halves. One half of a group is at NEAR and
// the other one at WIDE: so the item that is first in the one has its nearest in its own half, but
// is the nearest of the first in the other.
static const float near[HALF] = {0.1F, 0.15F, 0.7F, 1}, wide[HALF] = {0.1F, 0.5F, 0.9F, 1.3F};

static float random_number(uint64_t seed, uint64_t i)
{
    return (float)(cdp_random(seed, i) % 2001) / 1000 - 1;
}

// Each group along a line of its own, far from all others.
static void spread(float size)
{
    for (uint64_t i = 0; i < ROWS; i++) {
        uint64_t group = i / (2 * HALF), half = i / HALF % 2;
        const float *place = half == group % 2 ? near : wide;
        float along = half ? place[i % HALF] : -place[i % HALF], length = 0;
        for (uint64_t d = 0; d < DIM; d++)
            length += powf(random_number(1, group * DIM + d), 2);
        for (uint64_t d = 0; d < DIM; d++)
            number[i * DIM + d] =
                size * (random_number(2, group * DIM + d) +
                        along * random_number(1, group * DIM + d) / sqrtf(length));
    }
}

// Some groups know no cell.
static bool alone(uint32_t item)
{
    return item / (2 * HALF) / (CDP_TILE_COLUMNS / HALF) % 4 == 3;
}

static bool choose_cells(struct cdp_sets *cells)
{
    struct cdp_shortlists in;
    struct cdp_err err;
    if (cdp_shortlists_new(&in, ROWS, 1, 1, &err))
        return false;
    for (uint64_t i = 0; i < ROWS; i++)
        in.entry[i] = i / HALF;
    bool made = !cdp_sets_of(cells, &in, 1, ROWS / HALF, 1, &err);
    cdp_shortlists_free(&in);
    return made;
}

static void ask(struct cdp_side *side, const struct cdp_nearest *nearest)
{
    for (uint32_t i = 0; i < side->count; i++)
        cdp_side_ask(side, i, cdp_nearest_least(nearest, side->id[i]));
}

// As many of the rows as are asked for.
static void look(struct cdp_excluder *x, const struct cdp_side *rows,
                 const struct cdp_side *columns, const struct cdp_nearest *n, uint32_t count,
                 const char *name)
{
    uint64_t missed = 0, met = 0, asked = 0, free = 0;
    bool any = cdp_exclude_columns(x, rows, count, columns);
    for (uint32_t first = 0; any && first < columns->count; first += CDP_TILE_COLUMNS) {
        static uint16_t list[CDP_JOIN_ROWS];
        uint32_t wanted = cdp_exclude_wanted(x, first, 0, count, list), at = 0;
        for (uint32_t r = 0; r < count; r++) {
            bool is = at < wanted && list[at] == r, must = alone(rows->id[r]);
            for (uint32_t c = first; c < first + CDP_TILE_COLUMNS; c++) {
                uint32_t row = rows->id[r], column = columns->id[c];
                must |= alone(column) || n->id[row] == column || n->id[column] == row;
            }
            at += is;
            missed += must && !is;
            free += !must;
            asked += is && !must;
        }
        missed += at != wanted;
        met += count;
    }
    ok(any && missed == 0, "%s, %u rows: whoever must be wanted is", name, count);
    ok(free > met / 3 && asked < free / 10, "%s, %u rows: most others are not", name, count);
    double share = (double)(met - free + asked) / (double)met;
    ok(fabs(cdp_excluder_share(x) - share) < 1e-12, "%s, %u rows: the share", name, count);
}

// The lists of a search of all pairs without exclusion, and what there is to begin with: the
// nearest of each item's cell.
static bool search(struct cdp_nearest *nearest, struct cdp_joiner *joiners, uint32_t all[ROWS])
{
    const struct cdp_exclusion none = {0};
    struct cdp_err err;
    float room[2 * CDP_KEYS * DIM];
    if (cdp_allpairs(joiners, 1, 0, ROWS, &none, NULL, &err))
        return false;
    memcpy(all, nearest->id, ROWS * sizeof *all);
    cdp_nearest_clear(nearest);
    for (uint32_t i = 0; i < ROWS; i++) {
        for (uint32_t j = i / HALF * HALF; j < (i / HALF + 1) * HALF; j++) {
            double key;
            cdp_space_keys(nearest->space, &i, &j, 1, room, &key);
            if (i != j)
                cdp_nearest_add(nearest, i, j, key);
        }
    }
    return true;
}

// From lists of items' own cells to the whole.
static void check_all(enum cdp_metric metric, bool pays, const char *name)
{
    struct cdp_matrix matrix = matrix_of(number, ROWS, DIM);
    struct cdp_space space;
    struct cdp_nearest nearest;
    struct cdp_sets cells;
    struct cdp_exclusion exclusion;
    struct cdp_err err;
    static uint32_t all[ROWS];
    struct cdp_joiner *joiners = NULL;
    if (!ok(!cdp_space_build(&space, &matrix, metric, 1, true, 1, &err) &&
                !cdp_nearest_new(&nearest, &space, ROWS, 1, &err) && choose_cells(&cells) &&
                (joiners = cdp_joiners_new(&space, 2, &err)),
            "%s: to be searched", name))
        return;
    cdp_joiners_turn(joiners, 2, &nearest);
    ok(search(&nearest, joiners, all) && memcmp(all, nearest.id, sizeof all) != 0,
       "%s: not all neighbours are of the same cell", name);
    ok(!cdp_allpairs_order(&space, &nearest, &cells, &exclusion, 2, &err) &&
           !exclusion.cell == !pays,
       "%s: cells exclude %s", name, pays ? "others" : "too little");
    uint64_t known = 0, wrong = 0;
    for (uint64_t i = 0; pays && i < ROWS; i++) {
        known += exclusion.cell[i] != CDP_NONE;
        wrong += exclusion.cell[i] != CDP_NONE && exclusion.cell[i] != space.row[i] / HALF;
    }
    if (pays)
        ok(wrong == 0 && known > ROWS / 2 && known < ROWS,
           "%s: most items know their cells in the new order", name);
    ok(!cdp_allpairs(joiners, 2, 0, ROWS, &exclusion, NULL, &err) &&
           memcmp(all, nearest.id, sizeof all) == 0,
       "%s: all pairs", name);
    cdp_joiners_free(joiners, 2);
    cdp_exclusion_free(&exclusion);
    cdp_sets_free(&cells);
    cdp_nearest_free(&nearest);
    cdp_space_free(&space);
}

static void check(enum cdp_metric metric, const char *name)
{
    struct cdp_matrix matrix = matrix_of(number, ROWS, DIM);
    struct cdp_space space;
    struct cdp_nearest nearest;
    struct cdp_sets cells;
    struct cdp_exclusion none = {0}, exclusion;
    struct cdp_side rows, columns;
    struct cdp_err err;
    static uint32_t row[HALF * LOOKING], column[CDP_SIDE];
    if (!ok(!cdp_space_build(&space, &matrix, metric, 1, true, 1, &err) &&
                !cdp_nearest_new(&nearest, &space, ROWS, 1, &err) &&
                !cdp_side_new_rows(&rows, &space, HALF * LOOKING, &err) &&
                !cdp_side_new_columns(&columns, &space, CDP_SIDE, &err) && choose_cells(&cells) &&
                !cdp_exclusion_new(&exclusion, &space, &cells, &err),
            "%s: laid out", name))
        return;
    struct cdp_joiner *joiners = cdp_joiners_new(&space, 1, &err);
    cdp_joiners_turn(joiners, 1, &nearest);
    ok(!cdp_allpairs(joiners, 1, 0, ROWS, &none, NULL, &err), "%s: neighbours", name);
    for (uint32_t i = 0; i < ROWS; i++)
        exclusion.cell[i] = alone(i) ? CDP_NONE : exclusion.cell[i];
    ok(cdp_exclusion_share(&exclusion, &nearest, &cells) < 0.1, "%s: a sample", name);
    for (uint32_t i = 0; i < HALF * LOOKING; i++)
        row[i] = i / HALF * 2 * HALF + i % HALF;
    for (uint32_t i = 0; i < CDP_SIDE; i++)
        column[i] = i / HALF * 2 * HALF + HALF + i % HALF;
    cdp_side_rows(&rows, cdp_run_of(row), cdp_run_from(CDP_NONE), HALF * LOOKING);
    cdp_side_columns(&columns, cdp_run_of(column), cdp_run_from(CDP_NONE), CDP_SIDE, 1);
    ask(&rows, &nearest);
    ask(&columns, &nearest);
    struct cdp_excluder *x = cdp_excluder_new(&exclusion, &space, &err);
    for (uint32_t part = 1; part <= 3; part += 2) {
        cdp_exclude_rows(x, &rows);
        look(x, &rows, &columns, &nearest, HALF * LOOKING / part, name);
    }
    cdp_excluder_free(x);
    cdp_joiners_free(joiners, 1);
    cdp_side_free(&rows);
    cdp_side_free(&columns);
    cdp_exclusion_free(&exclusion);
    cdp_sets_free(&cells);
    cdp_nearest_free(&nearest);
    cdp_space_free(&space);
}

// Rows of one number, where the bound is as close as it can be: the planes between centres are
// points, and what two items are from one on both sides is all of their distance. Rows and columns
// take turns by cells.
enum { POINTS = 512, CELL = 8, SIDE = POINTS / 2, POINT_TILES = SIDE / CDP_TILE_COLUMNS };

static uint32_t point_of(uint32_t i, uint32_t odd)
{
    return i / CELL * 2 * CELL + odd * CELL + i % CELL;
}

// How far two items are apart in steps: as sketches, or as rows.
static float points_apart(const struct cdp_space *space, bool as_sketches, uint32_t a, uint32_t b)
{
    double steps =
        fabs((double)number[a] - (double)number[b]) * space->unit / space->sketcher->step;
    if (as_sketches)
        steps = abs(*(const int8_t *)cdp_space_words(space, a) -
                    *(const int8_t *)cdp_space_words(space, b));
    return nextafterf((float)steps, INFINITY);
}

// How many of the rows, or columns, that reach to the nearest of a tile's columns, or of the rows,
// and no farther, the tile does not want.
static uint64_t missed_of(struct cdp_excluder *x, struct cdp_side *rows, struct cdp_side *columns,
                          uint32_t tile, bool by_rows, bool as_sketches)
{
    const struct cdp_space *space = rows->space;
    static uint32_t partner[SIDE]; // the row of each row, or column, that must be wanted
    static uint16_t list[SIDE];
    uint32_t first = tile * CDP_TILE_COLUMNS, count = by_rows ? SIDE : CDP_TILE_COLUMNS;
    for (uint32_t i = 0; i < SIDE; i++)
        rows->reach[i] = columns->reach[i] = 0;
    for (uint32_t i = 0; i < count; i++) {
        float *reach = by_rows ? &rows->reach[i] : &columns->reach[first + i];
        *reach = INFINITY;
        for (uint32_t j = 0; j < (by_rows ? CDP_TILE_COLUMNS : SIDE); j++) {
            uint32_t row = by_rows ? i : j, column = first + (by_rows ? j : i);
            float apart = points_apart(space, as_sketches, rows->id[row], columns->id[column]);
            partner[i] = apart < *reach ? row : partner[i];
            *reach = fminf(*reach, apart);
        }
    }
    uint64_t missed = 0;
    if (!cdp_exclude_columns(x, rows, SIDE, columns))
        return UINT64_MAX;
    uint32_t wanted = cdp_exclude_wanted(x, first, 0, SIDE, list);
    for (uint32_t i = 0; i < count; i++) {
        bool is = false;
        for (uint32_t w = 0; w < wanted; w++)
            is |= list[w] == partner[i];
        missed += !is;
    }
    return missed;
}

static void check_points(bool as_sketches)
{
    struct cdp_matrix matrix = matrix_of(number, POINTS, 1);
    struct cdp_space space;
    struct cdp_sets cells;
    struct cdp_shortlists in;
    struct cdp_exclusion exclusion;
    struct cdp_side rows, columns;
    struct cdp_err err;
    static uint32_t row[SIDE], column[SIDE];
    const char *name = as_sketches ? "points of sketches" : "points";
    for (uint32_t i = 0; i < POINTS; i++)
        number[i] = (float)i + 0.45F * random_number(4, i);
    for (uint32_t i = 0; i < SIDE; i++) {
        row[i] = point_of(i, 0);
        column[i] = point_of(i, 1);
    }
    if (!ok(!cdp_space_build(&space, &matrix, CDP_L2, 1, true, 1, &err) &&
                !cdp_shortlists_new(&in, POINTS, 1, 1, &err),
            "%s: a space", name))
        return;
    for (uint32_t i = 0; i < POINTS; i++) {
        in.entry[i] = i / CELL;
        space.sketch[i].error = as_sketches ? 0 : space.sketch[i].error;
    }
    if (!ok(!cdp_sets_of(&cells, &in, 1, POINTS / CELL, 1, &err) &&
                !cdp_exclusion_new(&exclusion, &space, &cells, &err) &&
                !cdp_side_new_rows(&rows, &space, SIDE, &err) &&
                !cdp_side_new_columns(&columns, &space, SIDE, &err),
            "%s: laid out", name))
        return;
    cdp_side_rows(&rows, cdp_run_of(row), cdp_run_from(CDP_NONE), SIDE);
    cdp_side_columns(&columns, cdp_run_of(column), cdp_run_from(CDP_NONE), SIDE, 1);
    struct cdp_excluder *x = cdp_excluder_new(&exclusion, &space, &err);
    cdp_exclude_rows(x, &rows);
    uint64_t missed[2] = {0};
    for (uint32_t tile = 0; tile < POINT_TILES; tile++) {
        for (int by_rows = 0; by_rows < 2; by_rows++)
            missed[by_rows] += missed_of(x, &rows, &columns, tile, by_rows, as_sketches);
    }
    ok(missed[1] == 0, "%s: no row is excluded that reaches a column", name);
    ok(missed[0] == 0, "%s: no row is excluded that a column reaches", name);
    cdp_excluder_free(x);
    cdp_side_free(&rows);
    cdp_side_free(&columns);
    cdp_exclusion_free(&exclusion);
    cdp_sets_free(&cells);
    cdp_shortlists_free(&in);
    cdp_space_free(&space);
}

int main(void)
{
    check_points(true);
    check_points(false);
    spread(1);
    check(CDP_COSINE, "cosine");
    check(CDP_L2, "l2");
    spread(1e6F);
    check(CDP_L2, "l2, large numbers");
    check_all(CDP_COSINE, true, "cosine");
    check_all(CDP_L2, true, "l2");
    check_all(CDP_L1, false, "l1");
    for (uint64_t i = 0; i < ROWS * DIM; i++)
        number[i] = random_number(3, i);
    check_all(CDP_COSINE, false, "cosine, rows without any order");
    return done();
}
