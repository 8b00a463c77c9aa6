// SPDX-License-Identifier: MIT
#include "knn/search/assign.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"

enum {
    ROWS = CDP_TILE_ROWS,
    COLUMNS = CDP_TILE_COLUMNS,
    TOGETHER = 2040,       // rows look together at most,
    FEWEST = 510,          // so many at least, and between them such that
    PARTS = 64,            // threads share so many parts
    STRETCH = 8 * COLUMNS, // columns that all rows look at, one row's tiles after another's
    PICKED = 32,           // that wait for a row's list before a tile, at most
    AHEAD = 8,             // rows whose memory is asked for before they are compared
};

// What is looked at, and by whom.
struct view {
    const struct cdp_dataset *data; // of the rows
    const struct cdp_operand *columns;
    const struct cdp_ivf_packed *shelf;  // whose columns they are, or NULL: all rows look at all.
    const struct cdp_candidates *probes; // which sets of the shelf each row looks at
    float *weight;   // of each byte, the mean square of the columns' byte there; or NULL
    uint32_t looked; // how many columns are compared; 0: lists go by what tiles see
    uint32_t wait;   // how many wait for a row's list
};

// Columns that a row has picked, and their scores: of most rows few, which share a line of the
// cache.
struct picked {
    uint32_t count;
    struct {
        uint32_t column;
        float score;
    } of[PICKED + COLUMNS + 2];
};

// A thread's memory.
struct glancer {
    struct cdp_operand rows;
    union cdp_threshold bar[TOGETHER];
    struct picked picked[TOGETHER];
    uint32_t item[TOGETHER], query[TOGETHER]; // of the rows,
    float spread[TOGETHER];                   // and how much their products with columns spread
    struct cdp_candidates seen;               // of the rows
    struct cdp_ivf_visits wants;
    uint32_t all[TOGETHER];
    // What lists asked for in the end, of late, by the spread of the row, and how far from that
    // they were.
    double asked, by_spread, apart;
};

static void free_glancers(struct glancer *glancers, int threads)
{
    for (int t = 0; glancers && t < threads; t++) {
        cdp_operand_free(&glancers[t].rows);
        cdp_candidates_free(&glancers[t].seen);
        cdp_ivf_visits_free(&glancers[t].wants);
    }
    free(glancers);
}

static struct glancer *new_glancers(const struct view *v, uint32_t seen, int threads,
                                    struct cdp_err *err)
{
    struct glancer *glancers = cdp_zalloc((size_t)threads, sizeof *glancers, "threads", err);
    for (int t = 0; glancers && t < threads; t++) {
        struct glancer *g = &glancers[t];
        g->asked = -INFINITY;
        if (cdp_operand_new_rows(&g->rows, v->data, TOGETHER, err) ||
            cdp_candidates_new(&g->seen, TOGETHER, seen, 1, err) ||
            (v->shelf &&
             cdp_ivf_visits_new(&g->wants, v->shelf->sets->count, v->probes->k, TOGETHER, err))) {
            free_glancers(glancers, threads);
            return NULL;
        }
        cdp_operand_set_level(&g->rows, v->columns->data->level - v->data->level);
        for (uint32_t r = 0; r < TOGETHER; r++)
            g->all[r] = r;
    }
    return glancers;
}

// How much the products of row r and the columns spread, as far as bytes do so apart from each
// other: what a list asks for is a matter of that.
static float spread_of(const struct glancer *g, const struct view *v, uint32_t r)
{
    const int8_t *q = (const int8_t *)cdp_dataset_words(v->data, g->rows.id[r]);
    float sum = 0;
    if (!v->weight)
        return 0;
#pragma omp simd reduction(+ : sum)
    for (size_t b = 0; b < 4 * g->rows.words; b++)
        sum += v->weight[b] * (float)(q[b] * q[b]);
    return sqrtf(sum);
}

static void set_bar(struct glancer *g, uint32_t r, float least)
{
    g->rows.threshold[r] = least;
    if (g->rows.data->vector)
        g->bar[r].product = (int32_t)fminf(fmaxf(least, -0x1p30F), 0x1p30F);
    else
        g->bar[r].score = least;
}

// Adds what row r has picked to its list.
static void add(struct glancer *g, const struct view *v, uint32_t r)
{
    const struct cdp_operand *columns = v->columns;
    struct picked *picked = &g->picked[r];
    uint32_t k = g->seen.k;
    uint64_t *list = g->seen.entry + (uint64_t)g->rows.list[r] * k;
    for (uint32_t from = 0; from < picked->count; from += COLUMNS) {
        uint32_t end = cdp_min(picked->count, from + COLUMNS), item[COLUMNS], here = 0;
        float score[COLUMNS];
        for (uint32_t i = from; i < end; i++) {
            item[here] = columns->id[picked->of[i].column];
            score[here] = picked->of[i].score;
            here += item[here] != CDP_NONE;
        }
        cdp_candidates_add(list, k, v->data->kernel, item, score, here);
    }
    picked->count = 0;
    float least = cdp_candidate_score(list[k - 1]);
    if (least > g->rows.threshold[r])
        set_bar(g, r, least);
}

// The first of the columns that have passed.
static inline void put(struct picked *p, uint32_t at, uint32_t from, uint64_t passed,
                       const float score[COLUMNS])
{
    uint32_t c = (uint32_t)__builtin_ctzll(passed);
    p->of[at].column = from + c;
    p->of[at].score = score[c];
}

// Most often none, one or two of a tile's columns: which, nothing foretells, so that is not asked.
static inline void pick(struct picked *p, uint32_t from, uint64_t passed,
                        const float score[COLUMNS])
{
    uint64_t left = passed & (passed - 1);
    put(p, p->count, from, passed | UINT64_C(1) << 63, score);
    put(p, p->count + 1, from, left | UINT64_C(1) << 63, score);
    p->count += (passed != 0) + (left != 0);
    for (left &= left - 1; left; left &= left - 1)
        put(p, p->count++, from, left, score);
}

// Lets at most a tile's rows pick from the columns from `from` to `end` - 1, and from what is on
// their panels besides.
static void look(struct glancer *g, const struct view *v, const uint32_t *row, uint32_t count,
                 uint32_t from, uint32_t end)
{
    cdp_tile_function *tile_function = v->data->kernel->metric[v->data->metric].tile;
    const uint32_t *words[ROWS];
    int32_t start[ROWS];
    union cdp_threshold bar[ROWS];
    float score[ROWS][COLUMNS];
    struct cdp_tile tile = {
        .rows = count, .row = words, .start = start, .threshold = bar, .score = score};
    for (uint32_t i = 0; i < count; i++) {
        words[i] = g->rows.row[row[i]];
        start[i] = g->rows.start[row[i]];
        bar[i] = g->bar[row[i]];
        __builtin_prefetch(&g->picked[row[i]]); // for when the tile is done
    }
    for (; from < end; from += COLUMNS) {
        struct cdp_hits passed[ROWS];
        cdp_operand_tile(&tile, v->columns, from, end);
        uint32_t some = tile_function(&tile, passed);
        for (uint32_t s = 0; s < some; s++) {
            uint32_t i = passed[s].row;
            struct picked *p = &g->picked[row[i]];
            pick(p, from, passed[s].columns, score[i]);
            __builtin_prefetch(&v->columns->id[p->of[p->count - 1].column]); // for the adding
            if (p->count > v->wait) {
                add(g, v, row[i]);
                bar[i] = g->bar[row[i]];
            }
        }
    }
}

// Lets all rows pick from all columns.
static void look_at_all(struct glancer *g, const struct view *v)
{
    uint32_t columns = v->columns->count, rows = g->rows.count;
    for (uint32_t from = 0; from < columns; from += STRETCH) {
        for (uint32_t r = 0; r < rows; r += ROWS)
            look(g, v, g->all + r, cdp_min(rows - r, ROWS), from, cdp_min(columns, from + STRETCH));
    }
}

// Lets each row pick from its sets.
static void look_at_sets(struct glancer *g, const struct view *v)
{
    uint32_t query[TOGETHER];
    for (uint32_t r = 0; r < g->rows.count; r++)
        query[r] = g->query[g->rows.list[r]];
    uint32_t sets = cdp_ivf_visits_sort(&g->wants, v->probes, query, g->rows.count, 0);
    for (uint32_t s = 0; s < sets; s++) {
        uint32_t set = g->wants.set[s], count;
        const uint32_t *row = cdp_ivf_visits_take(&g->wants, set, &count);
        for (uint32_t r = 0; r < count; r += ROWS)
            look(g, v, row + r, cdp_min(count - r, ROWS), cdp_ivf_packed_begin(v->shelf, set),
                 cdp_ivf_packed_end(v->shelf, set));
    }
}

// Lets the rows pick, but for columns that are too far by what was learned.
static void sweep(struct glancer *g, const struct view *v, bool learned)
{
    for (uint32_t r = 0; r < g->rows.count; r++) {
        double least =
            learned ? g->asked + g->by_spread * (double)g->spread[r] - 3 * g->apart : -INFINITY;
        set_bar(g, r, (float)least);
        g->picked[r].count = 0;
    }
    cdp_kernel_begin(v->data->kernel, g->rows.words);
    if (v->shelf)
        look_at_sets(g, v);
    else
        look_at_all(g, v);
    cdp_kernel_end(v->data->kernel);
    for (uint32_t r = 0; r < g->rows.count; r++)
        add(g, v, r);
}

// Learns what the first `count` lists ask for, by least squares.
static void learn(struct glancer *g, uint32_t count)
{
    uint64_t k = g->seen.k;
    const uint64_t *last = g->seen.entry + k - 1;
    double x = 0, y = 0, xx = 0, xy = 0, apart = 0;
    for (uint32_t i = 0; i < count; i++) {
        double spread = (double)g->spread[i];
        double asked = (double)cdp_candidate_score(last[i * k]);
        x += spread / count;
        y += asked / count;
        xx += spread * spread / count;
        xy += spread * asked / count;
    }
    double slope = xx > x * x ? (xy - x * y) / (xx - x * x) : 0;
    for (uint32_t i = 0; i < count; i++) {
        double spread = (double)g->spread[i];
        double asked = (double)cdp_candidate_score(last[i * k]);
        apart += fabs(asked - y - slope * (spread - x)) / count;
    }
    if (isfinite(apart)) {
        g->asked = y - slope * x;
        g->by_spread = slope;
        g->apart = apart;
    }
}

// Columns that are far are of no use to a list although it is not full yet: what lists asked for
// of late tells which. The rows that it was wrong for look once more.
static void glance(struct glancer *g, const struct view *v)
{
    uint32_t count = g->rows.count, again = 0, items[TOGETHER], list[TOGETHER];
    for (uint32_t r = 0; r < count; r++)
        g->spread[r] = spread_of(g, v, r);
    memset(g->seen.entry, 0xFF, (size_t)count * g->seen.k * sizeof *g->seen.entry);
    sweep(g, v, true);
    for (uint32_t r = 0; r < count; r++) {
        items[again] = g->rows.id[r];
        list[again] = g->rows.list[r];
        again += g->seen.entry[(list[again] + UINT64_C(1)) * g->seen.k - 1] == CDP_CANDIDATE_NONE;
    }
    if (again > 0) {
        cdp_operand_pack_rows(&g->rows, cdp_ids_of(items), cdp_ids_of(list), again);
        sweep(g, v, false);
    }
    learn(g, count);
}

// Adds to a list, by their scores, the columns that were seen nearest to an item.
static void compare(const struct view *v, uint32_t item, const uint64_t *seen, uint64_t *list,
                    uint32_t k)
{
    for (uint32_t from = 0; from < v->looked && seen[from] != CDP_CANDIDATE_NONE; from += COLUMNS) {
        uint32_t column[COLUMNS], here = 0;
        float score[COLUMNS];
        for (uint32_t r = from; here < COLUMNS && r < v->looked && seen[r] != CDP_CANDIDATE_NONE;
             r++)
            column[here++] = cdp_candidate_id(seen[r]);
        cdp_dataset_scores(v->data, item, v->columns->data, column, here, score);
        cdp_candidates_add(list, k, v->data->kernel, column, score, here);
    }
}

// The weights of a view; to be freed by the caller, NULL after an error.
static float *weigh(const struct cdp_operand *columns, struct cdp_err *err)
{
    size_t bytes = 4 * columns->words;
    float *weight = cdp_zalloc(bytes, sizeof *weight, "centroids", err);
    for (uint32_t c = 0; weight && c < columns->count; c++) {
        const int8_t *q = (const int8_t *)cdp_dataset_words(columns->data, columns->id[c]);
        for (size_t b = 0; b < bytes; b++)
            weight[b] += (float)(q[b] * q[b]) / (float)columns->count;
    }
    return weight;
}

static int glance_all(struct view *v, const uint32_t *items, const uint32_t *order,
                      struct cdp_candidates *lists, int threads, struct cdp_progress *progress,
                      struct cdp_err *err)
{
    uint64_t n = lists->count, part = n / PARTS;
    uint32_t most = part < FEWEST ? FEWEST : cdp_min(part, TOGETHER);
    uint32_t k = lists->k, seen = v->looked ? v->looked : k;
    v->wait = cdp_min(seen, PICKED);
    v->weight = v->data->vector ? weigh(v->columns, err) : NULL;
    struct glancer *glancers = NULL;
    if (!v->data->vector || v->weight)
        glancers = new_glancers(v, seen, threads, err);
    int status = glancers ? 0 : -1;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = 0; from < (status ? 0 : n); from += most) {
        struct glancer *g = &glancers[cdp_thread()];
        uint32_t count = cdp_min(n - from, most);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t query = order ? order[from + i] : from + i;
            g->query[i] = (uint32_t)query;
            g->item[i] = items ? items[query] : (uint32_t)query;
        }
        cdp_operand_pack_rows(&g->rows, cdp_ids_of(g->item), cdp_ids_from(0), count);
        glance(g, v);
        for (uint32_t i = 0; i < count; i++) {
            const uint64_t *own = g->seen.entry + (size_t)i * seen;
            uint64_t *list = lists->entry + (uint64_t)g->query[i] * k;
            if (v->looked) {
                cdp_dataset_prefetch(v->data, g->item[i + AHEAD < count ? i + AHEAD : i]);
                compare(v, g->item[i], own, list, k);
            } else {
                memcpy(list, own, k * sizeof *list);
            }
        }
        cdp_progress_add(progress, count);
    }
    free_glancers(glancers, threads);
    free(v->weight);
    return status;
}

int cdp_scan_coarse(const struct cdp_dataset *data, const uint32_t *items,
                    const struct cdp_operand *columns, uint32_t looked,
                    struct cdp_candidates *lists, int threads, struct cdp_progress *progress,
                    struct cdp_err *err)
{
    struct view v = {.data = data, .columns = columns, .looked = looked};
    return glance_all(&v, items, NULL, lists, threads, progress, err);
}

int cdp_scan_coarse_lists(const struct cdp_dataset *data, const uint32_t *items,
                          const struct cdp_candidates *probes, const struct cdp_ivf_packed *shelf,
                          uint32_t looked, struct cdp_candidates *lists, int threads,
                          struct cdp_progress *progress, struct cdp_err *err)
{
    struct view v = {.data = data,
                     .columns = &shelf->columns,
                     .shelf = shelf,
                     .probes = probes,
                     .looked = looked};
    // Rows that want the same set first look together, most of them.
    struct cdp_ivf_lists order;
    if (cdp_ivf_lists_new(&order, probes, 1, shelf->sets->count, threads, err))
        return -1;
    int status = glance_all(&v, items, order.member, lists, threads, progress, err);
    cdp_ivf_lists_free(&order);
    return status;
}
