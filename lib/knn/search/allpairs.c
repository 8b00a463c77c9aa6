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
    CLASSES = 16, // of radius, class 0 the largest, of which
    FAR = 2,      // are not pruned
    BLOCKS = 16,  // of rows, for each thread, at least
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
        status = cdp_rerank(blocks, threads, &found, NULL, false, err);
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

// ---- all pairs

// The lists of the queries from `from` on.
static struct cdp_ids lists_from(const struct cdp_dataset *data, uint64_t first, uint64_t from)
{
    return data->row ? cdp_ids_of(data->row + from) : cdp_ids_from(from - first);
}

static void set_rows(struct cdp_pair_block *b, uint64_t first, uint64_t from, uint32_t rows)
{
    cdp_operand_pack_rows(&b->rows, cdp_ids_from(from), lists_from(b->data, first, from), rows);
}

// The first `rows` rows with the queries from `to` on.
static void search_queries(struct cdp_pair_block *b, uint32_t rows, uint64_t first, uint64_t last,
                           uint64_t to, bool same, struct cdp_progress *progress)
{
    uint32_t columns = cdp_min(last - to, CDP_BLOCK);
    cdp_operand_pack_columns(&b->columns, cdp_ids_from(to), lists_from(b->data, first, to), columns,
                             1);
    cdp_pair_block_search(b, rows, same);
    cdp_progress_add(progress, (uint64_t)rows * columns / (same ? 2 : 1));
}

// All rows with columns that are not queries.
static void search_others(struct cdp_pair_block *b, uint64_t from, uint64_t end,
                          struct cdp_progress *progress)
{
    for (; from < end; from += CDP_BLOCK) {
        uint32_t columns = cdp_min(end - from, CDP_BLOCK);
        cdp_operand_pack_columns(&b->columns, cdp_ids_from(from), cdp_ids_from(CDP_NONE), columns,
                                 1);
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
        set_rows(b, first, from, cdp_min(last - from, CDP_BLOCK));
        search_queries(b, b->rows.count, first, last, from, true, progress);
    }
    // Columns are packed once for as many rows as possible, while each thread has BLOCKS blocks.
    uint64_t rows = (last - first) / (BLOCKS * (uint64_t)threads) / CDP_BLOCK * CDP_BLOCK;
    rows = rows < CDP_BLOCK ? CDP_BLOCK : cdp_min(rows, CDP_BLOCK_ROWS);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = first; from < last; from += rows) {
        struct cdp_pair_block *b = &blocks[cdp_thread()];
        set_rows(b, first, from, cdp_min(last - from, rows));
        if (b->pruner)
            cdp_pruner_set_rows(b->pruner, &b->rows);
        for (uint64_t to = from + CDP_BLOCK; to < last; to += CDP_BLOCK)
            search_queries(b, cdp_min(to - from, b->rows.count), first, last, to, false, progress);
        search_others(b, 0, first, progress);
        search_others(b, last, b->data->matrix->rows, progress);
    }
    free_pruners(blocks, threads);
    return 0;
}

void cdp_allpairs_items(struct cdp_pair_block *blocks, int threads, const uint32_t *items,
                        struct cdp_ids lists, uint32_t count)
{
    uint64_t all = blocks->data->matrix->rows;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = 0; from < all; from += CDP_BLOCK) {
        struct cdp_pair_block *b = &blocks[cdp_thread()];
        cdp_operand_pack_rows(&b->rows, cdp_ids_of(items), lists, count);
        cdp_operand_pack_columns(&b->columns, cdp_ids_from(from), cdp_ids_from(CDP_NONE),
                                 cdp_min(all - from, CDP_BLOCK), 1);
        cdp_pair_block_search(b, count, false);
    }
}
