// SPDX-License-Identifier: MIT
#include "knn/search/block.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/search/hyperplane.h"

enum {
    ROWS = 384, // of a tile: so many that their words stay in the first cache,
    COLUMNS = CDP_TILE_COLUMNS,
    TAKEN = 64,       // rows with pairs that passed are taken together, about;
    BEFORE = 12,      // the bytes of so many are on their way from memory
    MAYBES = 1 << 13, // pairs that are measured together;
    LISTS = 8,        // the lists of so many, and
    AHEAD = 4,        // the rows of so many, are on their way
    ERRORS = 3,       // by how many errors a score may be off
};

// A pair that may matter, and what its score is at most.
struct cdp_pending {
    uint16_t row, column;
    float most;
};

// ---- memory

static int new_joiner(struct cdp_pair_block *j, const struct cdp_dataset *data, struct cdp_err *err)
{
    size_t dim = data->matrix->dim;
    j->data = data;
    j->room = cdp_alloc(dim, 2 * CDP_KEY_BATCH * sizeof *j->room, "rows", err);
    j->maybe = cdp_alloc(MAYBES, sizeof *j->maybe, "pairs", err);
    if (cdp_operand_new_rows(&j->rows, data, CDP_BLOCK_ROWS, err) ||
        cdp_operand_new_columns(&j->columns, data, CDP_BLOCK, err))
        return -1;
    return j->room && j->maybe ? 0 : -1;
}

struct cdp_pair_block *cdp_pair_blocks_new(const struct cdp_dataset *data, int threads,
                                           struct cdp_err *err)
{
    struct cdp_pair_block *blocks = cdp_zalloc((size_t)threads, sizeof *blocks, "threads", err);
    for (int t = 0; blocks && t < threads; t++) {
        if (new_joiner(&blocks[t], data, err)) {
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
        free(blocks[t].maybe);
    }
    free(blocks);
}

void cdp_pair_blocks_fill(struct cdp_pair_block *blocks, int threads, struct cdp_topk *nearest)
{
    for (int t = 0; t < threads; t++)
        blocks[t].nearest = nearest;
}

void cdp_pair_block_rows(struct cdp_pair_block *j, unsigned level, struct cdp_ids items,
                         struct cdp_ids lists, uint32_t count)
{
    cdp_operand_set_level(&j->rows, level);
    cdp_operand_pack_rows(&j->rows, items, lists, count);
}

void cdp_pair_block_columns(struct cdp_pair_block *j, struct cdp_ids items, struct cdp_ids lists,
                            uint32_t count)
{
    cdp_operand_set_level(&j->columns, j->rows.level);
    cdp_operand_pack_columns(&j->columns, items, lists, count, 1);
}

// ---- joining

// What the lists of the items from `from` to `end` - 1 ask for at least; of an item without a list,
// more than there is.
static void ask(const struct cdp_topk *n, struct cdp_operand *b, uint32_t from, uint32_t end)
{
    for (uint32_t i = from; i < end; i++)
        cdp_operand_set_threshold(
            b, i, b->list[i] == CDP_NONE ? INFINITY : cdp_topk_threshold(n, b->list[i]));
}

static bool wanted(uint32_t list, float least, float most)
{
    return list != CDP_NONE && !(most < least);
}

// Asks for what the key of an item is computed of.
static inline __attribute__((always_inline)) void fetch_row(const struct cdp_dataset *s,
                                                            uint64_t item)
{
    uint64_t row = cdp_dataset_row(s, item);
    cdp_fetch(cdp_matrix_at(s->matrix, row), s->matrix->row_stride);
    __builtin_prefetch(&s->square[row]);
}

// Asks for what the score of an item is computed of.
static inline __attribute__((always_inline)) void fetch_item(const struct cdp_dataset *s,
                                                             uint64_t item)
{
    if (s->vector)
        cdp_fetch(s->bytes + item * s->byte_words, s->byte_words * sizeof *s->bytes);
    else
        cdp_fetch(cdp_dataset_words(s, item), s->words * sizeof *s->word);
}

static inline __attribute__((always_inline)) void fetch_list(const struct cdp_topk *n,
                                                             uint32_t list)
{
    if (list == CDP_NONE)
        return;
    cdp_fetch(n->id + (size_t)list * n->k, n->k * sizeof *n->id);
    __builtin_prefetch(&n->least[list]);
    __builtin_prefetch(&n->found[list]);
    __builtin_prefetch(&n->lock[list]);
}

// Adds a measured pair to the lists that it may enter.
static void enter(struct cdp_pair_block *j, uint32_t r, uint32_t c, double key)
{
    struct cdp_operand *rows = &j->rows, *columns = &j->columns;
    float score = cdp_dataset_threshold(j->data, key);
    if (wanted(rows->list[r], rows->threshold[r], score)) {
        uint32_t list = rows->list[r];
        cdp_topk_add(j->nearest, list, cdp_dataset_row(j->data, columns->id[c]), key);
        cdp_operand_set_threshold(rows, r, cdp_topk_threshold(j->nearest, list));
    }
    if (wanted(columns->list[c], columns->threshold[c], score)) {
        uint32_t list = columns->list[c];
        cdp_topk_add(j->nearest, list, cdp_dataset_row(j->data, rows->id[r]), key);
        cdp_operand_set_threshold(columns, c, cdp_topk_threshold(j->nearest, list));
    }
}

// Whether the list of one item of a pair may take the other one, and does not hold it yet.
static bool lacks(const struct cdp_pair_block *j, uint32_t list, float least, float most,
                  uint32_t other)
{
    return wanted(list, least, most) &&
           !cdp_topk_holds(j->nearest, list, cdp_dataset_row(j->data, other));
}

// Measures the pairs that wait, unless what was found meanwhile rules them out. Most of those that
// stay were found by the search that filled the lists before.
static void measure(struct cdp_pair_block *j)
{
    const struct cdp_operand *rows = &j->rows, *columns = &j->columns;
    uint32_t a[CDP_KEY_BATCH], b[CDP_KEY_BATCH], at[CDP_KEY_BATCH], count = 0;
    double key[CDP_KEY_BATCH];
    for (uint32_t i = 0; i < j->waiting; i++) {
        if (i + LISTS < j->waiting) {
            fetch_list(j->nearest, rows->list[j->maybe[i + LISTS].row]);
            fetch_list(j->nearest, columns->list[j->maybe[i + LISTS].column]);
        }
        if (i + AHEAD < j->waiting) {
            fetch_row(j->data, rows->id[j->maybe[i + AHEAD].row]);
            fetch_row(j->data, columns->id[j->maybe[i + AHEAD].column]);
        }
        struct cdp_pending p = j->maybe[i];
        uint32_t row = rows->id[p.row], column = columns->id[p.column];
        if (lacks(j, rows->list[p.row], rows->threshold[p.row], p.most, column) ||
            lacks(j, columns->list[p.column], columns->threshold[p.column], p.most, row)) {
            at[count] = i;
            a[count] = row;
            b[count++] = column;
        }
        if (count == CDP_KEY_BATCH || (i + 1 == j->waiting && count > 0)) {
            cdp_dataset_keys(j->data, a, b, count, j->room, key);
            for (uint32_t m = 0; m < count; m++)
                enter(j, j->maybe[at[m]].row, j->maybe[at[m]].column, key[m]);
            count = 0;
        }
    }
    j->waiting = 0;
}

// Queues the pairs of a row and columns, of those from `first` on, or of the same items those
// behind the row, that the scores of their bytes do not rule out either.
static void take(struct cdp_pair_block *j, struct cdp_hits p, uint32_t first, bool same)
{
    const struct cdp_operand *rows = &j->rows, *columns = &j->columns;
    uint32_t own = rows->id[p.row], items[COLUMNS], column[COLUMNS], count = 0;
    float score[COLUMNS];
    do {
        uint32_t c = first + (uint32_t)__builtin_ctzll(p.columns), id = columns->id[c];
        items[count] = id;
        column[count] = c;
        count += id != CDP_NONE && id != own && (!same || c > p.row);
    } while (p.columns &= p.columns - 1);
    cdp_dataset_scores(j->data, own, j->data, items, count, score);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t c = column[i];
        float most = score[i] + cdp_dataset_score_error(j->data, own, items[i]);
        if (wanted(rows->list[p.row], rows->threshold[p.row], most) ||
            wanted(columns->list[c], columns->threshold[c], most))
            j->maybe[j->waiting++] = (struct cdp_pending){(uint16_t)p.row, (uint16_t)c, most};
    }
}

// Takes what has passed. Few pairs do, so that their bytes are seldom near: those of a row and of
// its first columns are asked for in advance.
static void take_all(struct cdp_pair_block *j, const struct cdp_hits *passed, uint32_t count,
                     uint32_t first, bool same)
{
    for (uint32_t i = 0; i < count + BEFORE; i++) {
        if (i < count) {
            uint64_t left = passed[i].columns;
            fetch_item(j->data, j->rows.id[passed[i].row]);
            for (int c = 0; c < 2 && left; c++, left &= left - 1) {
                uint32_t id = j->columns.id[first + (uint32_t)__builtin_ctzll(left)];
                if (id != CDP_NONE)
                    fetch_item(j->data, id);
            }
        }
        if (i >= BEFORE)
            take(j, passed[i - BEFORE], first, same);
    }
    if (j->waiting > MAYBES - TAKEN * COLUMNS)
        measure(j);
}

// Rows of a tile that do not stand side by side.
struct chosen {
    uint16_t row[ROWS];
    const uint32_t *words[ROWS];
    int32_t start[ROWS];
    union cdp_threshold bar[ROWS];
};

// Leaves of a tile's rows, from row `from` on, those that were chosen.
static void leave_chosen(struct cdp_tile *tile, uint32_t from, struct chosen *c, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = c->row[i] - from;
        c->words[i] = tile->row[at];
        c->start[i] = tile->start[at];
        c->bar[i] = tile->threshold[at];
    }
    tile->rows = count;
    tile->row = c->words;
    tile->start = c->start;
    tile->threshold = c->bar;
}

// The rows from `from` to `end` - 1, at most ROWS. `choose`: but for those that are excluded.
static void join(struct cdp_pair_block *j, uint32_t from, uint32_t end, bool same, bool choose)
{
    cdp_tile_function *tile_function = j->data->kernel->metric[j->data->metric].tile;
    struct cdp_operand *rows = &j->rows, *columns = &j->columns;
    for (uint32_t first = same ? from / COLUMNS * COLUMNS : 0; first < columns->count;
         first += COLUMNS) {
        uint32_t last = same ? cdp_min(first + COLUMNS, end) : end, some = last - from;
        struct cdp_tile tile = {
            .rows = some, .row = rows->row + from, .start = rows->start + from, .threshold = j->bar};
        struct chosen chosen;
        struct cdp_hits passed[ROWS];
        if (choose && !(some = cdp_pruner_kept(j->pruner, first, from, last, chosen.row)))
            continue;
        cdp_operand_thresholds(rows, from, last - from, cdp_operand_bounds(columns, first), j->bar);
        if (choose)
            leave_chosen(&tile, from, &chosen, some);
        cdp_operand_tile(&tile, columns, first, columns->count);
        uint32_t count = tile_function(&tile, passed);
        for (uint32_t i = 0; i < count; i++)
            passed[i].row = choose ? chosen.row[passed[i].row] : from + passed[i].row;
        for (uint32_t i = 0; i < count; i += TAKEN)
            take_all(j, passed + i, cdp_min(count - i, TAKEN), first, same);
        // Lists fill fast at first: what is known early spares measuring.
        if (j->waiting > MAYBES / 8)
            measure(j);
    }
    measure(j);
}

void cdp_pair_block_search(struct cdp_pair_block *j, uint32_t rows, bool same)
{
    ask(j->nearest, &j->rows, 0, rows);
    ask(j->nearest, &j->columns, 0, j->columns.count);
    bool choose =
        j->pruner && !same && cdp_pruner_set_columns(j->pruner, &j->rows, rows, &j->columns);
    cdp_kernel_begin(j->data->kernel, j->columns.words);
    for (uint32_t from = 0; from < rows; from += ROWS)
        join(j, from, cdp_min(rows, from + ROWS), same, choose);
    cdp_kernel_end(j->data->kernel);
}

// All but those whose scores are lower than the last one's of as many as are wanted by more than
// ERRORS errors. An error is a sum of as many products as there are numbers, of either sign, so
// that its bound is larger than what it usually is by the root of that.
uint32_t cdp_rerank_depth(const struct cdp_dataset *data, uint32_t item, const uint64_t *list,
                          uint32_t k, uint32_t wanted)
{
    uint32_t count = wanted;
    if (count >= k || list[count] == CDP_CANDIDATE_NONE)
        return k;
    float error = cdp_dataset_score_error(data, item, cdp_candidate_id(list[count - 1]));
    float least =
        cdp_candidate_score(list[count - 1]) - ERRORS * error / sqrtf((float)data->matrix->dim);
    while (count < k && list[count] != CDP_CANDIDATE_NONE &&
           cdp_candidate_score(list[count]) >= least)
        count++;
    return count;
}

// Fills the list of a query, an item, with the nearest of the first k entries of its candidate
// list. key and id have room for these.
static void fill(struct cdp_pair_block *j, uint64_t query, uint32_t item, const uint64_t *list,
                 uint32_t k, double *key, uint32_t *id)
{
    uint32_t a[CDP_KEY_BATCH], b[CDP_KEY_BATCH], count = 0, waiting = 0;
    while (count < k && list[count] != CDP_CANDIDATE_NONE) {
        if (count + AHEAD < k && list[count + AHEAD] != CDP_CANDIDATE_NONE)
            fetch_row(j->data, cdp_candidate_id(list[count + AHEAD]));
        a[waiting] = item;
        b[waiting++] = cdp_candidate_id(list[count]);
        id[count] = cdp_dataset_row(j->data, cdp_candidate_id(list[count]));
        count++;
        if (waiting == CDP_KEY_BATCH || count == k || list[count] == CDP_CANDIDATE_NONE) {
            cdp_dataset_keys(j->data, a, b, waiting, j->room, key + count - waiting);
            waiting = 0;
        }
    }
    cdp_topk_fill(j->nearest, query, id, key, count);
}

int cdp_rerank(struct cdp_pair_block *blocks, int threads, const struct cdp_candidates *lists,
               const uint32_t *items, bool whole, struct cdp_err *err)
{
    const struct cdp_dataset *data = blocks->data;
    uint32_t k = lists->k;
    double *key = cdp_alloc((size_t)threads, k * sizeof *key, "neighbours", err);
    uint32_t *id = cdp_alloc((size_t)threads, k * sizeof *id, "neighbours", err);
    int status = key && id ? 0 : -1;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 256)
    for (uint64_t i = 0; i < (status ? 0 : blocks->nearest->count); i++) {
        size_t own = (size_t)cdp_thread() * k;
        uint32_t item = items ? items[i] : (uint32_t)i;
        const uint64_t *list = lists->entry + (uint64_t)item * k;
        fill(&blocks[cdp_thread()], items ? i : cdp_dataset_row(data, i), item, list,
             whole ? k : cdp_rerank_depth(data, item, list, k, blocks->nearest->k), key + own,
             id + own);
    }
    free(key);
    free(id);
    return status;
}
