// SPDX-License-Identifier: MIT
#include "knn/search/allpairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/floats.h"
#include "base/mem.h"
#include "base/threads.h"

// Hyperplanes are used if at most this share of rows x tiles is left. Timed (README.md).
static const double MAX_SHARE = 0.36;

// Timed (README.md).
enum {
    CLASSES = 16,    // of radius, class 0 the largest, of which
    FAR = 2,         // are not pruned
    BLOCKS = 16,     // of rows, for each thread, at least
    LEVEL_ROWS = 32, // sample of a block's pairs that chooses a level of sketches
    LEVEL_COLUMNS = 256,
    MORE_PASS = 2, // pairs that pass a tile, where the sample has one: its columns share the
                   // weakest threshold
    SEED_NPROBE = 4,
    SEED = 1,
};

// ---- seeding

int cdp_allpairs_seed(struct cdp_dataset *data, struct cdp_pair_block *blocks, int threads,
                      struct cdp_ivf_lists *lists, struct cdp_progress *progress,
                      struct cdp_err *err)
{
    const struct cdp_topk *topk = blocks->topk;
    struct cdp_candidates found = {0};
    struct cdp_ivf ivf = {0};
    int status = cdp_ivf_new(&ivf, data, topk->k, SEED_NPROBE, SEED, threads, progress, err) ||
                 cdp_candidates_new(&found, topk->count, topk->k, threads, err) ||
                 cdp_ivf_search(&ivf, data, &found, threads, progress, err);
    cdp_ivf_take_lists(&ivf, lists);
    cdp_ivf_free(&ivf);
    if (!status)
        status = cdp_rerank(blocks, threads, &found, NULL, err);
    cdp_candidates_free(&found);
    return status ? -1 : 0;
}

// ---- preparing

// The class of each item by the radius of its list; NULL after an error.
static uint8_t *classes_of(const struct cdp_topk *topk, struct cdp_err *err)
{
    uint64_t n = topk->count;
    float *sorted = cdp_alloc(n, sizeof *sorted, "an order", err), border[CLASSES];
    uint8_t *class = cdp_zalloc(n, sizeof *class, "an order", err);
    if (!sorted || !class) {
        free(sorted);
        free(class);
        return NULL;
    }
    memcpy(sorted, topk->threshold, n * sizeof *sorted);
    cdp_sort_floats(sorted, n);
    for (uint64_t c = 0; c < CLASSES; c++)
        border[c] = sorted[c * n / CLASSES];
    for (uint64_t i = 0; i < n; i++) {
        float own = topk->threshold[cdp_dataset_row(topk->data, i)];
        while (class[i] + 1 < CLASSES && own >= border[class[i] + 1])
            class[i]++;
    }
    free(sorted);
    return class;
}

// The items of the first `far` classes by class, then the others by list, within it by class.
static void set_order(uint32_t *order, const uint8_t *class, int far,
                      const struct cdp_ivf_lists *lists)
{
    uint64_t n = lists->start[lists->count], at = 0;
    for (int c = 0; c < far; c++) {
        for (uint64_t i = 0; i < n; i++) {
            if (class[i] == c)
                order[at++] = (uint32_t)i;
        }
    }
    for (uint64_t l = 0; l < lists->count; l++) {
        for (int c = far; c < CLASSES; c++) {
            for (uint64_t i = lists->start[l]; i < lists->start[l + 1]; i++) {
                if (class[i] == c)
                    order[at++] = (uint32_t)i;
            }
        }
    }
}

// Makes the hyperplanes, unless they prune too little.
static int make_planes(struct cdp_hyperplanes *planes, const struct cdp_topk *topk,
                       const struct cdp_ivf_lists *lists, const uint8_t *class, struct cdp_err *err)
{
    if (!topk->data->vector)
        return 0;
    if (cdp_hyperplanes_new(planes, topk->data, lists, err))
        return -1;
    for (uint64_t i = 0; i < topk->count; i++) {
        if (class[i] < FAR)
            planes->list[i] = CDP_NONE;
    }
    if (cdp_hyperplanes_share(planes, topk, lists) > MAX_SHARE)
        cdp_hyperplanes_free(planes);
    return 0;
}

int cdp_allpairs_prepare(struct cdp_dataset *data, const struct cdp_topk *topk,
                         const struct cdp_ivf_lists *lists, struct cdp_hyperplanes *planes,
                         int threads, struct cdp_err *err)
{
    *planes = (struct cdp_hyperplanes){0};
    uint32_t *order = cdp_alloc(topk->count, sizeof *order, "an order", err);
    uint8_t *class = classes_of(topk, err);
    int status = !order || !class || make_planes(planes, topk, lists, class, err);
    if (!status) {
        set_order(order, class, planes->list ? FAR : CLASSES, lists);
        status = cdp_hyperplanes_permute(planes, order, threads, err) ||
                 cdp_dataset_permute(data, order, threads, err);
    }
    free(class);
    free(order);
    return status ? -1 : 0;
}

// ---- levels of sketches

// Adds to passed[] the pairs of an item and a tile's others that pass at each level.
static void count_passed(const struct cdp_topk *topk, uint32_t own, const uint32_t *others,
                         uint64_t passed[CDP_SKETCH_LEVELS])
{
    const struct cdp_dataset *s = topk->data;
    float own_radius = cdp_dataset_radius(s, cdp_topk_threshold(topk, cdp_dataset_row(s, own)));
    for (unsigned l = 0; l < s->levels; l++) {
        const struct cdp_sketch *v = cdp_dataset_sketch(s, own, l);
        float product[CDP_TILE_COLUMNS];
        cdp_dataset_products(s, own, s, others, CDP_TILE_COLUMNS, l, product);
        for (uint32_t i = 0; i < CDP_TILE_COLUMNS; i++) {
            const struct cdp_sketch *w = cdp_dataset_sketch(s, others[i], l);
            float threshold = cdp_topk_threshold(topk, cdp_dataset_row(s, others[i]));
            float most = fmaxf(own_radius, cdp_dataset_radius(s, threshold)) + v->error + w->error;
            passed[l] += (float)v->square + (float)w->square - 2 * product[i] <= most * most;
        }
    }
}

static double tile_cost(const struct cdp_dataset *s, unsigned level)
{
    struct cdp_tile_cost cost = s->kernel->cost;
    size_t steps = (cdp_dataset_level_words(s, level) + cost.step - 1) / cost.step;
    return cost.each * (double)steps + cost.all;
}

// The cheapest level for a block of rows with the items from it on, if hyperplanes keep this share
// of the rows.
static unsigned choose_level(const struct cdp_topk *topk, uint64_t from, uint64_t rows, double kept)
{
    const struct cdp_dataset *s = topk->data;
    uint64_t passed[CDP_SKETCH_LEVELS] = {0}, left = s->matrix->rows - from;
    unsigned best = s->levels - 1;
    double lowest = INFINITY;
    if (s->levels == 1 || topk->count < s->matrix->rows)
        return best;
    for (uint64_t r = 0; r < LEVEL_ROWS; r++) {
        for (uint64_t c = 0; c < LEVEL_COLUMNS; c += CDP_TILE_COLUMNS) {
            uint32_t other[CDP_TILE_COLUMNS];
            for (uint64_t i = 0; i < CDP_TILE_COLUMNS; i++)
                other[i] = (uint32_t)(from + (c + i) * left / LEVEL_COLUMNS);
            count_passed(topk, (uint32_t)(from + r * rows / LEVEL_ROWS), other, passed);
        }
    }
    for (unsigned l = 0; l < s->levels; l++) {
        double share = MORE_PASS * (double)passed[l] / (LEVEL_ROWS * LEVEL_COLUMNS);
        double cost = cdp_sketch_cost(kept * tile_cost(s, l), share, s->matrix->dim);
        if (cost < lowest) {
            lowest = cost;
            best = l;
        }
    }
    return best;
}

// ---- all pairs

// The lists of the queries from `from` on.
static struct cdp_ids lists_from(const struct cdp_dataset *data, uint64_t first, uint64_t from)
{
    return data->row ? cdp_ids_of(data->row + from) : cdp_ids_from(from - first);
}

static void set_rows(struct cdp_pair_block *b, uint64_t first, uint64_t from, uint32_t rows,
                     double kept)
{
    cdp_pair_block_rows(b, choose_level(b->topk, from, rows, kept), cdp_ids_from(from),
                        lists_from(b->data, first, from), rows);
}

// The first `rows` rows with the queries from `to` on.
static void search_queries(struct cdp_pair_block *b, uint32_t rows, uint64_t first, uint64_t last,
                           uint64_t to, bool same, struct cdp_progress *progress)
{
    uint32_t columns = cdp_min(last - to, CDP_BLOCK);
    if (cdp_progress_stopped(progress))
        return;
    cdp_pair_block_columns(b, cdp_ids_from(to), lists_from(b->data, first, to), columns);
    cdp_pair_block_search(b, rows, same);
    cdp_progress_add(progress, (uint64_t)rows * columns / (same ? 2 : 1));
}

// All rows with columns that are not queries.
static void search_others(struct cdp_pair_block *b, uint64_t from, uint64_t end,
                          struct cdp_progress *progress)
{
    for (; from < end && !cdp_progress_stopped(progress); from += CDP_BLOCK) {
        uint32_t columns = cdp_min(end - from, CDP_BLOCK);
        cdp_pair_block_columns(b, cdp_ids_from(from), cdp_ids_from(CDP_NONE), columns);
        cdp_pair_block_search(b, b->rows.count, false);
        cdp_progress_add(progress, (uint64_t)b->rows.count * columns);
    }
}

static void free_pruners(struct cdp_pair_block *blocks, int threads)
{
    for (int t = 0; t < threads; t++) {
        cdp_pruner_free(blocks[t].pruner);
        blocks[t].pruner = NULL;
    }
}

static int new_pruners(struct cdp_pair_block *blocks, int threads,
                       const struct cdp_hyperplanes *planes, struct cdp_err *err)
{
    for (int t = 0; t < threads; t++) {
        blocks[t].pruner = cdp_pruner_new(planes, blocks[t].data, err);
        if (!blocks[t].pruner) {
            free_pruners(blocks, threads);
            return -1;
        }
    }
    return 0;
}

int cdp_allpairs(struct cdp_pair_block *blocks, int threads, uint64_t first, uint64_t last,
                 const struct cdp_hyperplanes *planes, struct cdp_progress *progress,
                 struct cdp_err *err)
{
    if (planes->list && new_pruners(blocks, threads, planes, err))
        return -1;
        // Each block with itself first: neighbours are often adjacent, and early thresholds spare
        // measuring.
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = first; from < last; from += CDP_BLOCK) {
        struct cdp_pair_block *b = &blocks[cdp_thread()];
        if (cdp_progress_stopped(progress))
            continue;
        set_rows(b, first, from, cdp_min(last - from, CDP_BLOCK), 1);
        search_queries(b, b->rows.count, first, last, from, true, progress);
    }
    // Columns are packed once for as many rows as possible, while each thread has BLOCKS blocks.
    uint64_t rows = (last - first) / (BLOCKS * (uint64_t)threads) / CDP_BLOCK * CDP_BLOCK;
    rows = rows < CDP_BLOCK ? CDP_BLOCK : cdp_min(rows, CDP_BLOCK_ROWS);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = first; from < last; from += rows) {
        struct cdp_pair_block *b = &blocks[cdp_thread()];
        if (cdp_progress_stopped(progress))
            continue;
        // Expect the share that was kept in the thread's block before.
        set_rows(b, first, from, cdp_min(last - from, rows),
                 b->pruner ? cdp_pruner_share(b->pruner) : 1);
        if (b->pruner)
            cdp_pruner_set_rows(b->pruner, &b->rows);
        for (uint64_t to = from + CDP_BLOCK; to < last; to += CDP_BLOCK)
            search_queries(b, cdp_min(to - from, b->rows.count), first, last, to, false, progress);
        search_others(b, 0, first, progress);
        search_others(b, last, b->data->matrix->rows, progress);
    }
    free_pruners(blocks, threads);
    return cdp_progress_check(progress, err);
}

void cdp_allpairs_items(struct cdp_pair_block *blocks, int threads, const uint32_t *items,
                        struct cdp_ids lists, uint32_t count)
{
    uint64_t all = blocks->data->matrix->rows;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = 0; from < all; from += CDP_BLOCK) {
        struct cdp_pair_block *b = &blocks[cdp_thread()];
        cdp_pair_block_rows(b, b->data->levels - 1, cdp_ids_of(items), lists, count);
        cdp_pair_block_columns(b, cdp_ids_from(from), cdp_ids_from(CDP_NONE),
                               cdp_min(all - from, CDP_BLOCK));
        cdp_pair_block_search(b, count, false);
    }
}
