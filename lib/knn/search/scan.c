// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/search/ivf.h"

// Rows scan lists in batches, list after list, so that a list is read from memory once for all rows
// of a batch. Timed (README.md).
enum {
    ROWS = CDP_TILE_ROWS,
    COLUMNS = CDP_TILE_COLUMNS,
    // Rows of a batch that scans centroids: 1 / CENTROID_PARTS of all, between
    CENTROID_PARTS = 64,
    CENTROID_FEWEST = 510,
    CENTROID_MOST = 2040,
    STRETCH = 8 * COLUMNS, // columns that all rows of a batch scan before the next ones
    BUFFERED = 32,         // hits of a row that wait to be merged before a tile, at most
    // Rows of a batch that scans items: 1 / ITEM_PARTS of all, or if that is fewer, SHARED rows a
    // list but at most 1 / ITEM_FEWEST of all. Not above ITEM_MOST, nor above ITEM_USUAL unless
    // 1 / ITEM_PARTS is, nor above ITEM_VISITS visits.
    ITEM_PARTS = 32,
    ITEM_FEWEST = 4,
    SHARED = 64,
    ITEM_USUAL = 1 << 14,
    ITEM_MOST = 1 << 16,
    ITEM_VISITS = 1 << 22,
    DEVIATIONS = 3,      // by which a learned threshold is below the mean k-th score
    AHEAD = 4,           // rows whose scores are prefetched
    RESCORE_AHEAD = 8,   // the same when centroids are re-scored
    OFFERED = 16,        // scores of an own list that are merged at once
    OWN_WORDS = 1024,    // of an item in an own list's tiles, so that sums stay above LOWEST
    LOWEST = -(1 << 30), // a threshold that all products pass
};

enum mode { BY_SKETCH, BY_SCORE, OWN_LIST };

// Hits of a row that wait: of most rows few, in one cache line.
struct buffer {
    uint32_t count;
    struct {
        uint32_t column;
        float score;
    } hit[BUFFERED + COLUMNS + 2];
};

// A thread's memory.
struct scanner {
    const struct cdp_scan *scan;
    enum mode mode;
    struct cdp_candidates *found;
    struct cdp_operand rows;
    uint32_t *item, *query; // of the batch's rows: query is the number of the row in the scan
    // Which rows of the batch visit which list:
    uint32_t *visitors; // of each list; 0 between batches
    uint32_t *list;     // visited lists, those of nearest centroids first
    uint32_t *end;      // of each list's rows
    uint32_t *row;      // list after list
    // By sketch:
    uint32_t depth;
    float learned;              // threshold; -inf in the first batch
    struct cdp_candidates best; // of each row
    union cdp_threshold *threshold;
    struct buffer *buffer;
    // Own lists, if the kernel has tiles of 32-bit sums:
    uint32_t *panel; // of the members' int8 numbers
    float *scale, *offset;
};

static uint32_t visits_of(const struct cdp_scan *s)
{
    return s->lists ? s->last - s->first : 0;
}

// ---- memory

static void free_scanners(struct scanner *scanners, int threads)
{
    for (int t = 0; scanners && t < threads; t++) {
        struct scanner *w = &scanners[t];
        cdp_operand_free(&w->rows);
        cdp_candidates_free(&w->best);
        free(w->item);
        free(w->query);
        free(w->visitors);
        free(w->list);
        free(w->end);
        free(w->row);
        free(w->threshold);
        free(w->buffer);
        free(w->panel);
        free(w->scale);
        free(w->offset);
    }
    free(scanners);
}

static int new_visits(struct scanner *w, uint32_t rows, struct cdp_err *err)
{
    uint64_t lists = w->scan->lists->count;
    size_t visits = visits_of(w->scan);
    w->visitors = cdp_zalloc(lists, sizeof *w->visitors, "inverted lists", err);
    w->list = cdp_alloc(rows, visits * sizeof *w->list, "inverted lists", err);
    w->end = cdp_alloc(lists, sizeof *w->end, "inverted lists", err);
    w->row = cdp_alloc(rows, visits * sizeof *w->row, "inverted lists", err);
    return w->visitors && w->list && w->end && w->row ? 0 : -1;
}

static int new_panels(struct scanner *w, const struct cdp_dataset *s, struct cdp_err *err)
{
    w->panel = cdp_alloc_aligned(CDP_SCAN_OWN, s->byte_words * sizeof *w->panel, "items", err);
    w->scale = cdp_alloc(CDP_SCAN_OWN, sizeof *w->scale, "items", err);
    w->offset = cdp_alloc(CDP_SCAN_OWN, sizeof *w->offset, "items", err);
    return w->panel && w->scale && w->offset ? 0 : -1;
}

static int new_scanner(struct scanner *w, uint32_t rows, struct cdp_err *err)
{
    const struct cdp_dataset *s = w->scan->data, *columns = w->scan->columns->data;
    w->item = cdp_alloc(rows, sizeof *w->item, "rows", err);
    w->query = cdp_alloc(rows, sizeof *w->query, "rows", err);
    if (!w->item || !w->query || cdp_operand_new_rows(&w->rows, s, rows, err) ||
        (w->scan->lists && new_visits(w, rows, err)))
        return -1;
    if (w->mode == BY_SKETCH) {
        cdp_operand_set_level(&w->rows, columns->level - s->level);
        w->threshold = cdp_alloc(rows, sizeof *w->threshold, "rows", err);
        w->buffer = cdp_alloc(rows, sizeof *w->buffer, "rows", err);
        if (!w->threshold || !w->buffer || cdp_candidates_new(&w->best, rows, w->depth, 1, err))
            return -1;
    }
    bool panels = w->mode == OWN_LIST && s->vector && s->kernel->tile32;
    return panels && s->byte_words <= OWN_WORDS ? new_panels(w, s, err) : 0;
}

static struct scanner *new_scanners(struct scanner model, uint32_t rows, int threads,
                                    struct cdp_err *err)
{
    struct scanner *scanners = cdp_zalloc((size_t)threads, sizeof *scanners, "threads", err);
    for (int t = 0; scanners && t < threads; t++) {
        scanners[t] = model;
        if (new_scanner(&scanners[t], rows, err)) {
            free_scanners(scanners, threads);
            return NULL;
        }
    }
    return scanners;
}

// ---- hits by sketch: buffered, since rows have many

static void set_threshold(struct scanner *w, uint32_t r, float score)
{
    w->rows.threshold[r] = score;
    if (w->rows.data->vector)
        w->threshold[r].product = (int32_t)fminf(fmaxf(score, -0x1p30F), 0x1p30F);
    else
        w->threshold[r].score = score;
}

// Merges a row's hits into its best.
static void flush(struct scanner *w, uint32_t r)
{
    struct buffer *b = &w->buffer[r];
    uint64_t *list = cdp_candidates_list(&w->best, r);
    for (uint32_t from = 0; from < b->count; from += COLUMNS) {
        uint32_t end = cdp_min(b->count, from + COLUMNS), item[COLUMNS], count = 0;
        float score[COLUMNS];
        for (uint32_t i = from; i < end; i++) {
            item[count] = w->scan->columns->id[b->hit[i].column];
            score[count] = b->hit[i].score;
            count += item[count] != CDP_NONE;
        }
        cdp_candidates_add(list, w->depth, w->rows.data->kernel, item, score, count);
    }
    b->count = 0;
    float threshold = cdp_candidate_score(list[w->depth - 1]);
    if (threshold > w->rows.threshold[r])
        set_threshold(w, r, threshold);
}

static inline void put(struct buffer *b, uint32_t at, uint32_t from, uint64_t columns,
                       const float score[COLUMNS])
{
    uint32_t c = (uint32_t)__builtin_ctzll(columns);
    b->hit[at].column = from + c;
    b->hit[at].score = score[c];
}

// Branch-free for up to two hits: their number is unpredictable.
static inline void buffer_hits(struct buffer *b, uint32_t from, uint64_t columns,
                               const float score[COLUMNS])
{
    uint64_t left = columns & (columns - 1);
    put(b, b->count, from, columns | UINT64_C(1) << 63, score);
    put(b, b->count + 1, from, left | UINT64_C(1) << 63, score);
    b->count += (columns != 0) + (left != 0);
    for (left &= left - 1; left; left &= left - 1)
        put(b, b->count++, from, left, score);
}

// ---- hits by score

// The items of these columns from `first` on, except one item. Returns their number.
static uint32_t items_of(const struct cdp_operand *columns, uint32_t first, uint64_t hits,
                         uint32_t except, uint32_t items[COLUMNS])
{
    uint32_t count = 0;
    for (; hits; hits &= hits - 1) {
        uint32_t id = columns->id[first + (uint32_t)__builtin_ctzll(hits)];
        items[count] = id;
        count += id != CDP_NONE && id != except;
    }
    return count;
}

static void add_hits(struct scanner *w, uint32_t r, uint32_t first, uint64_t hits)
{
    const struct cdp_operand *columns = w->scan->columns;
    uint32_t own = w->rows.id[r], items[COLUMNS], k = w->found->k;
    uint64_t *list = cdp_candidates_list(w->found, w->query[r]);
    float score[COLUMNS];
    uint32_t count = items_of(columns, first, hits, own, items);
    cdp_dataset_scores(w->rows.data, own, columns->data, items, count, score);
    cdp_candidates_add(list, k, w->rows.data->kernel, items, score, count);
    float threshold = cdp_candidate_score(list[k - 1]);
    if (threshold > w->rows.threshold[r])
        cdp_operand_set_threshold(&w->rows, r, threshold);
}

static void prefetch_hits(const struct scanner *w, uint32_t r, uint32_t first, uint64_t hits)
{
    const struct cdp_operand *columns = w->scan->columns;
    uint32_t items[COLUMNS], count = items_of(columns, first, hits, CDP_NONE, items);
    cdp_dataset_prefetch(w->rows.data, w->rows.id[r]);
    cdp_fetch(cdp_candidates_list(w->found, w->query[r]), w->found->k * sizeof *w->found->entry);
    for (uint32_t i = 0; i < count; i++)
        cdp_dataset_prefetch(columns->data, items[i]);
}

// ---- tiles

// At most ROWS rows scan the columns from `from` to before `end`, and the rest of their panels.
// `from` is a multiple of CDP_PANEL_COLUMNS.
static void scan_columns(struct scanner *w, const uint32_t *row, uint32_t count, uint32_t from,
                         uint32_t end)
{
    const struct cdp_dataset *s = w->rows.data;
    const struct cdp_operand *columns = w->scan->columns;
    cdp_tile_function *tile_function = s->kernel->metric[s->metric].tile;
    const uint32_t *words[ROWS];
    int32_t start[ROWS];
    union cdp_threshold threshold[ROWS];
    float score[ROWS][COLUMNS];
    bool by_sketch = w->mode == BY_SKETCH;
    struct cdp_tile tile = {.rows = count,
                            .row = words,
                            .start = start,
                            .threshold = threshold,
                            .score = by_sketch ? score : NULL};
    for (uint32_t i = 0; i < count; i++) {
        words[i] = w->rows.row[row[i]];
        start[i] = w->rows.start[row[i]];
        if (by_sketch) {
            threshold[i] = w->threshold[row[i]];
            __builtin_prefetch(&w->buffer[row[i]]);
        }
    }
    for (; from < end; from += COLUMNS) {
        struct cdp_hits hits[ROWS];
        if (!by_sketch)
            cdp_operand_gather_thresholds(&w->rows, row, count,
                                          cdp_operand_error_bounds(columns, from), threshold);
        cdp_operand_tile(&tile, columns, from, end);
        uint32_t some = tile_function(&tile, hits);
        for (uint32_t h = 0; by_sketch && h < some; h++) {
            uint32_t i = hits[h].row;
            struct buffer *b = &w->buffer[row[i]];
            buffer_hits(b, from, hits[h].columns, score[i]);
            __builtin_prefetch(&columns->id[b->hit[b->count - 1].column]); // for flush()
            if (b->count > BUFFERED || b->count > w->depth) {
                flush(w, row[i]);
                threshold[i] = w->threshold[row[i]];
            }
        }
        for (uint32_t h = 0; !by_sketch && h < some + AHEAD; h++) {
            if (h < some)
                prefetch_hits(w, row[hits[h].row], from, hits[h].columns);
            if (h >= AHEAD)
                add_hits(w, row[hits[h - AHEAD].row], from, hits[h - AHEAD].columns);
        }
    }
}

// ---- own lists

// Packs the int8 numbers of a list's members, items `first` and on.
static void pack_members(struct scanner *w, uint32_t first, uint32_t count)
{
    const struct cdp_dataset *s = w->rows.data;
    for (uint32_t c = 0; c < count; c += CDP_PANEL_COLUMNS) {
        const uint32_t *item[CDP_PANEL_COLUMNS];
        uint32_t here = cdp_min(count - c, CDP_PANEL_COLUMNS);
        for (uint32_t i = 0; i < here; i++)
            item[i] = s->bytes + (first + c + i) * s->byte_words;
        cdp_operand_pack_panel(w->panel + c * s->byte_words, item, here, s->byte_words,
                               CDP_DOT_FLIP);
    }
    for (uint32_t c = 0; c < count; c++) {
        w->scale[c] = s->vector[first + c].scale;
        w->offset[c] = s->vector[first + c].offset;
    }
}

static int32_t start_of(const uint32_t *word, size_t words)
{
    const int8_t *q = (const int8_t *)word;
    int32_t sum = 0;
    for (size_t b = 0; b < 4 * words; b++)
        sum += q[b];
    return -128 * sum;
}

// Inserts the scores of an item with members `from` and on into its list, from products of int8, or
// pair by pair if there are none.
static void add_members(struct scanner *w, uint32_t item, uint32_t first, uint32_t from,
                        uint32_t count, const float *product)
{
    const struct cdp_dataset *s = w->rows.data;
    uint64_t *list = cdp_candidates_list(w->found, item);
    struct cdp_vector v = s->vector[item];
    for (uint32_t c = from; c < from + count; c += OFFERED) {
        uint32_t other[OFFERED], here = 0, end = cdp_min(from + count, c + OFFERED);
        float score[OFFERED];
        for (uint32_t i = c; i < end; i++) {
            other[here] = first + i;
            if (product)
                score[here] =
                    product[i - from] * (v.scale * w->scale[i]) + (v.offset + w->offset[i]);
            here += first + i != item;
        }
        if (!product)
            cdp_dataset_scores(s, item, s, other, here, score);
        cdp_candidates_add(list, w->found->k, s->kernel, other, score, here);
    }
}

// At most ROWS items, `item` and on, with all `count` members of their list, items `first` and on.
static void scan_members(struct scanner *w, uint32_t item, uint32_t rows, uint32_t first,
                         uint32_t count)
{
    static const int32_t none[COLUMNS];
    const struct cdp_dataset *s = w->rows.data;
    const uint32_t *words[ROWS];
    int32_t start[ROWS];
    union cdp_threshold threshold[ROWS];
    float product[ROWS][COLUMNS];
    for (uint32_t r = 0; r < rows; r++) {
        words[r] = s->bytes + (item + r) * s->byte_words;
        start[r] = start_of(words[r], s->byte_words);
        threshold[r].product = LOWEST;
    }
    for (uint32_t from = 0; from < count; from += COLUMNS) {
        uint32_t here = cdp_min(count - from, COLUMNS);
        struct cdp_hits hits[ROWS];
        struct cdp_tile tile = {.rows = rows,
                                .row = words,
                                .start = start,
                                .threshold = threshold,
                                .score = product,
                                .offset = none,
                                .panel = w->panel + from * s->byte_words,
                                .words = s->byte_words,
                                .panels = (here + CDP_PANEL_COLUMNS - 1) / CDP_PANEL_COLUMNS};
        s->kernel->tile32(&tile, hits);
        for (uint32_t r = 0; r < rows; r++)
            add_members(w, item + r, first, from, here, product[r]);
    }
}

// `rows` items, `item` and on, with all members of their list.
static void scan_own(struct scanner *w, uint32_t item, uint32_t rows, uint32_t first,
                     uint32_t count)
{
    if (w->panel) {
        pack_members(w, first, count);
        for (uint32_t r = 0; r < rows; r += ROWS)
            scan_members(w, item + r, cdp_min(rows - r, ROWS), first, count);
        return;
    }
    for (uint32_t r = 0; r < rows; r++)
        add_members(w, item + r, first, 0, count, NULL);
}

// ---- batches

// Sorts the batch's rows by the lists that they visit, those of nearest centroids first. Returns
// the number of lists.
static uint32_t sort_visits(struct scanner *w)
{
    const struct cdp_scan *s = w->scan;
    uint32_t lists = 0, sum = 0, rows = w->rows.count;
    for (uint32_t v = s->first; v < s->last; v++) {
        for (uint32_t r = 0; r < rows; r++) {
            uint64_t visit = cdp_candidates_list(s->visits, w->query[r])[v];
            if (visit != CDP_CANDIDATE_NONE && w->visitors[cdp_candidate_id(visit)]++ == 0)
                w->list[lists++] = cdp_candidate_id(visit);
        }
    }
    for (uint32_t l = 0; l < lists; l++) {
        w->end[w->list[l]] = sum;
        sum += w->visitors[w->list[l]];
    }
    for (uint32_t r = 0; r < rows; r++) {
        const uint64_t *visit = cdp_candidates_list(s->visits, w->query[r]);
        for (uint32_t v = s->first; v < s->last && visit[v] != CDP_CANDIDATE_NONE; v++)
            w->row[w->end[cdp_candidate_id(visit[v])]++] = r;
    }
    return lists;
}

static void scan_lists(struct scanner *w)
{
    const struct cdp_ivf_lists *lists = w->scan->lists;
    uint32_t count = sort_visits(w);
    for (uint32_t l = 0; l < count; l++) {
        uint32_t list = w->list[l], rows = w->visitors[list];
        uint32_t first = (uint32_t)lists->start[list], end = (uint32_t)lists->start[list + 1];
        const uint32_t *row = w->row + w->end[list] - rows;
        w->visitors[list] = 0;
        if (w->mode == OWN_LIST && w->rows.data->vector && end - first <= CDP_SCAN_OWN) {
            scan_own(w, w->item[row[0]], rows, first, end - first);
            continue;
        }
        first = first / CDP_PANEL_COLUMNS * CDP_PANEL_COLUMNS;
        for (uint32_t r = 0; r < rows; r += ROWS)
            scan_columns(w, row + r, cdp_min(rows - r, ROWS), first, end);
    }
}

static void scan_all(struct scanner *w)
{
    uint32_t columns = w->scan->columns->count, rows = w->rows.count;
    for (uint32_t from = 0; from < columns; from += STRETCH) {
        for (uint32_t r = 0; r < rows; r += ROWS) {
            uint32_t row[ROWS], count = cdp_min(rows - r, ROWS);
            for (uint32_t i = 0; i < count; i++)
                row[i] = r + i;
            scan_columns(w, row, count, from, cdp_min(columns, from + STRETCH));
        }
    }
}

// Inserts a row's best centroids by sketch into its list, by score.
static void rescore(struct scanner *w, uint32_t r)
{
    const struct cdp_dataset *centroids = w->scan->columns->data;
    const uint64_t *best = cdp_candidates_list(&w->best, r);
    uint64_t *list = cdp_candidates_list(w->found, w->query[r]);
    for (uint32_t at = 0; at < w->depth && best[at] != CDP_CANDIDATE_NONE;) {
        uint32_t column[COLUMNS], count = 0;
        float score[COLUMNS];
        for (; count < COLUMNS && at < w->depth && best[at] != CDP_CANDIDATE_NONE; at++)
            column[count++] = cdp_candidate_id(best[at]);
        cdp_dataset_scores(w->rows.data, w->item[r], centroids, column, count, score);
        cdp_candidates_add(list, w->found->k, centroids->kernel, column, score, count);
    }
}

// Writes a row's best into its list.
static void finish(struct scanner *w, uint32_t r, bool by_score)
{
    const uint64_t *best = cdp_candidates_list(&w->best, r);
    if (by_score)
        rescore(w, r);
    else
        memcpy(cdp_candidates_list(w->found, w->query[r]), best, w->depth * sizeof *best);
}

static void scan_once(struct scanner *w, uint32_t count, float learned)
{
    const struct cdp_dataset *s = w->rows.data;
    cdp_operand_pack_rows(&w->rows, cdp_ids_of(w->item), cdp_ids_from(0), count);
    w->rows.fraction = w->scan->fraction;
    for (uint32_t r = 0; r < count; r++) {
        if (w->mode == BY_SKETCH) {
            set_threshold(w, r, learned);
            w->buffer[r].count = 0;
        } else {
            const uint64_t *list = cdp_candidates_list(w->found, w->query[r]);
            cdp_operand_set_threshold(&w->rows, r, cdp_candidate_score(list[w->found->k - 1]));
        }
    }
    if (w->mode == BY_SKETCH)
        memset(w->best.entry, 0xFF, (size_t)count * w->depth * sizeof *w->best.entry);
    cdp_kernel_begin(s->kernel, w->rows.words);
    if (w->scan->lists)
        scan_lists(w);
    else
        scan_all(w);
    cdp_kernel_end(s->kernel);
}

// In scans by sketch, rows start with a threshold learned from the batch before, since most columns
// are too far to be among the best even while a list is not full. Rows that it was too strong for
// scan again without it. So it never changes what is found.
static void scan_batch(struct scanner *w, uint32_t count, bool by_score)
{
    float learned = w->learned;
    scan_once(w, count, learned);
    if (w->mode != BY_SKETCH)
        return;
    double sum = 0, squares = 0;
    uint32_t again = 0;
    for (uint32_t r = 0; r < count; r++) {
        flush(w, r);
        uint64_t last = cdp_candidates_list(&w->best, r)[w->depth - 1];
        if (last == CDP_CANDIDATE_NONE && learned > -INFINITY) {
            w->item[again] = w->item[r];
            w->query[again++] = w->query[r];
            continue;
        }
        double score = (double)cdp_candidate_score(last);
        sum += score;
        squares += score * score;
        cdp_dataset_prefetch(w->rows.data,
                             w->item[r + RESCORE_AHEAD < count ? r + RESCORE_AHEAD : r]);
        finish(w, r, by_score);
    }
    double mean = sum / (count - again), variance = squares / (count - again) - mean * mean;
    if (again < count && isfinite(variance))
        w->learned = (float)(mean - DEVIATIONS * sqrt(fmax(0, variance)));
    if (again == 0)
        return;
    scan_once(w, again, -INFINITY);
    for (uint32_t r = 0; r < again; r++) {
        flush(w, r);
        finish(w, r, by_score);
    }
}

// `batch` rows at a time. Rows that visit the same list first are in the same batch, mostly.
static int scan_rows(struct scanner model, uint32_t batch, bool by_score, int threads,
                     struct cdp_progress *progress, struct cdp_err *err)
{
    const struct cdp_scan *s = model.scan;
    struct cdp_ivf_lists order = {0};
    uint64_t n = model.found->count;
    if (s->lists && cdp_ivf_lists_new(&order, s->visits, 1, s->lists->count, threads, err))
        return -1;
    struct scanner *scanners = new_scanners(model, batch, threads, err);
    int status = scanners ? 0 : -1;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = 0; from < (status ? 0 : n); from += batch) {
        if (cdp_progress_stopped(progress))
            continue;
        struct scanner *w = &scanners[cdp_thread()];
        uint32_t count = cdp_min(n - from, batch);
        for (uint32_t r = 0; r < count; r++) {
            uint32_t query = order.member ? order.member[from + r] : (uint32_t)(from + r);
            w->query[r] = query;
            w->item[r] = s->items ? s->items[query] : query;
        }
        scan_batch(w, count, by_score);
        cdp_progress_add(progress, count);
    }
    free_scanners(scanners, threads);
    cdp_ivf_lists_free(&order);
    return status ? status : cdp_progress_check(progress, err);
}

int cdp_scan_centroids(const struct cdp_scan *scan, uint32_t depth, struct cdp_candidates *found,
                       int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t part = found->count / CENTROID_PARTS;
    uint32_t batch = part < CENTROID_FEWEST ? CENTROID_FEWEST : cdp_min(part, CENTROID_MOST);
    struct scanner model = {.scan = scan,
                            .mode = BY_SKETCH,
                            .found = found,
                            .depth = depth ? depth : found->k,
                            .learned = -INFINITY};
    return scan_rows(model, batch, depth > 0, threads, progress, err);
}

int cdp_scan_items(const struct cdp_scan *scan, struct cdp_candidates *found, int threads,
                   struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t n = found->count, few = n / ITEM_PARTS, visits = scan->visits->k;
    uint64_t many = cdp_min(n / ITEM_FEWEST, SHARED * scan->lists->count / visits);
    uint64_t most = cdp_min(few > ITEM_USUAL ? few : ITEM_USUAL, ITEM_MOST);
    uint32_t batch = cdp_min(many > few ? many : few, cdp_min(ITEM_VISITS / visits, most));
    struct scanner model = {.scan = scan, .mode = BY_SCORE, .found = found};
    return scan_rows(model, batch < 1 ? 1 : batch, true, threads, progress, err);
}

int cdp_scan_own_list(const struct cdp_scan *scan, struct cdp_candidates *found, int threads,
                      struct cdp_progress *progress, struct cdp_err *err)
{
    enum { OWN_BATCH = 1024 };
    struct scanner model = {.scan = scan, .mode = OWN_LIST, .found = found};
    return scan_rows(model, OWN_BATCH, true, threads, progress, err);
}
