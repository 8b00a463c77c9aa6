// SPDX-License-Identifier: MIT
#include "knn/search/allpairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/floats.h"
#include "base/mem.h"
#include "base/threads.h"

// Exclusion pays where no larger share of rows and tiles is wanted.
static const double WORTH = 0.36;

enum {
    CLASSES = 16, // of what lists ask for, of which
    FAR = 2,      // are of lists that reach so far that few pairs would be excluded
    BLOCKS = 16,  // of rows, for each thread
    SOME = 32,    // rows of a block, and columns, whose pairs tell
    OTHERS = 256, // which level of sketches suits the block;
    MORE = 2,     // so many times as many pass by the bars of tiles
};

// Which class each item belongs to by what its list asks for, class 0 for the least; NULL after an
// error.
static uint8_t *classes_of(const struct cdp_topk *nearest, struct cdp_err *err)
{
    uint64_t n = nearest->count;
    float *least = cdp_alloc(n, sizeof *least, "an order", err), border[CLASSES];
    uint8_t *class = cdp_zalloc(n, sizeof *class, "an order", err);
    if (least && class) {
        memcpy(least, nearest->least, n * sizeof *least);
        cdp_sort_floats(least, n);
        for (uint64_t c = 0; c < CLASSES; c++)
            border[c] = least[c * n / CLASSES];
        for (uint64_t i = 0; i < n; i++) {
            float own = nearest->least[cdp_dataset_row(nearest->data, i)];
            while (class[i] + 1 < CLASSES && own >= border[class[i] + 1])
                class[i]++;
        }
    }
    if (!least) {
        free(class);
        class = NULL;
    }
    free(least);
    return class;
}

// The items, which stand by cells: those of the first `far` classes by class, the others as they
// stand, those of each cell by class.
static void put_in_order(uint32_t *order, const uint8_t *class, int far,
                         const struct cdp_ivf_lists *cells)
{
    uint64_t n = cells->start[cells->count], at = 0;
    for (int c = 0; c < far; c++) {
        for (uint64_t i = 0; i < n; i++) {
            if (class[i] == c)
                order[at++] = (uint32_t)i;
        }
    }
    for (uint64_t s = 0; s < cells->count; s++) {
        for (int c = far; c < CLASSES; c++) {
            for (uint64_t i = cells->start[s]; i < cells->start[s + 1]; i++) {
                if (class[i] == c)
                    order[at++] = (uint32_t)i;
            }
        }
    }
}

// Makes the hyperplanes, of which those of the first classes are left out, unless it does not pay.
static int exclude(struct cdp_hyperplanes *hyperplanes, const struct cdp_topk *nearest,
                   const struct cdp_ivf_lists *cells, const uint8_t *class, struct cdp_err *err)
{
    if (!nearest->data->vector)
        return 0;
    if (cdp_hyperplanes_new(hyperplanes, nearest->data, cells, err))
        return -1;
    for (uint64_t i = 0; i < nearest->count; i++) {
        if (class[i] < FAR)
            hyperplanes->cell[i] = CDP_NONE;
    }
    if (cdp_hyperplanes_share(hyperplanes, nearest, cells) > WORTH)
        cdp_hyperplanes_free(hyperplanes);
    return 0;
}

int cdp_allpairs_order(struct cdp_dataset *data, const struct cdp_topk *nearest,
                       const struct cdp_ivf_lists *cells, struct cdp_hyperplanes *hyperplanes,
                       int threads, struct cdp_err *err)
{
    *hyperplanes = (struct cdp_hyperplanes){0};
    uint32_t *order = cdp_alloc(nearest->count, sizeof *order, "an order", err);
    uint8_t *class = classes_of(nearest, err);
    int status = !order || !class || exclude(hyperplanes, nearest, cells, class, err);
    if (!status) {
        put_in_order(order, class, hyperplanes->cell ? FAR : CLASSES, cells);
        status = cdp_hyperplanes_permute(hyperplanes, order, threads, err) ||
                 cdp_dataset_permute(data, order, threads, err);
    }
    free(class);
    free(order);
    return status ? -1 : 0;
}

// The queries from `from` on, and their lists.
struct queries {
    struct cdp_ids items, lists;
};

static struct queries queries_from(const struct cdp_dataset *data, uint64_t first, uint64_t from)
{
    if (data->row)
        return (struct queries){cdp_ids_from(from), cdp_ids_of(data->row + from)};
    return (struct queries){cdp_ids_from(from), cdp_ids_from(from - first)};
}

// Counts in passed[] the pairs of an item and some others, at most a tile's columns, that the
// levels of sketches let pass.
static void count_passed(const struct cdp_topk *n, uint32_t own, const uint32_t *others,
                         uint32_t count, uint64_t passed[CDP_SKETCH_LEVELS])
{
    const struct cdp_dataset *s = n->data;
    float own_reach = cdp_dataset_radius(s, cdp_topk_threshold(n, cdp_dataset_row(s, own)));
    for (unsigned l = 0; l < s->levels; l++) {
        const struct cdp_sketch *v = cdp_dataset_sketch(s, own, l);
        float product[CDP_TILE_COLUMNS];
        cdp_dataset_products(s, own, s, others, count, l, product);
        for (uint32_t i = 0; i < count; i++) {
            const struct cdp_sketch *w = cdp_dataset_sketch(s, others[i], l);
            float reach =
                cdp_dataset_radius(s, cdp_topk_threshold(n, cdp_dataset_row(s, others[i])));
            float most = fmaxf(own_reach, reach) + v->error + w->error;
            passed[l] += (float)v->square + (float)w->square - 2 * product[i] <= most * most;
        }
    }
}

// What a pair costs in a tile of a level of sketches.
static double tile_cost(const struct cdp_dataset *s, unsigned level)
{
    struct cdp_tile_cost cost = s->kernel->cost;
    size_t steps = (cdp_dataset_level_words(s, level) + cost.step - 1) / cost.step;
    return cost.each * (double)steps + cost.all;
}

// The level of sketches by which joining a block of rows with the items from it on is cheapest, if
// its tiles want this share of the rows.
static unsigned choose_level(const struct cdp_topk *n, uint64_t from, uint64_t rows, double wanted)
{
    const struct cdp_dataset *s = n->data;
    uint64_t passed[CDP_SKETCH_LEVELS] = {0}, left = s->matrix->rows - from;
    unsigned best = s->levels - 1;
    double least = INFINITY;
    if (s->levels == 1 || n->count < s->matrix->rows)
        return best;
    for (uint64_t r = 0; r < SOME; r++) {
        for (uint64_t c = 0; c < OTHERS; c += CDP_TILE_COLUMNS) {
            uint32_t other[CDP_TILE_COLUMNS];
            for (uint64_t i = 0; i < CDP_TILE_COLUMNS; i++)
                other[i] = (uint32_t)(from + (c + i) * left / OTHERS);
            count_passed(n, (uint32_t)(from + r * rows / SOME), other, CDP_TILE_COLUMNS, passed);
        }
    }
    for (unsigned l = 0; l < s->levels; l++) {
        double share = MORE * (double)passed[l] / (SOME * OTHERS);
        double cost = cdp_sketch_cost(wanted * tile_cost(s, l), share, s->matrix->dim);
        if (cost < least) {
            least = cost;
            best = l;
        }
    }
    return best;
}

// The first `rows` of the rows that are laid out with the queries from `to` on.
static void join_queries(struct cdp_pair_block *j, uint32_t rows, uint64_t first, uint64_t last,
                         uint64_t to, bool same, struct cdp_progress *progress)
{
    uint32_t columns = cdp_min(last - to, CDP_BLOCK);
    struct queries q = queries_from(j->data, first, to);
    cdp_pair_block_columns(j, q.items, q.lists, columns);
    cdp_pair_block_search(j, rows, same);
    cdp_progress_add(progress, (uint64_t)rows * columns / (same ? 2 : 1));
}

// The rows with columns that are no queries.
static void join_others(struct cdp_pair_block *j, uint64_t from, uint64_t end,
                        struct cdp_progress *progress)
{
    for (; from < end; from += CDP_BLOCK) {
        uint32_t columns = cdp_min(end - from, CDP_BLOCK);
        cdp_pair_block_columns(j, cdp_ids_from(from), cdp_ids_from(CDP_NONE), columns);
        cdp_pair_block_search(j, j->rows.count, false);
        cdp_progress_add(progress, (uint64_t)j->rows.count * columns);
    }
}

// Rows for which columns are laid out once: the more the better, while threads have enough blocks
// to share.
static uint64_t rows_together(uint64_t queries, int threads)
{
    uint64_t rows = queries / (BLOCKS * (uint64_t)threads) / CDP_BLOCK * CDP_BLOCK;
    return rows < CDP_BLOCK ? CDP_BLOCK : cdp_min(rows, CDP_BLOCK_ROWS);
}

static void free_excluders(struct cdp_pair_block *blocks, int threads)
{
    for (int t = 0; t < threads; t++) {
        cdp_pruner_free(blocks[t].pruner);
        blocks[t].pruner = NULL;
    }
}

static int new_excluders(struct cdp_pair_block *blocks, int threads,
                         const struct cdp_hyperplanes *hyperplanes, struct cdp_err *err)
{
    for (int t = 0; t < threads; t++) {
        blocks[t].pruner = cdp_pruner_new(hyperplanes, blocks[t].data, err);
        if (!blocks[t].pruner) {
            free_excluders(blocks, threads);
            return -1;
        }
    }
    return 0;
}

int cdp_allpairs(struct cdp_pair_block *blocks, int threads, uint64_t first, uint64_t last,
                 const struct cdp_hyperplanes *hyperplanes, struct cdp_progress *progress,
                 struct cdp_err *err)
{
    if (hyperplanes->cell && new_excluders(blocks, threads, hyperplanes, err))
        return -1;
    uint64_t all = blocks->data->matrix->rows;
    // Each block with itself first: neighbours often stand side by side, and lists that are good
    // early spare measuring.
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = first; from < last; from += CDP_BLOCK) {
        struct cdp_pair_block *j = &blocks[cdp_thread()];
        struct queries q = queries_from(j->data, first, from);
        uint32_t rows = cdp_min(last - from, CDP_BLOCK);
        cdp_pair_block_rows(j, choose_level(j->nearest, from, rows, 1), q.items, q.lists, rows);
        join_queries(j, j->rows.count, first, last, from, true, progress);
    }
    uint64_t rows = rows_together(last - first, threads);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = first; from < last; from += rows) {
        struct cdp_pair_block *j = &blocks[cdp_thread()];
        struct queries q = queries_from(j->data, first, from);
        uint32_t here = cdp_min(last - from, rows);
        // As many rows will be wanted as of the thread's block before.
        double wanted = j->pruner ? cdp_pruner_share(j->pruner) : 1;
        cdp_pair_block_rows(j, choose_level(j->nearest, from, here, wanted), q.items, q.lists,
                            here);
        if (j->pruner)
            cdp_pruner_set_rows(j->pruner, &j->rows);
        for (uint64_t to = from + CDP_BLOCK; to < last; to += CDP_BLOCK)
            join_queries(j, cdp_min(to - from, j->rows.count), first, last, to, false, progress);
        join_others(j, 0, first, progress);
        join_others(j, last, all, progress);
    }
    free_excluders(blocks, threads);
    return 0;
}

void cdp_allpairs_items(struct cdp_pair_block *blocks, int threads, const uint32_t *items,
                        struct cdp_ids lists, uint32_t count)
{
    uint64_t all = blocks->data->matrix->rows;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = 0; from < all; from += CDP_BLOCK) {
        struct cdp_pair_block *j = &blocks[cdp_thread()];
        cdp_pair_block_rows(j, j->data->levels - 1, cdp_ids_of(items), lists, count);
        cdp_pair_block_columns(j, cdp_ids_from(from), cdp_ids_from(CDP_NONE),
                               cdp_min(all - from, CDP_BLOCK));
        cdp_pair_block_search(j, count, false);
    }
}
