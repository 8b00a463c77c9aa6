// SPDX-License-Identifier: MIT
#include "knn/search/allpairs.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "knn/data/dataset.h"
#include "rows.h"
#include "tap.h"

// A row is kept for the tile of its nearest neighbour, and of each item that it is the nearest of.
// Rows without a list are kept for all tiles, and all rows for columns without one. Most others are
// pruned. All pairs with pruning find the same neighbours. Where too little is pruned, there are no
// hyperplanes.

enum {
    DIM = 96,
    HALF = 4, // items of a cell; two lists are the halves of a group, side by side
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

// Some groups have no list.
static bool alone(uint32_t item)
{
    return item / (2 * HALF) / (CDP_TILE_COLUMNS / HALF) % 4 == 3;
}

static bool choose_lists(struct cdp_ivf_lists *lists)
{
    struct cdp_candidates in;
    struct cdp_err err;
    if (cdp_candidates_new(&in, ROWS, 1, 1, &err))
        return false;
    for (uint64_t i = 0; i < ROWS; i++)
        in.entry[i] = i / HALF;
    bool made = !cdp_ivf_lists_new(lists, &in, 1, ROWS / HALF, 1, &err);
    cdp_candidates_free(&in);
    return made;
}

static void ask(struct cdp_operand *side, const struct cdp_topk *nearest)
{
    for (uint32_t i = 0; i < side->count; i++)
        cdp_operand_set_threshold(side, i, cdp_topk_threshold(nearest, side->id[i]));
}

// As many of the rows as are left for.
static void check_tiles(struct cdp_pruner *x, const struct cdp_operand *rows,
                        const struct cdp_operand *columns, const struct cdp_topk *n, uint32_t count,
                        const char *name)
{
    uint64_t missed = 0, met = 0, left = 0, free = 0;
    bool any = cdp_pruner_set_columns(x, rows, count, columns);
    for (uint32_t first = 0; any && first < columns->count; first += CDP_TILE_COLUMNS) {
        static uint16_t list[CDP_BLOCK_ROWS];
        uint32_t kept = cdp_pruner_kept(x, first, 0, count, list), at = 0;
        for (uint32_t r = 0; r < count; r++) {
            bool is = at < kept && list[at] == r, must = alone(rows->id[r]);
            for (uint32_t c = first; c < first + CDP_TILE_COLUMNS; c++) {
                uint32_t row = rows->id[r], column = columns->id[c];
                must |= alone(column) || n->id[row] == column || n->id[column] == row;
            }
            at += is;
            missed += must && !is;
            free += !must;
            left += is && !must;
        }
        missed += at != kept;
        met += count;
    }
    ok(any && missed == 0, "%s, %u rows: all that must be kept are", name, count);
    ok(free > met / 3 && left < free / 10, "%s, %u rows: most others are pruned", name, count);
    double share = (double)(met - free + left) / (double)met;
    ok(fabs(cdp_pruner_share(x) - share) < 1e-12, "%s, %u rows: the share", name, count);
}

// The lists of a search of all pairs without hyperplanes, and what there is to begin with: the
// nearest of each item's cell.
static bool search(struct cdp_topk *nearest, struct cdp_pair_block *blocks, uint32_t all[ROWS])
{
    const struct cdp_hyperplanes none = {0};
    struct cdp_err err;
    float room[2 * CDP_KEY_BATCH * DIM];
    if (cdp_allpairs(blocks, 1, 0, ROWS, &none, NULL, &err))
        return false;
    memcpy(all, nearest->id, ROWS * sizeof *all);
    cdp_topk_clear(nearest);
    for (uint32_t i = 0; i < ROWS; i++) {
        for (uint32_t j = i / HALF * HALF; j < (i / HALF + 1) * HALF; j++) {
            double key;
            cdp_dataset_keys(nearest->data, &i, &j, 1, room, &key);
            if (i != j)
                cdp_topk_add(nearest, i, j, key);
        }
    }
    return true;
}

// From lists of items' own inverted lists to all pairs.
static void check_all(enum cdp_metric metric, bool pays, const char *name)
{
    struct cdp_matrix matrix = matrix_of(number, ROWS, DIM);
    struct cdp_dataset data;
    struct cdp_topk nearest;
    struct cdp_ivf_lists lists;
    struct cdp_hyperplanes hyperplanes;
    struct cdp_err err;
    static uint32_t all[ROWS];
    struct cdp_pair_block *blocks = NULL;
    if (!ok(!cdp_dataset_build(&data, &matrix, metric, 1, true, 1, &err) &&
                !cdp_topk_new(&nearest, &data, ROWS, 1, &err) && choose_lists(&lists) &&
                (blocks = cdp_pair_blocks_new(&data, 2, &err)),
            "%s: to be searched", name))
        return;
    cdp_pair_blocks_fill(blocks, 2, &nearest);
    ok(search(&nearest, blocks, all) && memcmp(all, nearest.id, sizeof all) != 0,
       "%s: not all neighbours are in the same list", name);
    ok(!cdp_allpairs_prepare(&data, &nearest, &lists, &hyperplanes, 2, &err) &&
           !hyperplanes.list == !pays,
       "%s: hyperplanes prune %s", name, pays ? "others" : "too little");
    uint64_t known = 0, wrong = 0;
    for (uint64_t i = 0; pays && i < ROWS; i++) {
        known += hyperplanes.list[i] != CDP_NONE;
        wrong += hyperplanes.list[i] != CDP_NONE && hyperplanes.list[i] != data.row[i] / HALF;
    }
    if (pays)
        ok(wrong == 0 && known > ROWS / 2 && known < ROWS,
           "%s: most items know their lists in the new order", name);
    ok(!cdp_allpairs(blocks, 2, 0, ROWS, &hyperplanes, NULL, &err) &&
           memcmp(all, nearest.id, sizeof all) == 0,
       "%s: all pairs", name);
    cdp_pair_blocks_free(blocks, 2);
    cdp_hyperplanes_free(&hyperplanes);
    cdp_ivf_lists_free(&lists);
    cdp_topk_free(&nearest);
    cdp_dataset_free(&data);
}

static void check(enum cdp_metric metric, const char *name)
{
    struct cdp_matrix matrix = matrix_of(number, ROWS, DIM);
    struct cdp_dataset data;
    struct cdp_topk nearest;
    struct cdp_ivf_lists lists;
    struct cdp_hyperplanes none = {0}, hyperplanes;
    struct cdp_operand rows, columns;
    struct cdp_err err;
    static uint32_t row[HALF * LOOKING], column[CDP_BLOCK];
    if (!ok(!cdp_dataset_build(&data, &matrix, metric, 1, true, 1, &err) &&
                !cdp_topk_new(&nearest, &data, ROWS, 1, &err) &&
                !cdp_operand_new_rows(&rows, &data, HALF * LOOKING, &err) &&
                !cdp_operand_new_columns(&columns, &data, CDP_BLOCK, &err) &&
                choose_lists(&lists) && !cdp_hyperplanes_new(&hyperplanes, &data, &lists, &err),
            "%s: laid out", name))
        return;
    struct cdp_pair_block *blocks = cdp_pair_blocks_new(&data, 1, &err);
    cdp_pair_blocks_fill(blocks, 1, &nearest);
    ok(!cdp_allpairs(blocks, 1, 0, ROWS, &none, NULL, &err), "%s: neighbours", name);
    for (uint32_t i = 0; i < ROWS; i++)
        hyperplanes.list[i] = alone(i) ? CDP_NONE : hyperplanes.list[i];
    ok(cdp_hyperplanes_share(&hyperplanes, &nearest, &lists) < 0.1, "%s: a sample", name);
    for (uint32_t i = 0; i < HALF * LOOKING; i++)
        row[i] = i / HALF * 2 * HALF + i % HALF;
    for (uint32_t i = 0; i < CDP_BLOCK; i++)
        column[i] = i / HALF * 2 * HALF + HALF + i % HALF;
    cdp_operand_pack_rows(&rows, cdp_ids_of(row), cdp_ids_from(CDP_NONE), HALF * LOOKING);
    cdp_operand_pack_columns(&columns, cdp_ids_of(column), cdp_ids_from(CDP_NONE), CDP_BLOCK, 1);
    ask(&rows, &nearest);
    ask(&columns, &nearest);
    struct cdp_pruner *x = cdp_pruner_new(&hyperplanes, &data, &err);
    for (uint32_t part = 1; part <= 3; part += 2) {
        cdp_pruner_set_rows(x, &rows);
        check_tiles(x, &rows, &columns, &nearest, HALF * LOOKING / part, name);
    }
    cdp_pruner_free(x);
    cdp_pair_blocks_free(blocks, 1);
    cdp_operand_free(&rows);
    cdp_operand_free(&columns);
    cdp_hyperplanes_free(&hyperplanes);
    cdp_ivf_lists_free(&lists);
    cdp_topk_free(&nearest);
    cdp_dataset_free(&data);
}

// Rows of one number, where the bound is as close as it can be: the planes between centroids are
// points, and what two items are from one on both sides is all of their distance. Rows and columns
// take turns by lists.
enum { POINTS = 512, CELL = 8, SIDE = POINTS / 2, POINT_TILES = SIDE / CDP_TILE_COLUMNS };

static uint32_t point_of(uint32_t i, uint32_t odd)
{
    return i / CELL * 2 * CELL + odd * CELL + i % CELL;
}

// How far two items are apart in steps: as sketches, or as rows.
static float points_apart(const struct cdp_dataset *data, bool as_sketches, uint32_t a, uint32_t b)
{
    double steps = fabs((double)number[a] - (double)number[b]) * data->unit / data->sketcher->step;
    if (as_sketches)
        steps = abs(*(const int8_t *)cdp_dataset_words(data, a) -
                    *(const int8_t *)cdp_dataset_words(data, b));
    return nextafterf((float)steps, INFINITY);
}

// The number of rows (or columns) pruned by a tile whose radius ends at the nearest column (or
// row).
static uint64_t missed_of(struct cdp_pruner *x, struct cdp_operand *rows,
                          struct cdp_operand *columns, uint32_t tile, bool by_rows,
                          bool as_sketches)
{
    const struct cdp_dataset *data = rows->data;
    static uint32_t partner[SIDE]; // the row of each row, or column, that must be kept
    static uint16_t list[SIDE];
    uint32_t first = tile * CDP_TILE_COLUMNS, count = by_rows ? SIDE : CDP_TILE_COLUMNS;
    for (uint32_t i = 0; i < SIDE; i++)
        rows->radius[i] = columns->radius[i] = 0;
    for (uint32_t i = 0; i < count; i++) {
        float *radius = by_rows ? &rows->radius[i] : &columns->radius[first + i];
        *radius = INFINITY;
        for (uint32_t j = 0; j < (by_rows ? CDP_TILE_COLUMNS : SIDE); j++) {
            uint32_t row = by_rows ? i : j, column = first + (by_rows ? j : i);
            float apart = points_apart(data, as_sketches, rows->id[row], columns->id[column]);
            partner[i] = apart < *radius ? row : partner[i];
            *radius = fminf(*radius, apart);
        }
    }
    uint64_t missed = 0;
    if (!cdp_pruner_set_columns(x, rows, SIDE, columns))
        return UINT64_MAX;
    uint32_t kept = cdp_pruner_kept(x, first, 0, SIDE, list);
    for (uint32_t i = 0; i < count; i++) {
        bool is = false;
        for (uint32_t w = 0; w < kept; w++)
            is |= list[w] == partner[i];
        missed += !is;
    }
    return missed;
}

static void check_points(bool as_sketches)
{
    struct cdp_matrix matrix = matrix_of(number, POINTS, 1);
    struct cdp_dataset data;
    struct cdp_ivf_lists lists;
    struct cdp_candidates in;
    struct cdp_hyperplanes hyperplanes;
    struct cdp_operand rows, columns;
    struct cdp_err err;
    static uint32_t row[SIDE], column[SIDE];
    const char *name = as_sketches ? "points of sketches" : "points";
    for (uint32_t i = 0; i < POINTS; i++)
        number[i] = (float)i + 0.45F * random_number(4, i);
    for (uint32_t i = 0; i < SIDE; i++) {
        row[i] = point_of(i, 0);
        column[i] = point_of(i, 1);
    }
    if (!ok(!cdp_dataset_build(&data, &matrix, CDP_L2, 1, true, 1, &err) &&
                !cdp_candidates_new(&in, POINTS, 1, 1, &err),
            "%s: a data", name))
        return;
    for (uint32_t i = 0; i < POINTS; i++) {
        in.entry[i] = i / CELL;
        data.sketch[i].error = as_sketches ? 0 : data.sketch[i].error;
    }
    if (!ok(!cdp_ivf_lists_new(&lists, &in, 1, POINTS / CELL, 1, &err) &&
                !cdp_hyperplanes_new(&hyperplanes, &data, &lists, &err) &&
                !cdp_operand_new_rows(&rows, &data, SIDE, &err) &&
                !cdp_operand_new_columns(&columns, &data, SIDE, &err),
            "%s: laid out", name))
        return;
    cdp_operand_pack_rows(&rows, cdp_ids_of(row), cdp_ids_from(CDP_NONE), SIDE);
    cdp_operand_pack_columns(&columns, cdp_ids_of(column), cdp_ids_from(CDP_NONE), SIDE, 1);
    struct cdp_pruner *x = cdp_pruner_new(&hyperplanes, &data, &err);
    cdp_pruner_set_rows(x, &rows);
    uint64_t missed[2] = {0};
    for (uint32_t tile = 0; tile < POINT_TILES; tile++) {
        for (int by_rows = 0; by_rows < 2; by_rows++)
            missed[by_rows] += missed_of(x, &rows, &columns, tile, by_rows, as_sketches);
    }
    ok(missed[1] == 0, "%s: no row is pruned whose radius reaches a column", name);
    ok(missed[0] == 0, "%s: no row is pruned that a column's radius reaches", name);
    cdp_pruner_free(x);
    cdp_operand_free(&rows);
    cdp_operand_free(&columns);
    cdp_hyperplanes_free(&hyperplanes);
    cdp_ivf_lists_free(&lists);
    cdp_candidates_free(&in);
    cdp_dataset_free(&data);
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
