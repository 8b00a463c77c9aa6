// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "knn/search/allpairs.h"

enum {
    ROWS = CDP_BLOCK_ROWS,
    LISTS = CDP_TILE_COLUMNS, // whose centroids are the columns of a tile
    TILES = CDP_BLOCK / CDP_TILE_COLUMNS,
    SAMPLE = 128,      // items for cdp_hyperplanes_share,
    OTHERS = 4,        // and lists for each
    LARGEST = 1 << 20, // square of a sketch, so that scores are exact in single precision
};

// Error of f in single precision, in steps: f is below 2^12 and rounded a few times.
static const float ROUNDING = 0x1p-8F;

// Adjacent rows of one list.
struct run {
    uint32_t first, end;
};

struct cdp_pruner {
    const struct cdp_hyperplanes *planes;
    const struct cdp_dataset *data;
    uint32_t runs;
    struct run run[LISTS];
    uint32_t id[LISTS];                      // the list of each run
    struct cdp_operand items, run_centroids; // the rows, and the runs' centroids, as columns
    struct cdp_operand members;              // columns of one list, as rows
    struct cdp_operand window_centroids;     // as rows
    uint32_t window, lists;                  // the window of lists: its first, and its size
    float inverse[LISTS][LISTS];             // 1 / |a - b|, window x runs
    float (*f)[ROWS];                        // f of the rows, for each list of the window
    float score[LISTS][LISTS];               // of the last tile
    float own[ROWS], error[ROWS];            // of each row: score with its centroid, error of f
    uint8_t unpruned[ROWS];                  // rows of no run
    uint8_t kept[TILES][ROWS];               // rows by tile of the columns
    uint64_t rows_seen, rows_kept;           // over all tiles
};

// ---- all items

// The mean of a list's sketches. No number grows, so it keeps the limits of tiles.
static void set_mean(struct cdp_dataset *centroids, uint64_t c, const struct cdp_dataset *data,
                     const struct cdp_ivf_lists *lists, int64_t *sum)
{
    size_t bytes = 4 * centroids->words;
    uint64_t first = lists->start[c], end = lists->start[c + 1];
    int8_t *mean = (int8_t *)(centroids->word + c * centroids->words);
    int32_t all = 0, square = 0;
    memset(sum, 0, bytes * sizeof *sum);
    for (uint64_t m = first; m < end; m++) {
        const int8_t *q = (const int8_t *)cdp_dataset_words(data, lists->member[m]);
        for (size_t b = 0; b < bytes; b++)
            sum[b] += q[b];
    }
    for (size_t b = 0; b < bytes; b++) {
        mean[b] = (int8_t)(end > first ? sum[b] / (int64_t)(end - first) : 0);
        all += mean[b];
        square += mean[b] * mean[b];
    }
    centroids->sketch[c] = (struct cdp_sketch){.square = square, .start = -128 * all};
}

int cdp_hyperplanes_new(struct cdp_hyperplanes *e, const struct cdp_dataset *data,
                        const struct cdp_ivf_lists *lists, struct cdp_err *err)
{
    uint64_t n = data->matrix->rows;
    *e = (struct cdp_hyperplanes){.count = n, .lists = lists->count};
    int64_t *sum = cdp_alloc(data->words, 4 * sizeof *sum, "inverted lists", err);
    e->list = cdp_alloc(n, sizeof *e->list, "inverted lists", err);
    e->own = cdp_alloc(n, sizeof *e->own, "inverted lists", err);
    int status =
        !sum || !e->list || !e->own ||
        cdp_dataset_select(&e->centroids, data, data->levels - 1, lists->member, lists->count, err);
    for (uint64_t c = 0; c < (status ? 0 : lists->count); c++) {
        uint32_t centroid = (uint32_t)c;
        set_mean(&e->centroids, c, data, lists, sum);
        bool large = e->centroids.sketch[c].square > LARGEST;
        for (uint64_t m = lists->start[c]; m < lists->start[c + 1]; m++) {
            uint32_t item = lists->member[m];
            bool is = large || cdp_dataset_sketch(data, item, data->levels - 1)->square > LARGEST;
            e->list[item] = is ? CDP_NONE : centroid;
            cdp_dataset_sketch_scores(data, item, &e->centroids, &centroid, 1, &e->own[item]);
        }
    }
    free(sum);
    return status ? -1 : 0;
}

void cdp_hyperplanes_free(struct cdp_hyperplanes *e)
{
    cdp_dataset_free(&e->centroids);
    free(e->list);
    free(e->own);
    *e = (struct cdp_hyperplanes){0};
}

int cdp_hyperplanes_permute(struct cdp_hyperplanes *e, const uint32_t *order, int threads,
                            struct cdp_err *err)
{
    const struct cdp_array arrays[] = {{e->list, sizeof *e->list}, {e->own, sizeof *e->own}};
    return cdp_permute(arrays, sizeof arrays / sizeof *arrays, e->count, order, threads, err);
}

// ---- f

// 1 / |a - b|, or 0 if that is infinite, so that f is 0.
static float inverse_distance(const struct cdp_dataset *centroids, uint32_t a, uint32_t b,
                              float product)
{
    float square = (float)cdp_dataset_sketch(centroids, a, 0)->square +
                   (float)cdp_dataset_sketch(centroids, b, 0)->square - 2 * product;
    return square > 0 ? 1 / sqrtf(square) : 0;
}

// A lower bound of f from an item's scores with its own centroid and with the other one. Half of a
// centroid's odd square is rounded down, which adds to f of one list's items what it subtracts from
// f of the other list's, so that their sum holds.
static inline float f_of(float own, float other, float inverse, float error)
{
    return (own - other) * inverse - (error + ROUNDING);
}

// ---- a sample

// f of an item for another list.
static float f_for(const struct cdp_hyperplanes *e, const struct cdp_dataset *data, uint32_t item,
                   uint32_t other)
{
    float product, score;
    cdp_dataset_products(&e->centroids, e->list[item], &e->centroids, &other, 1, 0, &product);
    cdp_dataset_sketch_scores(data, item, &e->centroids, &other, 1, &score);
    return f_of(e->own[item], score, inverse_distance(&e->centroids, e->list[item], other, product),
                cdp_dataset_sketch(data, item, data->levels - 1)->error);
}

static float radius_of(const struct cdp_topk *topk, uint32_t item)
{
    uint32_t list = cdp_dataset_row(topk->data, item);
    return cdp_dataset_radius(topk->data, cdp_topk_threshold(topk, list));
}

// Whether an item of a list may be within the radius of an item of another one, or the reverse.
static bool near_list(const struct cdp_hyperplanes *e, const struct cdp_topk *topk,
                      const struct cdp_ivf_lists *lists, uint32_t list, uint32_t item)
{
    float f = f_for(e, topk->data, item, list), least = INFINITY, least_left = INFINITY;
    for (uint64_t m = lists->start[list]; m < lists->start[list + 1]; m++) {
        uint32_t other = lists->member[m];
        if (e->list[other] == CDP_NONE)
            continue;
        float theirs = f_for(e, topk->data, other, e->list[item]);
        least = fminf(least, theirs);
        least_left = fminf(least_left, theirs - radius_of(topk, other));
    }
    return f + least <= radius_of(topk, item) || f + least_left <= 0;
}

double cdp_hyperplanes_share(const struct cdp_hyperplanes *e, const struct cdp_topk *topk,
                             const struct cdp_ivf_lists *lists)
{
    uint64_t n = e->count, all = 0, kept = 0;
    for (uint64_t i = 0; i < SAMPLE; i++) {
        uint32_t item = (uint32_t)(i * n / SAMPLE);
        for (uint64_t o = 1; o <= OTHERS; o++) {
            uint32_t list = e->list[(item + o * n / (OTHERS + 1)) % n];
            if (e->list[item] != CDP_NONE && list != CDP_NONE && list != e->list[item]) {
                all++;
                kept += near_list(e, topk, lists, list, item);
            }
        }
    }
    return all > 0 ? (double)kept / (double)all : 1;
}

// ---- memory

struct cdp_pruner *cdp_pruner_new(const struct cdp_hyperplanes *planes,
                                  const struct cdp_dataset *data, struct cdp_err *err)
{
    struct cdp_pruner *x = cdp_zalloc(1, sizeof *x, "inverted lists", err);
    if (!x)
        return NULL;
    x->planes = planes;
    x->data = data;
    x->f = cdp_alloc(LISTS, sizeof *x->f, "inverted lists", err);
    if (!x->f || cdp_operand_new_columns(&x->items, data, ROWS, err) ||
        cdp_operand_new_columns(&x->run_centroids, &planes->centroids, LISTS, err) ||
        cdp_operand_new_rows(&x->members, data, LISTS, err) ||
        cdp_operand_new_rows(&x->window_centroids, &planes->centroids, LISTS, err)) {
        cdp_pruner_free(x);
        return NULL;
    }
    return x;
}

void cdp_pruner_free(struct cdp_pruner *x)
{
    if (!x)
        return;
    cdp_operand_free(&x->items);
    cdp_operand_free(&x->run_centroids);
    cdp_operand_free(&x->members);
    cdp_operand_free(&x->window_centroids);
    free(x->f);
    free(x);
}

double cdp_pruner_share(const struct cdp_pruner *x)
{
    return x->rows_seen > 0 ? (double)x->rows_kept / (double)x->rows_seen : 1;
}

// ---- rows

// x->score = the scores of at most LISTS rows and a tile's columns
static void score_tile(struct cdp_pruner *x, const struct cdp_operand *rows,
                       const struct cdp_operand *columns, uint32_t first)
{
    union cdp_threshold threshold[LISTS];
    struct cdp_hits hits[LISTS];
    for (uint32_t i = 0; i < rows->count; i++)
        threshold[i].product = -(1 << 30); // all pass
    struct cdp_tile tile = {.rows = rows->count,
                            .row = rows->row,
                            .start = rows->start,
                            .threshold = threshold,
                            .score = x->score};
    cdp_operand_tile(&tile, columns, first, first + CDP_TILE_COLUMNS);
    x->data->kernel->metric[x->data->metric].tile(&tile, hits);
}

void cdp_pruner_set_rows(struct cdp_pruner *x, const struct cdp_operand *rows)
{
    x->runs = 0;
    x->lists = 0;
    x->rows_seen = x->rows_kept = 0;
    memset(x->unpruned, 1, rows->count);
    for (uint32_t r = 0, end; r < rows->count; r = end) {
        uint32_t list = x->planes->list[rows->id[r]];
        for (end = r + 1; end < rows->count && x->planes->list[rows->id[end]] == list;)
            end++;
        if (list != CDP_NONE && x->runs < LISTS) {
            x->id[x->runs] = list;
            x->run[x->runs++] = (struct run){r, end};
            memset(x->unpruned + r, 0, end - r);
        }
    }
    if (x->runs == 0)
        return;
    cdp_operand_pack_columns(&x->run_centroids, cdp_ids_of(x->id), cdp_ids_from(CDP_NONE), x->runs,
                             1);
    cdp_operand_pack_columns(&x->items, cdp_ids_of(rows->id), cdp_ids_from(CDP_NONE), rows->count,
                             1);
    for (uint32_t r = 0; r < rows->count; r++) {
        // With items as columns, half of their square is subtracted from scores, not of the
        // centroid's.
        x->own[r] = x->planes->own[rows->id[r]] + (float)x->items.offset[r];
        x->error[r] = x->items.error[r];
    }
}

// Sets f of the rows of run a among the LISTS rows from `at` on, whose scores with the window's
// centroids are in x->score.
static void set_f(struct cdp_pruner *x, uint32_t a, uint32_t at)
{
    uint32_t first = x->run[a].first > at ? x->run[a].first : at;
    uint32_t count = cdp_min(x->run[a].end, at + LISTS) - first;
    const float *own = x->own + first, *error = x->error + first;
    for (uint32_t c = 0; c < x->lists; c++) {
        const float *score = x->score[c] + (first - at);
        float *f = x->f[c] + first, inverse = x->inverse[c][a];
        float half =
            (float)(cdp_dataset_sketch(&x->planes->centroids, x->window + c, 0)->square / 2);
#pragma omp simd
        for (uint32_t i = 0; i < count; i++)
            f[i] = f_of(own[i], score[i] - half, inverse, error[i]);
    }
}

// Moves the window to the lists from `first` on.
static void move_window(struct cdp_pruner *x, const struct cdp_operand *rows, uint32_t first)
{
    const struct cdp_dataset *centroids = &x->planes->centroids;
    uint32_t lists = cdp_min(x->planes->lists - first, LISTS);
    x->window = first;
    x->lists = lists;
    cdp_operand_pack_rows(&x->window_centroids, cdp_ids_from(first), cdp_ids_from(CDP_NONE), lists);
    for (uint32_t c = 0; c < lists; c++) {
        float product[LISTS];
        cdp_dataset_products(centroids, first + c, centroids, x->id, x->runs, 0, product);
        for (uint32_t a = 0; a < x->runs; a++)
            x->inverse[c][a] = inverse_distance(centroids, first + c, x->id[a], product[a]);
    }
    uint32_t a = 0;
    for (uint32_t at = 0; at < rows->count; at += LISTS) {
        score_tile(x, &x->window_centroids, &x->items, at);
        while (a < x->runs && x->run[a].end <= at)
            a++;
        for (uint32_t b = a; b < x->runs && x->run[b].first < at + LISTS; b++)
            set_f(x, b, at);
    }
}

// ---- columns

// Marks the rows to keep for columns `first` to `end` - 1, of one list and one tile, whose scores
// with the runs' centroids are in x->score.
static void mark(struct cdp_pruner *x, const struct cdp_operand *rows, uint32_t count,
                 const struct cdp_operand *columns, uint32_t first, uint32_t end)
{
    uint32_t list = x->planes->list[columns->id[first]];
    uint8_t *kept = x->kept[first / LISTS];
    const float *inverse = x->inverse[list - x->window], *row_f = x->f[list - x->window];
    const float *radius = rows->radius;
    // Over the columns, for each run: the least f, and the least f - radius.
    float least[LISTS], least_left[LISTS];
    for (uint32_t a = 0; a < LISTS; a++)
        least[a] = least_left[a] = INFINITY;
    for (uint32_t i = first; i < end; i++) {
        float own = x->planes->own[columns->id[i]], error = x->members.error[i - first];
        float column_radius = columns->radius[i];
        const float *score = x->score[i - first];
#pragma omp simd
        for (uint32_t a = 0; a < LISTS; a++) {
            float f = f_of(own, score[a], inverse[a], error);
            least[a] = f < least[a] ? f : least[a];
            least_left[a] = f - column_radius < least_left[a] ? f - column_radius : least_left[a];
        }
    }
    for (uint32_t a = 0; a < x->runs; a++) {
        float f = least[a], by_columns = -least_left[a];
        uint32_t last = x->run[a].end < count ? x->run[a].end : count;
#pragma omp simd
        for (uint32_t r = x->run[a].first; r < last; r++) {
            float own = radius[r] - f, most = own > by_columns ? own : by_columns;
            kept[r] |= row_f[r] <= most;
        }
    }
}

bool cdp_pruner_set_columns(struct cdp_pruner *x, const struct cdp_operand *rows, uint32_t count,
                            const struct cdp_operand *columns)
{
    if (x->runs == 0)
        return false;
    cdp_kernel_begin(x->data->kernel, x->data->words);
    for (uint32_t first = 0; first < columns->count; first += LISTS) {
        uint32_t last = cdp_min(columns->count, first + LISTS);
        memcpy(x->kept[first / LISTS], x->unpruned, count);
        for (uint32_t from = first, end; from < last; from = end) {
            uint32_t list = x->planes->list[columns->id[from]];
            for (end = from + 1; end < last && x->planes->list[columns->id[end]] == list;)
                end++;
            if (list == CDP_NONE) {
                memset(x->kept[first / LISTS], 1, count);
                continue;
            }
            if (list - x->window >= x->lists)
                move_window(x, rows, list);
            cdp_operand_pack_rows(&x->members, cdp_ids_of(columns->id + from),
                                  cdp_ids_from(CDP_NONE), end - from);
            score_tile(x, &x->members, &x->run_centroids, 0);
            mark(x, rows, count, columns, from, end);
        }
    }
    cdp_kernel_end(x->data->kernel);
    return true;
}

uint32_t cdp_pruner_kept(struct cdp_pruner *x, uint32_t first, uint32_t from, uint32_t end,
                         uint16_t *row)
{
    const uint8_t *kept = x->kept[first / LISTS];
    uint32_t count = 0;
    for (uint32_t r = from; r < end; r++) {
        row[count] = (uint16_t)r;
        count += kept[r];
    }
    x->rows_seen += end - from;
    x->rows_kept += count;
    return count;
}
