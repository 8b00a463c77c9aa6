// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/search/allpairs.h"

// Timed (README.md).
enum {
    ROWS = 384, // of a tile, so that their words fit the L1 cache
    COLUMNS = CDP_TILE_COLUMNS,
    BATCH = 64,        // rows whose hits are scored together, at most
    SCORES_AHEAD = 12, // rows whose int8 numbers are prefetched
    LISTS_AHEAD = 8,   // pairs whose lists are prefetched
    ROWS_AHEAD = 4,    // pairs whose rows of the matrix are prefetched
};

// A pair of a row and a column, and the highest score it may have.
struct cdp_pending {
    uint16_t row, column;
    float score;
};

// ---- memory

static int new_block(struct cdp_pair_block *b, const struct cdp_dataset *data, struct cdp_err *err)
{
    b->data = data;
    b->room = cdp_alloc(data->matrix->dim, 2 * CDP_KEY_BATCH * sizeof *b->room, "rows", err);
    b->pending = cdp_alloc(BATCH * COLUMNS, sizeof *b->pending, "pairs", err);
    if (cdp_operand_new_rows(&b->rows, data, CDP_BLOCK_ROWS, err) ||
        cdp_operand_new_columns(&b->columns, data, CDP_BLOCK, err))
        return -1;
    return b->room && b->pending ? 0 : -1;
}

struct cdp_pair_block *cdp_pair_blocks_new(const struct cdp_dataset *data, int threads,
                                           struct cdp_err *err)
{
    struct cdp_pair_block *blocks = cdp_zalloc((size_t)threads, sizeof *blocks, "threads", err);
    for (int t = 0; blocks && t < threads; t++) {
        if (new_block(&blocks[t], data, err)) {
            cdp_pair_blocks_free(blocks, threads);
            return NULL;
        }
    }
    return blocks;
}

void cdp_pair_blocks_free(struct cdp_pair_block *blocks, int threads)
{
    for (int t = 0; blocks && t < threads; t++) {
        cdp_operand_free(&blocks[t].rows);
        cdp_operand_free(&blocks[t].columns);
        free(blocks[t].room);
        free(blocks[t].pending);
    }
    free(blocks);
}

void cdp_pair_blocks_fill(struct cdp_pair_block *blocks, int threads, struct cdp_topk *topk)
{
    for (int t = 0; t < threads; t++)
        blocks[t].topk = topk;
}

void cdp_pair_block_rows(struct cdp_pair_block *b, unsigned level, struct cdp_ids items,
                         struct cdp_ids lists, uint32_t count)
{
    cdp_operand_set_level(&b->rows, level);
    cdp_operand_pack_rows(&b->rows, items, lists, count);
}

void cdp_pair_block_columns(struct cdp_pair_block *b, struct cdp_ids items, struct cdp_ids lists,
                            uint32_t count)
{
    cdp_operand_set_level(&b->columns, b->rows.level);
    cdp_operand_pack_columns(&b->columns, items, lists, count, 1);
}

// ---- prefetching

#define INLINE static inline __attribute__((always_inline))

INLINE void prefetch_row(const struct cdp_dataset *s, uint64_t item)
{
    uint64_t row = cdp_dataset_row(s, item);
    cdp_fetch(cdp_matrix_at(s->matrix, row), s->matrix->row_stride);
    __builtin_prefetch(&s->square[row]);
}

INLINE void prefetch_item(const struct cdp_dataset *s, uint64_t item)
{
    if (s->vector)
        cdp_fetch(s->bytes + item * s->byte_words, s->byte_words * sizeof *s->bytes);
    else
        cdp_fetch(cdp_dataset_words(s, item), s->words * sizeof *s->word);
}

INLINE void prefetch_list(const struct cdp_topk *topk, uint32_t list)
{
    if (list == CDP_NONE)
        return;
    cdp_fetch(topk->id + (size_t)list * topk->k, topk->k * sizeof *topk->id);
    __builtin_prefetch(&topk->threshold[list]);
    __builtin_prefetch(&topk->found[list]);
    __builtin_prefetch(&topk->lock[list]);
}

// ---- measuring

// Whether a score may enter the list of an operand's item.
static bool may_enter(const struct cdp_operand *o, uint32_t i, float score)
{
    return o->list[i] != CDP_NONE && !(score < o->threshold[i]);
}

static void enter(struct cdp_pair_block *b, struct cdp_operand *o, uint32_t i, uint32_t item,
                  double key)
{
    if (!may_enter(o, i, cdp_dataset_threshold(b->data, key)))
        return;
    cdp_topk_add(b->topk, o->list[i], cdp_dataset_row(b->data, item), key);
    cdp_operand_set_threshold(o, i, cdp_topk_threshold(b->topk, o->list[i]));
}

// Measures the pending pairs, except those that the lists rule out by now.
static void measure(struct cdp_pair_block *b)
{
    struct cdp_operand *rows = &b->rows, *columns = &b->columns;
    uint32_t x[CDP_KEY_BATCH], y[CDP_KEY_BATCH], at[CDP_KEY_BATCH], count = 0;
    double key[CDP_KEY_BATCH];
    for (uint32_t i = 0; i < b->waiting; i++) {
        if (i + LISTS_AHEAD < b->waiting) {
            prefetch_list(b->topk, rows->list[b->pending[i + LISTS_AHEAD].row]);
            prefetch_list(b->topk, columns->list[b->pending[i + LISTS_AHEAD].column]);
        }
        if (i + ROWS_AHEAD < b->waiting) {
            prefetch_row(b->data, rows->id[b->pending[i + ROWS_AHEAD].row]);
            prefetch_row(b->data, columns->id[b->pending[i + ROWS_AHEAD].column]);
        }
        struct cdp_pending p = b->pending[i];
        if (may_enter(rows, p.row, p.score) || may_enter(columns, p.column, p.score)) {
            at[count] = i;
            x[count] = rows->id[p.row];
            y[count++] = columns->id[p.column];
        }
        if (count == CDP_KEY_BATCH || (i + 1 == b->waiting && count > 0)) {
            cdp_dataset_keys(b->data, x, y, count, b->room, key);
            for (uint32_t m = 0; m < count; m++) {
                enter(b, rows, b->pending[at[m]].row, y[m], key[m]);
                enter(b, columns, b->pending[at[m]].column, x[m], key[m]);
            }
            count = 0;
        }
    }
    b->waiting = 0;
}

// ---- scoring

// Scores a row's hits, columns `first` and on, and queues pairs that scores do not rule out.
static void score_row(struct cdp_pair_block *b, struct cdp_hits hits, uint32_t first, bool same)
{
    const struct cdp_operand *rows = &b->rows, *columns = &b->columns;
    uint32_t own = rows->id[hits.row], items[COLUMNS], column[COLUMNS], count = 0;
    float score[COLUMNS];
    do {
        uint32_t c = first + (uint32_t)__builtin_ctzll(hits.columns), id = columns->id[c];
        items[count] = id;
        column[count] = c;
        count += id != CDP_NONE && id != own && (!same || c > hits.row);
    } while (hits.columns &= hits.columns - 1);
    cdp_dataset_scores(b->data, own, b->data, items, count, score);
    for (uint32_t i = 0; i < count; i++) {
        float most = score[i] + cdp_dataset_score_error(b->data, own, items[i]);
        if (may_enter(rows, hits.row, most) || may_enter(columns, column[i], most))
            b->pending[b->waiting++] =
                (struct cdp_pending){(uint16_t)hits.row, (uint16_t)column[i], most};
    }
}

// Scores the hits of at most BATCH rows. Hits are few, so their int8 numbers are seldom adjacent:
// those of a row and of its first two columns are prefetched.
static void score_hits(struct cdp_pair_block *b, const struct cdp_hits *hits, uint32_t count,
                       uint32_t first, bool same)
{
    for (uint32_t i = 0; i < count + SCORES_AHEAD; i++) {
        if (i < count) {
            uint64_t left = hits[i].columns;
            prefetch_item(b->data, b->rows.id[hits[i].row]);
            for (int c = 0; c < 2 && left; c++, left &= left - 1) {
                uint32_t id = b->columns.id[first + (uint32_t)__builtin_ctzll(left)];
                if (id != CDP_NONE)
                    prefetch_item(b->data, id);
            }
        }
        if (i >= SCORES_AHEAD)
            score_row(b, hits[i - SCORES_AHEAD], first, same);
    }
    measure(b);
}

// ---- tiles

// Rows of a tile that were not pruned.
struct kept {
    uint16_t row[ROWS];
    const uint32_t *words[ROWS];
    int32_t start[ROWS];
    union cdp_threshold threshold[ROWS];
};

// Reduces a tile, whose first row is `from`, to these rows.
static void keep_rows(struct cdp_tile *tile, uint32_t from, struct kept *kept, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = kept->row[i] - from;
        kept->words[i] = tile->row[at];
        kept->start[i] = tile->start[at];
        kept->threshold[i] = tile->threshold[at];
    }
    tile->rows = count;
    tile->row = kept->words;
    tile->start = kept->start;
    tile->threshold = kept->threshold;
}

// The rows from `from` to before `end`, at most ROWS, with all columns.
static void search_rows(struct cdp_pair_block *b, uint32_t from, uint32_t end, bool same,
                        bool prune)
{
    cdp_tile_function *tile_function = b->data->kernel->metric[b->data->metric].tile;
    struct cdp_operand *rows = &b->rows, *columns = &b->columns;
    for (uint32_t first = same ? from / COLUMNS * COLUMNS : 0; first < columns->count;
         first += COLUMNS) {
        uint32_t last = same ? cdp_min(first + COLUMNS, end) : end, some = last - from;
        struct cdp_tile tile = {.rows = some,
                                .row = rows->row + from,
                                .start = rows->start + from,
                                .threshold = b->threshold};
        struct kept kept;
        struct cdp_hits hits[ROWS];
        if (prune && !(some = cdp_pruner_kept(b->pruner, first, from, last, kept.row)))
            continue;
        cdp_operand_thresholds(rows, from, last - from, cdp_operand_bounds(columns, first),
                               b->threshold);
        if (prune)
            keep_rows(&tile, from, &kept, some);
        cdp_operand_tile(&tile, columns, first, columns->count);
        uint32_t count = tile_function(&tile, hits);
        for (uint32_t i = 0; i < count; i++)
            hits[i].row = prune ? kept.row[hits[i].row] : from + hits[i].row;
        for (uint32_t i = 0; i < count; i += BATCH)
            score_hits(b, hits + i, cdp_min(count - i, BATCH), first, same);
    }
}

static void set_thresholds(const struct cdp_topk *topk, struct cdp_operand *o, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        cdp_operand_set_threshold(
            o, i, o->list[i] == CDP_NONE ? INFINITY : cdp_topk_threshold(topk, o->list[i]));
}

void cdp_pair_block_search(struct cdp_pair_block *b, uint32_t rows, bool same)
{
    set_thresholds(b->topk, &b->rows, rows);
    set_thresholds(b->topk, &b->columns, b->columns.count);
    bool prune =
        b->pruner && !same && cdp_pruner_set_columns(b->pruner, &b->rows, rows, &b->columns);
    cdp_kernel_begin(b->data->kernel, b->columns.words);
    for (uint32_t from = 0; from < rows; from += ROWS)
        search_rows(b, from, cdp_min(rows, from + ROWS), same, prune);
    cdp_kernel_end(b->data->kernel);
}

// ---- re-ranking

// Fills a result list with the nearest of an item's candidates, k at most. key and id have room for
// k.
static void rerank(struct cdp_pair_block *b, uint64_t to, uint32_t item, const uint64_t *list,
                   uint32_t k, double *key, uint32_t *id)
{
    uint32_t x[CDP_KEY_BATCH], y[CDP_KEY_BATCH], count = 0, waiting = 0;
    while (count < k && list[count] != CDP_CANDIDATE_NONE) {
        if (count + ROWS_AHEAD < k && list[count + ROWS_AHEAD] != CDP_CANDIDATE_NONE)
            prefetch_row(b->data, cdp_candidate_id(list[count + ROWS_AHEAD]));
        x[waiting] = item;
        y[waiting++] = cdp_candidate_id(list[count]);
        id[count] = cdp_dataset_row(b->data, cdp_candidate_id(list[count]));
        count++;
        if (waiting == CDP_KEY_BATCH || count == k || list[count] == CDP_CANDIDATE_NONE) {
            cdp_dataset_keys(b->data, x, y, waiting, b->room, key + count - waiting);
            waiting = 0;
        }
    }
    cdp_topk_fill(b->topk, to, id, key, count);
}

int cdp_rerank(struct cdp_pair_block *blocks, int threads, const struct cdp_candidates *candidates,
               const uint32_t *items, struct cdp_err *err)
{
    const struct cdp_dataset *data = blocks->data;
    const struct cdp_topk *topk = blocks->topk;
    uint32_t k = candidates->k;
    double *key = cdp_alloc((size_t)threads, k * sizeof *key, "neighbours", err);
    uint32_t *id = cdp_alloc((size_t)threads, k * sizeof *id, "neighbours", err);
    int status = key && id ? 0 : -1;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 256)
    for (uint64_t i = 0; i < (status ? 0 : topk->count); i++) {
        size_t own = (size_t)cdp_thread() * k;
        uint32_t item = items ? items[i] : (uint32_t)i;
        const uint64_t *list = cdp_candidates_list(candidates, item);
        rerank(&blocks[cdp_thread()], items ? i : cdp_dataset_row(data, i), item, list, k,
               key + own, id + own);
    }
    free(key);
    free(id);
    return status;
}
