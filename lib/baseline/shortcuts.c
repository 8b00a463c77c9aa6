// SPDX-License-Identifier: MIT
#include "baseline/shortcuts.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/data/operand.h"

// Items are the open nodes, those that may have a shorter pair, in the order of nodes; the gap of
// item i bounds the bottleneck of items i and i + 1. A tile is 64 columns; items i < j in different
// tiles have a bottleneck of at most
//
//   max(suffix[i], tile_gap of the tiles between, prefix[j]).

enum {
    COLUMNS = CDP_TILE_COLUMNS,
    BLOCK = CDP_BLOCK,       // rows and columns of a unit of work
    TILES = BLOCK / COLUMNS, // of a block
    GROUP = BLOCK / 4,       // rows of a tile, so that their words fit the L1 cache
    MIN_MERGE = 1 << 18, // pairs that are merged together, at least; more of many nodes, since a
                         // merge sorts the tree too
};

struct scan {
    struct cdp_spanning *tree;
    const struct cdp_rows *rows;
    double above; // the number after the limit: larger bottlenecks count as this
    uint32_t items, tiles;
    uint32_t *node; // of each item
    struct cdp_shortcut_node *item;
    double *gap;                   // of each item; the last has 0
    double *suffix;                // the largest gap from an item to the end of its tile
    double *prefix;                // the largest gap from the start of its tile to before the item
    double *tile_gap, *tile_least; // of each tile: the largest gap, the smallest radius
    struct cdp_matrix matrix;      // the items' rows
    uint32_t *pick;
    struct cdp_dataset data;
    struct cdp_operand columns; // all items
    struct worker *worker;
};

// A thread's memory.
struct worker {
    struct cdp_operand rows; // of one strip
    uint64_t strip;
    struct cdp_joined *found;
    size_t count, room;
};

static inline double larger(double a, double b)
{
    return a > b ? a : b;
}

// ---- open nodes

static double gap_between(const struct scan *s, uint32_t i)
{
    double most = 0;
    if (i + 1 < s->items) {
        for (uint32_t x = s->node[i]; x < s->node[i + 1]; x++)
            most = larger(most, s->tree->gap[x]);
    }
    return fmin(most, s->above);
}

// Removes nodes whose radius is at least the bottleneck with any open node.
static void find_open(struct scan *s, const struct cdp_shortcut_node *node)
{
    s->items = s->tree->nodes;
    for (uint32_t i = 0; i < s->items; i++)
        s->node[i] = i;
    for (uint32_t before = 0; before != s->items;) {
        double most = 0;
        before = s->items;
        for (uint32_t i = 0; i < before; i++)
            most = larger(most, gap_between(s, i));
        s->items = 0;
        for (uint32_t i = 0; i < before; i++) {
            s->node[s->items] = s->node[i];
            s->items += node[s->node[i]].radius < most;
        }
    }
}

// ---- bounds

static void set_bounds(struct scan *s)
{
    for (uint32_t i = 0; i < s->items; i++)
        s->gap[i] = gap_between(s, i);
    for (uint32_t t = 0; t < s->tiles; t++) {
        uint32_t first = t * COLUMNS, end = cdp_min(first + COLUMNS, s->items);
        double most = 0, least = INFINITY;
        for (uint32_t i = first; i < end; i++) {
            s->prefix[i] = most;
            most = larger(most, s->gap[i]);
            least = s->item[i].radius < least ? s->item[i].radius : least;
        }
        s->tile_gap[t] = most;
        s->tile_least[t] = least;
        most = 0;
        for (uint32_t i = end; i-- > first;)
            s->suffix[i] = most = larger(most, s->gap[i]);
    }
}

// A bound of the bottleneck of items i < j, where `between` is the largest gap of the tiles between
// theirs.
static double bottleneck(const struct scan *s, uint32_t i, uint32_t j, double between)
{
    if (i / COLUMNS != j / COLUMNS)
        return larger(larger(s->suffix[i], s->prefix[j]), between);
    double most = 0;
    for (uint32_t x = i; x < j; x++)
        most = larger(most, s->gap[x]);
    return most;
}

// ---- a unit of work: a strip of rows x a block of columns

// A score that pairs of at most this distance reach.
static float score_of(const struct scan *s, double distance)
{
    return nextafterf((float)(-distance * distance / 2 - s->data.error), -INFINITY);
}

static int measure(const struct scan *s, struct worker *w, uint32_t i, const uint32_t *others,
                   const double *bound, uint32_t count, struct cdp_err *err)
{
    uint32_t row[COLUMNS];
    double square[COLUMNS];
    if (cdp_grow(&w->found, &w->room, w->count + count, sizeof *w->found, "pairs", err))
        return -1;
    for (uint32_t m = 0; m < count; m++)
        row[m] = s->item[others[m]].row;
    cdp_rows_squares(s->rows, s->item[i].row, row, count, square);
    for (uint32_t m = 0; m < count; m++) {
        double core = larger(s->item[i].core, s->item[others[m]].core);
        double height = larger(core, sqrt(square[m]));
        if (height < bound[m])
            w->found[w->count++] = (struct cdp_joined){{s->node[i], s->node[others[m]]}, height};
    }
    return 0;
}

// Offers the pairs of item i and its hits in a tile that are below the bottleneck. `least`: a score
// that pairs below any bottleneck of the item and the tile reach.
static int offer(const struct scan *s, struct worker *w, uint32_t i, uint32_t tile, uint64_t hits,
                 double between, float least, struct cdp_err *err)
{
    uint32_t others[COLUMNS], count = 0, left = 0;
    double bound[COLUMNS];
    float score[COLUMNS];
    for (; hits; hits &= hits - 1) {
        uint32_t j = tile * COLUMNS + (uint32_t)__builtin_ctzll(hits);
        others[count] = j;
        count += j > i && j < s->items;
    }
    cdp_dataset_scores(&s->data, i, &s->data, others, count, score);
    for (uint32_t m = 0; m < count; m++) {
        float best = score[m] + cdp_dataset_score_error(&s->data, i, others[m]);
        if (best < least)
            continue;
        double most = bottleneck(s, i, others[m], between);
        others[left] = others[m];
        bound[left] = most;
        left += s->item[i].radius < most && s->item[others[m]].radius < most &&
                !(best < score_of(s, most));
    }
    return left > 0 ? measure(s, w, i, others, bound, left, err) : 0;
}

// The open rows of a group, gathered.
struct group {
    uint32_t count;
    uint32_t at[GROUP]; // in the strip
    const uint32_t *row[GROUP];
    int32_t start[GROUP];
    float least[GROUP], radius[GROUP], error[GROUP], square[GROUP];
    union cdp_threshold threshold[GROUP];
};

// Gathers the rows `from` to before `end` of a strip that are open with a tile of columns.
static void gather(const struct scan *s, const struct worker *w, uint32_t from, uint32_t end,
                   uint32_t tile, const double *between, struct group *g)
{
    const struct cdp_operand *rows = &w->rows;
    uint32_t last = cdp_min((uint64_t)(tile + 1) * COLUMNS, s->items) - 1;
    double known = -1;
    float radius = 0, least = 0;
    g->count = 0;
    for (uint32_t r = from; r < end; r++) {
        uint32_t i = (uint32_t)(w->strip * BLOCK) + r, own = i / COLUMNS;
        double most =
            own == tile ? s->tile_gap[tile] : bottleneck(s, i, last, between[own % TILES]);
        if (!(s->item[i].radius < most && s->tile_least[tile] < most))
            continue;
        if (most != known) {
            known = most;
            least = score_of(s, most);
            radius = cdp_dataset_radius(&s->data, least);
        }
        g->at[g->count] = r;
        g->row[g->count] = rows->row[r];
        g->start[g->count] = rows->start[r];
        g->least[g->count] = least;
        g->radius[g->count] = radius;
        g->error[g->count] = rows->error[r];
        g->square[g->count++] = rows->square[r];
    }
}

static int scan_tile(const struct scan *s, struct worker *w, uint32_t tile, uint32_t rows,
                     const double *between, struct cdp_err *err)
{
    cdp_tile_function *tile_function = s->data.kernel->metric[s->data.metric].tile;
    struct cdp_hits hits[GROUP];
    struct group g;
    for (uint32_t from = 0; from < rows; from += GROUP) {
        gather(s, w, from, cdp_min(from + GROUP, rows), tile, between, &g);
        if (g.count == 0)
            continue;
        struct cdp_bounds bounds = {
            .radius = g.radius,
            .error = g.error,
            .square = g.square,
            .count = g.count,
            .column_error = cdp_operand_error_bounds(&s->columns, tile * COLUMNS).error};
        s->data.kernel->thresholds(&bounds, g.threshold);
        struct cdp_tile t = {
            .rows = g.count, .row = g.row, .start = g.start, .threshold = g.threshold};
        cdp_operand_tile(&t, &s->columns, tile * COLUMNS, s->columns.count);
        uint32_t count = tile_function(&t, hits);
        for (uint32_t h = 0; h < count; h++) {
            uint32_t i = (uint32_t)(w->strip * BLOCK) + g.at[hits[h].row];
            if (offer(s, w, i, tile, hits[h].columns, between[i / COLUMNS % TILES],
                      g.least[hits[h].row], err))
                return -1;
        }
    }
    return 0;
}

static int scan_unit(const struct scan *s, struct worker *w, uint64_t strip, uint64_t block,
                     struct cdp_err *err)
{
    uint32_t rows = cdp_min(s->items - strip * BLOCK, BLOCK);
    uint32_t first = (uint32_t)strip * TILES, end = first + (rows + COLUMNS - 1) / COLUMNS;
    uint32_t tile = (uint32_t)block * TILES, tiles = cdp_min(tile + TILES, s->tiles);
    double between[TILES] = {0}; // of each tile of rows, and the present one of columns
    if (w->strip != strip)
        cdp_operand_pack_rows(&w->rows, cdp_ids_from(strip * BLOCK), cdp_ids_from(CDP_NONE), rows);
    w->strip = strip;
    if (strip < block) {
        double most = 0;
        for (uint32_t t = end; t < tile; t++)
            most = larger(most, s->tile_gap[t]);
        for (uint32_t t = end; t-- > first;) {
            between[t - first] = most;
            most = larger(most, s->tile_gap[t]);
        }
    }
    for (; tile < tiles; tile++) {
        uint32_t above = cdp_min((uint64_t)(tile - first + 1) * COLUMNS, rows);
        if (scan_tile(s, w, tile, above, between, err))
            return -1;
        for (uint32_t t = first; t < end && t < tile; t++)
            between[t - first] = larger(between[t - first], s->tile_gap[tile]);
    }
    return 0;
}

// ---- all units

// Units from *next on, until all are done or many pairs wait.
static int scan_units(struct scan *s, uint64_t *next, int threads, struct cdp_progress *progress,
                      struct cdp_err *err)
{
    uint64_t blocks = (s->items + BLOCK - 1) / BLOCK, units = blocks * blocks;
    size_t enough = s->tree->nodes > MIN_MERGE ? s->tree->nodes : MIN_MERGE, found = 0;
    int status = 0;
#pragma omp parallel num_threads(threads)
    {
        struct worker *w = &s->worker[cdp_thread()];
        struct cdp_err own;
        cdp_kernel_begin(s->data.kernel, s->columns.words);
        while (__atomic_load_n(&found, __ATOMIC_RELAXED) < enough &&
               !cdp_progress_stopped(progress)) {
            uint64_t unit = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED);
            if (unit >= units)
                break;
            uint64_t strip = unit / blocks, block = unit % blocks;
            size_t before = w->count;
            if (block < strip)
                continue;
            if (scan_unit(s, w, strip, block, &own)) {
#pragma omp critical
                {
                    *err = own;
                    status = -1;
                }
                __atomic_store_n(&found, enough, __ATOMIC_RELAXED);
            }
            __atomic_fetch_add(&found, w->count - before, __ATOMIC_RELAXED);
            cdp_progress_add(progress, 1);
        }
        cdp_kernel_end(s->data.kernel);
    }
    return status;
}

static int merge_found(struct scan *s, int threads, struct cdp_err *err)
{
    for (int t = 0; t < threads; t++) {
        struct worker *w = &s->worker[t];
        struct cdp_joined *edge = cdp_spanning_offer(s->tree, w->count, err);
        if (!edge)
            return -1;
        for (size_t e = 0; e < w->count; e++)
            edge[e] = w->found[e];
        w->count = 0;
    }
    return cdp_spanning_merge(s->tree, err);
}

static int scan_all(struct scan *s, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t blocks = (s->items + BLOCK - 1) / BLOCK;
    cdp_progress_stage(progress, 1, blocks * (blocks + 1) / 2);
    for (uint64_t next = 0; next < blocks * blocks;) {
        set_bounds(s);
        if (scan_units(s, &next, threads, progress, err) || cdp_progress_check(progress, err) ||
            merge_found(s, threads, err))
            return -1;
    }
    return 0;
}

// ---- memory

static int new_items(struct scan *s, const struct cdp_shortcut_node *node, struct cdp_err *err)
{
    s->tiles = (s->items + COLUMNS - 1) / COLUMNS;
    s->item = cdp_alloc(s->items, sizeof *s->item, "rows", err);
    s->pick = cdp_alloc(s->items, sizeof *s->pick, "rows", err);
    s->gap = cdp_alloc(s->items, sizeof *s->gap, "rows", err);
    s->suffix = cdp_alloc(s->items, sizeof *s->suffix, "rows", err);
    s->prefix = cdp_alloc(s->items, sizeof *s->prefix, "rows", err);
    s->tile_gap = cdp_alloc(s->tiles, sizeof *s->tile_gap, "rows", err);
    s->tile_least = cdp_alloc(s->tiles, sizeof *s->tile_least, "rows", err);
    if (!s->item || !s->pick || !s->gap || !s->suffix || !s->prefix || !s->tile_gap ||
        !s->tile_least)
        return -1;
    s->matrix = *s->rows->matrix;
    for (uint32_t i = 0; i < s->items; i++) {
        s->item[i] = node[s->node[i]];
        s->pick[i] = (uint32_t)cdp_matrix_origin(s->rows->matrix, s->item[i].row);
    }
    s->matrix.rows = s->items;
    s->matrix.pick = s->pick;
    return 0;
}

static int new_workers(struct scan *s, int threads, struct cdp_err *err)
{
    s->worker = cdp_zalloc((size_t)threads, sizeof *s->worker, "threads", err);
    for (int t = 0; s->worker && t < threads; t++) {
        s->worker[t].strip = UINT64_MAX;
        if (cdp_operand_new_rows(&s->worker[t].rows, &s->data, BLOCK, err))
            return -1;
    }
    return s->worker ? 0 : -1;
}

static void free_scan(struct scan *s, int threads)
{
    for (int t = 0; s->worker && t < threads; t++) {
        cdp_operand_free(&s->worker[t].rows);
        free(s->worker[t].found);
    }
    free(s->worker);
    cdp_operand_free(&s->columns);
    cdp_dataset_free(&s->data);
    free(s->node);
    free(s->item);
    free(s->pick);
    free(s->gap);
    free(s->suffix);
    free(s->prefix);
    free(s->tile_gap);
    free(s->tile_least);
}

int cdp_shortcuts(struct cdp_spanning *tree, const struct cdp_rows *rows,
                  const struct cdp_shortcut_node *node, double limit, int threads,
                  struct cdp_progress *progress, struct cdp_err *err)
{
    struct scan s = {.tree = tree, .rows = rows, .above = nextafter(limit, INFINITY)};
    threads = cdp_threads(threads);
    s.node = cdp_alloc(tree->nodes, sizeof *s.node, "rows", err);
    if (!s.node)
        return -1;
    find_open(&s, node);
    int status = 0;
    if (s.items > 1)
        status = new_items(&s, node, err) ||
                 cdp_dataset_build(&s.data, &s.matrix, CDP_COSINE, 1, true, threads, err) ||
                 cdp_operand_new_columns(&s.columns, &s.data, s.items, err);
    if (!status && s.items > 1) {
        cdp_operand_pack_columns(&s.columns, cdp_ids_from(0), cdp_ids_from(CDP_NONE), s.items,
                                 threads);
        status = new_workers(&s, threads, err) || scan_all(&s, threads, progress, err);
    }
    free_scan(&s, threads);
    return status ? -1 : 0;
}
